"""Sending messages, with replies (SEND-01…09, MSG-13, MSG-29, CONV-02)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import model_validator

from ..commands import NOTHING, Context, DurableCommand, Effect, Needs
from ..errors import Rejected, invalid
from ..events import Event, EventData
from ..ids import MessageId, UserId
from ..immutable import immutable
from ..message import PREVIEW_CHARS
from ..policy import Policy
from ..roles import require
from ..state import ConversationState
from ..values import BadFrame, check_value
from .conversation import opened_direct
from .threads import check_threads, replied


@immutable
class MessageSent(EventData):
    """A message. `reply_to` is the {id, seq} of the message that it answers, whose preview is made
    whenever it is served, so that no copy outlives the original. `thread` is the {id, seq} of the
    message that it hangs under (CONV-20); `forwarded` says that it is a copy (MSG-17)."""

    name: ClassVar[str] = "message.sent"
    countable: ClassVar[bool] = True
    is_message: ClassVar[bool] = True

    text: str
    reply_to: dict[str, Any] | None = None
    thread: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    forwarded: dict[str, Any] | None = None

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
        # SEND-22: membership before form.
        if state.exists:
            require(state, context.user, "send_messages")
        elif self.to is None:
            raise Rejected("CONVERSATION_NOT_FOUND")
        check_text(self.text, context.policy)
        if self.metadata is not None:
            check_metadata(self.metadata, context.policy)
        if not state.exists and self.to is not None:
            yield opened_direct(context, (self.to,))
        reply_to = None
        if self.reply_to is not None:
            target = context.message(self.reply_to)
            reply_to = {"id": target.id, "seq": target.seq}
        thread = None
        if self.thread is not None:
            check_threads(state, context.policy)
            root = context.message(self.thread)
            thread = {"id": root.id, "seq": root.seq}
            yield replied(root)  # before the message: the last event is the one that answers
        yield MessageSent(text=self.text, reply_to=reply_to, thread=thread, metadata=self.metadata)


def check_text(text: str, policy: Policy) -> None:
    """Length in characters (SEND-03). White space alone is no message.

    A codec has refused U+0000 already, but a host in this process has none, and a guard may have
    put in another text.
    """
    if len(text) > policy.max_chars:
        raise Rejected("MESSAGE_TOO_LONG", details={"field": "text", "max_chars": policy.max_chars})
    if not text or text.isspace():
        raise invalid("text", "must not be empty")
    if "\x00" in text:
        raise invalid("text", "must not hold U+0000")


def check_metadata(metadata: dict[str, Any], policy: Policy) -> None:
    """Free, but of what may travel, and bounded (MSG-29)."""
    try:
        check_value(metadata)
    except BadFrame as no:
        raise invalid("metadata", no.message) from None
    size = len(json.dumps(metadata, ensure_ascii=False).encode())
    if size > policy.max_metadata_bytes:
        raise invalid("metadata", f"at most {policy.max_metadata_bytes} bytes as JSON")
