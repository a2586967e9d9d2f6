"""How people stand to one another: asked for outside of every actor, when somebody wants something
of somebody else for the first time."""

from __future__ import annotations

from dataclasses import replace

from ..protocol.commands import Needs
from ..protocol.people import Standing
from ..protocol.policy import Policy
from .host import Relations
from .ports import Store


class People:
    """Without `relations` nobody follows anybody: whoever writes for the first time asks first."""

    def __init__(self, policy: Policy, store: Store, relations: Relations | None) -> None:
        self._policy = policy
        self._store = store
        self._relations = relations if policy.message_requests else None

    @property
    def matter(self) -> bool:
        """Whether anybody can keep anybody out."""
        return self._policy.blocks != "off" or self._policy.message_requests

    async def standings(self, user: str, needs: Needs) -> dict[str, Standing]:
        """How those whom a command of `user` needs to know stand to them. The host is asked about
        one at most: there are two in a direct conversation. Raises UNAVAILABLE."""
        others = [other for other in dict.fromkeys(needs.people) if other != user]
        standings = await self._store.user_logs.standings(user, others)
        if needs.relation and self._relations is not None and len(others) == 1:
            (other,) = others
            relation = await self._relations.find(user, other)
            standings[other] = replace(standings[other], relation=relation)
        return standings
