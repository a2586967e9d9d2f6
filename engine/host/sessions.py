"""The sessions port: a token only names a session, and the host knows the rest (CONN-07).

The gateway asks it, at every sign-in and refresh. `SessionStore` is what an embedding application
implements (`serve(sessions=…)`); over HTTP it is what `HttpSessions` asks. Without either, what the
token says goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from ...protocol.ids import is_user_id
from .asking import BadAnswer
from .callback import Callback
from .facts import Facts
from .tools import Tools

MAX_TIME_S: Final = 2.0**53
"""A time later than that is none."""

_log = structlog.get_logger("palaver.host")


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
        """Those of `ids` that there are. One of which is not clear what it is counts as none, and
        is logged: it must not keep others out who are asked for together with it."""
        answer = await self._callback.ask("sessions", {"ids": ids})
        match answer:
            case {"sessions": dict(said)}:
                known = ((id, _session(said[id])) for id in ids if said.get(id) is not None)
                return {id: session for id, session in known if session is not None}
        raise BadAnswer("no `sessions` in it")


def _session(said: Any) -> Session | None:
    match said:
        case {"user": str(user)} if is_user_id(user):
            role, expires_at = said.get("role"), said.get("expires_at")
            if (role is None or isinstance(role, str)) and _is_time(expires_at):
                return Session(user, role, expires_at)
    _log.warning("a session of which is not clear whose it is, as what, or until when")
    return None


def _is_time(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (number and abs(value) < MAX_TIME_S)


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
