"""The schedule is a function of the seed."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from palaver.benchmarks.chaos.schedule import KINDS, OF_POSTGRES, schedule

seeds = st.integers(0, 2**32)


@given(seeds, st.floats(1, 200))
@example(116, 200.0).via("one that rounding put at the end")
def test_the_same_seed_gives_the_same_faults_in_order_of_time(seed, seconds):
    faults = schedule(seed, seconds)
    assert faults == schedule(seed, seconds)
    assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
    assert all(0 < fault.at < seconds for fault in faults)


def test_another_seed_gives_others():
    assert len({tuple(schedule(seed, 30)) for seed in range(50)}) == 50


@given(seeds)
def test_a_longer_run_begins_like_a_shorter_one(seed):
    short = schedule(seed, 20)
    assert schedule(seed, 60)[: len(short)] == short


@given(seeds)
def test_every_kind_comes_before_any_comes_again(seed):
    kinds = [fault.kind for fault in schedule(seed, 120)]
    for start in range(0, len(kinds) - len(KINDS), len(KINDS)):
        assert set(kinds[start : start + len(KINDS)]) == set(KINDS)


@given(seeds)
def test_somebody_elses_postgres_is_left_in_peace(seed):
    kinds = {fault.kind for fault in schedule(seed, 60, postgres=False)}
    assert kinds == set(KINDS) - OF_POSTGRES


def test_faults_overlap():
    faults = schedule(1, 60)
    pairs = pairwise(faults)
    assert any(first.at + first.seconds > second.at for first, second in pairs)
