"""Somebody is typing: told to the others who are looking, never stored (RCPT-11, 12, 13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import Context, ConversationCommand, Effect, Hide, Show
from ..errors import Rejected
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
    """Repeat it while typing goes on, at most every `Policy.typing_min_interval_s`: it ends by
    itself after `Policy.typing_ttl_s`."""

    name: ClassVar[str] = "typing.start"

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _check(state, context)
        user, policy = context.user, context.policy
        yield Show(
            _key(user),
            user,
            on=TypingStarted(by=user),
            off=TypingStopped(by=user),
            ttl_s=policy.typing_ttl_s,
            every_s=policy.typing_min_interval_s,
        )


class StopTyping(ConversationCommand):
    name: ClassVar[str] = "typing.stop"

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _check(state, context)
        yield Hide(_key(context.user))


def _check(state: ConversationState, context: Context) -> None:
    require(state, context.user, "send_messages")
    if not context.policy.typing_enabled:
        raise Rejected("FEATURE_DISABLED")


def _key(user: str) -> str:
    return f"typing:{user}"
