"""What is looked at closely is found whole, and what is wrong with it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.benchmarks.checks import NumberCheck, Numbers
from palaver.benchmarks.dialect import MARKER


def delivery(sender: int, count: int) -> bytes:
    return b"head" + MARKER + b"%03d%09d" % (sender, count) + b"xx"


@given(
    st.lists(st.tuples(st.integers(0, 999), st.integers(1, 10**9 - 1)), max_size=8),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_numbers_are_found_wherever_the_stream_is_cut(sent: list[tuple[int, int]], cuts: list[int]):
    stream = b"".join(delivery(*each) for each in sent)
    numbers, found, turn = Numbers(), [], 0
    while stream:
        cut = cuts[turn % len(cuts)]
        found += numbers.feed(stream[:cut])
        stream, turn = stream[cut:], turn + 1
    assert found == [sender * 10**9 + count for sender, count in sent]


def test_senders_are_counted_each_for_itself():
    check = NumberCheck()
    check.feed(delivery(0, 1) + delivery(7, 1) + delivery(7, 2) + delivery(0, 2))
    assert (check.deliveries, check.problems) == (4, [])


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ((2,), "message 2 of sender 3 came after 0"),
        ((1, 3), "message 3 of sender 3 came after 1"),
        ((1, 2, 2), "message 2 of sender 3 came after 2"),
        ((1, 2, 1), "message 1 of sender 3 came after 2"),
    ],
)
def test_a_gap_a_repetition_and_a_wrong_order_are_found(counts: tuple[int, ...], problem: str):
    check = NumberCheck()
    check.feed(b"".join(delivery(3, count) for count in counts))
    assert problem in check.problems
