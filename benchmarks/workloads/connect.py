"""Handshakes with a token to be checked: some at a time, and everybody at once."""

from __future__ import annotations

from ..case import Case, Scale
from ..figures import Figures
from ..lines import close
from ..processes import Meter
from ..storm import Storm
from ..talk import busy
from ..target import Target

AT_ONCE = 32


def cases(scale: Scale) -> list[Case]:
    count = 1000 if scale.quick else 5000
    return [
        Case("connect", {"connections": count, "at_once": at_once}, measure, scale.seconds)
        for at_once in (AT_ONCE, count)
    ]


def newcomers(target: Target, count: int, at_once: int) -> Storm:
    """So many new users who will sign in; their frames are built beforehand."""
    users = target.tokens.users(count)
    steps = [target.dialect.sign_in(target.address, user, token) for user, token in users]
    return Storm(target.address, [user for user, _ in users], steps.__getitem__, at_once)


def measure(target: Target, case: Case) -> list[Figures]:
    count = case.number("connections")
    warm_up = newcomers(target, min(count, 100), AT_ONCE)
    storm = newcomers(target, count, case.number("at_once"))
    try:
        warm_up.run()
        meter = Meter(target.processes)
        storm.run()
        used = meter.stop()
        return [
            case.figures(
                target,
                used,
                requests=count,
                latencies={"handshake": storm.latency},
                more={"turned_away": storm.refused},
                problems=busy(used["generator_cpu"], used["seconds"]),
            )
        ]
    finally:
        close([*warm_up.lines, *storm.lines])
