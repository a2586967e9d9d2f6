"""The dialects take answers that the network has cut anywhere, and refuse refusals."""

from __future__ import annotations

import pytest

from palaver.benchmarks.checks import COUNTER
from palaver.benchmarks.dialect import Refused, Step
from palaver.benchmarks.peers.any_order import AnyOrderCheck
from palaver.benchmarks.peers.redis import Redis
from palaver.benchmarks.peers.websocket import say, text_frame, upgrade

ADDRESS = ("127.0.0.1", 80)
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def frame(text: str) -> bytes:
    """Of a server, short."""
    data = text.encode()
    return bytes([0x81, len(data)]) + data


def taken(step: Step, data: bytes) -> int:
    """How many bytes had come when the answer was taken, of bytes that come one by one; what is
    left over then must be nothing."""
    rest = bytearray()
    for count, byte in enumerate(data, 1):
        rest.append(byte)
        if step.take(rest):
            assert not rest
            return count
    raise AssertionError("not taken")


ANSWER = frame('{"type":"joined"}')
JOIN = say("join", b'{"type":"joined"', b'{"type":"error"')


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (upgrade(ADDRESS, "/"), SWITCHING),
        (JOIN, ANSWER),
        (JOIN, frame('{"type":"message"}') + b"\x89\x00" + ANSWER),
        (Redis().sign_in(ADDRESS, "ann", "")[0], b"+PONG\r\n"),
    ],
)
def test_an_answer_may_be_cut_anywhere(step: Step, answer: bytes) -> None:
    assert taken(step, answer) == len(answer)


def test_what_follows_an_answer_is_left() -> None:
    rest = bytearray(SWITCHING + ANSWER + b"\x81")
    assert upgrade(ADDRESS, "/").take(rest)
    assert JOIN.take(rest)
    assert rest == b"\x81"


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (upgrade(ADDRESS, "/"), b"HTTP/1.1 401 Unauthorized\r\n\r\n"),
        (JOIN, frame('{"type":"error"}')),
        (JOIN, b"\x88\x02\x03\xf0"),
        (Redis().sign_in(ADDRESS, "ann", "")[0], b"-NOAUTH Authentication required.\r\n"),
    ],
)
def test_a_no_is_refused(step: Step, answer: bytes) -> None:
    with pytest.raises(Refused):
        taken(step, answer)


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
def test_a_frame_says_how_long_it_is(size: int) -> None:
    data = text_frame("x" * size)
    head = {125: 2, 126: 4, 65_535: 4, 65_536: 10}[size]
    assert len(data) == head + 4 + size
    assert int.from_bytes(data[1:2] if head == 2 else data[2:head]) & ~(0x80 * (head == 2)) == size


def test_messages_may_overtake_each_other_but_not_come_twice() -> None:
    check = AnyOrderCheck()
    for count in (2, 1, 4, 3):
        check.take(COUNTER + count)
        check.take(2 * COUNTER + count)
    assert (check.deliveries, check.problems) == (8, [])
    check.take(COUNTER + 2)
    check.take(COUNTER + 6)
    check.take(COUNTER + 6)
    assert check.deliveries == 11
    assert len(check.problems) == 2
