"""Editing one's own message, for a while, and what it said before.

Rows MSG-03…07, 20, 27; HIST-15; SEC-10.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Needs, Notify, Query
from ..content import check_text, mentioned
from ..entities import links
from ..errors import Rejected
from ..events import Event, MessageChange
from ..ids import MessageId, UserId
from ..immutable import immutable
from ..last import changed
from ..message import PREVIEW_CHARS, Message
from ..roles import may, require
from ..state import ConversationState
from .messages import MessageMentioned


@immutable
class MessageEdited(MessageChange):
    """The log keeps every version: the edit history is the rows about one message (MSG-06).

    `version` is the one that the message has now: said rather than counted by whoever reads it, so
    that taking the event twice does no harm. `mentions` and `entities` are those of the new text.
    """

    name: ClassVar[str] = "message.edited"

    text: str
    version: int
    mentions: list[str] | None = None
    entities: list[dict[str, Any]] | None = None

    def apply(self, state: ConversationState, event: Event) -> None:
        text = {"text": self.text[:PREVIEW_CHARS]}
        state.last = changed(state.last, self.message_seq, text, event.audience)

    def change(self, message: Message, event: Event) -> None:
        message.overlay.text = self.text
        message.overlay.data.update(
            edited_at=event.at,
            version=self.version,
            mentions=self.mentions,
            entities=self.entities,
        )


class EditMessage(DurableCommand):
    """Says text and mentions anew; metadata and attachments stay. Who was not mentioned before is
    told.

    `version`, if given, must be the message's current one (1 before any edit; HIST-15).
    """

    name: ClassVar[str] = "message.edit"

    message_id: MessageId
    text: str
    version: int | None = None
    mentions: list[UserId] | None = Field(default=None, max_length=1000)

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        member = require(state, context.user, "send_messages")
        policy = context.policy
        if not policy.edit_enabled:
            raise Rejected("FEATURE_DISABLED")
        message = context.message(self.message_id)
        if message.by != context.user:
            raise Rejected("PERMISSION_DENIED")
        type = message.sent.get("type", "text")
        if type == "announcement":
            require(state, context.user, "announce")
        check_text(self.text, policy, type, attachments=bool(message.current("attachments")))
        window = policy.edit_window_s
        late = window is not None and context.now - message.at > window * 1000
        if late and not may(state, member, "edit_without_window"):
            raise Rejected("EDIT_WINDOW_EXPIRED", details={"window_s": window})
        version = message.overlay.data.get("version", 1)
        if self.version is not None and self.version != version:
            raise Rejected("VERSION_CONFLICT", details={"version": version})
        before = message.current("mentions")
        mentions = mentioned(self.mentions, self.text, state, context)
        if self.text == message.current_text and mentions == before:
            return
        yield MessageEdited(
            message_id=message.id,
            message_seq=message.seq,
            text=self.text,
            version=version + 1,
            mentions=mentions,
            entities=links(self.text, policy.max_entities),
        )
        new = [user for user in mentions or () if user not in (before or ())]
        # Who does not see the message is not told of it either (HIST-11).
        if told := tuple(user for user in new if state.shows(user, message.seq)):
            yield Notify(MessageMentioned(by=context.user, seq=message.seq), told)


class MessageVersions(Query):
    """What a message said and says, oldest first, at most the newest 100 versions (MSG-06). Only
    where the product exposes it (`expose_edit_history`), and never of a deleted message."""

    name: ClassVar[str] = "message.versions"

    message_id: MessageId
