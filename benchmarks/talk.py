"""What the workloads share in which people talk: rooms of lines, and the figures of a flow."""

from __future__ import annotations

from collections.abc import Sequence

from .case import Case
from .dialect import Kind, Line
from .figures import GENERATOR_BOUND, Figures
from .flow import Flow
from .lines import close, people
from .processes import Meter
from .target import Target

_WARM_UP_S = 1.0
LATE_MS = 5.0
"""Of a generator whose p99 is later than that, the latencies are its own."""


def talk(
    target: Target, case: Case, *, rooms: int, members: int, senders: int, window: int
) -> Figures:
    """`rooms` of `members` each, in which `senders` say something, `window` in flight each; or at
    the case's `rate` in all."""
    lines = people(target, rooms * members)
    try:
        flow = Flow(target.dialect, case.number("bytes"))
        kind: Kind = "direct" if members == 2 else "group"
        extra: list[Line] = []
        if not target.dialect.senders_listen:
            extra = people(target, rooms * senders)
        lines += extra
        for index in range(rooms):
            inside = lines[index * members : (index + 1) * members]
            name = target.dialect.open_room(inside, kind)
            speakers = extra[index * senders : (index + 1) * senders] or inside[:senders]
            flow.add(name, inside, speakers, window)
        return _measure(flow, target, case)
    finally:
        close(lines)


def _measure(flow: Flow, target: Target, case: Case) -> Figures:
    rate = float(case.parameters.get("rate", 0))
    flow.sample(all_latencies=bool(rate))
    warm_up = min(_WARM_UP_S, case.seconds)
    if rate:
        flow.pace(rate, warm_up, measuring=False)
    else:
        flow.saturate(warm_up, measuring=False)
    sent, delivered = flow.sent, flow.delivered
    meter = Meter(target.processes)
    if rate:
        flow.pace(rate, case.seconds)
    else:
        flow.saturate(case.seconds)
    messages, deliveries = flow.sent - sent, flow.delivered - delivered
    used = meter.stop(messages + deliveries)
    problems = [*flow.problems(), *busy(used["generator_cpu"], used["seconds"])]
    late = flow.latencies["late"]
    if rate and late.percentile(99) > LATE_MS:
        problems.append(f"the generator was late: p99 {late.percentile(99):.1f} ms")
    return case.figures(
        target,
        used,
        messages=messages,
        deliveries=deliveries,
        latencies={kind: each for kind, each in flow.latencies.items() if each.count},
        problems=problems,
    )


def busy(cpu: float, seconds: float) -> Sequence[str]:
    """What is wrong with a run for which the generator used so much CPU."""
    if cpu <= GENERATOR_BOUND * seconds:
        return ()
    return (f"the generator may have been the bottleneck: {cpu / seconds:.0%} of a core",)
