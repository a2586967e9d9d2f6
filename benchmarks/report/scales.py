"""Where on an axis a value stands, and which values are written beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .quantity import compact

_PERCENTILES = (50, 75, 90, 99, 99.9, 99.99, 99.999)
_WIDE = 12
"""Values further apart than this get a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Scale:
    """`place` takes a value to between 0 and 1; `ticks` are values with their labels."""

    place: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]


def linear(values: Iterable[float]) -> Scale:
    """From zero to a round number above the largest."""
    largest = max(values, default=0.0) or 1.0
    power = 10 ** math.floor(math.log10(largest / 4))
    step = next(power * each for each in (1, 2, 2.5, 5, 10, 20) if power * each * 5 >= largest)
    count = math.ceil(largest / step - 1e-9)
    top = step * count
    return Scale(
        lambda value: value / top,
        [(step * each, compact(round(step * each, 12))) for each in range(count + 1)],
    )


def logarithmic(values: Iterable[float]) -> Scale:
    """From 1, 2 or 5 times a power of ten below the smallest to one above the largest."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = _round_down(min(positive)), _round_up(max(positive))
    if low == high:
        low, high = _round_down(low * 0.99), _round_up(high * 1.01)
    span = math.log10(high / low)
    steps = (1, 2, 5) if span <= 2.5 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    candidates = [each * 10.0**power for power in powers for each in steps]
    return Scale(
        lambda value: math.log10(max(value, low) / low) / span,
        [(at, compact(round(at, 12))) for at in candidates if low * 0.999 <= at <= high * 1.001],
    )


def fitting(values: Iterable[float]) -> Scale:
    """Linear from zero, unless values are so far apart that the small ones would be lost."""
    found = [value for value in values if value > 0]
    wide = bool(found) and max(found) / min(found) > _WIDE
    return logarithmic(found) if wide else linear(found)


def measured(values: Iterable[float]) -> Scale:
    """A logarithmic axis on which just the values that were chosen are written."""
    chosen = sorted(set(values))
    scale = logarithmic(chosen)
    low, high = math.log10(chosen[0]), math.log10(chosen[-1])
    if low == high:
        return Scale(lambda value: 0.5, [(chosen[0], compact(chosen[0]))])
    ticks = [(value, compact(value)) for value in chosen]
    return Scale(
        lambda value: (math.log10(value) - low) / (high - low),
        ticks if len(ticks) <= 6 else [tick for tick in scale.ticks if low <= math.log10(tick[0])],
    )


def percentiles(largest: float) -> Scale:
    """By the nines, as HDR histograms are drawn: as far from 99 to 99.9 as from 90 to 99."""

    def nines(value: float) -> float:
        return -math.log10(1 - min(value, 99.9999) / 100)

    low = nines(50)
    span = nines(max(largest, 90)) - low
    ticks = [(each, f"{each:g} %") for each in _PERCENTILES if each <= max(largest, 90)]
    return Scale(
        lambda value: (nines(max(value, 50)) - low) / span,
        [tick for tick in ticks if tick[0] != 75],
    )


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return max(power * each for each in (1, 2, 5) if power * each <= value * (1 + 1e-9))


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return min(power * each for each in (1, 2, 5, 10) if power * each >= value * (1 - 1e-9))
