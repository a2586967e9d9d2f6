"""What one has begun to write, on all of one's devices, until it is sent (MSG-28)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import UserCommand
from ..errors import Rejected, invalid
from ..ids import MessageId
from ..immutable import immutable
from ..personal import Personal, UserContext, UserEventData


@immutable
class DraftSaved(UserEventData):
    name: ClassVar[str] = "draft.saved"

    conversation: str
    text: str
    reply_to: str | None = None

    @property
    def subject(self) -> str:
        return f"draft {self.conversation}"

    def apply(self, personal: Personal) -> None:
        personal.drafts.add(self.conversation)
        personal.look(self.conversation)


@immutable
class DraftCleared(UserEventData):
    name: ClassVar[str] = "draft.cleared"

    conversation: str

    @property
    def subject(self) -> str:
        return f"draft {self.conversation}"

    def apply(self, personal: Personal) -> None:
        personal.drafts.discard(self.conversation)
        personal.look(self.conversation)


class SaveDraft(UserCommand):
    """In place of the one before. An empty text clears it, as sending there does."""

    name: ClassVar[str] = "draft.save"

    text: str
    reply_to: MessageId | None = None

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        conversation, most = context.place.conversation, context.policy.max_chars
        if len(self.text) > most:
            raise Rejected("MESSAGE_TOO_LONG", details={"field": "text", "max_chars": most})
        if "\x00" in self.text:
            raise invalid("text", "must not hold U+0000")
        if self.text:
            yield DraftSaved(conversation=conversation, text=self.text, reply_to=self.reply_to)
        elif conversation in personal.drafts:
            yield DraftCleared(conversation=conversation)
