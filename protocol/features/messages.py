"""Sending messages: types, replies, mentions, attachments.

Rows SEND-01…10; MSG-01, 13, 20, 25, 27, 29; ATT-04, 20, 27, 29; CONV-02, 05.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from ..commands import NOTHING, Context, DurableCommand, Effect, Needs, Notify
from ..content import check_metadata, check_text, invalid_type, mentioned
from ..entities import links
from ..errors import Rejected
from ..events import Event, EventData, SignalData
from ..ids import MessageId, UploadId, UserId
from ..immutable import immutable
from ..jobs import Job
from ..last import said
from ..media import FORMS, Attachment, attached, check_form, shown
from ..message import PREVIEW_CHARS, attachment_types
from ..references import References
from ..roles import require
from ..state import ConversationState
from .conversation import opened_direct
from .expiry import expires_at, expiry
from .references import CONTEXT, message_context, tells_apart
from .threads import check_threads, replied


@immutable
class MessageSent(EventData):
    """A message. `reply_to` is the {id, seq} of the message that it answers, whose preview is made
    whenever it is served, so that no copy outlives the original. `thread` is the {id, seq} of the
    message that it hangs under (CONV-20); `forwarded` says that it is a copy (MSG-17). `type` None
    is text, `format` None is plain. `context` is what it is about (CONV-05). At `expires_at` (ms)
    it disappears (MSG-24)."""

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
    attachments: list[dict[str, Any]] | None = None
    context: dict[str, str] | None = None
    expires_at: int | None = None

    def fields(self) -> dict[str, Any]:
        # Most messages are a text and nothing else: not to look for all that they might have.
        if (
            self.type is None
            and self.reply_to is None
            and self.context is None
            and self.format is None
            and self.metadata is None
            and self.mentions is None
            and self.entities is None
            and self.attachments is None
            and self.thread is None
            and self.forwarded is None
            and self.expires_at is None
        ):
            return {"text": self.text}
        return EventData.fields(self)

    @property
    def media(self) -> Sequence[Mapping[str, Any]]:
        if self.type is None and self.attachments is None:
            return ()
        return shown(self.fields())

    @property
    def references(self) -> Mapping[str, str] | None:
        return self.context

    def jobs(self, event: Event) -> tuple[Job, ...]:
        return () if self.expires_at is None else (expiry(event, self.expires_at),)

    @property
    def quotes(self) -> str | None:
        return None if self.reply_to is None else str(self.reply_to["id"])

    def apply(self, state: ConversationState, event: Event) -> None:
        last = {
            "id": event.id,
            "seq": event.seq,
            "by": event.sender,
            "ts": event.at,
            "text": self.text[:PREVIEW_CHARS],
        }
        if self.type is not None:
            last["type"] = self.type
        if self.attachments is not None:
            last["attachments"] = attachment_types(self.attachments)
        state.last = last if event.audience is None else said(state.last, last, event.audience)


@immutable
class MessageMentioned(SignalData):
    """`by` mentions, in the message at `seq`, the user who gets this: also if they have muted the
    conversation, and whether or not they look at it (MSG-20)."""

    name: ClassVar[str] = "message.mentioned"

    by: str
    seq: int


class SendMessage(DurableCommand):
    """`to` instead of a conversation: the direct conversation with that user, made if need be;
    `context` may then say which one. `uploads` are files of the sender (ATT-01), which become
    attachments behind the others."""

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
    attachments: list[Attachment] | None = Field(default=None, max_length=50)
    uploads: list[UploadId] | None = Field(default=None, max_length=50)
    context: References | None = None
    expires_in: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _reply_needs_a_conversation(self) -> SendMessage:
        if self.to is not None and (self.reply_to is not None or self.thread is not None):
            raise ValueError("reply_to and thread name a message of a conversation: give c, not to")
        return self

    @property
    def recipients(self) -> Sequence[str]:
        return () if self.to is None else (self.to,)

    def needs(self, state: ConversationState) -> Needs:
        files = () if self.uploads is None else tuple(self.uploads)
        if self.to is not None and not state.exists:
            return Needs(people=(self.to,), relation=True, uploads=files)
        if self.reply_to is None and self.thread is None:
            return Needs(uploads=files) if files else NOTHING
        answered = (id for id in (self.reply_to, self.thread) if id is not None)
        return Needs(messages=tuple(answered), uploads=files)

    def _check_type(self, state: ConversationState, context: Context) -> None:
        if self.type == "announcement":
            require(state, context.user, "announce")
        elif self.type in FORMS:
            check_form(self.type, self.metadata, attached=bool(self.attachments or self.uploads))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        policy, text, type = context.policy, self.text, self.type
        # SEND-22: membership before form.
        if state.exists:
            require(state, context.user, "send_messages")
        elif self.to is None:
            raise Rejected("CONVERSATION_NOT_FOUND")
        if type not in policy.message_types:
            raise invalid_type(type, policy)
        if type != "text":
            self._check_type(state, context)
        attachments = None
        if self.attachments or self.uploads:
            files = [context.upload(id) for id in self.uploads or ()]
            attachments = attached(self.attachments or (), files, policy)
        check_text(text, policy, type, attachments=attachments is not None)
        if self.metadata is not None:
            check_metadata(self.metadata, policy)
        about = None
        if self.context or CONTEXT.name in state.slices:
            about = message_context(self.context, state, policy, direct=self.to is not None)
        mentions = None
        if self.mentions or (policy.mentions_in_text and "@" in text):
            mentions = mentioned(self.mentions, text, state, context, self.to)
        seq = state.seq + 1
        if not state.exists and self.to is not None:
            yield from opened_direct(state, context, (self.to,), tells_apart(self.context, policy))
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
            attachments,
            about,
            None if self.expires_in is None else expires_at(context, self.expires_in),
        )
        if mentions:
            yield Notify(MessageMentioned(by=context.user, seq=seq), tuple(mentions))
