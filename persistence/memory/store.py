"""The in-memory twin of the Postgres store: the same answers, nothing on any disk.

For tests of everything above the store, and for trying palaver out. One contract suite holds both
twins to the same uniques, cursors, redactions and outcomes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from ...protocol.errors import Rejected
from ...protocol.policy import Durability
from ...protocol.records import Write
from .contents import MemoryContents
from .conversations import MemoryConversations
from .disk import Disk
from .inboxes import MemoryInboxes
from .jobs import MemoryJobs
from .journal import MemoryJournal
from .searches import MemorySearches
from .uploads import MemoryUploads
from .user_logs import MemoryUserLogs


class MemoryStore:
    """Implements `Store`. Needs no `async with`; leaving one marks its incarnation as clean.

    `durability="commit"` promises that nothing is shown before it is stored, so that no crash
    starts a new epoch.
    """

    def __init__(
        self,
        *,
        durability: Durability = "write_behind",
        capacity: int = 10_000,
        patience_s: float = 1.0,
        disk: Disk | None = None,
    ) -> None:
        self._settings = (durability, capacity, patience_s)
        self._disk = disk if disk is not None else Disk()
        self._away = False
        self.incarnation = self._disk.start()
        self.journal = MemoryJournal(
            self._disk, self.incarnation, capacity=capacity, patience_s=patience_s
        )
        self.conversations = MemoryConversations(
            self._disk, self.incarnation, durability != "commit", self._check
        )
        self.inboxes = MemoryInboxes(self._disk, self.incarnation, self._check)
        self.user_logs = MemoryUserLogs(self._disk, self._check)
        self.searches = MemorySearches(self._disk, self._check)
        self.contents = MemoryContents(self._disk, self._check)
        self.jobs = MemoryJobs(self._disk, self.incarnation, self._check)
        self.uploads = MemoryUploads(self._disk, self._check)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    # What tests do to it.

    def hold(self) -> None:
        """Writes stay pending from now on."""
        self.journal.hold()

    def release(self, count: int | None = None) -> None:
        """Store the first `count` pending writes and go on holding; or all, and hold no more."""
        self.journal.release(count)

    def refuse(self, predicate: Callable[[Write], bool] | None, *, voidable: bool = True) -> None:
        """From now on refuse the writes for which `predicate` holds; None refuses none."""
        self.journal.refuse(predicate, voidable=voidable)

    def go_away(self) -> None:
        """Reads raise UNAVAILABLE and writes stay pending."""
        self._away = True
        self.journal.hold()

    def delay(self) -> None:
        """What happens when it stays away: pending writes are `Delayed`, there is no more room."""
        self.journal.delay()

    def spool(self) -> None:
        """What happens instead where there is a spool: it takes what is pending, and what comes."""
        self.journal.spool()

    def come_back(self) -> None:
        """Store what is pending, in order; all is well again."""
        self._away = False
        self.journal.release()

    def crashed(self) -> MemoryStore:
        """The store after a kill -9 and a new start: pending writes are lost, unless they are in
        the spool. The old one is fenced off, as a process is that was thought dead."""
        self.journal.lose()
        return self._successor()

    def restarted(self) -> MemoryStore:
        """The store after a clean stop and a new start."""
        self._stop()
        return self._successor()

    def _successor(self) -> MemoryStore:
        durability, capacity, patience_s = self._settings
        return MemoryStore(
            durability=durability, capacity=capacity, patience_s=patience_s, disk=self._disk
        )

    def _stop(self) -> None:
        self.journal.release()
        if self._disk.ended[self.incarnation] is None:
            self._disk.ended[self.incarnation] = True

    def _check(self) -> None:
        if self._away:
            raise Rejected("UNAVAILABLE", retry_after=1.0)
