"""What a client knows, between two polls: as a text that only the server reads.

Nothing is kept on the server, so a cursor is good after a restart, at any other node, and however
often it is used.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgpack

from ...protocol.errors import Rejected, invalid

MAX_POSITIONS: Final = 100
"""Conversations of which a cursor knows the position: the last that moved. It goes into a URL."""
_MAX_CHARS: Final = 8192
_FORM: Final = 2


@dataclass(slots=True)
class Position:
    """In one conversation: every event of `epoch` up to `seq` is known, and the first `marks` moves
    of marks."""

    epoch: int
    seq: int
    marks: int = 0


@dataclass(slots=True)
class Cursor:
    """`feed` is the cursor of `sync.changes`, `n` the place in one's own log. `positions` are those
    of conversations, the one that moved last at the end."""

    feed: str | None = None
    n: int = 0
    positions: dict[str, Position] = field(default_factory=dict)

    def know(self, conversation: str, position: Position) -> None:
        self.positions.pop(conversation, None)
        self.positions[conversation] = position

    def trim(self, watched: Iterable[str]) -> None:
        """Forget those that moved longest ago, if there are too many."""
        kept = set(watched)
        for conversation in list(self.positions):
            if len(self.positions) <= MAX_POSITIONS:
                return
            if conversation not in kept:
                del self.positions[conversation]

    def pack(self, user: str) -> str:
        places = [
            (uuid.UUID(id).bytes, at.epoch, at.seq, at.marks) for id, at in self.positions.items()
        ]
        data: bytes = msgpack.packb((_FORM, _mark(user), self.feed, self.n, places))
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    @classmethod
    def unpack(cls, text: str, user: str) -> Cursor:
        """Raises VALIDATION_FAILED for what `pack` has not made, or for somebody else: another
        place in another log would pass by what is in this one."""
        try:
            if len(text) > _MAX_CHARS:
                raise ValueError
            data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            form, mark, feed, n, places = msgpack.unpackb(data, max_ext_len=0)
            cursor = cls(feed, n)
            for place in places:
                id, *numbers = place
                cursor.positions[str(uuid.UUID(bytes=id))] = Position(*map(_number, numbers))
            if (
                (form, mark) != (_FORM, _mark(user))
                or not isinstance(feed, str | None)
                or _number(n) < 0
            ):
                raise ValueError
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise _unknown() from None
        return cursor


def _mark(user: str) -> bytes:
    return hashlib.sha256(user.encode()).digest()[:4]


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError
    return value


def _unknown() -> Rejected:
    return invalid("cursor", "not one of this server: begin without")
