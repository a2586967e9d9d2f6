"""Latencies come out of their buckets as they went in, within what is promised."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.benchmarks.histogram import Histogram


def of(*seconds: float) -> Histogram:
    histogram = Histogram()
    for each in seconds:
        histogram.record(each)
    return histogram


def test_of_nothing_there_is_no_percentile():
    assert math.isnan(Histogram().percentile(50))


def test_short_times_are_exact_and_negative_ones_are_none():
    histogram = of(-1.0, 0.0001, 0.0002)
    assert [histogram.percentile(percent) for percent in (1, 50, 100)] == [0.0, 0.1, 0.2]


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(1, 100))
def test_a_percentile_is_within_0_8_percent_of_the_nearest_rank(us: list[int], percent: int):
    exact = sorted(us)[max(math.ceil(len(us) * percent / 100), 1) - 1]
    found = of(*((each + 0.5) / 1e6 for each in us)).percentile(percent) * 1000
    assert exact <= found + 1e-6
    assert found <= exact * 1.008 + 1e-6


def test_the_maximum_is_exact():
    assert of(1.2345678, 0.1).percentile(100) == pytest.approx(1234.567)


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0, 100)))
def test_merged_is_as_if_recorded_together(some: list[float], others: list[float]):
    merged = Histogram.merged([of(*some), of(*others)])
    assert merged.to_json() == of(*some, *others).to_json()
    again = Histogram.from_json(json.loads(json.dumps(merged.to_json())))
    assert again.to_json() == merged.to_json()
    assert again.count == len(some) + len(others)
