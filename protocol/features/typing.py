"""Somebody is typing: told to the others who are looking, never stored (RCPT-11, RCPT-12)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import After, Cancel, Context, ConversationCommand, Effect, Emit
from ..events import SignalData
from ..immutable import immutable
from ..roles import require
from ..state import ConversationState


@immutable
class TypingStarted(SignalData):
    name: ClassVar[str] = "typing.started"

    by: str


@immutable
class TypingStopped(SignalData):
    name: ClassVar[str] = "typing.stopped"

    by: str


class StartTyping(ConversationCommand):
    """Repeat it while typing goes on: it ends by itself after `Policy.typing_ttl_s`."""

    name: ClassVar[str] = "typing.start"

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        require(state, context.user, "send_messages")
        user = context.user
        yield Emit(TypingStarted(by=user), by=user)
        yield After(f"typing:{user}", context.policy.typing_ttl_s, TypingStopped(by=user), user)


class StopTyping(ConversationCommand):
    name: ClassVar[str] = "typing.stop"

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        require(state, context.user, "send_messages")
        yield Cancel(f"typing:{context.user}")
        yield Emit(TypingStopped(by=context.user), by=context.user)
