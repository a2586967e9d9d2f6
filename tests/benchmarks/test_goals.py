"""A benchmark says that its goals are met only if they are."""

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from palaver.benchmarks import outage, slow_reader
from palaver.benchmarks.outage import Course
from palaver.benchmarks.paced import client_id
from palaver.benchmarks.slow_reader import GOAL_MEMORY, Run
from palaver.benchmarks.trace import Trace

RATE, TOTAL = 10.0, 60


def outage_met(
    *,
    refused: int | None = None,
    slow_reply: float = 0.0,
    slow_delivery: float = 0.0,
    stored_s: float | None = 1.0,
    lost: int | None = None,
) -> bool:
    """Six seconds: Postgres gone from the second to the fourth; seconds that something is slow
    while it is gone, or the number of a message to which something happens."""
    trace = Trace(RATE)
    rows: list[tuple[str, int, str | None]] = []
    for _ in range(TOTAL):
        k = trace.add(0.0)
        gone = 2.0 <= trace.due(k) < 4.0
        at = trace.due(k) + 0.01
        trace.delivered(k, at + gone * slow_delivery)
        if k == refused:
            trace.refused(k, at, "UNAVAILABLE")
        else:
            trace.replied(k, at + gone * slow_reply, ("c", k + 1))
        if k != lost:
            rows.append(("c", k + 1, client_id(k)))
    paced: Any = SimpleNamespace(trace=trace, began=0.0)
    monitor: Any = SimpleNamespace(samples=[], rss=lambda *_: [], peaks=dict)
    console = Console(file=io.StringIO())
    course = Course(stopped=2.0, returned=4.0, stored_s=stored_s)
    return outage.report(console, course, paced, monitor, rows)


def test_an_outage_that_nobody_noticed_meets_all():
    assert outage_met()


@pytest.mark.parametrize(
    "flaw",
    [
        {"refused": 3},
        {"slow_reply": 0.2},
        {"slow_delivery": 0.05},
        {"stored_s": None},
        {"stored_s": 61.0},
        {"lost": 7},
    ],
)
def test_each_goal_of_the_outage_can_be_missed(flaw: dict[str, Any]):
    assert not outage_met(**flaw)


def test_each_goal_of_the_slow_reader_can_be_missed():
    console = Console(file=io.StringIO())
    quiet = Run(1.0, 10.0, 0.1, grown=0, cpu=0.1, closed=False)
    slow = replace(quiet, delivery_p99=11.9, grown=GOAL_MEMORY, closed=True)
    report = slow_reader.report
    assert report(console, [(quiet, slow)] * 3)
    assert report(
        console, [(quiet, slow), (quiet, replace(slow, delivery_p99=50.0)), (quiet, slow)]
    )
    assert not report(console, [(quiet, replace(slow, delivery_p99=12.1))] * 3)
    assert not report(console, [(quiet, replace(slow, grown=GOAL_MEMORY + 1))] * 3)
