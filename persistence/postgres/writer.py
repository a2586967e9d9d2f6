"""The group-commit writer: the journal of the Postgres store.

While one batch is committing, the next one gathers; so batches grow with the load, and nobody waits
longer than needed when there is none. A conversation always goes to the same shard, and a shard
has one batch under way, which is what keeps the order.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import structlog
import trio

from ...protocol.errors import Rejected
from ...protocol.records import Condition, Delayed, JournalStatus, Outcome, Write
from ..asyncio_thread import AsyncioThread
from ..spool.file import SpoolUnavailable
from ..spool.spool import Spool
from .availability import Availability
from .backlog import Backlog
from .committer import Committer
from .errors import DatabaseError
from .incarnation import Incarnation
from .parcel import Parcel
from .shard import BatchReport, Shard
from .spooler import Spooler

_log = structlog.get_logger(__name__)

_SLICE = 0.005
"""Seconds of answering, after which others get a turn."""


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """Times in seconds. What waits is bounded by `buffer_rows`, by `buffer_bytes`, and by age; what
    is in the spool, by the spool."""

    shards: int = 1
    batch_rows: int = 500
    buffer_rows: int = 20_000
    buffer_bytes: int = 64 * 1024 * 1024
    answer_timeout_s: float = 5.0
    """a write that nothing took for so long is `Delayed`; then nothing more is taken"""
    spool_after_s: float = 0.05
    """a write that is not stored by then goes into the spool as well"""
    wait_s: float = 1.0
    """longest wait in `room` and `settled`"""
    statement_timeout_s: float = 30.0
    """after it a batch, or a connection attempt, counts as lost and is repeated"""


@dataclass(slots=True)
class WriterStatistics:
    """Since the start; `rows` and `bytes` are those waiting now, in memory only."""

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

    What was appended and has had no outcome when the process dies is lost, unless its batch was
    under way. With a `spool`, that is what is younger than `spool_after_s` while Postgres is away,
    and less otherwise. `observer` is called after each batch, in trio's thread, and
    `stored` with the conversations that it was about.
    """

    def __init__(
        self,
        thread: AsyncioThread,
        dsn: str,
        incarnation: Incarnation,
        availability: Availability,
        settings: WriterSettings,
        spool: Spool | None = None,
        observer: Callable[[BatchReport], None] | None = None,
        stored: Callable[[Iterable[str]], None] | None = None,
    ) -> None:
        self._incarnation = incarnation
        self._availability = availability
        self._settings = settings
        self._observer = observer
        self._stored = stored
        self._backlog = Backlog(settings.buffer_rows, settings.buffer_bytes)
        self._answers: deque[tuple[Parcel, Outcome]] = deque()
        self._answer_waits = trio.Event()
        self._scope = trio.CancelScope(shield=True)
        self._closing = False
        self._ended = trio.Event()
        self._statistics = WriterStatistics()
        availability.changed = self._backlog.changed
        self._spooler: Spooler | None = None
        if spool is not None:
            self._spooler = Spooler(spool, self._backlog, settings.spool_after_s, self._tell)
        self._shards = [
            Shard(
                thread,
                Committer(thread, dsn, incarnation, settings.statement_timeout_s),
                availability,
                settings.batch_rows,
                self._deliver,
                self._may_rest,
            )
            for _ in range(settings.shards)
        ]

    @property
    def has_room(self) -> bool:
        if not self._incarnation.id or not self._backlog.has_room:
            return False
        spooler = self._spooler
        if spooler is None or spooler.problem is not None:
            return not self._availability.away
        return spooler.spool.has_room or not spooler.spooling

    async def room(self) -> None:
        if not self._is_stuck():
            with trio.move_on_after(self._settings.wait_s):
                await self._backlog.until(lambda: self.has_room or self._is_stuck())
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
            await self._backlog.until(lambda: conversation not in pending or self._is_stuck())
        if conversation in pending:
            raise self._unavailable()
        await trio.lowlevel.checkpoint()

    def pending(self) -> Collection[str]:
        return self._backlog.conversations

    def condition(self) -> Condition:
        spooler, oldest = self._spooler, self._backlog.oldest()
        status: JournalStatus = "ok"
        if not self.has_room:
            status = "unavailable"
        elif self._availability.away or (spooler is not None and spooler.spooling):
            status = "unavailable" if spooler is None else "spooling"
        return Condition(
            status=status,
            waiting=self._backlog.waiting,
            oldest_s=0.0 if oldest is None else trio.current_time() - oldest.since,
            spooled=0 if spooler is None else spooler.spool.count,
            spooled_bytes=0 if spooler is None else spooler.spool.bytes,
            problem=self._availability.problem or (spooler.problem if spooler else None),
        )

    @property
    def statistics(self) -> WriterStatistics:
        self._statistics.rows = self._backlog.rows
        self._statistics.bytes = self._backlog.bytes
        return self._statistics

    async def run(self) -> None:
        """The tasks of the writer, until `aclose` is done."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._answer)
                    nursery.start_soon(self._watch)
                    if self._spooler is not None:
                        nursery.start_soon(self._spooler.run)
                    for shard in self._shards:
                        nursery.start_soon(shard.run)
        finally:
            self._ended.set()

    async def aclose(self, deadline: float) -> bool:
        """Store what waits, until `deadline` (trio's time); then stop. Whether all was stored.

        While Postgres is away, having it in the spool is enough: the next start stores it.
        """
        self._closing = True
        with trio.CancelScope(deadline=deadline, shield=True):
            await self._backlog.until(self._is_safe)
        self._scope.cancel()
        stored = not self._backlog.conversations
        with trio.CancelScope(shield=True):
            for shard in self._shards:
                try:
                    await (shard.close() if stored else shard.abort())
                except DatabaseError as error:
                    _log.warning("connection of the writer not closed", error=str(error))
            await self._ended.wait()  # the spool is for one task at a time
            if self._spooler is not None:
                await self._clear(self._spooler)
        if self._backlog.oldest_unspooled() is not None:
            _log.error("writes lost in closing", rows=self._backlog.rows)
        if self._backlog.spooled:
            _log.warning("writes left in the spool", writes=self._backlog.spooled)
        return stored

    async def _clear(self, spooler: Spooler) -> None:
        try:
            await spooler.clear()
        except SpoolUnavailable as error:
            # They are stored a second time by the next start, which changes nothing.
            _log.warning("stored writes left in the spool", error=str(error))

    def _may_rest(self) -> bool:
        """Whether what is in the spool may take its time: it is far from full."""
        spool = self._spooler.spool if self._spooler is not None else None
        return spool is not None and spool.is_half_empty and not self._closing

    def _is_safe(self) -> bool:
        if self._availability.away and self._spooler is not None:
            return self._backlog.oldest_unspooled() is None
        return not self._backlog.conversations

    def _is_stuck(self) -> bool:
        """Nothing has taken what was written for a while, so there is no point in waiting."""
        return self._backlog.delayed > 0 or self._availability.away_for() > self._settings.wait_s

    def _deliver(
        self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome], report: BatchReport
    ) -> None:
        # All answers to one conversation in a row: it sends them in one go.
        conversations: dict[str, list[tuple[Parcel, Outcome]]] = {}
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            parcel.answered = True  # from here on the spool must not say otherwise
            conversations.setdefault(parcel.conversation, []).append((parcel, outcome))
        for answers in conversations.values():
            self._answers.extend(answers)
        self._count(report)
        if self._stored is not None:
            self._stored(conversations)
        if len(self._answers) == len(parcels):  # else earlier ones are being told
            self._tell_some()
            if self._answers:
                self._answer_waits.set()

    async def _answer(self) -> None:
        """What was too much to be told at once."""
        while True:
            if not self._answers:
                self._answer_waits = trio.Event()
                await self._answer_waits.wait()
            self._tell_some()
            await trio.lowlevel.checkpoint()

    def _tell_some(self) -> None:
        """As many answers as fit into a slice, those to one conversation always together."""
        end = trio.current_time() + _SLICE
        conversation = self._answers[0][0].conversation
        while self._answers:
            parcel, outcome = self._answers.popleft()
            if parcel.conversation != conversation and trio.current_time() >= end:
                self._answers.appendleft((parcel, outcome))
                break
            conversation = parcel.conversation
            if parcel.spooled and self._spooler is not None:
                self._spooler.settled(parcel, outcome)
            self._tell(parcel, outcome)
            self._backlog.remove(parcel)
        for shard in self._shards:
            shard.resume(self._backlog.conversations)
        self._backlog.changed()

    async def _watch(self) -> None:
        """Tell `Delayed` to who has waited too long."""
        while True:
            due = trio.current_time() + self._settings.answer_timeout_s
            if (oldest := self._backlog.oldest_untold()) is not None:
                due = oldest.since + self._settings.answer_timeout_s
            await trio.sleep_until(due)
            end = trio.current_time() + _SLICE
            while (oldest := self._backlog.oldest_untold()) is not None and (
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
