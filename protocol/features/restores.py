"""Taking a deletion back, for a while (MSG-12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Needs, SessionCommand
from ..errors import Rejected
from ..events import Event, MessageChange
from ..ids import ClientId, MessageId
from ..immutable import immutable
from ..last import changed
from ..message import PREVIEW_CHARS, Message, attachment_types
from ..roles import may, require_member
from ..state import ConversationState
from .threads import recounted, root_of


@immutable
class MessageRestored(MessageChange):
    """The message is there again and says `text`; `rest` is what else had gone with it. All of it
    is said, since whoever has followed the deletion has it no more. `apart` has both by user, for
    those to whom it said something else; they are told that instead (REQ-09)."""

    name: ClassVar[str] = "message.restored"
    restores: ClassVar[bool] = True
    content: ClassVar[frozenset[str]] = frozenset({"text", "rest", "apart"})

    counted: bool
    text: str
    rest: dict[str, Any] | None = None
    apart: dict[str, dict[str, Any]] | None = None

    @property
    def recounts(self) -> int | None:
        return self.message_seq if self.counted else None

    def seen_by(self, user: str) -> MessageRestored:
        if self.apart is None:
            return self
        own = self.apart.get(user)
        if own is None:
            return replace(self, apart=None)
        return replace(self, text=own.get("text", ""), rest=own.get("rest") or None, apart=None)

    def apply(self, state: ConversationState, event: Event) -> None:
        self._show_last(state, event.audience)
        for user in self.apart or ():
            self.seen_by(user)._show_last(state, (user,))

    def _show_last(self, state: ConversationState, audience: Iterable[str] | None) -> None:
        back: dict[str, Any] = {"text": self.text[:PREVIEW_CHARS], "deleted": False}
        if attachments := (self.rest or {}).get("attachments"):
            back["attachments"] = attachment_types(attachments)
        state.last = changed(state.last, self.message_seq, back, audience)

    def change(self, message: Message, event: Event) -> None:
        message.overlay.deleted_at = message.overlay.deleted_by = None
        message.overlay.text = self.text
        message.overlay.data.pop("until", None)
        message.overlay.data.update(self.rest or {})


class RestoreMessage(SessionCommand):
    """By whoever has deleted it, or may delete any, as long as the product leaves it."""

    name: ClassVar[str] = "message.restore"

    message_id: MessageId
    client_id: ClientId | None = None
    attempt: int = Field(default=1, ge=1, le=1_000_000)


class PutBack(DurableCommand):
    """What the caller's session makes of it: with what the message said before the deletion at
    `deleted_at`, which is kept where the rules cannot look."""

    name: ClassVar[str] = "message.put_back"
    host_only: ClassVar[bool] = True

    message_id: MessageId
    deleted_at: int
    text: str
    rest: dict[str, Any] = Field(default_factory=dict)
    apart: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def needs_more(
        self, state: ConversationState, user: str, messages: Mapping[str, Message]
    ) -> Needs:
        roots = (root_of(message.sent) for message in messages.values())
        return Needs(messages=tuple(root for root in roots if root is not None))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        member = require_member(state, context.user)
        message = context.messages.get(self.message_id)
        if message is None or "expired" in message.overlay.data:
            raise self._not_found()
        overlay = message.overlay
        if overlay.deleted_at is None:
            return
        if overlay.deleted_by != context.user and not may(state, member, "delete_any_message"):
            raise Rejected("PERMISSION_DENIED")
        until = overlay.data.get("until")
        if until is None:
            raise Rejected("FEATURE_DISABLED")
        if context.now >= until:
            raise self._not_found()
        if overlay.deleted_at != self.deleted_at:
            raise Rejected("VERSION_CONFLICT")
        yield from recounted(message, context, 1)
        yield MessageRestored(
            message_id=message.id,
            message_seq=message.seq,
            counted=message.number is not None,
            text=self.text,
            rest=self.rest or None,
            apart=self.apart or None,
        )

    def _not_found(self) -> Rejected:
        return Rejected("MESSAGE_NOT_FOUND", details={"message_id": self.message_id})
