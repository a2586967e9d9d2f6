"""Whose turn it is, where things of a conversation are to be done in order by many tasks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import trio

from ..protocol.errors import Rejected

TURN_S: Final = 10.0
"""For one's turn to come: shorter than a job may take."""


class _Line:
    """Those who wait for their turn in one conversation."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.busy = False
        self.moved = trio.lowlevel.ParkingLot()


class Turns:
    """In each conversation it is the turn of the lowest seq of those that wait."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, conversation: str, seq: int) -> AsyncGenerator[None]:
        """Raises OVERLOADED if it does not come in time."""
        line = self._lines.setdefault(conversation, _Line())
        line.waiting.append(seq)
        try:
            with trio.move_on_after(TURN_S) as patience:
                await trio.lowlevel.checkpoint()  # all that were taken together are here then
                while line.busy or seq > min(line.waiting):
                    await line.moved.park()
                line.busy = True
        finally:
            line.waiting.remove(seq)
            if not (line.waiting or line.busy):
                del self._lines[conversation]
        if patience.cancelled_caught:
            line.moved.unpark_all()
            raise Rejected("OVERLOADED")
        try:
            yield
        finally:
            line.busy = False
            line.moved.unpark_all()
            if not line.waiting:
                del self._lines[conversation]
