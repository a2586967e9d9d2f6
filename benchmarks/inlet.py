"""One connection while it is measured: what comes in is counted, not read."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field

from .checks import Numbers
from .dialect import MARKER, Check, Line

HEAD = 64
"""Bytes of the buffer before what is received: room for what the last time left over."""

_LAST = MARKER[-1]
_BEGUN = len(MARKER) - 1


@dataclass(eq=False, slots=True)
class Room:
    """`copies` deliveries belong to each message; `senders` say something in it."""

    name: str
    copies: int
    window: int = 0
    senders: list[Inlet] = field(default_factory=list)
    sent: int = 0
    delivered: int = 0
    replied: int = 0

    @property
    def landed(self) -> int:
        """Messages that are replied to and that everybody has."""
        return min(self.delivered // self.copies, self.replied)


@dataclass(eq=False, slots=True)
class Inlet:
    """A line, and what has come in on it.

    `times` has when each message was due, or sent; `awaited` the same of those without a reply.
    """

    line: Line
    room: Room
    reply: bytes = b""
    """What to count as a reply; empty if the line sends nothing."""
    frame: bytearray = field(default_factory=bytearray)
    places: list[slice] = field(default_factory=list)
    number: int = 0
    listens: bool = True
    delivered: int = 0
    sent: int = 0
    times: array[float] = field(default_factory=lambda: array("d"))
    awaited: deque[float] = field(default_factory=deque)
    numbers: Numbers | None = None
    check: Check | None = None
    carry: bytes = b""
    unsent: bytearray = field(default_factory=bytearray)

    def count(self, buffer: bytearray, end: int) -> tuple[int, int]:
        """Deliveries and replies in `buffer`, where what was received lies from HEAD to `end`; each
        is counted once it is whole."""
        begin = HEAD
        if self.carry:
            begin -= len(self.carry)
            buffer[begin:HEAD] = self.carry
            self.carry = b""
        deliveries = buffer.count(MARKER, begin, end) if self.listens else 0
        reply = self.reply
        if not reply:
            if buffer[end - 1] == _LAST:
                self.carry = self._rest(bytes(buffer[max(begin, end - HEAD) : end]))
            return deliveries, 0
        replies = buffer.count(reply, begin, end)
        if (
            buffer[end - 1] == _LAST
            or buffer.find(reply[:1], max(begin, end - len(reply) + 1), end) >= 0
        ):
            self.carry = self._rest(bytes(buffer[max(begin, end - HEAD) : end]))
        return deliveries, replies

    def _rest(self, last: bytes) -> bytes:
        """Of the last bytes, those of which a marker may become that was not counted yet."""
        done = 0
        for marker in (MARKER, self.reply) if self.reply else (MARKER,):
            at = last.rfind(marker)
            if at >= 0:
                done = max(done, at + len(marker))
        return last[max(done, len(last) - max(_BEGUN, len(self.reply) - 1)) :]

    def compose(self, count: int) -> bytes:
        """The next `count` messages."""
        frames = []
        for _ in range(count):
            self.sent += 1
            digits = b"%03d%09d" % (self.number, self.sent)
            for place in self.places:
                self.frame[place] = digits
            frames.append(bytes(self.frame))
        return b"".join(frames)
