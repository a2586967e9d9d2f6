"""Which pictures a run deserves, and what is drawn in them; without figures there is no picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ..figures import Results, Summary
from . import bars
from .bars import Bar, bar_chart
from .lines import Axis, Line, line_chart
from .markup import as_svg, node, picture
from .metrics import HEADLINES, OURS, Headline, label, title
from .scales import fitting, logarithmic, measured, percentiles
from .sheets import cases, described, differing, mode
from .style import picture_style

_PERCENTS = sorted(
    {*range(50, 90, 5), *range(90, 100), *(99 + n / 10 for n in range(10))}
    | {99.9 + n / 100 for n in range(10)}
    | {99.99}
)
_SAMPLES = 10
"""A percentile is drawn if so many of the values were above it."""
_APART = 1.5
"""Times that the largest value across must be of the smallest, or there is no curve to be seen."""


SHORTER = "Shorter is better. Bold: how many times ours."


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    text: str
    """How to read it, if that must be said."""
    drawing: Element


@dataclass(frozen=True, slots=True)
class Growth:
    """How a figure changes with a parameter (or with another figure) of a saturated workload."""

    workload: str
    figure: str
    against: str
    title: str
    text: str


_GROWTHS = (
    Growth(
        "fanout",
        "us_per_delivery",
        "members",
        "CPU per delivery against members",
        "What one more member costs. Flat is good, low is good.",
    ),
    Growth(
        "fanout",
        "deliveries_per_s",
        "members",
        "Throughput against members",
        "Saturated: as much as the server takes. High is good.",
    ),
    Growth(
        "fanout",
        "us_per_delivery",
        "frames_per_write",
        "CPU per delivery against batch",
        "Frames that went out with one write(2): whoever joins them pays the kernel once.",
    ),
    Growth(
        "idle",
        "kib_per_connection",
        "connections",
        "Memory per idle connection",
        "Signed in and silent, session included.",
    ),
    Growth(
        "history",
        "answer_p50_ms",
        "messages",
        "A page of history against the conversation's length",
        "The median. A page should not cost more because there is more before it.",
    ),
)


def slots(results: Results) -> dict[str, int]:
    """The colour of each target: ours is 0, the others follow in the order they were run."""
    names = dict.fromkeys([OURS, *(run.target for run in results.runs)])
    return {
        name: number if number < 7 else 1 + (number - 1) % 6 for number, name in enumerate(names)
    }


def charts(results: Results) -> list[Chart]:
    colours = slots(results)
    summaries = [each for each in results.summaries if each.runs]
    found = [chart for growth in _GROWTHS for chart in _grown(growth, summaries, colours)]
    paced = [each for each in summaries if mode(each) == "paced"]
    return [*found, *(chart for group in cases(paced) for chart in _latency(group, colours))]


def headlines(results: Results) -> list[Chart]:
    """What a unit of work costs, ours and theirs, one picture for each kind of work."""
    return [
        Chart(
            f"{group.heading}: {group.said}",
            "",
            bar_chart(f"{group.heading}: {group.said}", [group], headings=False),
        )
        for group in _headline_groups(results)
    ]


def headline_picture(results: Results) -> str | None:
    """The same in one SVG that stands alone, legible on light and dark pages; None without any."""
    groups = _headline_groups(results)
    if not groups:
        return None
    drawing = bar_chart("What it costs", groups)
    title, told, *parts = drawing
    _, _, width, height = (float(each) for each in drawing.get("viewBox", "").split())
    margin, foot = 24.0, 50.0
    outer = picture(
        title.text or "",
        told.text or "",
        width + 2 * margin,
        height + 2 * margin + foot,
        node("style", picture_style()),
        node("rect", width="100%", height="100%", rx=10, class_="card"),
        node("g", *parts, transform=f"translate({margin:g} {margin:g})"),
        node("text", SHORTER, x=margin, y=height + margin + 30, class_="note"),
        node("text", _where(results), x=margin, y=height + margin + 50, class_="note"),
    )
    # Its natural size, for pages that do not say how large they want it.
    for name, size in (("width", width), ("height", height + foot)):
        outer.set(name, f"{(size + 2 * margin) * 1.4:.0f}")
    return as_svg(outer)


def _where(results: Results) -> str:
    known = results.machine
    cores = f"{known['cores']} cores" if "cores" in known else ""
    words = (f"palaver {results.version}", results.began[:10], known.get("CPU"), cores)
    return ", ".join(word for word in words if word)


def _headline_groups(results: Results) -> list[bars.Group]:
    return [group for each in HEADLINES if (group := _headline_group(each, results)) is not None]


def _headline_group(what: Headline, results: Results) -> bars.Group | None:
    """Of all cases that have the figure: saturated, with the most targets; of these the smallest
    messages, and then the most members or connections."""
    known = [
        each
        for each in results.summaries
        if each.workload == what.workload and mode(each) in ("saturated", "")
    ]
    choice = [g for g in cases(known) if any(what.figure in each.medians for each in g)]
    if not choice:
        return None

    def merit(group: list[Summary]) -> tuple[float, ...]:
        known = group[0].parameters
        size = max((float(known.get(each, 0)) for each in ("members", "connections")), default=0)
        return len(group), -float(known.get("bytes", 0)), size

    best = max(choice, key=merit)
    names = [name for name in ("members", "connections") if name in best[0].parameters]
    return bars.Group(
        ", ".join(filter(None, (what.name, described(best[0], names)))),
        what.said,
        what.unit,
        [
            Bar(
                each.target,
                each.medians.get(what.figure),
                "" if what.figure in each.medians else "; ".join(dict.fromkeys(each.invalid)),
                each.target == OURS,
            )
            for each in best
        ],
    )


def _grown(
    growth: Growth, summaries: Sequence[Summary], colours: dict[str, int]
) -> Iterator[Chart]:
    """One for each of the cases that differ in something else than what it grows with."""
    batch = growth.against not in ("members", "connections", "messages")
    sheets: dict[str, list[Summary]] = {}
    known = [
        each
        for each in summaries
        if each.workload == growth.workload
        and growth.figure in each.medians
        and (batch or mode(each) != "paced")
        and (growth.against in (each.medians if batch else each.parameters))
    ]
    if not known:
        return
    # Whatever changes how many frames one write takes belongs into one curve, their size apart.
    same = ("bytes",) if batch else [name for name in differing(known) if name != growth.against]
    apart = [name for name in differing(known) if name in same]
    for each in known:
        sheets.setdefault(described(each, apart), []).append(each)
    for setting, group in sheets.items():
        series: dict[str, list[tuple[float, float]]] = {}
        for each in group:
            x = (each.medians if batch else each.parameters)[growth.against]
            series.setdefault(each.target, []).append((float(x), each.medians[growth.figure]))
        if all(max(points)[0] < _APART * min(points)[0] for points in series.values()):
            continue
        lines = [Line(name, colours[name], sorted(points)) for name, points in series.items()]
        across = [x for line in lines for x, _ in line.points]
        chart = line_chart(
            growth.title,
            _told(lines, label(growth.against)),
            Axis(label(growth.against), logarithmic(across) if batch else measured(across)),
            Axis(label(growth.figure), fitting(y for line in lines for _, y in line.points)),
            lines,
        )
        yield Chart(growth.title + (f", {setting}" if setting else ""), growth.text, chart)


def _latency(group: Sequence[Summary], colours: dict[str, int]) -> Iterator[Chart]:
    kinds = dict.fromkeys(kind for each in group for kind in each.latencies if kind != "late")
    for kind in kinds:
        lines = []
        for each in group:
            histogram = each.latencies.get(kind)
            if histogram is None or not histogram.count:
                continue
            last = 100 * (1 - _SAMPLES / histogram.count)
            points = [(p, histogram.percentile(p)) for p in _PERCENTS if p <= max(last, 50)]
            lines.append(Line(each.target, colours[each.target], points))
        if not lines:
            continue
        name = f"Latency of the {kind}: {title(group[0].workload).split(':')[0].lower()}"
        yield Chart(
            name,
            described(group[0], [n for n in group[0].parameters if n != "mode"])
            + ". Counted from when a message was due. Low is good, flat is good.",
            line_chart(
                name,
                _told(lines, "percentile"),
                Axis("percentile", percentiles(max(line.points[-1][0] for line in lines))),
                Axis("ms", fitting(y for line in lines for _, y in line.points)),
                lines,
            ),
        )


def _told(lines: Sequence[Line], what: str) -> str:
    """What a chart shows, for whoever does not see it."""
    ends = (
        f"{line.name} from {line.points[0][1]:.3g} to {line.points[-1][1]:.3g}" for line in lines
    )
    return f"By {what}: " + "; ".join(ends) + "."
