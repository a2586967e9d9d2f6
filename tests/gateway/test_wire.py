"""Framing: one item, one unmasked frame, the same bytes for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from palaver.actors.outbox import Parcel, Push
from palaver.gateway.wire import wires
from palaver.gateway.wording import OURS


def parsed(data: bytes) -> Frame:
    """By the library's own parser."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert not reader.buffer
    frame = done.value.value
    assert isinstance(frame, Frame)
    return frame


@given(st.integers(0, 200) | st.integers(65_500, 65_600))
@pytest.mark.parametrize("subprotocol", ["palaver.v1.msgpack", "palaver.v1.json"])
def test_WS_01_every_length_is_framed_right(subprotocol: str, size: int) -> None:
    wire = wires(1_000_000, OURS)[subprotocol]
    item = {"t": "x" * size}
    frame = parsed(wire.frame(item))
    assert frame.fin
    assert frame.opcode is (Opcode.BINARY if wire.codec.binary else Opcode.TEXT)
    assert wire.codec.decode(bytes(frame.data)) == item


def test_the_bytes_are_made_once_per_encoding() -> None:
    table = wires(1_000_000, OURS)
    assert table[None] is table["palaver.v1.msgpack"]
    parcel = Parcel([Push({"t": "a"}), Push({"t": "b"})])
    first = parcel.encoded(table["palaver.v1.json"])
    assert first is parcel.encoded(table["palaver.v1.json"])
    assert first == b'\x81\x09{"t":"a"}\x81\x09{"t":"b"}'
    assert parcel.encoded(table[None]) == b"\x82\x05\x81\xa1t\xa1a\x82\x05\x81\xa1t\xa1b"
