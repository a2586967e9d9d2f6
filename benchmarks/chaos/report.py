"""How a run is told: while it goes on, at its end, and to machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.text import Text

from .checker import Violation
from .history import Record, read
from .plan import LIMITS, Plan
from .run import Verdict
from .world import Progress

_EXCERPT = 40


class Show(Protocol):
    def __call__(self, progress: Progress, /) -> None: ...


@contextmanager
def display(plan: Plan, console: Console) -> Iterator[Show]:
    """A display that `show` keeps up to date; without a terminal, one line per phase."""
    if not console.is_terminal:
        phases: set[str] = set()

        def say(progress: Progress) -> None:
            if progress.phase not in phases:
                phases.add(progress.phase)
                console.print(f"{progress.elapsed:6.1f} s  {progress.phase}")

        yield say
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield lambda progress: live.update(_panel(plan, progress))


def _panel(plan: Plan, progress: Progress) -> Group:
    title = Text(f"seed {plan.seed}  {plan.durability}  {progress.phase}", style="bold")
    bar = ProgressBar(total=plan.seconds, completed=min(progress.elapsed, plan.seconds), width=60)
    broken = Text("broken: " + (", ".join(progress.active) or "nothing"), style="red")
    counts = Text("  ".join(f"{name} {count:,}" for name, count in progress.counts.items()))
    return Group(title, bar, broken, counts)


def introduction(plan: Plan) -> str:
    limits = ", ".join(f"{name.removeprefix('PALAVER_')}={LIMITS[name]}" for name in LIMITS)
    return (
        f"seed {plan.seed}, {plan.seconds:g} s, durability {plan.durability}, {plan.users} users, "
        f"{plan.rate:g} commands/s\nlimits of the engine: {limits}"
    )


def tell(verdict: Verdict, console: Console) -> None:
    """The verdict for people, in one piece: runs may go on side by side."""
    plan = verdict.plan
    struck = (f"{kind} × {count}" for kind, count in sorted(verdict.faults.items()))
    parts = [
        f"seed {plan.seed}, {plan.seconds:g} s, {plan.durability}: "
        + ("[bold green]clean[/]" if verdict.clean else "[bold red]violated[/]"),
        "  faults: " + (", ".join(struck) or "none"),
        "  " + ", ".join(f"{name} {count:,}" for name, count in verdict.counts.items()),
    ]
    if plan.durability == "relaxed":
        parts.append(
            f"  lost of what was answered: {verdict.loss.messages} commands, the oldest "
            f"{verdict.loss.seconds:.3f} s before the crash (bound {plan.relaxed_bound_s:g} s)"
        )
    if not verdict.clean:
        parts += map(escape, _violated(verdict))
    console.print("\n".join(parts), highlight=False, soft_wrap=True)


def _violated(verdict: Verdict) -> Iterator[str]:
    rules = Counter(violation.rule for violation in verdict.violations)
    yield "  broken: " + ", ".join(f"{rule} × {count}" for rule, count in rules.items())
    first = verdict.violations[0]
    yield f"  first: {first.rule}: {first.problem} ({_where(first)})"
    yield from (f"    {_line(record)}" for record in excerpt(verdict, first))
    yield f"  histories, logs and database: {verdict.directory}"


def as_json(verdict: Verdict) -> str:
    """The verdict for machines."""
    first = verdict.violations[0] if verdict.violations else None
    return json.dumps(
        {
            "clean": verdict.clean,
            "plan": asdict(verdict.plan),
            "limits": LIMITS,
            "counts": verdict.counts,
            "faults": verdict.faults,
            "lost": asdict(verdict.loss),
            "violations": [asdict(violation) for violation in verdict.violations],
            "history": [] if first is None else list(excerpt(verdict, first)),
            "directory": None if verdict.clean else str(verdict.directory),
        }
    )


def excerpt(verdict: Verdict, violation: Violation) -> list[Record]:
    """The records that `violation` is about, the first ones."""
    records = read(verdict.directory / "history.msgpack")
    return list(islice((each for each in records if _concerns(each, violation)), _EXCERPT))


def _concerns(record: Record, violation: Violation) -> bool:
    what, device, _, value = record
    if violation.c is None and violation.client_id is None:
        return what == "fault"
    if what not in ("sent", "got"):
        return False
    if violation.device is not None and device != violation.device and violation.seq is None:
        return False
    return _is_of(value, violation)


def _is_of(item: dict[str, Any], violation: Violation) -> bool:
    payload = item.get("d") or item.get("ok") or {}
    if violation.client_id is not None and payload.get("client_id") == violation.client_id:
        return True
    if item.get("c") != violation.c:
        return False
    return violation.seq is not None and violation.seq in (item.get("seq"), payload.get("seq"))


def _where(violation: Violation) -> str:
    parts = asdict(violation)
    names = ("c", "seq", "device", "client_id")
    told = [f"{name} {parts[name]}" for name in names if parts[name] is not None]
    return ", ".join(told) or "the whole run"


def _line(record: Record) -> str:
    what, device, time, value = record
    return f"{time:9.3f}  {'' if device < 0 else device:>3}  {what:<5}  {json.dumps(value)}"
