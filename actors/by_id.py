"""Messages asked for by id: from the ring where they are recent, else from the store."""

from __future__ import annotations

from collections.abc import Iterable

from ..protocol.errors import Rejected
from ..protocol.message import Message
from .ports import Conversations
from .resident import Resident


def quotes(messages: Iterable[Message]) -> set[str]:
    """The messages whose previews are shown with these."""
    return {message.quotes for message in messages if message.quotes is not None}


class ById:
    """Exact whenever `missing` has just said that nothing is."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._asked: set[str] = set()
        self._read: dict[str, Message] = {}
        self._as_of = 0

    def missing(self, resident: Resident, ids: Iterable[str]) -> bool:
        """Whether some of `ids` have to be fetched (again) before they can be given."""
        ring = resident.ring
        self._wanted = {id for id in ids if ring.message(id) is None}
        if not self._wanted:
            return False
        if not self._wanted <= self._asked:
            return True
        return not ring.overlay(self._read.values(), self._as_of)

    async def fetch(self, store: Conversations, conversation: str) -> None:
        """What was `missing`, if anything was."""
        if self._wanted:
            wanted = self._wanted
            found = await store.messages(conversation, sorted(wanted))
            self._read = {message.id: message for message in found.messages}
            self._as_of, self._asked = found.as_of, wanted

    def given(self, resident: Resident, id: str | None) -> Message | None:
        """The message, as it is now; None if there is none."""
        if id is None:
            return None
        return resident.ring.message(id) or self._read.get(id)

    def quoted(self, resident: Resident, user: str, message: Message) -> Message | None:
        """The message that `message` quotes, as `user` may see it."""
        found = self.given(resident, message.quotes)
        if found is None or resident.state.may_see(user, found):
            return found
        return found.unseen()

    def seen(self, resident: Resident, user: str, id: str) -> Message:
        """The same; MESSAGE_NOT_FOUND if `user` may not see it, or it is deleted."""
        message = self.given(resident, id)
        if message is None or message.deleted or not resident.state.may_see(user, message):
            raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": id})
        return message
