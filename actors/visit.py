"""Something to be done inside a conversation, between two commands, by another task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import trio

from ..protocol.errors import Rejected

if TYPE_CHECKING:
    from .conversation import Conversation

T = TypeVar("T")


class Visit(Generic[T]):
    """`action` runs inside the conversation, once it is loaded; `result` is what it returned."""

    def __init__(self, action: Callable[[Conversation], T]) -> None:
        self._action = action
        self._over = trio.Event()
        self._abandoned = False
        self._results: list[T] = []
        self._error: Rejected | None = None

    def run(self, conversation: Conversation) -> None:
        """Act; the visitor learns of it by `give`. Nothing is done if nobody waits any more."""
        if self._abandoned:
            return
        try:
            self._results.append(self._action(conversation))
        except Rejected as no:
            self._error = no

    def give(self) -> None:
        self._over.set()

    def refuse(self, error: Rejected) -> None:
        self._error = error
        self._over.set()

    async def result(self, timeout: float) -> T:
        """Raises the `Rejected` of the action or of the conversation; UNAVAILABLE after a while."""
        try:
            with trio.move_on_after(timeout):
                await self._over.wait()
        finally:
            self._abandoned = True
        if not self._over.is_set():
            raise Rejected("UNAVAILABLE", retry_after=1.0)
        if self._error is not None:
            raise self._error
        (result,) = self._results
        return result
