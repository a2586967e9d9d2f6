"""How many conversations are read from the store at a time: in a storm of reconnects, those that
are in memory must still get their pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from ..protocol.errors import Rejected


class Loading:
    """`at_once` conversations are loaded, `waiting` more wait their turn, first come first served.
    One more cannot be loaded now: OVERLOADED."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._room = trio.CapacityLimiter(at_once)
        self._waiting = waiting

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        if self._room.statistics().tasks_waiting >= self._waiting:
            raise Rejected("OVERLOADED", retry_after=1.0)
        async with self._room:
            yield
