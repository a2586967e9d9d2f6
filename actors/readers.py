"""Who has read a message, and when: by the members' marks, with times from the store."""

from __future__ import annotations

from typing import Any, ClassVar

from ..protocol.features.marks import MessageReaders
from ..protocol.message import Message
from ..protocol.roles import require_member
from .by_id import ById
from .outbox import Push
from .ports import Conversations
from .resident import Resident


class ReadersRead:
    """`message.readers`, as of the moment when its message is known: who reads it later, while the
    times are fetched, is left out."""

    of_shown: ClassVar[bool] = False

    def __init__(self, query: MessageReaders, user: str) -> None:
        self._query = query
        self._user = user
        self._id = ""
        self._found = ById()
        self._seq: int | None = None
        self._marks: dict[str, int] = {}
        self._more = False
        self._moving: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        self._times: dict[str, int] | None = None

    def missing(self, resident: Resident) -> bool:
        require_member(resident.state, self._user)
        self._id = resident.state.id
        if self._seq is None:
            if self._found.missing(resident, (self._query.message_id,)):
                return True
            self._look(resident)
        return bool(self._marks) and self._times is None

    def _look(self, resident: Resident) -> None:
        message = self._found.seen(resident, self._user, self._query.message_id)
        self._seq = message.seq
        members = resident.state.members
        names = [
            name for name in self._readers(resident, message) if name > (self._query.after or "")
        ]
        page = sorted(names)[: self._query.limit]
        self._more = len(page) < len(names)
        self._marks = {name: members[name].read_seq for name in page}
        self._latest = {name: members[name].read_at for name in page}
        for mark in resident.unstored_marks:
            if mark.kind == "read" and mark.seq >= message.seq:
                self._moving.setdefault(mark.user, mark.at)

    def _readers(self, resident: Resident, message: Message) -> list[str]:
        return [
            name
            for name, member in resident.state.members.items()
            if member.role is not None
            and member.read_seq >= message.seq
            and member.sees(message.seq)
            and name != message.by
            and (name == self._user or name not in resident.state.reticent)
            and message.is_for(name)
        ]

    async def fetch(self, store: Conversations) -> None:
        if self._seq is None:
            await self._found.fetch(store, self._id)
        else:
            self._times = await store.read_at(self._id, self._seq, self._marks)

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        readers = [{"user": name, "at": self._at(name)} for name in self._marks]
        return [], {"readers": readers, "more": self._more, "seq": self._seq}

    def _at(self, name: str) -> int:
        """What is stored is older than what is on its way there; and what is neither, a message of
        their own or their joining again, has put the mark where it is."""
        times = self._times or {}
        at = times.get(name, self._moving.get(name))
        return self._latest[name] if at is None else at
