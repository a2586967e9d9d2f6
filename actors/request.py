"""One command on its way to whoever carries it out, with the way back to its asker."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from ..protocol.commands import Command
from ..protocol.errors import Rejected
from ..protocol.frames import reply_error, reply_ok
from .outbox import Outbox, Push

C = TypeVar("C", bound=Command, covariant=True)


class Request(Generic[C]):
    """`id` None means that the asker wants no Reply (an `ack`)."""

    __slots__ = ("asker", "command", "conversation", "id", "user")

    def __init__(
        self,
        asker: Outbox,
        command: C,
        id: int | str | None,
        conversation: str | None = None,
    ) -> None:
        self.asker = asker
        self.user = asker.user
        self.command = command
        self.id = id
        self.conversation = conversation

    def ok(self, result: dict[str, Any]) -> Push | None:
        """The Reply that says it was carried out."""
        if self.id is None:
            return None
        return Push(reply_ok(self.id, self.conversation, result))

    def no(self, error: Rejected) -> Push | None:
        """The Reply that says it was not."""
        if self.id is None:
            return None
        return Push(reply_error(self.id, self.conversation, error.payload()))

    def answer(self, reply: Push | None) -> None:
        """Give `reply` to the asker at once, outside of any batch."""
        if reply is not None:
            self.asker.answer([reply])

    def refuse(self, error: Rejected) -> None:
        self.answer(self.no(error))
