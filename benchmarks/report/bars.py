"""Horizontal bars, ours against theirs, each with how many times ours it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from .markup import node, picture
from .quantity import figure, ratio

WIDTH = 560.0
_BAR, _ROW = 16.0, 27.0
_NAMES, _VALUES = 150.0, 150.0
_HEADING, _GAP = 30.0, 16.0


@dataclass(frozen=True, slots=True)
class Bar:
    """`value` None with a `note`: there is no figure, and why. `ours` is drawn in our colour."""

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
    for group in groups:
        if headings:
            said = node("tspan", group.said, dx=9, class_="said")
            parts.append(node("text", group.heading, said, x=0, y=y + 16, class_="heading"))
            y += _HEADING
        parts.extend(_rows(group, y))
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


def _rows(group: Group, y: float) -> list[Element]:
    longest = max((bar.value for bar in group.bars if bar.value is not None), default=0) or 1
    room = WIDTH - _NAMES - _VALUES
    rows = []
    for number, bar in enumerate(group.bars):
        top = y + number * _ROW
        wide = max((bar.value or 0) / longest * room, 1.5)
        middle = top + _BAR / 2 + 5
        name = "label ours" if bar.ours else "label"
        rows.append(
            node(
                "g",
                node("title", f"{bar.name}: {spoken(bar, group)}"),
                node("text", bar.name, x=_NAMES - 12, y=middle, class_=name, text_anchor="end"),
                *(() if bar.value is None else (_bar(bar, top, wide),)),
                *_value(bar, group, middle, _NAMES + (0 if bar.value is None else wide + 8)),
            )
        )
    return rows


def _bar(bar: Bar, top: float, wide: float) -> Element:
    kind = "bar invalid" if bar.note else "bar ours" if bar.ours else "bar"
    return node("rect", x=_NAMES, y=top, width=wide, height=_BAR, rx=2, class_=kind)


def _value(bar: Bar, group: Group, y: float, x: float) -> list[Element]:
    if bar.value is None or bar.note:
        text = bar.note or "not measured"
        value = "" if bar.value is None else f"{figure(bar.value)} {group.unit}, "
        return [node("text", f"{value}{text}", x=x, y=y, class_="note")]
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
        return bar.note or "not measured"
    times = times_ours(bar, group)
    said = f"{figure(bar.value)} {group.unit}"
    return (
        said
        + (f", {ratio(times)} ours" if times is not None else "")
        + (f", {bar.note}" if bar.note else "")
    )
