"""Forwarding a message: a copy elsewhere, and a count where it was said (MSG-17).

Two conversations have a part in it, which never ask each other: the caller's session leads, and the
commands by which it asks them are not for clients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from ..commands import (
    Context,
    ConversationCommand,
    DurableCommand,
    Effect,
    Needs,
    SessionCommand,
)
from ..errors import Rejected
from ..events import Event, MessageChange
from ..ids import ClientId, ConversationId, MessageId
from ..immutable import immutable
from ..message import Message
from ..roles import require_member
from ..state import ConversationState
from .messages import MessageSent, SendMessage

CARRIED = ("type", "metadata", "attachments")
"""Fields of a message that go with its text. Whom it mentions, what it answers, and where it hangs,
stays behind."""


class ForwardMessage(SessionCommand):
    """Send a copy of a message to the conversation `to`, marked as forwarded.

    The copy tells nothing of its origin, neither who said it nor where, but that, and how often, it
    was passed on. A caller forwards one message at most `Policy.max_forwards` times.
    """

    name: ClassVar[str] = "message.forward"

    message_id: MessageId
    to: ConversationId
    client_id: ClientId | None = None
    attempt: int = Field(default=1, ge=1, le=1_000_000)


class ReadForward(ConversationCommand):
    """What a copy of the message holds, for somebody who may still forward it."""

    name: ClassVar[str] = "message.read_forward"
    host_only: ClassVar[bool] = True

    message_id: MessageId

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        require_member(state, context.user)
        message = context.message(self.message_id)
        if message.by is None:  # the system's: it would be said anew by somebody who did not
            raise Rejected("PERMISSION_DENIED")
        limit = context.policy.max_forwards
        if message.forwards.get(context.user, 0) >= limit:
            raise Rejected("FORWARD_LIMIT", details={"max_forwards": limit})
        return ()

    def result(self, state: ConversationState, context: Context) -> dict[str, Any]:
        message = context.messages[self.message_id].seen_by(context.user)
        said = ((name, message.current(name)) for name in CARRIED)
        carried = {name: value for name, value in said if value is not None}
        if carried.get("type") == "announcement":  # where it was said, not where it is passed on
            del carried["type"]
        hops = message.sent.get("forwarded", {}).get("hops", 0) + 1
        return {"text": message.current_text, "hops": hops, **carried}


class SendCopy(SendMessage):
    """A message like any other, which says that it was forwarded, `hops` times in a row."""

    name: ClassVar[str] = "message.send_copy"
    host_only: ClassVar[bool] = True

    hops: int

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        for effect in super().decide(state, context):
            if isinstance(effect, MessageSent):
                effect = replace(effect, forwarded={"hops": self.hops})
            yield effect


@immutable
class MessageForwarded(MessageChange):
    """`count` times in all, and `own` times by this sender."""

    name: ClassVar[str] = "message.forwarded"

    count: int
    own: int

    def change(self, message: Message, event: Event) -> None:
        message.overlay.data["forwards"] = {**message.forwards, event.sender or "": self.own}


class CountForward(DurableCommand):
    """A copy was sent, so it counts, whatever the limit."""

    name: ClassVar[str] = "message.count_forward"
    host_only: ClassVar[bool] = True

    message_id: MessageId

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        message = context.message(self.message_id)
        yield MessageForwarded(
            message_id=message.id,
            message_seq=message.seq,
            count=sum(message.forwards.values()) + 1,
            own=message.forwards.get(context.user, 0) + 1,
        )
