"""A flame graph of what cProfile counted.

cProfile knows who called whom and for how long, but not whole stacks. What a function spent in
another is shared out among its own callers by the time each of them spent in it, so the picture is
exact where a function has one caller, and a fair guess where it has several.
"""

from __future__ import annotations

import pstats
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias
from xml.etree.ElementTree import Element

from .report.markup import as_svg, node, picture

_WIDTH, _ROW, _LETTER = 1200.0, 17.0, 6.6
_THINNEST = 0.6
_STYLE = (
    "svg{font:11px ui-monospace,Menlo,Consolas,monospace;background:#fff}"
    "rect{stroke:#fff;stroke-width:.5}text{fill:#1b2330;pointer-events:none}"
    ".palaver{fill:#a5b4fc}.library{fill:#fcd9a8}.builtin{fill:#d7dde6}"
)

Function: TypeAlias = tuple[str, int, str]
_Times: TypeAlias = tuple[int, int, float, float]
_Stats: TypeAlias = dict[Function, tuple[int, int, float, float, dict[Function, _Times]]]


def flame_graph(profile: pstats.Stats) -> str:
    """The SVG, roots at the top; hovering over a box tells its function and its share."""
    stats: _Stats = profile.stats  # type: ignore[attr-defined]  # typeshed leaves it out
    callees: dict[Function, dict[Function, float]] = {}
    for function, (*_, callers) in stats.items():
        for caller, times in callers.items():
            callees.setdefault(caller, {})[function] = times[3]
    roots = {each: times[3] for each, times in stats.items() if not times[4]}
    whole = sum(roots.values()) or 1.0
    boxes: list[Element] = []
    depth = 0
    # Function, where it begins, how wide it is, and those that it is within.
    waiting: list[tuple[Function, float, float, tuple[Function, ...]]] = []
    waiting += _side_by_side(roots, 0.0, _WIDTH, whole, ())
    while waiting:
        function, x, wide, above = waiting.pop()
        depth = max(depth, len(above))
        boxes.append(_box(function, x, len(above) * _ROW, wide))
        within = {each: t for each, t in callees.get(function, {}).items() if each not in above}
        within.pop(function, None)
        total = max(stats[function][3], sum(within.values()))  # recursion counts twice
        waiting += _side_by_side(within, x, wide, total, (*above, function))
    return as_svg(
        picture(
            "Flame graph of the engine",
            f"By cProfile; {whole:.1f} s of CPU of its main thread.",
            _WIDTH,
            (depth + 1) * _ROW,
            node("style", _STYLE),
            *boxes,
        )
    )


def _side_by_side(
    functions: dict[Function, float],
    x: float,
    wide: float,
    total: float,
    above: tuple[Function, ...],
) -> Iterator[tuple[Function, float, float, tuple[Function, ...]]]:
    for function, seconds in sorted(functions.items(), key=lambda each: -each[1]):
        share = wide * seconds / total if total else 0.0
        if share < _THINNEST:
            return
        yield function, x, share, above
        x += share


def _box(function: Function, x: float, y: float, wide: float) -> Element:
    path, line, name = function
    place = "built in" if path == "~" else f"{Path(path).parent.name}/{Path(path).name}:{line}"
    kind = "builtin" if path == "~" else "library" if "site-packages" in path else "palaver"
    room = int((wide - 6) / _LETTER)
    text = name if len(name) <= room else f"{name[: room - 1]}…" if room > 3 else None
    return node(
        "g",
        node("title", f"{name} ({place}), {wide / _WIDTH:.1%}"),
        node("rect", x=x, y=y, width=wide, height=_ROW - 1, class_=kind),
        None if text is None else node("text", text, x=x + 3, y=y + 12),
    )
