"""The outgoing queue: what is to be sent whenever there is a connection, in order and bounded.

`Outbox` lives as long as its object, `DiskOutbox` as long as its file.
"""

from __future__ import annotations

import time
from typing import TypedDict

import trio

from .errors import ClientClosed, OutboxForeign, OutboxFull, OutboxInUse
from .outgoing import Lane, Outgoing

MAX_COMMANDS = 1000
MAX_BYTES = 16 * 2**20


class Bounds(TypedDict, total=False):
    max_commands: int
    max_bytes: int
    max_age: float | None


class Outbox:
    """In memory. One client uses it at a time; what one leaves behind the next one sends.

    Holds at most `max_commands` of at most `max_bytes` together; more is refused (`OutboxFull`).
    What has no answer `max_age` seconds after it was enqueued fails (`Expired`); None: never. It
    belongs to the user as whom it was first connected, until it is empty.
    """

    where = "the outbox"

    def __init__(
        self,
        *,
        max_commands: int = MAX_COMMANDS,
        max_bytes: int = MAX_BYTES,
        max_age: float | None = None,
    ) -> None:
        self._max_commands = max_commands
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._kept: dict[tuple[Lane, str], Outgoing] = {}
        self._bytes = 0
        self._last = 0
        self._owner: str | None = None
        self._opened = False
        self._keeping = trio.Lock()

    @property
    def waiting(self) -> tuple[Outgoing, ...]:
        """What has no answer yet, the oldest first."""
        return tuple(each for each in self._kept.values() if each.state == "queued")

    async def open(self) -> None:
        """For a client. What is in it may have been sent before.

        Raises `OutboxInUse`, or `OutboxUnusable` if it cannot be read.
        """
        if self._opened:
            raise OutboxInUse(self.where)
        owner, kept = await self._load()
        self._opened = True
        self._owner = owner if kept else None
        self._bytes = 0
        self._kept.clear()
        for outgoing in kept:
            outgoing.reopen()
            # By the wall; a clock that was set back makes nothing younger than new.
            self._add(outgoing, age=max(time.time() - outgoing.at, 0.0))

    async def claim(self, user: str) -> None:
        """It is `user` who sends what is in it, and nobody else. Raises `OutboxForeign`."""
        if self._owner is None:
            await self._own(user)
            self._owner = user
        elif self._owner != user:
            raise OutboxForeign(self.where)

    async def keep(self, outgoing: Outgoing) -> Outgoing:
        """Once this returns, it is kept; calls return in the order in which they were made.

        If one of this client id is kept already, it is given back instead. If cancelled or failed
        (`OutboxFull`, `OutboxUnusable`), `outgoing` is not kept.
        """
        async with self._keeping:
            if not self._opened:
                raise ClientClosed
            known = self._kept.get((outgoing.lane, outgoing.client_id))
            if known is not None:
                return known
            count, size = len(self._kept), self._bytes
            if count >= self._max_commands or size + outgoing.size > self._max_bytes:
                raise OutboxFull(count, size)
            outgoing.n = self._last + 1
            await self._insert(outgoing)
            self._add(outgoing)
            return outgoing

    async def drop(self, outgoing: Outgoing) -> None:
        """It has its answer."""
        del self._kept[outgoing.lane, outgoing.client_id]
        self._bytes -= outgoing.size
        await self._delete(outgoing)

    async def close(self) -> None:
        """The client has ended. What is in it stays."""
        self._opened = False

    def _add(self, outgoing: Outgoing, age: float = 0.0) -> None:
        self._kept[outgoing.lane, outgoing.client_id] = outgoing
        self._bytes += outgoing.size
        self._last = outgoing.n
        if self._max_age is not None:
            outgoing.deadline = trio.current_time() + self._max_age - age

    # What a file adds.

    async def _load(self) -> tuple[str | None, list[Outgoing]]:
        return self._owner, list(self.waiting)

    async def _insert(self, outgoing: Outgoing) -> None: ...

    async def _delete(self, outgoing: Outgoing) -> None: ...

    async def _own(self, user: str) -> None: ...
