"""A server that is measured, as the harness sees it, and who can start one.

palaver's own is in own_server.py, the peers' are in peers/.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import jwt

from .dialect import Address, Dialect

SECRET = "benchmark-secret-of-more-than-32-bytes"
"""HS256: signs the tokens that every server of the harness has to check."""

UNLIMITED = {
    f"PALAVER_LIMITS__{name}": "0"
    for name in (
        *("REQUESTS_PER_MIN", "MESSAGES_PER_MIN", "CONNECTS_PER_MIN"),
        *("COMMANDS_PER_S", "HANDSHAKES_PER_S"),
    )
}
"""Rate limits would be all that is measured."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """`sub` is the user; signed with HS256, or out of `given`, tokens of somebody else's making."""

    secret: str = SECRET
    given: Sequence[str] = ()

    def __call__(self, user: str) -> str:
        return jwt.encode({"sub": user}, self.secret, algorithm="HS256")

    def users(self, count: int) -> list[tuple[str, str]]:
        """User and token of `count` different users, whom the server has never met if the tokens
        are our own. Raises `ValueError` if too few were given."""
        if not self.given:
            prefix = secrets.token_hex(4)
            return [(user, self(user)) for user in (f"{prefix}-{n}" for n in range(count))]
        if len(self.given) < count:
            raise ValueError(f"{count} users are needed, and there are {len(self.given)} tokens")
        return [(_sub(each), each) for each in self.given[:count]]


def _sub(token: str) -> str:
    """Who it is, unchecked. Raises `ValueError` if it is no JWT."""
    try:
        user: str = jwt.decode(token, options={"verify_signature": False})["sub"]
    except (jwt.InvalidTokenError, KeyError) as error:
        raise ValueError(f"not a token: {error}") from None
    return user


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One that runs. It is pickled on its way to the generator's process."""

    name: str
    dialect: Dialect
    address: Address
    store: str
    """ "memory" or "postgres"; "its own" if nobody knows"""
    tokens: Tokens = field(default_factory=Tokens)
    processes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Pids by group: "server" is whatever is needed beside Postgres, "postgres" its postmaster. The
    children of each count with it (processes.py). Empty for a server elsewhere."""
    conditions: Sequence[str] = ()
    """What was set for it, worth a line in the report: limits, versions."""


class Contender(Protocol):
    """Who can start a server. A started one accepts connections at once, has no rate limits, and
    checks tokens that are signed with `SECRET` and HS256."""

    @property
    def name(self) -> str: ...

    @property
    def workloads(self) -> frozenset[str]:
        """Those of benchmarks/workloads that it knows how to do."""

    def missing(self) -> str | None:
        """Why it cannot be started here ("node is not installed"); None if it can."""

    def start(
        self, postgres: tuple[str, int] | None, settings: Mapping[str, str]
    ) -> AbstractContextManager[Target]:
        """A fresh server, gone when it is left, killed if it must be.

        `postgres` is the DSN of an empty database and the pid of its postmaster: then every message
        is stored, and replied to after the commit. None: nothing is stored. `settings` are
        environment variables that the workload asks of palaver; others pass them over.
        """
