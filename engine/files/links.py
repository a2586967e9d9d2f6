"""Addresses that carry their own permission: who has one loads a file, for a while (ATT-18)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from ...actors.ports import Clock
from ...protocol.errors import Rejected
from ...protocol.uploads import served_here

_BYTES: Final = 16


class SignedLinks:
    """Implements `Links`. An address ends with `?expires=` (seconds since 1970) and `&signature=`,
    the first half of an HMAC-SHA256 in hex over the path and that time."""

    def __init__(self, key: bytes, ttl_s: int, clock: Clock) -> None:
        self._key = key
        self._ttl_s = ttl_s
        self._clock = clock

    @property
    def ttl_s(self) -> int:
        return self._ttl_s

    def sign(self, url: str) -> str:
        if served_here(url) is None:
            return url
        expires = self._clock() // 1000 + self._ttl_s
        return f"{url}?expires={expires}&signature={self._signature(url, expires)}"

    def check(self, path: str, expires: int, signature: str) -> None:
        """PERMISSION_DENIED unless `path` was signed so, and it is not over."""
        known = hmac.compare_digest(self._signature(path, expires).encode(), signature.encode())
        if not known or self._clock() // 1000 >= expires:
            raise Rejected("PERMISSION_DENIED", "The address is not good, or no longer.")

    def _signature(self, path: str, expires: int) -> str:
        signed = f"{path}\n{expires}".encode()
        return hmac.digest(self._key, signed, hashlib.sha256)[:_BYTES].hex()
