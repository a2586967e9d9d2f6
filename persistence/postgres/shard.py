"""One lane of the writer: a queue, a connection, one batch under way."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import structlog
import trio

from ...protocol.records import Outcome
from ..asyncio_thread import AsyncioThread
from ..verdict import halts
from .availability import Availability
from .committer import Committer
from .errors import DatabaseError, DatabaseUnavailable, database_errors
from .parcel import Parcel
from .retry import repeated

_log = structlog.get_logger(__name__)

_LONGEST_REST = 0.1
"""Seconds before a batch of what was answered already."""

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0
"""Seconds between attempts while the database is away: doubled each time, with jitter."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """One committed batch, for metrics. `seconds` from the first attempt to the answer."""

    writes: int
    rows: int
    seconds: float
    attempts: int


Deliver = Callable[[Sequence[Parcel], Sequence[Outcome], BatchReport], None]


class Shard:
    """Stores parcels in the order in which they were put, and delivers the outcomes in that order.

    A batch is repeated as it is until there is an outcome; nothing gives up but `run` cancelled.
    Where a conversation halts, all of it that is still queued has the same outcome, since it would
    stand after a gap; `resume` ends that.
    """

    def __init__(
        self,
        thread: AsyncioThread,
        committer: Committer,
        availability: Availability,
        batch_rows: int,
        deliver: Deliver,
        may_rest: Callable[[], bool] = lambda: False,
    ) -> None:
        self._thread = thread
        self._availability = availability
        self._committer = committer
        self._batch_rows = batch_rows
        self._deliver = deliver
        self._may_rest = may_rest
        self._queue: deque[Parcel] = deque()
        self._halted: dict[str, Outcome] = {}
        self._wake = trio.Event()

    def put(self, parcel: Parcel) -> None:
        self._queue.append(parcel)
        self._wake.set()

    def resume(self, pending: Container[str]) -> None:
        """Forget the halted conversations of which nothing is `pending` any more."""
        if self._halted:
            self._halted = {id: how for id, how in self._halted.items() if id in pending}

    async def run(self) -> None:
        while True:
            if not self._queue:
                self._wake = trio.Event()
                await self._wake.wait()
            parcels = self._gather()
            halted = dict(self._halted)
            began, attempts = trio.current_time(), 0
            outcomes: list[Outcome] = []
            if fresh := [each for each in parcels if each.conversation not in halted]:
                outcomes, attempts = await self._store(fresh)
            for parcel, outcome in zip(fresh, outcomes, strict=True):
                if halts(outcome):
                    self._halted[parcel.conversation] = outcome
            stored = iter(outcomes)
            outcomes = [halted.get(each.conversation) or next(stored) for each in parcels]
            rows = sum(parcel.rows for parcel in parcels)
            seconds = trio.current_time() - began
            self._deliver(parcels, outcomes, BatchReport(len(parcels), rows, seconds, attempts))
            if self._queue and self._queue[0].spooled and self._may_rest():
                # What comes next was answered from the spool. Nobody waits for it, so half of the
                # time belongs to those who talk now.
                await trio.sleep(min(seconds, _LONGEST_REST))

    async def close(self) -> None:
        with database_errors():
            await self._thread.run(self._committer.close)

    async def abort(self) -> None:
        """Let the statement under way fail."""
        with database_errors():
            await self._thread.run(self._committer.abort)

    def _gather(self) -> list[Parcel]:
        parcels = [self._queue.popleft()]
        rows = parcels[0].rows
        while self._queue and rows + self._queue[0].rows <= self._batch_rows:
            parcels.append(self._queue.popleft())
            rows += parcels[-1].rows
        return parcels

    async def _store(self, parcels: list[Parcel]) -> tuple[list[Outcome], int]:
        """The outcomes, and how many attempts it took."""
        wait, attempts = _FIRST_WAIT, 0

        async def attempt() -> list[Outcome]:
            nonlocal attempts
            attempts += 1
            with database_errors(), self._availability.working():
                # Cancelled only by `aclose`, whose deadline a hanging server must not hold up.
                return await self._thread.run(self._committer.store, parcels, cancellable=True)

        while True:
            try:
                outcomes = await repeated(attempt)
            except DatabaseError as error:
                if wait == _FIRST_WAIT:
                    _log.warning("batch not stored, trying on", problem=str(error))
                if isinstance(error, DatabaseUnavailable):
                    self._availability.suspect()
            else:
                self._availability.found()
                return outcomes, attempts
            await trio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(2 * wait, _LONGEST_WAIT)
