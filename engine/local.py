"""A caller inside this process, as the actors see it: an outbox without a socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import trio

from ..actors.outbox import Parcel, Push
from ..protocol.disconnects import SLOW, Disconnect
from ..protocol.errors import Rejected


class Asker:
    """Waits for the Replies to its own commands, each under its own id; takes no events.

    At most `capacity` may be waited for; one more is OVERLOADED.
    """

    role: str | None = None
    session: str | None = None
    limited = False

    def __init__(self, user: str, capacity: int) -> None:
        self.user = user
        self._capacity = capacity
        self.subscriptions: set[str] = set()
        self._next = 0
        self._replies: dict[int, trio.Event | dict[str, Any]] = {}

    def next_id(self) -> int:
        """A fresh id, whose Reply will be kept for `reply`."""
        if len(self._replies) >= self._capacity:
            raise Rejected("OVERLOADED", retry_after=1.0)
        self._next += 1
        self._replies[self._next] = trio.Event()
        return self._next

    async def reply(self, id: int) -> dict[str, Any]:
        """The result under `id`, or its `Rejected`. Waits without limit: set a deadline."""
        try:
            waiting = self._replies[id]
            if isinstance(waiting, trio.Event):
                await waiting.wait()
            item = self._replies[id]
        finally:
            self._replies.pop(id, None)
        assert isinstance(item, dict)
        if (error := item.get("error")) is not None:
            raise Rejected(
                error["code"],
                error["message"],
                details=error.get("details"),
                retry_after=error.get("retry_after"),
                correlation=error.get("correlation"),
            )
        result: dict[str, Any] = item["ok"]
        return result

    def offer(self, parcel: Parcel) -> None: ...

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        for push in replies:
            waiting = self._replies.get(push.item["id"])
            if isinstance(waiting, trio.Event):  # otherwise nobody waits any more
                self._replies[push.item["id"]] = push.item
                waiting.set()

    def close(self, disconnect: Disconnect) -> None: ...


class Inlet:
    """Takes pushes for a reader in this process, up to `capacity` of them.

    A reader that lags further behind is cut off: it gets what was queued, then `Disconnected`.
    """

    role: str | None = None
    session: str | None = None
    limited = False

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
