"""Our own protocol as the generator sees it: what is wrong with a delivery, and who is refused."""

from typing import Any

import msgpack
import pytest
from websockets.frames import Frame, Opcode

from palaver.benchmarks.dialect import MARKER, NUMBER, Refused, text
from palaver.benchmarks.palaver_dialect import PalaverDialect, SeqCheck


def framed(*items: Any) -> bytes:
    return b"".join(
        Frame(Opcode.BINARY, msgpack.packb(item)).serialize(mask=False) for item in items
    )


def sent(seq: int, count: int, room: str = "a") -> dict[str, Any]:
    said = text(60).replace(NUMBER.decode(), f"{0:03}{count:09}")
    return {"t": "message.sent", "c": room, "seq": seq, "d": {"text": said}}


def checked(data: bytes, step: int = 7) -> SeqCheck:
    check = SeqCheck()
    for begin in range(0, len(data), step):
        check.feed(data[begin : begin + step])
    return check


def test_contiguous_events_are_fine_also_when_several_come_in_one_frame():
    check = checked(framed(sent(5, 1), [sent(6, 2), sent(7, 3)], {"t": "reply", "id": 1, "ok": {}}))
    assert (check.deliveries, check.problems) == (3, [])


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([sent(5, 1), sent(7, 2)], "message.sent 7 came after 5"),
        ([sent(5, 1), sent(5, 2)], "message.sent 5 came after 5"),
        ([sent(5, 1), sent(6, 3)], "message 3 of sender 0 came after 1"),
        ([sent(5, 1), {"t": "void", "c": "a", "seq": 6, "d": {}}], "void 6 came after 5"),
    ],
)
def test_what_is_wrong_is_found(items: list[dict[str, Any]], problem: str):
    assert problem in checked(framed(*items)).problems


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("OVERLOADED", r"^refused: OVERLOADED: later$"),
        ("RATE_LIMITED", r"^refused: RATE_LIMITED: .* PALAVER_LIMITS__MESSAGES_PER_MIN=0 "),
    ],
)
def test_a_refusal_ends_it_in_words(code: str, says: str):
    with pytest.raises(Refused, match=says):
        checked(framed({"t": "reply", "id": 1, "error": {"code": code, "message": "later"}}))


def test_a_close_ends_it_in_words():
    close = Frame(Opcode.CLOSE, b"\x0b\xc0slow consumer").serialize(mask=False)
    with pytest.raises(Refused, match=r"^closed: slow consumer$"):
        checked(close)


def test_signing_in_takes_whole_answers_and_leaves_what_follows():
    upgrade, hello = PalaverDialect().sign_in(("localhost", 1), "ann", "token")
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    rest = bytearray(answer[:20])
    assert not upgrade.take(rest)
    rest += answer[20:] + b"\x82"
    assert upgrade.take(rest)
    assert rest == b"\x82"
    welcome, event = framed({"t": "welcome", "id": 1, "d": {}}), framed(sent(5, 1))
    rest = bytearray(welcome[:-1])
    assert not hello.take(rest)
    rest += welcome[-1:] + event
    assert hello.take(rest)
    assert rest == event


def test_who_is_not_let_in_is_told_why():
    upgrade, hello = PalaverDialect().sign_in(("localhost", 1), "ann", "token")
    with pytest.raises(Refused, match=r"HTTP 503: .* PALAVER_LIMITS__HANDSHAKES_PER_S=0"):
        upgrade.take(bytearray(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"))
    refusal = {"t": "reply", "id": 1, "error": {"code": "AUTH_FAILED", "message": "no"}}
    with pytest.raises(Refused, match="AUTH_FAILED"):
        hello.take(bytearray(framed(refusal)))


def test_a_message_has_its_marker_once_and_its_number_wherever_it_belongs():
    frame = PalaverDialect().message("room", text(120))
    assert frame.count(MARKER) == 1
    assert frame.count(NUMBER) == 3  # id, text, client_id
