"""What has been handed to the writer and is not answered yet: how much, whose, and since when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

import trio

from .parcel import Parcel


class Backlog:
    """Bounded by rows and bytes; and by age: while a parcel that was `delayed` is still here, the
    database is away, and taking more would only make more of the same."""

    def __init__(self, max_rows: int, max_bytes: int) -> None:
        self.rows = 0
        self.bytes = 0
        self.delayed = 0
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._count: dict[str, int] = {}
        self._by_age: deque[Parcel] = deque()
        self._waiting: trio.Event | None = None

    @property
    def has_room(self) -> bool:
        return not self.delayed and self.rows < self._max_rows and self.bytes < self._max_bytes

    @property
    def conversations(self) -> Collection[str]:
        return self._count.keys()

    def add(self, parcel: Parcel) -> None:
        self.rows += parcel.rows
        self.bytes += parcel.bytes
        self._count[parcel.conversation] = self._count.get(parcel.conversation, 0) + 1
        self._by_age.append(parcel)

    def remove(self, parcel: Parcel) -> None:
        """`parcel` has its final answer."""
        parcel.answered = True
        self.rows -= parcel.rows
        self.bytes -= parcel.bytes
        self.delayed -= parcel.delayed
        left = self._count[parcel.conversation] - 1
        if left:
            self._count[parcel.conversation] = left
        else:
            del self._count[parcel.conversation]

    def oldest(self) -> Parcel | None:
        """The one that has waited longest without an answer, be it `Delayed`."""
        self._prune()
        return self._by_age[0] if self._by_age else None

    def delay(self, parcel: Parcel) -> None:
        parcel.delayed = True
        self.delayed += 1

    def changed(self) -> None:
        """Wake up who waits; called after a row of removals."""
        self._prune()
        if self._waiting is not None:
            self._waiting.set()
            self._waiting = None

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._waiting is None:
                self._waiting = trio.Event()
            await self._waiting.wait()

    def _prune(self) -> None:
        while self._by_age and (self._by_age[0].answered or self._by_age[0].delayed):
            self._by_age.popleft()
