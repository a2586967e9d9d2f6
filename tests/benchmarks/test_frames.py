"""The load generator reads what a server may write, however the network cuts it."""

import msgpack
import pytest
from websockets.frames import Frame, Opcode

from palaver.benchmarks.frames import CLOSE, ITEM, PING, masked_frame, take_frames

PAYLOADS = [b"", b"x" * 125, b"x" * 126, b"x" * 65_535, b"x" * 65_536]


def framed(opcode: Opcode, payload: bytes) -> bytes:
    return Frame(opcode, payload).serialize(mask=False)


@pytest.mark.parametrize("step", [1, 7, 1000, 10_000_000])
def test_frames_come_out_whole_and_in_order(step: int):
    sent = [(ITEM, payload) for payload in PAYLOADS[:3]] + [(PING, b"p"), (CLOSE, b"\x03\xe8")]
    if step > 7:
        sent += [(ITEM, payload) for payload in PAYLOADS[3:]]
    data = b"".join(framed(Opcode(opcode), payload) for opcode, payload in sent)
    buffer, taken = bytearray(), []
    for begin in range(0, len(data), step):
        buffer += data[begin : begin + step]
        taken += list(take_frames(buffer))
    assert taken == sent
    assert not buffer


@pytest.mark.parametrize("size", [1, 200, 4000])
def test_what_it_sends_is_a_masked_frame(size: int):
    item = {"t": "message.send", "d": {"text": "x" * size}}
    data = masked_frame(item)
    payload = msgpack.packb(item)
    assert data[0] == 0x82
    assert data[1] & 0x80
    assert data.endswith(b"\0\0\0\0" + payload)
    length = data[1] & 0x7F
    assert (int.from_bytes(data[2:4]) if length == 126 else length) == len(payload)
