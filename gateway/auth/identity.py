"""What is known of a user who has signed in, and the port to whatever finds that out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified user. Times are in seconds since 1970.

    `expires_at`: tolerance included; None: never. `role` and `session` are the host's own words.
    `issued_at`: of the token; None counts as before any revocation. `claims`: all that it says.
    """

    user: str
    expires_at: float | None = None
    role: str | None = None
    session: str | None = None
    issued_at: float | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def ttl(self) -> int | None:
        """Whole seconds for which it still holds; None: without end."""
        return None if self.expires_at is None else max(int(self.expires_at - time.time()), 0)


class Verifier(Protocol):
    """What turns a token into an identity; a host may bring its own."""

    async def verify(self, token: str | None) -> Identity:
        """Raises `Rejected`: AUTH_REQUIRED without a token, SESSION_EXPIRED for one that has run
        out, AUTH_FAILED for whatever else is wrong with it, UNAVAILABLE if that cannot be said
        now. It may be cancelled, after `auth.lookup_timeout_s` at the latest."""
        ...
