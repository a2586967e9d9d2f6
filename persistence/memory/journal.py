"""The journal of the in-memory store: stores at once, unless a test holds it back."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Collection

import trio

from ...protocol.errors import Rejected
from ...protocol.records import Condition, Delayed, JournalStatus, Outcome, Spooled, Write
from ..verdict import halts
from .disk import Disk


class MemoryJournal:
    """Implements `Journal`. `append` stores and calls `done` before it returns.

    While held or away, writes wait in order; `capacity` bounds their rows. With `spooling` set,
    what waits is in the spool and survives `lose`.
    """

    def __init__(
        self, disk: Disk, incarnation: int, *, capacity: int = 10_000, patience_s: float = 1.0
    ) -> None:
        self._disk = disk
        self._incarnation = incarnation
        self._capacity = capacity
        self._patience_s = patience_s
        self._waiting: deque[Write] = deque()
        self._rows = 0
        self._of: Counter[str] = Counter()
        self._halted: dict[str, Outcome] = {}
        self._refuses: Callable[[Write], bool] | None = None
        self._voidable = True
        self._blocked = False
        self._stalled = False
        self._told = 0  # of the waiting writes, so many from the first on know of the delay
        self._spooled = 0  # and so many are in the spool
        self._spooling = False
        self._lost = False
        self._changed: trio.Event | None = None

    @property
    def has_room(self) -> bool:
        return self._rows < self._capacity and not self._stalled

    async def room(self) -> None:
        if not self.has_room and not self._stalled:
            await self._until(lambda: self.has_room)
        if not self.has_room:
            raise Rejected("UNAVAILABLE", retry_after=self._patience_s)
        await trio.lowlevel.checkpoint()

    def append(self, write: Write) -> None:
        if not self._waiting and not self._blocked and not self._lost:
            write.done(self._store(write))
            return
        self._waiting.append(write)
        self._rows += write.rows
        self._of[write.conversation] += 1
        if self._spooling:
            self.spool()

    async def settled(self, conversation: str) -> None:
        if conversation in self._of:
            await self._until(lambda: conversation not in self._of)
        if conversation in self._of:
            raise Rejected("UNAVAILABLE", retry_after=self._patience_s)
        await trio.lowlevel.checkpoint()

    def pending(self) -> Collection[str]:
        return self._of.keys()

    def condition(self) -> Condition:
        status: JournalStatus = "ok"
        if not self.has_room:
            status = "unavailable"
        elif self._spooling:
            status = "spooling"
        return Condition(status, waiting=len(self._waiting), spooled=self._spooled)

    # What tests do to it.

    def hold(self) -> None:
        """Keep writes back from now on."""
        self._blocked = True

    def release(self, count: int | None = None) -> None:
        """Store the first `count` held writes and go on holding; or all, and hold no more."""
        self._blocked = count is not None
        self._spooling = self._spooling and self._blocked
        self._stalled = self._stalled and self._blocked
        self._flush(count)

    def delay(self) -> None:
        """As if the store had been away for too long: every waiting write that is not in the spool
        is told `Delayed`, and there is no room until `release` or `spool`."""
        self._stalled = self._stalled or not self._spooling
        known, self._told = max(self._told, self._spooled), len(self._waiting)
        for write in list(self._waiting)[known:]:
            write.done(Delayed())

    def spool(self) -> None:
        """As if Postgres were late: what waits is `Spooled`, and until `release` whatever comes."""
        self._blocked = self._spooling = True
        self._stalled = False
        known, self._spooled = self._spooled, len(self._waiting)
        for write in list(self._waiting)[known:]:
            self._disk.spool.append((self._incarnation, write))
            write.done(Spooled())

    def refuse(self, predicate: Callable[[Write], bool] | None, *, voidable: bool = True) -> None:
        """Refuse the writes for which `predicate` holds; None refuses none."""
        self._refuses, self._voidable = predicate, voidable

    def lose(self) -> None:
        """Forget what waits, and whatever comes, without a word: the process is dead."""
        self._lost = True
        self._waiting.clear()
        self._of.clear()

    def _flush(self, count: int | None = None) -> None:
        # `done` may append; what it appends is stored after the write that it is told about.
        left = math.inf if count is None else count
        while self._waiting and left > 0 and not self._lost:
            left -= 1
            write = self._waiting[0]
            outcome = self._store(write)
            if halts(outcome):
                self._halted[write.conversation] = outcome
            if self._spooled:
                del self._disk.spool[0]
            write.done(outcome)
            self._forget(write)

    def _store(self, write: Write) -> Outcome:
        if write.conversation in self._halted:
            return self._halted[write.conversation]
        if self._refuses is not None and self._refuses(write):
            return self._disk.refuse(write, "refused by the test", self._voidable)
        return self._disk.commit(write, self._incarnation)

    def _forget(self, write: Write) -> None:
        if self._lost:
            return
        self._waiting.popleft()
        self._told = max(0, self._told - 1)
        self._spooled = max(0, self._spooled - 1)
        self._rows -= write.rows
        self._of[write.conversation] -= 1
        if not self._of[write.conversation]:
            del self._of[write.conversation]
            self._halted.pop(write.conversation, None)
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def _until(self, condition: Callable[[], bool]) -> None:
        with trio.move_on_after(self._patience_s):
            while not condition():
                if self._changed is None:
                    self._changed = trio.Event()
                await self._changed.wait()
