"""Who follows whom, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence

from ...protocol.people import Relation
from ..host.relations import Pair


class Follows:
    """Relations for `Engine(relations=…)`. What was said is remembered there: see
    `Engine.relations_changed`."""

    def __init__(self) -> None:
        self._pairs: set[Pair] = set()

    def set(self, user: str, other: str, follows: bool = True) -> None:
        """From now on `user` follows `other`, or does not."""
        change = self._pairs.add if follows else self._pairs.discard
        change((user, other))

    async def find(self, pairs: Sequence[Pair]) -> dict[Pair, Relation]:
        return {
            (user, other): Relation((user, other) in self._pairs, (other, user) in self._pairs)
            for user, other in pairs
        }
