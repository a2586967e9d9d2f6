"""Somebody is typing: told to the others who are looking, never stored (RCPT-11, 12, 14)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import After, Cancel, Context, ConversationCommand, Effect, Emit
from ..events import SignalData
from ..ids import MessageId
from ..immutable import immutable
from ..roles import require
from ..state import ConversationState
from .threads import check_threads


@immutable
class TypingStarted(SignalData):
    name: ClassVar[str] = "typing.started"

    by: str
    thread: str | None = None


@immutable
class TypingStopped(SignalData):
    name: ClassVar[str] = "typing.stopped"

    by: str
    thread: str | None = None


class StartTyping(ConversationCommand):
    """Repeat it while typing goes on: it ends by itself after `Policy.typing_ttl_s`.

    With the root of a `thread`, typing in that. Nobody can subscribe to what is no message, so it
    is not looked up whether it is one.
    """

    name: ClassVar[str] = "typing.start"

    thread: MessageId | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        key, by, thread = _timer(state, context, self.thread), context.user, self.thread
        yield Emit(TypingStarted(by, thread), by, thread)
        yield After(key, context.policy.typing_ttl_s, TypingStopped(by, thread), by, thread)


class StopTyping(ConversationCommand):
    name: ClassVar[str] = "typing.stop"

    thread: MessageId | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        key, by, thread = _timer(state, context, self.thread), context.user, self.thread
        yield Cancel(key)
        yield Emit(TypingStopped(by, thread), by, thread)


def _timer(state: ConversationState, context: Context, thread: str | None) -> str:
    """The key of what ends this user's typing there, if they may type there."""
    require(state, context.user, "send_messages")
    if thread is None:
        return f"typing:{context.user}"
    check_threads(state, context.policy)
    return f"typing in {thread}:{context.user}"
