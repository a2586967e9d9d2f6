"""The keys of the product's own servers (`auth.service_keys`). None of them is ever logged."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import SecretStr

from ....protocol.errors import Rejected


class ServiceKeys:
    """By name. Digests are compared, each time with all of them, so that how long it takes tells
    neither how long a key is nor how it begins."""

    def __init__(self, keys: Mapping[str, SecretStr]) -> None:
        self._digests = {name: _digest(key.get_secret_value()) for name, key in keys.items()}

    def name_of(self, authorization: str | None) -> str:
        """Whose key is in this header. Raises AUTH_REQUIRED or AUTH_FAILED."""
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Rejected("AUTH_REQUIRED")
        digest = _digest(given.strip())
        found = [name for name, key in self._digests.items() if hmac.compare_digest(key, digest)]
        if not found:
            raise Rejected("AUTH_FAILED")
        return found[0]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
