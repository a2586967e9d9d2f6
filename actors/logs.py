"""What may be logged of ids and errors: nothing that leads back to a user or shows a message."""

from __future__ import annotations

import traceback
from hashlib import blake2s


def hashed(id: str) -> str:
    """The same id gives the same short hash, and no way back (SEC-15)."""
    return blake2s(id.encode(), digest_size=6).hexdigest()


def stack(error: BaseException) -> str:
    """Where `error` came from: its type and its stack, without its text or any variable, since
    those may be a message body."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{frames}{type(error).__qualname__}"
