"""Horizontal bars, ours against theirs, each with how many times ours it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from .markup import node, picture
from .quantity import figure, ratio

WIDTH = 460.0
_BAR, _ROW = 16.0, 27.0
_LETTER, _LONGEST = 7.8, 20
"""Width of a letter of a name, and how many are shown."""
_VALUES = 132.0
_HEADING, _GAP = 30.0, 16.0


@dataclass(frozen=True, slots=True)
class Bar:
    """`value` None: there is no figure, and the `note` says why. `ours` is drawn in our colour."""

    name: str
    value: float | None
    note: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Bars of one quantity, which `said` names, in one unit."""

    heading: str
    said: str
    unit: str
    bars: Sequence[Bar]


def bar_chart(title: str, groups: Sequence[Group], *, headings: bool = True) -> Element:
    """One below the other; without `headings` for a place that has its own."""
    y, parts = 0.0, []
    longest = max((len(bar.name) for group in groups for bar in group.bars), default=0)
    left = min(longest, _LONGEST) * _LETTER + 12
    for group in groups:
        if headings:
            said = node("tspan", group.said, dx=9, class_="said")
            parts.append(node("text", group.heading, said, x=0, y=y + 16, class_="heading"))
            y += _HEADING
        parts.extend(_rows(group, left, y))
        y += _ROW * len(group.bars) + _GAP
    told = "; ".join(
        f"{group.heading}, {group.said}: "
        + ", ".join(f"{bar.name} {spoken(bar, group)}" for bar in group.bars)
        for group in groups
    )
    return picture(title, told, WIDTH, max(y - _GAP, 1), *parts)


def times_ours(bar: Bar, group: Group) -> float | None:
    """How many times ours the value of `bar` is; None for ours, or if either is not known."""
    ours = next((each.value for each in group.bars if each.ours), None)
    if bar.ours or bar.value is None or not ours:
        return None
    return bar.value / ours


def _rows(group: Group, left: float, y: float) -> list[Element]:
    longest = max((bar.value for bar in group.bars if bar.value is not None), default=0) or 1
    room = WIDTH - left - _VALUES
    rows = []
    for number, bar in enumerate(group.bars):
        top = y + number * _ROW
        wide = max((bar.value or 0) / longest * room, 1.5)
        middle = top + _BAR / 2 + 5
        kind = "label ours" if bar.ours else "label"
        name = bar.name if len(bar.name) <= _LONGEST else f"{bar.name[: _LONGEST - 1]}…"
        rows.append(
            node(
                "g",
                node("title", f"{bar.name}: {spoken(bar, group)}"),
                node("text", name, x=left - 12, y=middle, class_=kind, text_anchor="end"),
                *(() if bar.value is None else (_bar(bar, left, top, wide),)),
                *_value(bar, group, middle, left + (0 if bar.value is None else wide + 8)),
            )
        )
    return rows


def _bar(bar: Bar, left: float, top: float, wide: float) -> Element:
    kind = "bar ours" if bar.ours else "bar"
    return node("rect", x=left, y=top, width=wide, height=_BAR, rx=2, class_=kind)


def _value(bar: Bar, group: Group, y: float, x: float) -> list[Element]:
    if bar.value is None:
        return [node("text", "no valid run", x=x, y=y, class_="note")]
    times = times_ours(bar, group)
    return [
        node(
            "text",
            f"{figure(bar.value)} {group.unit}",
            None if times is None else node("tspan", ratio(times), dx=9, class_="ratio"),
            x=x,
            y=y,
            class_="value",
        )
    ]


def spoken(bar: Bar, group: Group) -> str:
    if bar.value is None:
        return f"no valid run: {bar.note}"
    times = times_ours(bar, group)
    said = f"{figure(bar.value)} {group.unit}"
    return said if times is None else f"{said}, {ratio(times)} ours"
