"""Line charts: latency by percentile, a rate against the size of a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from .markup import node, picture
from .quantity import figure
from .scales import Scale

WIDTH, _PLOT_HEIGHT = 480.0, 230.0
_LEFT, _RIGHT, _BELOW = 58.0, 18.0, 46.0
_LETTER = 7.4
"""Width of a letter of a label, on the safe side for the fonts that browsers have."""
_ROW = 20.0
_MARKED = 12
"""A line of at most so many points shows them."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """`slot` decides about its colour and dashes: the same target has the same everywhere."""

    name: str
    slot: int
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Axis:
    """`label` says what it shows and in which unit."""

    label: str
    scale: Scale


def line_chart(
    title: str, description: str, across: Axis, up: Axis, lines: Sequence[Line]
) -> Element:
    """A chart with a legend on top, for `lines` that each have a point or more."""
    legend, top = _legend(lines)
    top += 32  # for the name of the axis
    bottom = top + _PLOT_HEIGHT

    def at(point: Point) -> Point:
        return (
            _LEFT + across.scale.place(point[0]) * (WIDTH - _LEFT - _RIGHT),
            bottom - up.scale.place(point[1]) * _PLOT_HEIGHT,
        )

    return picture(
        title,
        description,
        WIDTH,
        bottom + _BELOW,
        legend,
        node("text", up.label, x=4, y=top - 16, class_="axis"),
        *_grid(across, up, top, bottom),
        # Ours last, so that nothing lies over it.
        *(_drawn(line, at) for line in sorted(lines, key=lambda line: -line.slot)),
    )


def _grid(across: Axis, up: Axis, top: float, bottom: float) -> Iterable[Element]:
    for value, label in up.scale.ticks:
        y = bottom - up.scale.place(value) * (bottom - top)
        yield node("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
        yield node("text", label, x=_LEFT - 8, y=y + 4.5, class_="tick", text_anchor="end")
    width = WIDTH - _LEFT - _RIGHT
    for value, label in across.scale.ticks:
        place = across.scale.place(value)
        x = _LEFT + place * width
        yield node("line", x1=x, x2=x, y1=bottom, y2=bottom + 5, class_="grid")
        anchor = "middle" if place < 0.97 else "end"
        x = x if anchor == "middle" else WIDTH - 4
        yield node("text", label, x=x, y=bottom + 19, class_="tick", text_anchor=anchor)
    yield node(
        "text",
        across.label,
        x=_LEFT + width / 2,
        y=bottom + 39,
        class_="axis",
        text_anchor="middle",
    )


def _drawn(line: Line, at: Callable[[Point], Point]) -> Element:
    places = [at(point) for point in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = [
        node(
            "circle",
            node("title", f"{line.name}: {figure(point[0])} → {figure(point[1])}"),
            cx=x,
            cy=y,
            r=3.5 if line.slot else 4.5,
        )
        for point, (x, y) in zip(line.points, places, strict=True)
        if len(places) <= _MARKED
    ]
    return node(
        "g",
        node("title", line.name),
        node("polyline", points=path, class_="line"),
        *marks,
        class_=f"s{line.slot}",
    )


def _legend(lines: Sequence[Line]) -> tuple[Element, float]:
    entries, x, y = [], 4.0, 14.0
    for line in sorted(lines, key=lambda line: line.slot):
        wide = 34 + len(line.name) * _LETTER + 14
        if x > 4 and x + wide > WIDTH:
            x, y = 4.0, y + _ROW
        entries.append(
            node(
                "g",
                node("line", x1=x, x2=x + 26, y1=y - 4.5, y2=y - 4.5, class_="line"),
                node("text", line.name, x=x + 33, y=y, class_="label"),
                class_=f"s{line.slot}",
            )
        )
        x += wide
    return node("g", *entries), y + 8
