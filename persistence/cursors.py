"""Where a page of the inbox ended, as an opaque string for clients to hand back."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from ..protocol.errors import Rejected, invalid
from ..protocol.ids import is_uuid

_MAX = 2**62


Place = tuple[int, int, str]
"""When it was pinned (ms, 0 for not), its last activity (ms), and the conversation."""


def pack(place: Place) -> str:
    """The place after that row."""
    return urlsafe_b64encode(".".join(map(str, place)).encode()).decode()


def unpack(cursor: str) -> Place:
    """The inverse of `pack`. Raises VALIDATION_FAILED for whatever `pack` never made."""
    try:
        pinned_at, at, conversation = (
            urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(".")
        )
        place = int(pinned_at), int(at), conversation
    except ValueError:
        raise _malformed() from None
    times = 0 <= place[0] < _MAX and 0 <= place[1] < _MAX
    if not (times and is_uuid(conversation)) or pack(place) != cursor:
        raise _malformed()
    return place


def counter(cursor: str) -> int:
    """A cursor of `changes`: a decimal number below 2**62."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19 and int(cursor) < _MAX):
        raise _malformed()
    return int(cursor)


def _malformed() -> Rejected:
    return invalid("cursor", "not one that was given out here")
