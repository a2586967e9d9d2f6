"""What the dialects over WebSocket have in common: JSON in text frames, no compression."""

from __future__ import annotations

import base64
import json
import os
import struct
from typing import Any

from ..dialect import Address, Refused, Step
from ..frames import CLOSE, take_frame


def compact(item: Any) -> str:
    """JSON as browsers write it."""
    return json.dumps(item, separators=(",", ":"))


def text_frame(text: str) -> bytes:
    """Of a client: masked, with zeros."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def upgrade(address: Address, path: str) -> Step:
    """The opening handshake. Anything but 101 is `Refused`."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )

    def take(rest: bytearray) -> bool:
        head, end, _ = rest.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101 "):
            raise Refused(head.partition(b"\r\n")[0].decode("latin-1"))
        del rest[: len(head) + len(end)]
        return True

    return Step(request.encode(), take)


def say(text: str, answer: bytes, refusal: bytes) -> Step:
    """Send `text`. A frame that begins with `answer` is the answer, one that begins with `refusal`
    is a no, and others are passed over."""

    def take(rest: bytearray) -> bool:
        while (frame := take_frame(rest)) is not None:
            opcode, payload = frame
            if opcode == CLOSE or payload.startswith(refusal):
                raise Refused(payload.decode("utf-8", "replace"))
            if payload.startswith(answer):
                return True
        return False

    return Step(text_frame(text), take)
