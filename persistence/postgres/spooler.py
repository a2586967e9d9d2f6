"""Brings writes into the spool that Postgres has not confirmed in time (semantics §7).

The first durable place answers: whatever is in the spool may be replied to. Writes stay in memory
as well, and go to Postgres from there in their order; then they leave the spool.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NoReturn

import structlog
import trio

from ...protocol.records import Foreign, Outcome, Refused, Spooled
from ..spool.file import SpoolUnavailable
from ..spool.spool import Spool
from .backlog import Backlog
from .parcel import Parcel

_log = structlog.get_logger(__name__)

_ENTRIES: Final = 1000
"""In one transaction at most."""
_RETRY_S: Final = 1.0


class Spooler:
    """Works while `run` runs. `spooling` from the first write that is late until all that the
    spool holds is stored; while any is late, every other one is spooled without waiting."""

    def __init__(
        self,
        spool: Spool,
        backlog: Backlog,
        after_s: float,
        tell: Callable[[Parcel, Outcome], None],
    ) -> None:
        self.spooling = False
        self.problem: str | None = None
        """why the spool cannot be written now"""
        self.spool = spool
        self._backlog = backlog
        self._after_s = after_s
        self._tell = tell
        self._stored: list[int] = []
        self._refused: list[tuple[int, str]] = []

    def settled(self, parcel: Parcel, outcome: Outcome) -> None:
        """`parcel`, which is in the spool, has its final outcome."""
        if parcel.entry is None:
            return
        if isinstance(outcome, Refused | Foreign):
            _log.error("a write that was replied to is refused", problem=outcome.problem)
            self._refused.append((parcel.entry, outcome.problem))
        else:
            self._stored.append(parcel.entry)

    async def run(self) -> NoReturn:
        while True:
            if not self.spooling:
                await self._until_late()
                self.spooling = True
            try:
                await self._round()
                self.problem = None
            except SpoolUnavailable as error:
                if self.problem is None:
                    _log.error("the spool cannot be written", problem=str(error))
                self.problem = str(error)
                await trio.sleep(_RETRY_S)
            self._backlog.changed()

    async def clear(self) -> None:
        """Take out what is stored. Raises `SpoolUnavailable`."""
        while self._refused:
            await self.spool.set_aside(*self._refused[0])
            del self._refused[0]
        stored = list(self._stored)
        await self.spool.exchange([], stored)
        del self._stored[: len(stored)]

    @property
    def _due(self) -> float:
        """When to spool what is not: as soon as anything at all has waited for too long."""
        oldest = self._backlog.oldest()
        if oldest is None or self._backlog.oldest_unspooled() is None:
            return math.inf
        return oldest.since + self._after_s

    async def _until_late(self) -> None:
        # Asleep until then, whatever comes and goes: a wake-up for every write would cost more than
        # this task ever does.
        while (due := self._due) > trio.current_time():
            if due < math.inf:
                await trio.sleep_until(due)
            else:
                await self._backlog.until(lambda: self._due < math.inf)

    async def _until(self, due: float, condition: Callable[[], bool] = lambda: False) -> None:
        """Return at `due`, or sooner if that has changed or `condition` holds."""
        with trio.move_on_after(max(0, due - trio.current_time())):
            await self._backlog.until(lambda: self._due < due or condition())

    async def _round(self) -> None:
        if (due := self._due) <= trio.current_time():
            await self._spool(self._backlog.unspooled(_ENTRIES))
        elif not self._backlog.spooled:
            await self.clear()
            await self.spool.shrink()
            self.spooling = False
        elif self._has_much_to_clear():
            await self.clear()
        else:
            await self._until(due, lambda: not self._backlog.spooled or self._has_much_to_clear())

    def _has_much_to_clear(self) -> bool:
        return len(self._stored) >= _ENTRIES or bool(self._refused)

    async def _spool(self, parcels: list[Parcel]) -> None:
        kept = [parcel for parcel in parcels if parcel.says_anything]
        numbers = await self.spool.exchange([parcel.write for parcel in kept], ())
        for parcel, n in zip(kept, numbers, strict=True):
            if parcel.answered:  # Postgres was faster
                self._stored.append(n)
            else:
                parcel.entry = n
        for parcel in parcels:
            if not parcel.answered:
                self._backlog.spool(parcel)
                self._tell(parcel, Spooled())
