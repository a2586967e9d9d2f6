"""Starring messages for oneself (MSG-19)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ..commands import UserCommand, UserQuery
from ..errors import Rejected
from ..ids import MessageId
from ..immutable import immutable
from ..paging import LARGEST_PAGE
from ..personal import Personal, UserContext, UserEventData


@immutable
class MessageStarred(UserEventData):
    name: ClassVar[str] = "message.starred"
    remembered: ClassVar[bool] = False

    conversation: str
    message_id: str
    message_seq: int

    @property
    def subject(self) -> str:
        return f"star {self.message_id}"


@immutable
class MessageUnstarred(UserEventData):
    name: ClassVar[str] = "message.unstarred"
    remembered: ClassVar[bool] = False

    conversation: str
    message_id: str

    @property
    def subject(self) -> str:
        return f"star {self.message_id}"


class StarMessage(UserCommand):
    """Starred again, it is the newest star."""

    name: ClassVar[str] = "message.star"

    message_id: MessageId

    @property
    def about(self) -> str:
        return self.message_id

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        message = context.message
        if message.deleted:
            raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": message.id})
        yield MessageStarred(
            conversation=context.place.conversation, message_id=message.id, message_seq=message.seq
        )


class UnstarMessage(UserCommand):
    """Also one that was deleted since."""

    name: ClassVar[str] = "message.unstar"

    message_id: MessageId

    @property
    def about(self) -> str:
        return self.message_id

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        conversation = context.place.conversation
        yield MessageUnstarred(conversation=conversation, message_id=self.message_id)


class ListStars(UserQuery):
    """The caller's starred messages as they are now, the last starred first. `next`, given back as
    `before`, continues."""

    name: ClassVar[str] = "star.list"

    before: int | None = Field(default=None, ge=1)
    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)
