"""The port to the host's sessions: a token only names one, and the host knows the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Session:
    """What the host knows under the id of a session. `expires_at` is in seconds since 1970; None:
    the token's own expiry is the only one."""

    user: str
    role: str | None = None
    expires_at: float | None = None


class SessionStore(Protocol):
    """Where sessions are looked up at every sign-in and refresh (CONN-07): a table, Redis, a dict.

    Whoever ends one before its time calls `Engine.revoke(session=…)`, which ends its connections.
    """

    async def find(self, session: str) -> Session | None:
        """The session of this id; None if there is none (any more).

        It may be called `auth.max_lookups` times at once, and be cancelled. What it raises is
        logged without its text, and the client is told UNAVAILABLE.
        """
        ...
