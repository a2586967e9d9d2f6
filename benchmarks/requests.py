"""One request after another on one connection: how long an answer takes, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .case import Case
from .dialect import Line
from .figures import Figures
from .histogram import Histogram
from .palaver_dialect import ask
from .processes import Meter
from .target import Target


def requests(
    target: Target,
    case: Case,
    line: Line,
    name: str,
    make: Callable[[], dict[str, Any]],
    check: Callable[[dict[str, Any]], str | None],
    *,
    pause: float = 0.0,
    least: int = 3,
) -> Figures:
    """Ask what `make` says, with a `pause` before each, for the seconds of the case and `least`
    times at least. `check` says what is wrong with an answer (its `ok`). Raises `Refused`."""
    latency, problems = Histogram(), set()
    meter = Meter(target.processes)
    end = time.perf_counter() + case.seconds
    while time.perf_counter() < end or latency.count < least:
        time.sleep(pause)
        item = {"id": latency.count, **make()}
        began = time.perf_counter()
        answer = ask(line, item)
        latency.record(time.perf_counter() - began)
        problem = check(answer["ok"])
        if problem is not None:
            problems.add(problem)
    return case.figures(
        target,
        meter.stop(),
        requests=latency.count,
        latencies={"answer": latency},
        parameters={"request": name},
        problems=sorted(problems)[:5],
    )
