"""The figures of a paced run: percentiles, and latency that counts from when a message was due."""

import math

import pytest

from palaver.benchmarks.trace import Trace, percentile


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([5.0], 50, 5.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([4.0, 3.0, 1.0, 2.0], 50, 2.0),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 102)), 99, 100),
        (list(range(1, 101)), 100, 100),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_nearest_rank(values: list[float], percent: float, expected: float):
    assert percentile(values, percent) == expected


def test_the_percentile_of_nothing_is_no_number():
    assert math.isnan(percentile([], 99))


def trace_of(count: int) -> Trace:
    trace = Trace(rate=10.0)
    for k in range(count):
        assert trace.add(trace.due(k) + 0.02) == k
    return trace


def test_latency_counts_from_when_a_message_was_due():
    trace = trace_of(2)
    trace.replied(1, at=0.35, place=("c", 1))
    trace.delivered(1, at=0.15)
    summary = trace.summary()
    assert summary.reply_p50 == pytest.approx(250)
    assert summary.reply_max == pytest.approx(250)
    assert summary.delivery_p99 == pytest.approx(50)
    assert summary.late_p99 == pytest.approx(20)
    assert (summary.sent, summary.unanswered) == (2, 1)


def test_a_summary_is_of_what_was_due_in_its_span():
    trace = trace_of(30)
    for k in range(30):
        trace.delivered(k, at=trace.due(k) + (1.0 if 10 <= k < 20 else 0.1))
    trace.refused(9, at=9.0, code="UNAVAILABLE")
    trace.refused(10, at=9.0, code="UNAVAILABLE")
    before, during = trace.summary(0.0, 1.0), trace.summary(1.0, 2.0)
    assert (before.sent, during.sent) == (10, 10)
    assert before.errors == during.errors == {"UNAVAILABLE": 1}
    assert before.delivery_p99 == pytest.approx(100)
    assert during.delivery_p50 == pytest.approx(1000)


def test_the_first_answer_counts():
    trace = trace_of(1)
    trace.refused(0, at=1.0, code="UNAVAILABLE")
    trace.replied(0, at=2.0, place=("c", 1))
    assert trace.answered == 1
    assert trace.summary().reply_max == pytest.approx(1000)
