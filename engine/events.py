"""Following a conversation from within the host's process."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Self

import trio

from ..actors.environment import Environment
from ..actors.registry import Registry
from ..protocol.errors import Rejected
from ..protocol.events import Event
from .local import Inlet

_PAGE = 500
_CAPACITY = 10_000


class Subscription:
    """An async context manager and iterator over the events of one conversation.

    Every event after `after` comes once, in order, whether it is old or new; under durability
    `commit` once it is stored, otherwise as it happens. A reader more than 10,000 events behind
    the live end is cut off with `Disconnected`; subscribe again after the last seq that it saw.
    `Rejected("CONVERSATION_NOT_FOUND")` if there is no such conversation.
    """

    def __init__(self, conversation: str, after: int, env: Environment, registry: Registry) -> None:
        self._id = conversation
        self._seq = after
        self._env = env
        self._registry = registry
        self._inlet = Inlet("", _CAPACITY)
        self._old: deque[Event] = deque()
        self._live = False

    async def __aenter__(self) -> Self:
        conversation = await self._registry.opened(self._id)
        if conversation is None or not conversation.effects.resident.state.exists:
            raise Rejected("CONVERSATION_NOT_FOUND")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        conversation = self._registry.resident(self._id)
        if conversation is not None:
            conversation.unfollow(self._inlet)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._live and not self._old:
            await self._catch_up()
        event = self._old.popleft() if self._old else await self._next_live()
        self._seq = event.seq
        return event

    async def _next_live(self) -> Event:
        while True:
            event = (await self._inlet.next()).event
            # A void takes back an event that was seen before, so it comes whatever its seq.
            if event is not None and (event.seq > self._seq or event.kind == "void"):
                return event

    async def _catch_up(self) -> None:
        """Go live if memory reaches back far enough, otherwise read a page of the log."""
        conversation = await self._registry.opened(self._id)
        if conversation is None:
            raise Rejected("UNAVAILABLE", retry_after=1.0)
        asked = trio.Event()

        def done(live: bool) -> None:
            self._live = live
            asked.set()

        conversation.follow(self._inlet, self._seq, done)
        await asked.wait()
        if not self._live:
            page = await self._env.store.conversations.events(self._id, self._seq, _PAGE)
            self._old.extend(page.events)
