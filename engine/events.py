"""Following a conversation from within the host's process."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Self

from ..actors.environment import Environment
from ..actors.registry import Registry
from ..protocol.events import Event
from .local import Inlet

_PAGE = 500


class Subscription:
    """An async context manager and iterator over the events of one conversation.

    Every event after `after` comes once, in order, whether it is old or new; under durability
    `commit` once it is stored, otherwise as it happens. A reader that falls more than
    `actors.reader_queue` events behind is cut off with `Disconnected`; subscribe again after the
    last seq that it saw. So is everybody when the engine ends.

    A `void` event takes back one that was given before, so its seq may lie before the last one.

    Raises `Rejected`: CONVERSATION_NOT_FOUND, or UNAVAILABLE if it cannot be read now.
    """

    def __init__(self, conversation: str, after: int, env: Environment, registry: Registry) -> None:
        self._id = conversation
        self._seq = after
        self._env = env
        self._registry = registry
        self._inlet = Inlet("", self._env.limits.reader_queue)
        self._old: deque[Event] = deque()
        self._live = False

    async def __aenter__(self) -> Self:
        await self._registry.visit(self._id, lambda conversation: None)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._unfollow()

    def _unfollow(self) -> None:
        conversation = self._registry.resident(self._id)
        if conversation is not None:
            conversation.unfollow(self._inlet)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._live and not self._old:
            await self._catch_up()
        event = self._old.popleft() if self._old else await self._next_live()
        self._seq = max(self._seq, event.seq)
        return event

    async def _next_live(self) -> Event:
        while True:
            event = (await self._inlet.next()).event
            if event is not None:
                return event

    async def _catch_up(self) -> None:
        """Go live if memory reaches back far enough, otherwise read a page of the log."""
        self._unfollow()  # somebody gave up waiting just when it was about to go live
        self._inlet = Inlet("", self._env.limits.reader_queue)
        self._live = await self._registry.visit(
            self._id, lambda conversation: conversation.follow(self._inlet, self._seq)
        )
        if not self._live:
            page = await self._env.store.conversations.events(self._id, self._seq, _PAGE)
            self._old.extend(page.events)
