"""What one message has said, version by version."""

from __future__ import annotations

from typing import Any, ClassVar

from ..protocol.errors import Rejected
from ..protocol.features.edits import MessageEdited, MessageVersions
from ..protocol.policy import Policy
from ..protocol.records import Events
from ..protocol.roles import require_member
from .by_id import ById
from .outbox import Push
from .ports import Conversations
from .resident import Resident

MAX_VERSIONS = 100


class VersionsRead:
    """`message.versions`. Of a message in the ring every edit is in the ring, too."""

    of_shown: ClassVar[bool] = False

    def __init__(self, query: MessageVersions, user: str, policy: Policy) -> None:
        self._message = query.message_id
        self._user = user
        self._exposed = policy.expose_edit_history
        self._id = ""
        self._found = ById()
        self._edits: Events | None = None

    def missing(self, resident: Resident) -> bool:
        require_member(resident.state, self._user)
        if not self._exposed:
            raise Rejected("FEATURE_DISABLED")
        self._id = resident.state.id
        if self._found.missing(resident, (self._message,)):
            return True
        ring, read = resident.ring, self._edits
        return ring.message(self._message) is None and (read is None or read.as_of + 1 < ring.first)

    async def fetch(self, store: Conversations) -> None:
        await self._found.fetch(store, self._id)
        self._edits = await store.edits(self._id, self._message, MAX_VERSIONS)

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        message = self._found.seen(resident, self._user, self._message)
        versions = [{"version": 1, "text": message.text, "ts": message.at}]
        versions += [
            {"version": edit.version, "text": edit.text, "ts": at}
            for edit, at in self._edits_now(resident)
        ]
        return [], {"versions": versions[-MAX_VERSIONS:], "seq": resident.state.seq}

    def _edits_now(self, resident: Resident) -> list[tuple[MessageEdited, int]]:
        """What was read, and what is newer."""
        ring = resident.ring
        events = []
        after = ring.first - 1
        if ring.message(self._message) is None and self._edits is not None:
            events += self._edits.events
            after = self._edits.as_of
        events += [push.event for push in ring.after(after) if push.event is not None]
        return [
            (event.data, event.at)
            for event in events
            if isinstance(event.data, MessageEdited)
            and event.data.message_id == self._message
            and event.is_for(self._user)
        ]
