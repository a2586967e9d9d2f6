"""Ids as they appear in logs: the same id gives the same short hash, and no way back (SEC-15)."""

from __future__ import annotations

from hashlib import blake2s


def hashed(id: str) -> str:
    return blake2s(id.encode(), digest_size=6).hexdigest()
