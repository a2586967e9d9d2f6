"""What a host does as one of its users: commands as typed methods, pushes as an iterator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from ..actors.asker import Asker
from ..actors.dispatch import Dispatch
from ..actors.environment import Environment
from ..actors.outbox import Outbox
from ..protocol.commands import Command
from ..protocol.features.conversation import (
    CreateConversation,
    GetConversation,
    RenameConversation,
)
from ..protocol.features.deletes import DeleteMessage
from ..protocol.features.edits import EditMessage
from ..protocol.features.history import MessageHistory
from ..protocol.features.inbox import ListConversations
from ..protocol.features.marks import ReadMessages
from ..protocol.features.members import AddMembers, ChangeRole, LeaveConversation, RemoveMember
from ..protocol.features.messages import SendMessage
from ..protocol.features.pins import PinMessage, UnpinMessage
from ..protocol.roles import Role
from ..protocol.values import check_value
from .local import Inlet


@dataclass(frozen=True, slots=True)
class Sent:
    """Where something that was asked for stands in the log. `at` is in milliseconds."""

    conversation: str
    seq: int
    id: str
    at: int


class Pushes:
    """Everything that a device of the user gets, as items (docs/protocol.md), in order."""

    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet

    def __aiter__(self) -> Pushes:
        return self

    async def __anext__(self) -> dict[str, Any]:
        return (await self._inlet.next()).item


class User:
    """Every method returns when its outcome is durable (unless durability is `relaxed`), raises
    `Rejected` if the answer is no, and `Rejected("UNAVAILABLE")` after `ask_timeout_s`, when the
    outcome is unknown: repeat it with the same `client_id` to find out. Cancelling a call does not
    take back what was asked."""

    def __init__(
        self,
        name: str,
        env: Environment,
        dispatch: Dispatch,
        attach: Callable[[Outbox], None],
        detach: Callable[[Outbox], None],
    ) -> None:
        self.name = name
        self._env = env
        self._dispatch = dispatch
        self._attach = attach
        self._detach = detach
        self._asker = Asker(name, env.limits.pending_asks)

    async def do(self, command: Command, conversation: str | None = None) -> dict[str, Any]:
        """Carry out any command; the `ok` of its Reply."""
        check_value(command.model_dump())  # no codec has seen it
        id = self._asker.next_id()
        self._dispatch.carry_out(self._asker, command, id, conversation)
        return await self._asker.outcome(id, self._env.limits.ask_timeout_s)

    async def ask(self, command: Command, conversation: str | None) -> Sent:
        """Carry out a command that leads to an event; where that event stands."""
        result = await self.do(command, conversation)
        return Sent(result["c"], result["seq"], result["id"], result["ts"])

    async def create_direct(self, other: str, *, client_id: str | None = None) -> str:
        """The id of the one direct conversation with `other`."""
        command = CreateConversation(kind="direct", members=[other], client_id=client_id)
        return str((await self.do(command))["c"])

    async def create_group(
        self, title: str | None, members: Iterable[str], *, client_id: str | None = None
    ) -> str:
        """The id of a new group; the caller gets the highest role in it."""
        command = CreateConversation(
            kind="group", title=title, members=list(members), client_id=client_id
        )
        return str((await self.do(command))["c"])

    async def send(
        self,
        conversation: str,
        text: str,
        *,
        reply_to: str | None = None,
        metadata: dict[str, Any] | None = None,
        client_id: str | None = None,
        attempt: int = 1,
    ) -> Sent:
        command = SendMessage(
            text=text, reply_to=reply_to, metadata=metadata, client_id=client_id, attempt=attempt
        )
        return await self.ask(command, conversation)

    async def send_to(self, user: str, text: str, *, client_id: str | None = None) -> Sent:
        """To the direct conversation with `user`, which is made if need be (CONV-02)."""
        return await self.ask(SendMessage(to=user, text=text, client_id=client_id), None)

    async def edit(self, conversation: str, message_id: str, text: str) -> None:
        await self.do(EditMessage(message_id=message_id, text=text), conversation)

    async def delete(self, conversation: str, message_id: str) -> None:
        await self.do(DeleteMessage(message_id=message_id), conversation)

    async def pin(self, conversation: str, message_id: str) -> None:
        await self.do(PinMessage(message_id=message_id), conversation)

    async def unpin(self, conversation: str, message_id: str) -> None:
        await self.do(UnpinMessage(message_id=message_id), conversation)

    async def read(self, conversation: str, seq: int | None = None) -> int:
        """Mark everything read, or up to `seq`; what is left unread."""
        return int((await self.do(ReadMessages(seq=seq), conversation))["unread"])

    async def rename(self, conversation: str, title: str) -> None:
        await self.do(RenameConversation(title=title), conversation)

    async def add_members(self, conversation: str, users: Iterable[str]) -> None:
        await self.do(AddMembers(users=list(users)), conversation)

    async def remove_member(self, conversation: str, user: str) -> None:
        await self.do(RemoveMember(user=user), conversation)

    async def set_role(self, conversation: str, user: str, role: Role) -> None:
        await self.do(ChangeRole(user=user, role=role), conversation)

    async def leave(self, conversation: str, *, confirm: bool = False) -> None:
        await self.do(LeaveConversation(confirm=confirm), conversation)

    async def conversation(self, conversation: str) -> dict[str, Any]:
        """Its bounded state as this user sees it."""
        return await self.do(GetConversation(), conversation)

    async def history(
        self,
        conversation: str,
        *,
        limit: int | None = None,
        cursor: tuple[Literal["before", "after"], int] | None = None,
    ) -> list[dict[str, Any]]:
        """A page of messages, oldest first; the newest page without a cursor."""
        place = {cursor[0]: cursor[1]} if cursor is not None else {}
        query = MessageHistory.model_validate({"limit": limit, **place})
        messages: list[dict[str, Any]] = (await self.do(query, conversation))["messages"]
        return messages

    async def inbox(self, *, limit: int | None = None, cursor: str | None = None) -> dict[str, Any]:
        """A page of conversations, newest activity first, and `next`."""
        return await self.do(ListConversations(limit=limit, cursor=cursor))

    @asynccontextmanager
    async def pushes(self) -> AsyncGenerator[Pushes]:
        """Be online as one more device of the user, and get what every device gets.

        A reader that falls more than `actors.reader_queue` pushes behind is cut off with
        `Disconnected`.
        """
        if self._env.gate is not None:
            await self._env.gate.admit(self.name)
        inlet = Inlet(self.name, self._env.limits.reader_queue)
        self._attach(inlet)
        try:
            yield Pushes(inlet)
        finally:
            self._detach(inlet)
