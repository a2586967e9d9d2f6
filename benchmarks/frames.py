"""WebSocket frames as a load generator needs them: no library in the loop, no mask to compute."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import msgpack

ITEM, CLOSE, PING = 0x02, 0x08, 0x09
"""Opcodes (RFC 6455 §5.2)."""


class Closed(Exception):
    """The server closed the connection; the text says why."""


def masked_frame(item: dict[str, Any]) -> bytes:
    """One binary client frame. The mask is zero, which RFC 6455 allows and which costs nothing."""
    payload = msgpack.packb(item)
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x82, 0x80 | size)
    else:
        head = struct.pack("!BBH", 0x82, 0x80 | 126, size)
    return head + b"\0\0\0\0" + payload


def pong(payload: bytes) -> bytes:
    """The answer to a ping."""
    return struct.pack("!BB", 0x8A, 0x80 | len(payload)) + b"\0\0\0\0" + payload


def take_frames(data: bytearray) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each whole frame at the beginning of `data`; removes them."""
    done = 0
    for opcode, payload, end in _frames(data):
        yield opcode, payload
        done = end
    del data[:done]


def _frames(data: bytearray) -> Iterator[tuple[int, bytes, int]]:
    """Opcode, payload and end of each whole frame."""
    begin, end = 0, len(data)
    while end - begin >= 2:
        size, head = data[begin + 1], 2
        if size >= 126:
            head = 4 if size == 126 else 10
            if end - begin < head:
                break
            size = int.from_bytes(data[begin + 2 : begin + head])
        if end - begin < head + size:
            break
        payload = bytes(data[begin + head : begin + head + size])
        begin, first = begin + head + size, data[begin]
        yield first & 0x0F, payload, begin


def take_frame(data: bytearray) -> tuple[int, bytes] | None:
    """Opcode and payload of the first frame, which is removed; None if it is not whole."""
    frame = next(_frames(data), None)
    if frame is None:
        return None
    opcode, payload, end = frame
    del data[:end]
    return opcode, payload


def read_item(sock: socket.socket) -> dict[str, Any]:
    """The next data frame's item, read from a blocking socket. Raises `Closed`."""
    while True:
        first, second = _read_exactly(sock, 2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(_read_exactly(sock, 2 if size == 126 else 8))
        payload = _read_exactly(sock, size)
        if first & 0x0F == ITEM:
            item: dict[str, Any] = msgpack.unpackb(payload)
            return item
        if first & 0x0F == CLOSE:
            raise Closed(payload[2:].decode())
        if first & 0x0F == PING:
            sock.sendall(pong(payload))


def read_until(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        data += _read_exactly(sock, 1)
    return data


def _read_exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise Closed("without a word")
        data += chunk
    return data
