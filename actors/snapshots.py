"""When the state of a conversation is written down, so that a cold start has little to replay."""

from __future__ import annotations

from collections.abc import Callable

from ..protocol.records import Snapshot
from ..protocol.state import STATE_VERSION, ConversationState
from .pending import Pending
from .resident import Resident
from .rows import member_row


class Snapshots:
    """A snapshot is taken every so many events, and when the conversation is put away.

    With it go the read marks that counting at rest needs: `moved` gathers whose they are.
    """

    def __init__(self, every: int, pending: Callable[[], Pending]) -> None:
        self.moved: set[str] = set()
        self._every = every
        self._pending = pending
        self._seq = 0
        self._taken: Pending | None = None

    def begin(self, resident: Resident) -> None:
        """Go on from what was just loaded; forget what was taken and not written."""
        self.moved = set(resident.moved)
        self._seq = resident.snapshot
        self._taken = None

    def due(self, resident: Resident) -> Pending | None:
        """The write of the snapshot that is due now, if one is.

        It is due only when everything in it is stored: what is refused must not come back by it.
        """
        if self._taken is None:
            if resident.state.seq - self._seq < self._every:
                return None
            self._taken = self._take(resident.state)
        snapshot = self._taken.snapshot
        if snapshot is None or snapshot.seq > resident.stored:
            return None
        due, self._taken = self._taken, None
        return due

    def last(self, resident: Resident) -> Pending | None:
        """The write of a snapshot of `resident`, which is stored; None if there is nothing new."""
        if resident.state.seq == self._seq and not self.moved:
            return None
        return self._take(resident.state)

    def _take(self, state: ConversationState) -> Pending:
        taken = self._pending()
        taken.snapshot = Snapshot(state.seq, STATE_VERSION, state.snapshot())
        taken.members = tuple(member_row(state, user, state.seq) for user in self.moved)
        self._seq = state.seq
        self.moved.clear()
        return taken
