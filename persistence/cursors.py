"""Where a page of the inbox ended, as an opaque string for clients to hand back."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from ..protocol.errors import Rejected, invalid
from ..protocol.ids import is_uuid

_MAX = 2**62


def pack(at: int, conversation: str) -> str:
    """The place after the row of `conversation`, whose last activity was `at` (ms)."""
    return urlsafe_b64encode(f"{at}.{conversation}".encode()).decode()


def unpack(cursor: str) -> tuple[int, str]:
    """The inverse of `pack`. Raises VALIDATION_FAILED for whatever `pack` never made."""
    try:
        at, _, conversation = (
            urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition(".")
        )
        place = int(at), conversation
    except ValueError:
        raise _malformed() from None
    if not (0 <= place[0] < _MAX and is_uuid(conversation)) or pack(*place) != cursor:
        raise _malformed()
    return place


def counter(cursor: str) -> int:
    """A cursor of `changes`: a decimal number below 2**62."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19 and int(cursor) < _MAX):
        raise _malformed()
    return int(cursor)


def _malformed() -> Rejected:
    return invalid("cursor", "not one that was given out here")
