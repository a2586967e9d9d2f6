"""Connections that are signed in and say nothing: what does one cost in memory?"""

from __future__ import annotations

import time

from ..case import Case, Scale
from ..figures import Figures
from ..lines import close
from ..processes import Meter, Processes
from ..storm import Storm
from ..target import Target
from .connect import newcomers

_FIRST = 100
"""So many come before memory is looked at: what the first ones cost, the server has once."""
_SETTLE_S = 1.0


def cases(scale: Scale) -> list[Case]:
    counts = (1000,) if scale.quick else (1000, 5000, 10_000)
    return [Case("idle", {"connections": each}, measure, scale.seconds) for each in counts]


def measure(target: Target, case: Case) -> list[Figures]:
    count = case.number("connections")
    storms: list[Storm] = []
    try:
        storms.append(newcomers(target, _FIRST, at_once=50))
        storms[0].run()
        time.sleep(_SETTLE_S)
        meter = Meter(target.processes)
        before = Processes(target.processes).rss()
        storms.append(newcomers(target, count, at_once=50))
        storms[1].run()
        time.sleep(_SETTLE_S)
        used = meter.stop()
        more = {}
        if before:
            more["kib_per_connection"] = (used["rss"]["server"] - before["server"]) / 1024 / count
        return [case.figures(target, used, more=more)]
    finally:
        close([line for storm in storms for line in storm.lines])
