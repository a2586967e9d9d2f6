"""Sending messages: types, replies, mentions (SEND-01…09, MSG-01, 13, 20, 25, 27, 29, CONV-02)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field, model_validator

from ..commands import NOTHING, Context, DurableCommand, Effect, Needs, Notify
from ..content import check_metadata, check_text, invalid_type, mentioned
from ..entities import links
from ..errors import Rejected
from ..events import Event, EventData, SignalData
from ..ids import MessageId, UserId
from ..immutable import immutable
from ..jobs import Job
from ..media import MEDIA, check_medium
from ..message import PREVIEW_CHARS
from ..roles import require
from ..state import ConversationState
from .conversation import opened_direct
from .expiry import expires_at, expiry
from .threads import check_threads, replied


@immutable
class MessageSent(EventData):
    """A message. `reply_to` is the {id, seq} of the message that it answers, whose preview is made
    whenever it is served, so that no copy outlives the original. `thread` is the {id, seq} of the
    message that it hangs under (CONV-20); `forwarded` says that it is a copy (MSG-17). `type` None
    is text, `format` None is plain. At `expires_at` (ms) it disappears (MSG-24)."""

    name: ClassVar[str] = "message.sent"
    countable: ClassVar[bool] = True
    is_message: ClassVar[bool] = True

    text: str
    reply_to: dict[str, Any] | None = None
    thread: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    type: str | None = None
    format: str | None = None
    mentions: list[str] | None = None
    entities: list[dict[str, Any]] | None = None
    forwarded: dict[str, Any] | None = None
    expires_at: int | None = None

    def jobs(self, event: Event) -> tuple[Job, ...]:
        return () if self.expires_at is None else (expiry(event, self.expires_at),)

    @property
    def quotes(self) -> str | None:
        return None if self.reply_to is None else str(self.reply_to["id"])

    def apply(self, state: ConversationState, event: Event) -> None:
        state.last = {
            "id": event.id,
            "seq": event.seq,
            "by": event.sender,
            "ts": event.at,
            "text": self.text[:PREVIEW_CHARS],
        }
        if self.type is not None:
            state.last["type"] = self.type


@immutable
class MessageMentioned(SignalData):
    """`by` mentions, in the message at `seq`, the user who gets this: also if they have muted the
    conversation, and whether or not they look at it (MSG-20)."""

    name: ClassVar[str] = "message.mentioned"

    by: str
    seq: int


class SendMessage(DurableCommand):
    """`to` instead of a conversation: the direct conversation with that user, made if need be."""

    name: ClassVar[str] = "message.send"
    opens: ClassVar[bool] = True
    attends: ClassVar[bool] = True

    text: str
    to: UserId | None = None
    reply_to: MessageId | None = None
    thread: MessageId | None = None
    metadata: dict[str, Any] | None = None
    type: str = Field(default="text", max_length=32)
    mentions: list[UserId] | None = Field(default=None, max_length=1000)
    expires_in: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _reply_needs_a_conversation(self) -> SendMessage:
        if self.to is not None and (self.reply_to is not None or self.thread is not None):
            raise ValueError("reply_to and thread name a message of a conversation: give c, not to")
        return self

    def needs(self, state: ConversationState) -> Needs:
        if self.reply_to is None and self.thread is None:
            return NOTHING
        return Needs(messages=tuple(id for id in (self.reply_to, self.thread) if id is not None))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        policy, text, type = context.policy, self.text, self.type
        # SEND-22: membership before form.
        if state.exists:
            require(state, context.user, "send_messages")
        elif self.to is None:
            raise Rejected("CONVERSATION_NOT_FOUND")
        if type not in policy.message_types:
            raise invalid_type(type, policy)
        if type == "announcement":
            require(state, context.user, "announce")
        elif type in MEDIA:
            check_medium(type, self.metadata)
        check_text(text, policy, type)
        if self.metadata is not None:
            check_metadata(self.metadata, policy)
        mentions = None
        if self.mentions or (policy.mentions_in_text and "@" in text):
            mentions = mentioned(self.mentions, text, state, context, self.to)
        seq = state.seq + 1
        if not state.exists and self.to is not None:
            yield opened_direct(context, (self.to,))
            seq += 1
        reply_to = None
        if self.reply_to is not None:
            target = context.message(self.reply_to)
            reply_to = {"id": target.id, "seq": target.seq}
        thread = None
        if self.thread is not None:
            check_threads(state, policy)
            root = context.message(self.thread)
            thread = {"id": root.id, "seq": root.seq}
            yield replied(root)  # before the message: the last event is the one that answers
            seq += 1
        # By position: by name, each message would cost a dict.
        yield MessageSent(
            text,
            reply_to,
            thread,
            self.metadata,
            None if type == "text" else type,
            None if policy.format == "plain" else policy.format,
            mentions,
            links(text, policy.max_entities),
            None,
            None if self.expires_in is None else expires_at(context, self.expires_in),
        )
        if mentions:
            yield Notify(MessageMentioned(by=context.user, seq=seq), tuple(mentions))
