"""Counting without reading: nothing is missed, nothing is counted twice, wherever it is cut."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.benchmarks.dialect import MARKER, Line
from palaver.benchmarks.inlet import HEAD, Inlet, Room

REPLY = b"\xa2ok"
PIECES = {
    "delivery": b"\x81" + MARKER + b"001000000001xx",
    "reply": b"t" + REPLY + b"\x84",
    "": b"~\xa2o",
}


def inlet(reply: bytes) -> Inlet:
    return Inlet(Line("ann", socket.socket.__new__(socket.socket)), Room("r", 1), reply)


def counted(inlet: Inlet, stream: bytes, cuts: list[int]) -> tuple[int, int]:
    buffer = bytearray(HEAD + 4096)
    deliveries = replies = turn = 0
    while stream:
        chunk, stream = stream[: cuts[turn % len(cuts)]], stream[cuts[turn % len(cuts)] :]
        turn += 1
        buffer[HEAD : HEAD + len(chunk)] = chunk
        more = inlet.count(buffer, HEAD + len(chunk))
        deliveries, replies = deliveries + more[0], replies + more[1]
    return deliveries, replies


@given(
    st.lists(st.sampled_from(sorted(PIECES)), max_size=20),
    st.lists(st.integers(1, 70), min_size=1, max_size=10),
)
def test_every_delivery_and_every_reply_is_counted_once(kinds: list[str], cuts: list[int]):
    stream = b"".join(PIECES[kind] for kind in kinds)
    deliveries, replies = kinds.count("delivery"), kinds.count("reply")
    assert counted(inlet(REPLY), stream, cuts) == (deliveries, replies)
    assert counted(inlet(b""), stream, cuts) == (deliveries, 0)


def test_whoever_does_not_listen_gets_replies_only():
    sender = inlet(b":1\r\n")
    sender.listens = False
    assert counted(sender, b":1\r\n:1\r\n:", [3]) == (0, 2)


@pytest.mark.parametrize("count", [1, 3])
def test_messages_are_numbered_in_every_place(count: int):
    sender = inlet(REPLY)
    sender.number, sender.frame = 7, bytearray(b"<000000000000|000000000000>")
    sender.places = [slice(1, 13), slice(14, 26)]
    numbers = range(7_000_000_001, 7_000_000_001 + count)
    assert sender.compose(count) == b"".join(b"<%012d|%012d>" % (n, n) for n in numbers)
    assert sender.sent == count
