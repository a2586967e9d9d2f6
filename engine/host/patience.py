"""How the host is told what jobs have for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from ...protocol.errors import Rejected
from .asking import Asking, NotAsked

TURN_S: Final = 10.0
"""For one's turn to come: shorter than a job may take."""


class Patience:
    """Jobs can wait for their turn, so only the time that the host takes counts against its
    deadline. What is not even tried, since the host is away or there are too many before it, is
    OVERLOADED, which is no try."""

    def __init__(self, asking: Asking, turns: int) -> None:
        self._asking = asking
        self._turns = trio.CapacityLimiter(turns)

    async def tell(self, it: Callable[[], Awaitable[None]]) -> None:
        with trio.move_on_after(TURN_S) as patience:
            await self._turns.acquire()
        if patience.cancelled_caught:
            raise Rejected("OVERLOADED")
        try:
            await self._asking.ask(it)
        except NotAsked as no:
            raise Rejected("OVERLOADED", retry_after=no.retry_after) from None
        finally:
            self._turns.release()
