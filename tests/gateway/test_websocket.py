"""Frames to messages: the same ones however the bytes are cut, and what is not allowed ends it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from palaver.gateway.websocket import Message, WebSocket, output, release

MAX = 70_000
SIZES = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536, 66_000])


def frame(opcode: Opcode, content: bytes, *, fin: bool = True) -> bytes:
    """As a client sends it."""
    return Frame(opcode, content, fin=fin).serialize(mask=True)


def content(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(size % 256)


@st.composite
def whole(draw: st.DrawFn) -> tuple[bytes, list[Message]]:
    """A message in one frame or in several, with control frames before, after and in between."""
    binary = draw(st.booleans())
    opcode = Opcode.BINARY if binary else Opcode.TEXT
    parts = [content(draw(SIZES)), *draw(st.lists(st.just(b"more"), max_size=3))]
    wire = b""
    for index, part in enumerate(parts):
        wire += frame(Opcode.PING, b"?") * draw(st.integers(0, 1))
        kind = opcode if index == 0 else Opcode.CONT
        wire += frame(kind, part, fin=index == len(parts) - 1)
    return wire, [Message(binary, b"".join(parts))]


def read(core: WebSocket, *chunks: bytes) -> list[Message]:
    return [message for chunk in chunks for message in core.messages(chunk)]


@given(st.lists(whole(), max_size=4), st.data())
def test_messages_do_not_depend_on_how_the_bytes_are_cut(
    sent: list[tuple[bytes, list[Message]]], data: st.DataObject
):
    wire = b"".join(part for part, _ in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    chunks = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    core = WebSocket(MAX)
    assert read(core, *chunks) == [message for _, messages in sent for message in messages]
    assert core.state is State.OPEN
    release(core)


def test_byte_by_byte():
    wire = frame(Opcode.TEXT, b"one") + frame(Opcode.BINARY, content(200)) + frame(Opcode.PING, b"")
    core = WebSocket(MAX)
    found = read(core, *(wire[at : at + 1] for at in range(len(wire))))
    assert found == [Message(False, b"one"), Message(True, content(200))]
    assert core.frames == 3


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"\xc2\x81abcdx", 1002),
        (Frame(Opcode.BINARY, b"x").serialize(mask=False), 1002),
        (frame(Opcode.CONT, b"of nothing"), 1002),
        (frame(Opcode.TEXT, b"half", fin=False) + frame(Opcode.TEXT, b"another"), 1002),
        (b"\x83\x80abcd", 1002),
        (b"\x89\xfe\x00\x7eabcd" + bytes(126), 1002),
        (frame(Opcode.BINARY, bytes(MAX + 1)), 1009),
        (frame(Opcode.BINARY, bytes(MAX + 1))[:14], 1009),
        (b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"abcd", 1009),
    ],
    ids=[
        "an extension bit",
        "not masked",
        "a continuation of nothing",
        "a message inside another",
        "an unknown opcode",
        "a long control frame",
        "too long",
        "the head of what is too long",
        "longer than there is memory",
    ],
)
def test_what_is_not_allowed_ends_it(wire: bytes, code: int):
    core = WebSocket(MAX)
    good = frame(Opcode.TEXT, b"before")
    assert read(core, good + wire, frame(Opcode.TEXT, b"after")) == [Message(False, b"before")]
    assert core.close_sent is not None
    assert core.close_sent.code == code
    assert output(core)[1], "nothing follows"
    release(core)


def test_after_a_close_nothing_is_heard():
    client = ClientProtocol(parse_uri("ws://here"))
    client.state = State.OPEN
    client.send_binary(b"first")
    client.send_close(1000)
    wire = b"".join(client.data_to_send())
    core = WebSocket(MAX)
    assert read(core, wire + frame(Opcode.BINARY, b"later")) == [Message(True, b"first")]
    assert core.close_rcvd is not None
    release(core)


def test_no_more_waits_than_one_frame_may_have():
    core = WebSocket(100)
    wire = frame(Opcode.BINARY, content(100))
    assert read(core, wire[:50]) == []
    assert len(core._rest) == 50
    assert read(core, wire[50:]) == [Message(True, content(100))]
    assert not core._rest
    release(core)
