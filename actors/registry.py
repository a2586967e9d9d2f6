"""Which conversations are in memory; they start when somebody speaks to them."""

from __future__ import annotations

from collections.abc import Iterator

import trio

from ..protocol.commands import ConversationCommand
from ..protocol.errors import Rejected
from ..protocol.ids import is_uuid
from .conversation import Conversation
from .environment import Environment
from .logs import hashed
from .request import Request
from .supervisor import supervise


class Registry:
    """At most one actor per conversation, however many ask for it at once (single flight)."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._actors: dict[str, Conversation] = {}
        self._empty = trio.Event()
        self._closing = False

    def __len__(self) -> int:
        return len(self._actors)

    def __iter__(self) -> Iterator[Conversation]:
        return iter(list(self._actors.values()))

    def resident(self, id: str) -> Conversation | None:
        return self._actors.get(id)

    def tell(self, id: str, request: Request[ConversationCommand]) -> None:
        """Hand `request` to conversation `id`; never blocks. What is wrong is answered."""
        if not is_uuid(id):
            request.refuse(Rejected("CONVERSATION_NOT_FOUND"))
        elif self._closing:
            request.refuse(Rejected("UNAVAILABLE", retry_after=1.0))
        else:
            self._actor(id).tell(request)

    async def opened(self, id: str) -> Conversation | None:
        """Conversation `id`, loaded; None if it cannot be loaded now."""
        actor, loaded = self._actor(id), trio.Event()
        actor.post(loaded.set)
        with trio.move_on_after(self._env.limits.ask_timeout_s):
            await loaded.wait()
        return actor if self._actors.get(id) is actor else None

    def _actor(self, id: str) -> Conversation:
        actor = self._actors.get(id)
        if actor is None:
            actor = self._actors[id] = Conversation(id, self._env)
            self._env.nursery.start_soon(self._live, actor)
        return actor

    async def _live(self, actor: Conversation) -> None:
        env = self._env
        try:
            await supervise(actor, hashed(actor.id), env.limits.crashes, env.new_id, env.counters)
        finally:
            # No checkpoint since it was found idle, so nothing can have come in between.
            del self._actors[actor.id]
            if not self._actors:
                self._empty.set()

    async def close(self) -> None:
        """Take nothing new; return when every conversation has stored all it has and is gone."""
        self._closing = True
        while self._actors:
            self._empty = trio.Event()
            for actor in self:
                actor.retire()
            await self._empty.wait()
