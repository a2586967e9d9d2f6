"""Which conversations are in memory; they start when somebody speaks to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import trio

from ..protocol.commands import ConversationCommand
from ..protocol.errors import Rejected
from ..protocol.ids import is_uuid
from .asker import Asker
from .conversation import Conversation
from .environment import Environment
from .logs import hashed
from .request import Request
from .supervisor import supervise
from .visit import Visit

T = TypeVar("T")

_LOOK_AGAIN_S: Final = 0.2


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
        if self._closing:
            request.refuse(Rejected("UNAVAILABLE", retry_after=1.0))
        elif (actor := self._actors.get(id)) is not None:
            actor.tell(request)
        elif is_uuid(id):
            self._actor(id).tell(request)
        else:
            request.refuse(Rejected("CONVERSATION_NOT_FOUND"))

    async def ask(
        self, asker: Asker, conversation: str, command: ConversationCommand
    ) -> dict[str, Any]:
        """What came of `command`, or its `Rejected`; UNAVAILABLE if that takes too long."""
        id = asker.next_id()
        self.tell(conversation, Request(asker, command, id, conversation))
        return await asker.outcome(id, self._env.limits.ask_timeout_s)

    async def visit(self, id: str, action: Callable[[Conversation], T]) -> T:
        """Run `action` inside conversation `id`, loaded, between two commands.

        Raises `Rejected`: CONVERSATION_NOT_FOUND, or UNAVAILABLE if it cannot be loaded now.
        """
        if not is_uuid(id):
            raise Rejected("CONVERSATION_NOT_FOUND")
        if self._closing:
            raise Rejected("UNAVAILABLE", retry_after=1.0)
        visit = Visit(action)
        self._actor(id).tell(visit)
        return await visit.result(self._env.limits.ask_timeout_s)

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
            actor.ended()
            if not self._actors:
                self._empty.set()

    async def close(self) -> None:
        """Take nothing new; return when every conversation has stored all it has and is gone."""
        self._closing = True
        while self._actors:
            self._empty = trio.Event()
            for actor in self:
                actor.retire()
            with trio.move_on_after(_LOOK_AGAIN_S):  # the store may go away meanwhile
                await self._empty.wait()
