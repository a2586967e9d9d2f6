"""What one command must know beyond the state, from the ring where it is there, else fetched."""

from __future__ import annotations

from collections.abc import Mapping

from ..protocol.commands import NOTHING, ConversationCommand, DurableCommand, Needs, Position
from ..protocol.events import Event
from ..protocol.machine import visible
from ..protocol.message import Message
from ..protocol.people import Standing
from ..protocol.state import ConversationState
from ..protocol.uploads import Upload
from .files import Uploads
from .people import People
from .ports import Conversations
from .resident import Resident


def needs_nothing(command: ConversationCommand, state: ConversationState) -> bool:
    """Whether `command` can be decided on the state alone, so that there is nothing to look up."""
    repeated = isinstance(command, DurableCommand) and command.attempt > 1
    return not repeated and command.needs(state) is NOTHING


class Lookup:
    """Facts read from the store are brought up to date by the ring before they are used; if the
    ring no longer reaches back to them, they are read again."""

    def __init__(
        self,
        conversation: str,
        user: str,
        command: ConversationCommand,
        people: People,
        uploads: Uploads,
    ) -> None:
        self._people = people
        self._files = uploads
        self._conversation = conversation
        self._user = user
        self._repeated = (
            command.client_id
            if isinstance(command, DurableCommand) and command.attempt > 1
            else None
        )
        self._command = command
        self._needs = Needs()
        self._read: dict[str, Message | None] = {}
        self._read_as_of = 0
        self._position: Position | None = None
        self._position_as_of = 0
        self.standings: Mapping[str, Standing] = {}
        """of those asked for; empty where nobody can keep anybody out"""
        self._met = False
        self.uploads: Mapping[str, Upload] = {}
        """of those asked for, the ones that there are"""
        self._filed = False
        self._asked = self._repeated is None
        self.first: Event | None = None
        """the event that this client id led to before, as the log has it"""
        self.recipients_required = False
        """the host has said that whom the command names is there"""

    def missing(self, resident: Resident) -> bool:
        """Whether something has to be fetched before the command can be decided."""
        state = resident.state
        self._needs = needs = self._command.needs(state)
        if self._repeated is not None and resident.ring.led_to(self._user, self._repeated):
            return False
        if not self._asked or self._messages_missing(resident, needs):
            return True
        if needs.uploads and not self._filed:
            return True
        if needs.people and not self._met and self._people.matter:
            return True
        if needs.messages:
            messages = visible(state, self._user, self.messages(resident))
            more = self._command.needs_more(state, self._user, messages)
            self._needs = needs = Needs(needs.messages + more.messages, more.position)
            if more.messages and self._messages_missing(resident, needs):
                return True
        return self._position_missing(resident, needs)

    def _messages_missing(self, resident: Resident, needs: Needs) -> bool:
        ring = resident.ring
        older = [id for id in needs.messages if ring.message(id) is None]
        if not older:
            return False
        return self._read_as_of + 1 < ring.first or any(id not in self._read for id in older)

    def _position_missing(self, resident: Resident, needs: Needs) -> bool:
        if needs.position is None or resident.ring.position(needs.position, self._user) is not None:
            return False
        return self._position is None or self._position_as_of + 1 < resident.ring.first

    async def fetch(self, store: Conversations) -> None:
        if self._repeated is not None and not self._asked:
            self.first = await store.find(self._conversation, self._user, self._repeated)
            self._asked = True
        if self._needs.messages:
            found = await store.messages(self._conversation, self._needs.messages)
            self._read = dict.fromkeys(self._needs.messages)
            self._read.update((message.id, message) for message in found.messages)
            self._read_as_of = found.as_of
        if self._needs.people and not self._met:
            self.standings = await self._people.standings(self._user, self._needs)
            self._met = True
        if self._needs.uploads and not self._filed:
            self.uploads = await self._files.find(self._needs.uploads)
            self._filed = True
        if self._needs.position is not None:
            at = await store.position(self._conversation, self._user, self._needs.position)
            self._position, self._position_as_of = at.position, at.as_of

    def messages(self, resident: Resident) -> dict[str, Message]:
        """Those asked for that exist, as they are now. Only when nothing is `missing`."""
        if not self._needs.messages:
            return {}
        if self._read:
            read = [message for message in self._read.values() if message is not None]
            resident.ring.overlay(read, self._read_as_of)
            self._read_as_of = resident.state.seq
        found = {}
        for id in self._needs.messages:
            message = resident.ring.message(id) or self._read.get(id)
            if message is not None:
                found[id] = message
        return found

    def position(self, resident: Resident) -> Position | None:
        """The one asked for, as of now. Only when nothing is `missing`."""
        seq = self._needs.position
        if seq is None:
            return None
        recent = resident.ring.position(seq, self._user)
        if recent is not None or self._position is None:
            return recent
        since = resident.ring.excluded_since(self._position_as_of, seq, self._user) or 0
        return Position(self._position.number, self._position.excluded + since)
