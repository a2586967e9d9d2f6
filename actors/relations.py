"""The port by which the host says who follows whom.

It is asked only when a direct conversation is to begin, never for a message in one that is there.
"""

from __future__ import annotations

from typing import Protocol

from ..protocol.people import Relation


class Relations(Protocol):
    async def relation(self, user: str, other: str) -> Relation:
        """How `user` is related to `other`. May take its time, within `actors.relations_timeout_s`;
        what it raises makes the command UNAVAILABLE."""
        ...


class Strangers:
    """Nobody follows anybody: whoever writes for the first time asks first."""

    async def relation(self, user: str, other: str) -> Relation:
        return Relation()


class Follows:
    """Who follows whom, kept in memory: for tests, and for hosts that have it there."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str]] = set()

    def set(self, user: str, other: str, follows: bool = True) -> None:
        """From now on `user` follows `other`, or does not."""
        change = self._pairs.add if follows else self._pairs.discard
        change((user, other))

    async def relation(self, user: str, other: str) -> Relation:
        return Relation((user, other) in self._pairs, (other, user) in self._pairs)
