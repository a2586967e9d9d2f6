"""What has arrived and not yet been taken by the application: bounded, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from .pushes import Push, StateChange

RELIEF = 4
"""How many times `size` may be kept while a call waits for its answer."""


class Inbox:
    """Full means that nothing more is read from the connection until the application takes
    something: the server's outbox then fills, and after it the server ends the connection as slow,
    which the next resume makes good. Nothing is dropped here.

    While a call waits (`busy`), `RELIEF` times as much is kept, so that an application may call
    from inside its own loop without waiting for itself.
    """

    def __init__(self, size: int, busy: Callable[[], bool]) -> None:
        self._size = size
        self._busy = busy
        self._items: deque[Push] = deque()
        self._closed = False
        self._takers = trio.lowlevel.ParkingLot()
        self._putters = trio.lowlevel.ParkingLot()

    @property
    def _full(self) -> bool:
        held = len(self._items)
        return held >= self._size and (held >= self._size * RELIEF or not self._busy())

    async def put(self, item: Push) -> None:
        """Keep `item`, once there is room. No checkpoint if there is room now."""
        while self._full:
            await self._putters.park()
        self.force(item)

    def force(self, item: Push) -> None:
        """Keep `item` whether or not there is room: for what is rare and must not wait. Of state
        changes in a row that nobody takes, the last one is enough."""
        if self._closed:
            return
        items = self._items
        if len(items) >= self._size and isinstance(item, StateChange):
            while items and isinstance(items[-1], StateChange):
                items.pop()
        items.append(item)
        self._takers.unpark()

    def poke(self) -> None:
        """`busy` may have become true."""
        if self._items:
            self._putters.unpark_all()

    async def take(self) -> Push | None:
        """The oldest item, or None if there will be none. If cancelled, nothing is lost."""
        await trio.lowlevel.checkpoint()
        while not self._items:
            if self._closed:
                return None
            await self._takers.park()
        item = self._items.popleft()
        self._putters.unpark()
        return item

    def close(self) -> None:
        """Nothing more comes; what is there can still be taken."""
        self._closed = True
        self._takers.unpark_all()
