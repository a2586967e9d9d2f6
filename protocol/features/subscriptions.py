"""Looking at a conversation: its signals go only to connections that subscribe (CONN-11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import NOTHING, Context, ConversationCommand, Effect, Needs, Subscribe
from ..events import SignalData
from ..ids import MessageId
from ..immutable import immutable
from ..roles import require_member
from ..state import ConversationState
from .threads import check_threads


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
    """Typing, receipts and presence of this conversation, for this connection, until it ends. With
    the root of a `thread`: typing in that."""

    name: ClassVar[str] = "conversation.subscribe"

    thread: MessageId | None = None

    def needs(self, state: ConversationState) -> Needs:
        return NOTHING if self.thread is None else Needs(messages=(self.thread,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        require_member(state, context.user)
        if self.thread is not None:
            check_threads(state, context.policy)
            context.message(self.thread)
        yield Subscribe(True, self.thread)


class UnsubscribeConversation(ConversationCommand):
    """From one `thread`, or from all of the conversation."""

    name: ClassVar[str] = "conversation.unsubscribe"

    thread: MessageId | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        yield Subscribe(False, self.thread)
