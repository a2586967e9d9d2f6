"""The sessions port: a token only names a session, and the host knows the rest (CONN-07).

The gateway asks it, at every sign-in and refresh. `SessionStore` is what an embedding application
implements (`serve(sessions=…)`); over HTTP it is what `HttpSessions` asks. Without either, what the
token says goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from ...protocol.ids import is_user_id
from .asking import BadAnswer
from .callback import Callback
from .facts import Facts
from .tools import Tools


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


class HttpSessions:
    """Sessions of a host that is asked by HTTP (docs/embedding.md)."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback

    async def find(self, ids: Sequence[str]) -> dict[str, Session]:
        """Those of `ids` that there are."""
        answer = await self._callback.ask("sessions", {"ids": ids})
        match answer:
            case {"sessions": dict(said)}:
                return {id: _session(said[id]) for id in ids if said.get(id) is not None}
        raise BadAnswer("no `sessions` in it")


def _session(said: Any) -> Session:
    match said:
        case {"user": str(user)} if is_user_id(user):
            role, expires_at = said.get("role"), said.get("expires_at")
            if (role is None or isinstance(role, str)) and _is_time(expires_at):
                return Session(user, role, expires_at)
    raise BadAnswer("a session of which is not clear whose it is, as what, or until when")


def _is_time(value: Any) -> bool:
    if isinstance(value, int | float):
        return not isinstance(value, bool) and isfinite(value)
    return value is None


class AskedSessions:
    """A `SessionStore` that asks the host, and remembers for `host.sessions_ttl_s` what it said."""

    def __init__(self, facts: Facts[str, Session]) -> None:
        self._facts = facts

    async def find(self, session: str) -> Session | None:
        """Raises UNAVAILABLE."""
        return (await self._facts.find([session])).get(session)

    def invalidate(self, session: str | None) -> None:
        """What the host said of `session`, or of all, is not so any more."""
        self._facts.invalidate(session)


def open_sessions(tools: Tools) -> AskedSessions | None:
    """The port as the settings say; None if tokens say all there is to say."""
    if tools.settings.sessions == "none":
        return None
    ask = HttpSessions(tools.callback).find
    return AskedSessions(tools.facts("sessions", ask, tools.settings.sessions_ttl_s))
