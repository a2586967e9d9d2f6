"""Messages that disappear by themselves (MSG-24, PRIV-11).

When its time has come, a job asks the conversation to expire the message. That is a deletion like
any other, by nobody, so that it is gone wherever deleted messages are gone; the deletion's own job
then purges what is stored of it (`deletes.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from ..commands import Context, DurableCommand, Effect, Needs
from ..errors import Rejected, invalid
from ..events import Event
from ..ids import MessageId, job_id
from ..jobs import Job
from ..message import Message
from ..state import ConversationState
from .deletes import EXPIRED, MessageDeleted
from .threads import recounted, root_of

EXPIRE: Final = "message.expire"
"""The kind of the job."""


def expires_at(context: Context, seconds: int) -> int:
    """When a message sent now for so long will disappear (ms)."""
    most = context.policy.max_expiry_s
    if not most:
        raise Rejected("FEATURE_DISABLED", details={"field": "expires_in"})
    if seconds > most:
        raise invalid("expires_in", f"at most {most} s")
    return context.now + seconds * 1000


def expiry(event: Event, at: int) -> Job:
    """What is to be done about the message that `event` is."""
    data = {"conversation": event.conversation, "message_id": event.id}
    return Job(job_id(EXPIRE, event.id), EXPIRE, at, data)


class ExpireMessage(DurableCommand):
    """Nobody asks for this but the job. A message that is gone already is left as it is."""

    name: ClassVar[str] = "message.expire"
    host_only: ClassVar[bool] = True
    while_locked: ClassVar[bool] = True

    message_id: MessageId

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def needs_more(
        self, state: ConversationState, user: str, messages: Mapping[str, Message]
    ) -> Needs:
        roots = (root_of(message.sent) for message in messages.values())
        return Needs(messages=tuple(root for root in roots if root is not None))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        message = context.messages.get(self.message_id)
        if message is None or message.deleted:
            return
        yield from recounted(message, context, -1)
        yield MessageDeleted(
            message_id=message.id,
            message_seq=message.seq,
            counted=message.number is not None,
            reason=EXPIRED,
        )
