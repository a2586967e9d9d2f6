"""The tables of a run, before anybody has decided where they are shown.

One sheet for each workload and mode; a row is one target in one case, ours first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..figures import Results, Summary
from .metrics import OURS, TAILS, advantage, label, shown, title, words
from .quantity import figure, ratio

EXPLAINED = (
    f"Medians of the valid runs. “4.0×”: {OURS} is so many times better in the same case (a higher "
    "rate, or less CPU, memory or latency: the p99); below 1 it is worse. CPU per unit and these "
    "ratios are what counts; rates depend on the machine and are context. Generator: what the load "
    "generator used of a core."
)
_MARKS = "¹²³⁴⁵⁶⁷⁸⁹"


@dataclass(frozen=True, slots=True)
class Cell:
    """`times`: how many times better ours is, and `better` whether that is more than once."""

    text: str
    times: str = ""
    better: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    case: str
    target: str
    ours: bool
    cells: Sequence[Cell]
    runs: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """`columns` are those of the cells; case and target come before them, runs after. `setting` is
    what all cases have in common. `notes` say why runs do not count; targets bear their marks."""

    title: str
    setting: str
    columns: Sequence[str]
    rows: Sequence[Row]
    notes: Sequence[str]

    @property
    def compares(self) -> bool:
        """Whether there is anybody else to tell ours from."""
        return any(not row.ours for row in self.rows)

    @property
    def cases(self) -> bool:
        """Whether there are several, so that they need a column."""
        return any(row.case for row in self.rows)


def sheets(results: Results) -> list[Sheet]:
    """All tables of `results`, in the order in which they were run."""
    groups: dict[tuple[str, str], list[Summary]] = {}
    for summary in results.summaries:
        groups.setdefault((summary.workload, mode(summary)), []).append(summary)
    return [_sheet(*key, group) for key, group in groups.items()]


def mode(summary: Summary) -> str:
    """ "saturated", "paced", or "" where there is no choice."""
    return str(summary.parameters.get("mode", ""))


def cases(summaries: Iterable[Summary]) -> list[list[Summary]]:
    """What may be compared with each other, ours first."""
    groups: dict[str, list[Summary]] = {}
    for summary in summaries:
        groups.setdefault(summary.key, []).append(summary)
    return [sorted(group, key=lambda each: each.target != OURS) for group in groups.values()]


def differing(summaries: Sequence[Summary]) -> list[str]:
    """The parameters, the mode apart, in which `summaries` are not all alike."""
    names = dict.fromkeys(name for each in summaries for name in each.parameters if name != "mode")
    first = summaries[0].parameters
    return [n for n in names if any(each.parameters.get(n) != first.get(n) for each in summaries)]


def described(summary: Summary, names: Iterable[str]) -> str:
    """Those parameters of `summary`, in words."""
    known = summary.parameters
    return ", ".join(words(name, known[name]) for name in names if name in known)


def _sheet(workload: str, how: str, summaries: Sequence[Summary]) -> Sheet:
    known = dict.fromkeys(name for summary in summaries for name in summary.medians)
    names = shown(workload, how == "paced", known)
    apart = differing(summaries)
    alike = [name for name in summaries[0].parameters if name not in (*apart, "mode")]
    notes: list[str] = []
    rows = [
        _row(group[0], each, names, described(each, apart), notes)
        for group in cases(summaries)
        for each in group
    ]
    spoken = {"paced": ", at a fixed rate", "": ""}.get(how, f", {how}")
    tails = "/".join(TAILS)
    return Sheet(
        title(workload) + spoken,
        described(summaries[0], alike),
        [
            f"{label(name)} {tails}, ms" if f"{name}_p50_ms" in known else label(name)
            for name in names
        ],
        rows,
        [f"{_mark(number)} {note}" for number, note in enumerate(notes)],
    )


def _row(
    first: Summary, summary: Summary, names: Sequence[str], case: str, notes: list[str]
) -> Row:
    mark = ""
    if summary.invalid:
        reasons = "; ".join(dict.fromkeys(summary.invalid))
        note = f"{'some runs' if summary.runs else 'all runs'} invalid: {reasons}"
        if note not in notes:
            notes.append(note)
        mark = f" {_mark(notes.index(note))}"
    return Row(
        case,
        summary.target + mark,
        summary.target == OURS,
        [_cell(first, summary, name) for name in names],
        str(summary.runs) if summary.runs else "invalid",
    )


def _cell(first: Summary, summary: Summary, name: str) -> Cell:
    if name in summary.medians:
        value = summary.medians[name]
        text = f"{value:.0%}" if name == "generator" else figure(value)
    else:
        tails = [summary.medians.get(f"{name}_{tail}_ms") for tail in TAILS]
        if not any(tails):
            return Cell("–")
        text, name = "/".join(map(figure, tails)), f"{name}_{TAILS[1]}_ms"
    alone = first.target != OURS or summary.target == OURS
    times = None if alone else advantage(name, first, summary)
    return Cell(text) if times is None else Cell(text, ratio(times), times >= 1)


def _mark(number: int) -> str:
    return "".join(_MARKS[int(digit) - 1] if digit != "0" else "⁰" for digit in str(number + 1))
