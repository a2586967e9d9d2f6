"""A reader inside this process, as the actors see it: an outbox without a socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import trio

from ..actors.outbox import Parcel, Push
from ..protocol.disconnects import SLOW, Disconnect


class Inlet:
    """Takes pushes for a reader in this process, up to `capacity` of them.

    A reader that lags further behind is cut off: it gets what was queued, then `Disconnected`.
    """

    role: str | None = None
    session: str | None = None
    limited = False
    counted = False

    def __init__(self, user: str, capacity: int) -> None:
        self.user = user
        self.subscriptions: set[str] = set()
        self._capacity = capacity
        self._queue: deque[Push] = deque()
        self._closed: Disconnect | None = None
        self._wake = trio.Event()

    def offer(self, parcel: Parcel) -> None:
        if self._closed is not None:
            return
        if len(self._queue) + len(parcel.pushes) > self._capacity:
            if not parcel.droppable:
                self.close(SLOW)
            return
        self._queue.extend(parcel.pushes)
        self._wake.set()

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        if after is not None:
            self.offer(after)

    def close(self, disconnect: Disconnect) -> None:
        self._closed = self._closed or disconnect
        self._wake.set()

    async def next(self) -> Push:
        """The next push, in order; raises `Disconnected` after the last one."""
        while not self._queue:
            if self._closed is not None:
                raise Disconnected(self._closed)
            self._wake = trio.Event()
            await self._wake.wait()
        return self._queue.popleft()


class Disconnected(Exception):
    """The engine ended this reader, for the reason in `disconnect`."""

    def __init__(self, disconnect: Disconnect) -> None:
        super().__init__(f"{disconnect.code} {disconnect.reason}")
        self.disconnect = disconnect
