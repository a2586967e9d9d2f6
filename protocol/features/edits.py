"""Editing one's own message, for a while (MSG-03, 05, 06, 07, 20, 27; SEC-10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Needs, Notify
from ..content import check_text, mentioned
from ..entities import links
from ..errors import Rejected
from ..events import Event, EventData
from ..ids import MessageId, UserId
from ..immutable import immutable
from ..message import PREVIEW_CHARS, Message
from ..roles import require
from ..state import ConversationState
from .messages import MessageMentioned


@immutable
class MessageEdited(EventData):
    """The log keeps every version: the edit history is the rows about one message (MSG-06).

    `version` is the one that the message has now: said rather than counted by whoever reads it, so
    that taking the event twice does no harm. `mentions` and `entities` are those of the new text.
    """

    name: ClassVar[str] = "message.edited"

    message_id: str
    message_seq: int
    text: str
    version: int
    mentions: list[str] | None = None
    entities: list[dict[str, Any]] | None = None

    @property
    def target(self) -> tuple[str, int]:
        return self.message_id, self.message_seq

    def apply(self, state: ConversationState, event: Event) -> None:
        if state.last is not None and state.last["seq"] == self.message_seq:
            state.last = {**state.last, "text": self.text[:PREVIEW_CHARS]}

    def change(self, message: Message, event: Event) -> None:
        message.overlay.text = self.text
        message.overlay.data.update(
            edited_at=event.at,
            version=self.version,
            mentions=self.mentions,
            entities=self.entities,
        )


class EditMessage(DurableCommand):
    """Says text and mentions anew; metadata stays. Who was not mentioned before is told.

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
        policy = context.policy
        require(state, context.user, "send_messages")
        message = context.message(self.message_id)
        if message.by != context.user:
            raise Rejected("PERMISSION_DENIED")
        type = message.sent.get("type", "text")
        if type == "announcement":
            require(state, context.user, "announce")
        check_text(self.text, policy, type)
        window = policy.edit_window_s
        if window is not None and context.now - message.at > window * 1000:
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
        if new := tuple(user for user in mentions or () if user not in (before or ())):
            yield Notify(MessageMentioned(by=context.user, seq=message.seq), new)
