"""The group-commit writer: the journal of the Postgres store.

While one batch is committing, the next one gathers; so batches grow with the load, and nobody waits
longer than needed when there is none. A conversation always goes to the same shard, and a shard
has one batch under way, which is what keeps the order.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import structlog
import trio

from ...protocol.errors import Rejected
from ...protocol.records import Delayed, Outcome, Write
from ..asyncio_thread import AsyncioThread
from .backlog import Backlog
from .committer import Committer
from .errors import DatabaseError
from .parcel import Parcel
from .shard import BatchReport, Shard

_log = structlog.get_logger(__name__)

_SLICE = 0.005
"""Seconds of answering, after which others get a turn."""


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """Times in seconds. What waits is bounded by `buffer_rows`, by `buffer_bytes`, and by age."""

    shards: int = 1
    batch_rows: int = 500
    buffer_rows: int = 20_000
    buffer_bytes: int = 64 * 1024 * 1024
    answer_timeout_s: float = 5.0
    """a write without an outcome for so long is `Delayed`; then nothing more is taken"""
    wait_s: float = 1.0
    """longest wait in `room` and `settled`"""
    statement_timeout_s: float = 30.0
    """after it a batch, or a connection attempt, counts as lost and is repeated"""


@dataclass(slots=True)
class WriterStatistics:
    """Since the start; `rows` and `bytes` are those waiting now."""

    rows: int = 0
    bytes: int = 0
    batches: int = 0
    stored_rows: int = 0
    largest_batch: int = 0
    seconds: float = 0.0
    retries: int = 0
    delayed: int = 0


class Writer:
    """Implements `Journal`. Works while `run` runs; a cancellation does not reach it: `aclose`
    ends it, whatever has or has not been stored by then.

    What was appended and not answered when the process dies is lost, unless its batch was under
    way. `observer` is called after each batch, in trio's thread.
    """

    def __init__(
        self,
        thread: AsyncioThread,
        dsn: str,
        incarnation: int,
        settings: WriterSettings,
        observer: Callable[[BatchReport], None] | None = None,
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._backlog = Backlog(settings.buffer_rows, settings.buffer_bytes)
        self._answers: deque[tuple[Parcel, Outcome]] = deque()
        self._answer_waits = trio.Event()
        self._scope = trio.CancelScope(shield=True)
        self._statistics = WriterStatistics()
        self._shards = [
            Shard(
                thread,
                Committer(thread, dsn, incarnation, settings.statement_timeout_s),
                settings.batch_rows,
                self._deliver,
            )
            for _ in range(settings.shards)
        ]

    @property
    def has_room(self) -> bool:
        return self._backlog.has_room

    async def room(self) -> None:
        if not self._backlog.delayed:
            with trio.move_on_after(self._settings.wait_s):
                await self._backlog.until(lambda: self.has_room or self._backlog.delayed > 0)
        if not self.has_room:
            raise self._unavailable()
        await trio.lowlevel.checkpoint()

    def append(self, write: Write) -> None:
        parcel = Parcel(write, trio.current_time())
        self._backlog.add(parcel)
        self._shards[hash(write.conversation) % len(self._shards)].put(parcel)

    async def settled(self, conversation: str) -> None:
        pending = self._backlog.conversations
        with trio.move_on_after(self._settings.wait_s):
            await self._backlog.until(lambda: conversation not in pending)
        if conversation in pending:
            raise self._unavailable()
        await trio.lowlevel.checkpoint()

    def pending(self) -> Collection[str]:
        return self._backlog.conversations

    @property
    def statistics(self) -> WriterStatistics:
        self._statistics.rows = self._backlog.rows
        self._statistics.bytes = self._backlog.bytes
        return self._statistics

    async def run(self) -> None:
        """The tasks of the writer, until `aclose` is done."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._answer)
                nursery.start_soon(self._watch)
                for shard in self._shards:
                    nursery.start_soon(shard.run)

    async def aclose(self, deadline: float) -> bool:
        """Store what waits, until `deadline` (trio's time); then stop. Whether all was stored."""
        with trio.CancelScope(deadline=deadline, shield=True) as patience:
            await self._backlog.until(lambda: not self._backlog.conversations)
        self._scope.cancel()
        with trio.CancelScope(shield=True):
            for shard in self._shards:
                try:
                    await (shard.abort() if patience.cancelled_caught else shard.close())
                except DatabaseError as error:
                    _log.warning("connection of the writer not closed", error=str(error))
        if patience.cancelled_caught:
            _log.error("writes lost in closing", rows=self._backlog.rows)
        return not patience.cancelled_caught

    def _deliver(
        self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome], report: BatchReport
    ) -> None:
        # All answers to one conversation in a row: it sends them in one go.
        conversations: dict[str, list[tuple[Parcel, Outcome]]] = {}
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            conversations.setdefault(parcel.conversation, []).append((parcel, outcome))
        for answers in conversations.values():
            self._answers.extend(answers)
        self._answer_waits.set()
        self._count(report)

    async def _answer(self) -> None:
        while True:
            if not self._answers:
                self._answer_waits = trio.Event()
                await self._answer_waits.wait()
            end = trio.current_time() + _SLICE
            conversation = self._answers[0][0].conversation
            while self._answers:
                parcel, outcome = self._answers.popleft()
                if parcel.conversation != conversation and trio.current_time() >= end:
                    self._answers.appendleft((parcel, outcome))
                    break
                conversation = parcel.conversation
                self._tell(parcel, outcome)
                self._backlog.remove(parcel)
            for shard in self._shards:
                shard.resume(self._backlog.conversations)
            self._backlog.changed()
            await trio.lowlevel.checkpoint()

    async def _watch(self) -> None:
        """Tell `Delayed` to who has waited too long."""
        while True:
            due = trio.current_time() + self._settings.answer_timeout_s
            if (oldest := self._backlog.oldest()) is not None:
                due = oldest.since + self._settings.answer_timeout_s
            await trio.sleep_until(due)
            end = trio.current_time() + _SLICE
            while (oldest := self._backlog.oldest()) is not None and (
                oldest.since + self._settings.answer_timeout_s <= trio.current_time() < end
            ):
                self._backlog.delay(oldest)
                self._statistics.delayed += 1
                self._tell(oldest, Delayed())
            self._backlog.changed()

    def _tell(self, parcel: Parcel, outcome: Outcome) -> None:
        try:
            parcel.write.done(outcome)
        except Exception as error:
            # Without its text, which may be a message.
            stack = "".join(traceback.format_tb(error.__traceback__))
            _log.error("outcome not taken", error=type(error).__qualname__, stack=stack)

    def _count(self, report: BatchReport) -> None:
        statistics = self._statistics
        statistics.batches += 1
        statistics.stored_rows += report.rows
        statistics.largest_batch = max(statistics.largest_batch, report.rows)
        statistics.seconds += report.seconds
        statistics.retries += max(0, report.attempts - 1)
        if self._observer is not None:
            self._observer(report)

    def _unavailable(self) -> Rejected:
        return Rejected("UNAVAILABLE", retry_after=self._settings.wait_s)
