from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.actors.bucket import Bucket, Rate


def test_SEC_05_a_refusal_says_when_the_next_token_comes():
    bucket = Bucket(Rate(60, 60.0))
    assert [bucket.take(100.0) for _ in range(60)] == [0.0] * 60
    assert bucket.take(100.0) == 1.0
    assert bucket.take(100.75) == 0.25
    assert bucket.take(101.0) == 0.0
    assert bucket.take(101.0) == 1.0


def test_a_bucket_holds_its_burst_and_no_more():
    bucket = Bucket(Rate(10, 1.0, burst=3))
    for now in (0.0, 500.0):
        assert [bucket.take(now) for _ in range(4)] == [0.0, 0.0, 0.0, 0.1]


def test_several_at_once_are_taken_together_or_not_at_all():
    bucket = Bucket(Rate(1, 1.0, burst=5))
    assert bucket.take(0.0, 4) == 0.0
    assert bucket.take(0.0, 2) == 1.0
    assert bucket.take(0.0) == 0.0


def test_it_knows_when_it_may_be_forgotten():
    bucket = Bucket(Rate(60, 60.0))
    assert bucket.full_at < 0
    bucket.take(10.0)
    bucket.take(10.0)
    assert bucket.full_at == 12.0


def test_zero_switches_it_off():
    bucket = Bucket(Rate(0, 60.0))
    assert not any(bucket.take(0.0) for _ in range(10_000))


@given(
    count=st.integers(1, 1000),
    burst=st.integers(1, 1000) | st.none(),
    pauses=st.lists(st.floats(0, 10), max_size=100),
)
def test_SEC_05_waiting_as_long_as_told_is_enough_and_never_too_much_passes(count, burst, pauses):
    rate = Rate(count, 60.0, burst)
    bucket, now, granted = Bucket(rate), 0.0, 0
    for pause in pauses:
        now += pause
        if wait := bucket.take(now):
            now += wait
            assert bucket.take(now) == 0.0
        granted += 1
    assert granted <= (burst or count) + now * count / 60 + 1e-6


@pytest.mark.parametrize("now", [0.0, 1e6])
def test_a_full_minute_of_any_rate_is_granted_at_once(now):
    for count in range(1, 200):
        bucket = Bucket(Rate(count, 60.0))
        assert not any(bucket.take(now) for _ in range(count))
        assert bucket.take(now) > 0
