"""Deleting a message for oneself, at any time; the others keep it (MSG-09)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import UserCommand
from ..errors import Rejected
from ..ids import MessageId
from ..immutable import immutable
from ..personal import Personal, UserContext, UserEventData


@immutable
class MessageHidden(UserEventData):
    """`counted`: the message has a number, so if it was unread it is not any more."""

    name: ClassVar[str] = "message.hidden"
    remembered: ClassVar[bool] = False

    conversation: str
    message_id: str
    message_seq: int
    counted: bool

    @property
    def subject(self) -> str:
        return f"hidden {self.message_id}"

    @property
    def affects(self) -> str:
        return self.conversation


class HideMessage(UserCommand):
    """Anybody's message, also one that is deleted for everyone. There is no way back: a message
    hidden already is not found."""

    name: ClassVar[str] = "message.hide"

    message_id: MessageId

    @property
    def about(self) -> str:
        return self.message_id

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        if "me" not in context.policy.delete_scopes:
            raise Rejected("FEATURE_DISABLED")
        message = context.message
        yield MessageHidden(
            conversation=context.place.conversation,
            message_id=message.id,
            message_seq=message.seq,
            counted=message.number is not None and not message.deleted,
        )
