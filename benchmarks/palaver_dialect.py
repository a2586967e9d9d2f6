"""palaver's own protocol (docs/protocol.md), as the load generator speaks it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from .checks import NumberCheck
from .dialect import MARKER, NUMBER, Address, Kind, Line, Refused, Step
from .frames import CLOSE, ITEM, masked_frame, take_frame, take_frames
from .lines import do
from .target import UNLIMITED

_LIMITED = "its rate limits are what is measured; serve it with " + " ".join(
    f"{name}={value}" for name, value in UNLIMITED.items()
)
_DIGITS = slice(len(MARKER), len(MARKER) + len(NUMBER))


@dataclass(frozen=True, slots=True)
class PalaverDialect:
    """Msgpack over WebSocket. A message has a `client_id`, as those of every real client have."""

    reply: bytes = b"\xa2ok"
    alive: bytes = b"\x8a\x80\0\0\0\0"  # a pong that nobody asked for (RFC 6455 §5.5.3)
    senders_listen: bool = True

    def sign_in(self, address: Address, user: str, token: str) -> Sequence[Step]:
        host, port = address
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = (
            f"GET /v1/ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: palaver.v1.msgpack\r\n\r\n"
        )
        hello = {"t": "hello", "id": 1, "v": 1, "d": {"token": token}}
        return [Step(upgrade.encode(), upgraded), command(hello)]

    def open_room(self, lines: Sequence[Line], kind: Kind) -> str:
        data = {"kind": kind, "members": [line.user for line in lines[1:]]}
        room: str = ask(lines[0], {"t": "conversation.create", "id": 2, "d": data})["c"]
        for line in lines[1:]:
            do(line, Step(b"", lambda rest: _item(rest, lambda item: item.get("c") == room)))
        return room

    def message(self, room: str, text: str) -> bytes:
        number = NUMBER.decode()
        data = {"text": text, "client_id": number}
        return masked_frame({"t": "message.send", "id": number, "c": room, "d": data})

    def check(self) -> SeqCheck:
        return SeqCheck()


class SeqCheck(NumberCheck):
    """The events of each conversation are contiguous in `seq`, too."""

    def __init__(self) -> None:
        super().__init__()
        self._data = bytearray()
        self._seqs: dict[str, int] = {}

    def feed(self, data: bytes) -> None:
        self._data += data
        for opcode, payload in take_frames(self._data):
            if opcode == CLOSE:
                raise Refused(f"closed: {payload[2:].decode()}")
            if opcode == ITEM:
                items = msgpack.unpackb(payload)
                for item in items if isinstance(items, list) else [items]:
                    self._take(item)

    def _take(self, item: dict[str, Any]) -> None:
        if "error" in item:
            raise Refused(f"refused: {in_words(item['error'])}")
        if "seq" not in item:
            return
        room, seq = item["c"], item["seq"]
        last = self._seqs.get(room, seq - 1)
        if seq != last + 1 or item["t"] in ("void", "skipped"):
            self._wrong(f"{item['t']} {seq} came after {last}")
        self._seqs[room] = seq
        if item["t"] == "message.sent":
            self.take(int(item["d"]["text"][_DIGITS]))

    def _wrong(self, what: str) -> None:
        if len(self.problems) < 10:
            self.problems.append(what)


def in_words(error: dict[str, Any]) -> str:
    """What an error says; of a rate limit, how palaver is served without."""
    said = _LIMITED if error["code"] == "RATE_LIMITED" else error["message"]
    return f"{error['code']}: {said}"


def upgraded(rest: bytearray) -> bool:
    """An HTTP answer is there; raises `Refused` if it is not 101."""
    end = rest.find(b"\r\n\r\n")
    if end < 0:
        return False
    status = bytes(rest[9:12])
    if status == b"503":
        raise Refused(f"HTTP 503: it is leaving, or {_LIMITED}")
    if status != b"101":
        raise Refused(f"HTTP {status.decode()}")
    del rest[: end + 4]
    return True


def command(item: dict[str, Any], answer: dict[str, Any] | None = None) -> Step:
    """Its answer, whatever comes before it being passed over, goes into `answer`."""

    def found(got: dict[str, Any]) -> bool:
        if got.get("id") != item["id"] or got["t"] not in ("reply", "welcome", "pong"):
            if "error" in got and "id" not in got:
                raise Refused(in_words(got["error"]))
            return False
        if "error" in got:
            raise Refused(f"{item['t']}: {in_words(got['error'])}")
        if answer is not None:
            answer.update(got)
        return True

    return Step(masked_frame(item), lambda rest: _item(rest, found))


def ask(line: Line, item: dict[str, Any]) -> dict[str, Any]:
    """Send it and return its answer, passing over everything else. Raises `Refused`."""
    answer: dict[str, Any] = {}
    do(line, command(item, answer))
    return answer


def _item(rest: bytearray, wanted: Callable[[dict[str, Any]], bool]) -> bool:
    """Take frames up to the first item that is wanted."""
    while (frame := take_frame(rest)) is not None:
        opcode, payload = frame
        if opcode == CLOSE:
            raise Refused(f"closed: {payload[2:].decode()}")
        if opcode == ITEM:
            items = msgpack.unpackb(payload)
            for item in items if isinstance(items, list) else [items]:
                if wanted(item):
                    return True
    return False
