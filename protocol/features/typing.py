"""Somebody is typing: told to the others who are looking, never stored (RCPT-11…14)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import Context, ConversationCommand, Effect, Hide, Show
from ..errors import Rejected
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
    """Repeat it while typing goes on, at most every `Policy.typing_min_interval_s`: it ends by
    itself after `Policy.typing_ttl_s`.

    With the root of a `thread`, typing in that. Nobody can subscribe to what is no message, so it
    is not looked up whether it is one.
    """

    name: ClassVar[str] = "typing.start"
    limited: ClassVar[bool] = False

    thread: MessageId | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _check(state, context, self.thread)
        by, thread, policy = context.user, self.thread, context.policy
        yield Show(
            _key(by, thread),
            by,
            on=TypingStarted(by, thread),
            off=TypingStopped(by, thread),
            ttl_s=policy.typing_ttl_s,
            every_s=policy.typing_min_interval_s,
            thread=thread,
        )


class StopTyping(ConversationCommand):
    name: ClassVar[str] = "typing.stop"
    limited: ClassVar[bool] = False

    thread: MessageId | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _check(state, context, self.thread)
        yield Hide(_key(context.user, self.thread))


def _check(state: ConversationState, context: Context, thread: str | None) -> None:
    require(state, context.user, "send_messages")
    if not context.policy.typing_enabled:
        raise Rejected("FEATURE_DISABLED")
    if thread is not None:
        check_threads(state, context.policy)


def _key(user: str, thread: str | None) -> str:
    return f"typing:{user}" if thread is None else f"typing in {thread}:{user}"
