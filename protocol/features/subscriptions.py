"""Looking at a conversation: its signals go only to connections that subscribe (CONN-11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import Context, ConversationCommand, Effect, Subscribe
from ..events import SignalData
from ..immutable import immutable
from ..roles import require_member
from ..state import ConversationState


@immutable
class PresenceChanged(SignalData):
    """`last_seen` in milliseconds, for somebody who is offline (RCPT-16)."""

    name: ClassVar[str] = "presence.changed"

    user: str
    online: bool
    last_seen: int | None = None


@immutable
class ConversationHead(SignalData):
    """Where the conversation stands, said to all members when they may have missed something that
    is not pushed again: who is behind, or knows another epoch, resumes."""

    name: ClassVar[str] = "conversation.head"

    epoch: int
    seq: int


class SubscribeConversation(ConversationCommand):
    """Typing, receipts and presence of this conversation, for this connection, until it ends."""

    name: ClassVar[str] = "conversation.subscribe"

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        require_member(state, context.user)
        yield Subscribe(on=True)


class UnsubscribeConversation(ConversationCommand):
    name: ClassVar[str] = "conversation.unsubscribe"

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        yield Subscribe(on=False)
