"""A log that is not what was replied to is found out."""

import pytest

from palaver.benchmarks.verification import Row, problems

LOG: list[Row] = [("a", 1, None), ("a", 2, "m0"), ("a", 3, "m2"), ("b", 1, None), ("b", 2, "m1")]
REPLIED = {"m0": ("a", 2), "m1": ("b", 2), "m2": ("a", 3)}


def test_a_whole_log_has_no_problems():
    assert problems(LOG, REPLIED) == []
    assert problems(list(reversed(LOG)), REPLIED) == []


def test_what_was_stored_without_a_reply_is_no_problem():
    assert problems([*LOG, ("b", 3, "m3")], REPLIED) == []


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (LOG[:-1], "m1 was replied to and is not there"),
        ([*LOG, ("b", 4, "m3")], "b: its seqs are not contiguous"),
        ([*LOG, ("b", 2, "m3")], "b: its seqs are not contiguous"),
        ([*LOG[:1], ("a", 2, "m2"), ("a", 3, "m0"), *LOG[3:]], "a: not in the order"),
        ([*LOG, ("b", 3, "m1")], "m1 is there 2 times"),
        ([*LOG[:3], ("b", 1, "m1")], "m1 is at ('b', 1), its reply said ('b', 2)"),
    ],
)
def test_each_flaw_is_named(log: list[Row], says: str):
    assert any(problem.startswith(says) for problem in problems(log, REPLIED))
