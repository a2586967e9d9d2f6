"""Deleting a message for everyone, softly (MSG-08…11; HIST-06; SEC-10; C-05)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Needs
from ..errors import Rejected, invalid
from ..events import Event, MessageChange
from ..ids import HOST, MessageId, job_id
from ..immutable import immutable
from ..jobs import LOW, Job
from ..last import changed
from ..message import Message
from ..policy import DAY_MS
from ..roles import may, require_member
from ..state import ConversationState
from .threads import recounted, root_of

EXPIRED: Final = "expired"
"""The reason of what nobody deleted: its time was over."""
PURGE: Final = "message.purge"
"""The kind of the job that removes what is stored of a deleted message."""


@immutable
class MessageDeleted(MessageChange):
    """The row stays, with who and when; its content is served no more, nor is an edit's."""

    name: ClassVar[str] = "message.deleted"
    erases: ClassVar[bool] = True

    counted: bool
    """the message had a number, so it leaves the unread counts"""
    reason: str | None = None
    """what whoever deleted it gave as one; EXPIRED if nobody did"""
    until: int | None = None
    """Until then (ms) it can be restored. Then, or at once if it has expired, it is purged."""

    def jobs(self, event: Event) -> tuple[Job, ...]:
        due = event.at if self.reason == EXPIRED else self.until
        if due is None:
            return ()
        data = {
            "conversation": event.conversation,
            "message_id": self.message_id,
            "deleted_at": event.at,
        }
        return (Job(job_id(PURGE, event.id), PURGE, due, data, LOW),)

    @property
    def uncounts(self) -> int | None:
        return self.message_seq if self.counted else None

    def apply(self, state: ConversationState, event: Event) -> None:
        gone = {"text": None, "deleted": True}
        state.last = changed(state.last, self.message_seq, gone, event.audience)

    def change(self, message: Message, event: Event) -> None:
        message.overlay.deleted_at = event.at
        message.overlay.deleted_by = event.sender
        message.overlay.text = None
        for name in self.content:
            message.overlay.data.pop(name, None)
        if self.reason == EXPIRED:
            message.overlay.data["expired"] = True
        if self.until is not None:
            message.overlay.data["until"] = self.until


def _recoverable_until(message: Message, context: Context) -> int | None:
    """Up to when (ms) `message`, deleted now, can be restored, if there is such a time: not after
    it would have disappeared by itself."""
    days = context.policy.delete_recovery_days
    if days is None:
        return None
    until = context.now + days * DAY_MS
    expires_at: int = message.sent.get("expires_at", until)
    return min(until, expires_at)


class DeleteMessage(DurableCommand):
    """One's own, for a while, or anybody's at any time for whoever may delete any, and for the
    host, who alone may delete a system message. A second deletion changes nothing. All members are
    told the `reason`."""

    name: ClassVar[str] = "message.delete"
    host_may: ClassVar[bool] = True

    message_id: MessageId
    reason: str | None = Field(default=None, min_length=1, max_length=200)

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def needs_more(
        self, state: ConversationState, user: str, messages: Mapping[str, Message]
    ) -> Needs:
        roots = (root_of(message.sent) for message in messages.values())
        return Needs(messages=tuple(root for root in roots if root is not None))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        by_host = context.user == HOST
        if not by_host and "everyone" not in context.policy.delete_scopes:
            raise Rejected("FEATURE_DISABLED")
        if self.reason == EXPIRED:
            raise invalid("reason", "says that nobody deleted it")
        message = context.messages.get(self.message_id)
        if message is None:
            raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": self.message_id})
        # A system message is nobody's, so no member may (MSG-26).
        any_message = by_host or (
            message.by is not None
            and may(state, require_member(state, context.user), "delete_any_message")
        )
        if message.by != context.user and not any_message:
            raise Rejected("PERMISSION_DENIED")
        if message.deleted:
            return
        window = context.policy.delete_window_s
        late = window is not None and context.now - message.at > window * 1000
        if late and not any_message:
            raise Rejected("DELETE_WINDOW_EXPIRED", details={"window_s": window})
        yield from recounted(message, context, -1)
        yield MessageDeleted(
            message_id=message.id,
            message_seq=message.seq,
            counted=message.number is not None,
            reason=self.reason,
            until=_recoverable_until(message, context),
        )
