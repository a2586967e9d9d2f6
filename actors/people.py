"""How people stand to one another: asked for outside of every actor, when somebody wants something
of somebody else for the first time."""

from __future__ import annotations

from dataclasses import replace

import structlog
import trio

from ..protocol.commands import Needs
from ..protocol.errors import Rejected
from ..protocol.people import Relation, Standing
from ..protocol.policy import Policy
from .logs import stack
from .ports import Store
from .relations import Relations

AT_ONCE = 64
"""Questions to the host; more wait, and their time is running."""

_log = structlog.get_logger("palaver.people")


class People:
    """Who asks waits for `timeout_s` at most; then, or if the host fails, it is UNAVAILABLE: rather
    a message that is to be repeated than one that should not have arrived."""

    def __init__(
        self, policy: Policy, store: Store, relations: Relations, timeout_s: float
    ) -> None:
        self._policy = policy
        self._store = store
        self._relations = relations
        self._timeout_s = timeout_s
        self._asking = trio.CapacityLimiter(AT_ONCE)

    @property
    def matter(self) -> bool:
        """Whether anybody can keep anybody out."""
        return self._policy.blocks != "off" or self._policy.message_requests

    async def standings(self, user: str, needs: Needs) -> dict[str, Standing]:
        """How those whom a command of `user` needs to know stand to them. The host is asked about
        one at most: there are two in a direct conversation."""
        others = [other for other in dict.fromkeys(needs.people) if other != user]
        standings = await self._store.user_logs.standings(user, others)
        if needs.relation and self._policy.message_requests and len(others) == 1:
            (other,) = others
            relation = await self._relation(user, other)
            standings[other] = replace(standings[other], relation=relation)
        return standings

    async def _relation(self, user: str, other: str) -> Relation:
        try:
            with trio.move_on_after(self._timeout_s):
                async with self._asking:
                    return await self._relations.relation(user, other)
            _log.error("relations not known in time")
        except Exception as error:
            _log.error("relations failed", stack=stack(error))
        raise Rejected("UNAVAILABLE", retry_after=1.0)
