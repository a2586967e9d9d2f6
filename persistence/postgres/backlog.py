"""What has been handed to the writer and is not stored yet: how much, whose, and since when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from itertools import islice

import trio

from .parcel import Parcel


class Backlog:
    """Bounded by rows and bytes of what is in memory only; and by age: while a parcel that was
    `delayed` is still here, nothing takes what is written, and taking more would only make more of
    the same. What is in the spool counts no longer: the spool has its own bound."""

    def __init__(self, max_rows: int, max_bytes: int) -> None:
        self.rows = 0
        self.bytes = 0
        self.delayed = 0
        self.spooled = 0
        self.waiting = 0
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._count: dict[str, int] = {}
        self._all: deque[Parcel] = deque()
        self._unspooled: deque[Parcel] = deque()
        self._untold: deque[Parcel] = deque()
        self._waiting: trio.Event | None = None

    @property
    def has_room(self) -> bool:
        return not self.delayed and self.rows < self._max_rows and self.bytes < self._max_bytes

    @property
    def conversations(self) -> Collection[str]:
        return self._count.keys()

    def add(self, parcel: Parcel) -> None:
        self.waiting += 1
        self.rows += parcel.rows
        self.bytes += parcel.bytes
        self._count[parcel.conversation] = self._count.get(parcel.conversation, 0) + 1
        for queue in (self._all, self._unspooled, self._untold):
            queue.append(parcel)
        if self._waiting is not None:
            self._wake()

    def remove(self, parcel: Parcel) -> None:
        """`parcel` has its final answer, and it was told."""
        parcel.answered = True
        self.waiting -= 1
        if parcel.spooled:
            self.spooled -= 1
        else:
            self._leave_memory(parcel)
        left = self._count[parcel.conversation] - 1
        if left:
            self._count[parcel.conversation] = left
        else:
            del self._count[parcel.conversation]

    def spool(self, parcel: Parcel) -> None:
        """`parcel` is in the spool, too."""
        parcel.spooled = True
        self.spooled += 1
        self._leave_memory(parcel)

    def delay(self, parcel: Parcel) -> None:
        """Whoever waits for `parcel` was told so."""
        parcel.delayed = True
        self.delayed += 1

    def oldest(self) -> Parcel | None:
        """The one that has waited longest to be stored."""
        return _first(self._all, lambda parcel: parcel.answered)

    def oldest_unspooled(self) -> Parcel | None:
        """The same of those that are not in the spool either."""
        return _first(self._unspooled, lambda parcel: parcel.answered or parcel.spooled)

    def oldest_untold(self) -> Parcel | None:
        """The one that has waited longest without any answer, be it `Delayed` or `Spooled`."""
        return _first(
            self._untold, lambda parcel: parcel.answered or parcel.spooled or parcel.delayed
        )

    def unspooled(self, limit: int) -> list[Parcel]:
        """The first ones to bring into the spool, in their order."""
        first = islice(self._unspooled, limit)
        return [parcel for parcel in first if not parcel.answered and not parcel.spooled]

    def changed(self) -> None:
        """Wake up who waits; called after a row of removals."""
        self.oldest()
        self.oldest_unspooled()
        self.oldest_untold()
        if self._waiting is not None:
            self._wake()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._waiting is None:
                self._waiting = trio.Event()
            await self._waiting.wait()

    def _leave_memory(self, parcel: Parcel) -> None:
        self.rows -= parcel.rows
        self.bytes -= parcel.bytes
        self.delayed -= parcel.delayed
        parcel.delayed = False

    def _wake(self) -> None:
        assert self._waiting is not None
        self._waiting.set()
        self._waiting = None


def _first(queue: deque[Parcel], is_past: Callable[[Parcel], bool]) -> Parcel | None:
    while queue and is_past(queue[0]):
        queue.popleft()
    return queue[0] if queue else None
