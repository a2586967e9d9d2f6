"""Numbers as people read them: three digits, and no more of them than were measured."""

from __future__ import annotations

import math

_PREFIXES = ((1e9, " G"), (1e6, " M"), (1e3, " k"))


def figure(value: float | None) -> str:
    """Three significant digits, thousands apart: 1,570,000 · 12.3 · 0.432. None is a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(value)))
    value = round(value, decimals)
    decimals = 2 - math.floor(math.log10(abs(value)))  # rounding may have added a digit
    return f"{value:,.{max(decimals, 0)}f}"


def compact(value: float) -> str:
    """As short as an axis wants it: 2 M · 10 k · 0.5."""
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:g}{prefix}"
    return f"{value:g}"


def ratio(value: float | None) -> str:
    """Two digits below ten: 0.13× · 1.5× · 12×."""
    if value is None or not math.isfinite(value):
        return "–"
    if value >= 9.95:
        return f"{value:,.0f}×"
    return f"{value:.1f}×" if value >= 0.95 else f"{value:.2f}×"
