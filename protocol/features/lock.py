"""Freezing a conversation, for a while or until it is freed: it is read, not written (CONV-21)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ..commands import Context, DurableCommand, Effect
from ..errors import Rejected, invalid
from ..events import Event, EventData
from ..ids import HOST
from ..immutable import immutable
from ..roles import require
from ..state import ConversationState, Slice

LOCK = Slice[dict[str, int | None]]("lock", dict, public=True)
"""`{"until": ms or None}` while it is locked or was until then; empty otherwise."""


def is_locked(state: ConversationState, now: int) -> bool:
    """A lock ends by itself: nothing happens at its end, it only holds no longer."""
    lock = LOCK.of(state)
    return bool(lock) and ((until := lock["until"]) is None or now < until)


def check_lock(state: ConversationState, command: DurableCommand, now: int) -> None:
    """CONVERSATION_LOCKED, with the time left, for whatever would change the conversation."""
    if command.while_locked or not is_locked(state, now):
        return
    until = LOCK.of(state)["until"]
    raise Rejected(
        "CONVERSATION_LOCKED",
        details={"until": until},
        retry_after=None if until is None else (until - now) / 1000,
    )


def _require(state: ConversationState, user: str) -> None:
    if user != HOST:
        require(state, user, "lock_conversation")


@immutable
class ConversationLocked(EventData):
    """`until` in milliseconds; without it there is no end but `conversation.unlocked`."""

    name: ClassVar[str] = "conversation.locked"
    is_system: ClassVar[bool] = True

    until: int | None = None

    def apply(self, state: ConversationState, event: Event) -> None:
        LOCK.change(state)["until"] = self.until


class LockConversation(DurableCommand):
    """Reading, marks and typing go on; what would be an event is refused, but leaving. A second
    lock replaces the first."""

    name: ClassVar[str] = "conversation.lock"
    while_locked: ClassVar[bool] = True
    host_may: ClassVar[bool] = True

    until: int | None = Field(default=None, ge=1, lt=2**53)

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _require(state, context.user)
        if self.until is not None and self.until <= context.now:
            raise invalid("until", "must lie in the future")
        if not is_locked(state, context.now) or LOCK.of(state)["until"] != self.until:
            yield ConversationLocked(until=self.until)


@immutable
class ConversationUnlocked(EventData):
    name: ClassVar[str] = "conversation.unlocked"
    is_system: ClassVar[bool] = True

    def apply(self, state: ConversationState, event: Event) -> None:
        state.slices.pop(LOCK.name, None)


class UnlockConversation(DurableCommand):
    name: ClassVar[str] = "conversation.unlock"
    while_locked: ClassVar[bool] = True
    host_may: ClassVar[bool] = True

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _require(state, context.user)
        if is_locked(state, context.now):
            yield ConversationUnlocked()
