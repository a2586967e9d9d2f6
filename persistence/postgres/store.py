"""The Postgres store: opened once per engine, migrated, fenced, and closed in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog
import trio

from ...protocol.policy import Durability, SearchMode
from ..asyncio_thread import AsyncioThread
from ..spool.file import SpoolFile, SpoolRefused, SpoolUnavailable
from ..spool.spool import Spool
from . import incarnation
from .availability import Availability
from .committer import Committer
from .contents import PostgresContents
from .conversations import PostgresConversations
from .database import Database
from .drain import drain
from .durability import weaknesses
from .errors import DatabaseError, DatabaseUnavailable, database_errors
from .inboxes import PostgresInboxes
from .incarnation import Incarnation
from .indexer import Indexer
from .installation import installation, probe
from .jobs import PostgresJobs
from .migrate import MigrationRefused, migrate
from .searches import PostgresSearches, index_trigrams
from .shard import BatchReport
from .uploads import PostgresUploads
from .user_logs import PostgresUserLogs
from .writer import Writer, WriterSettings

_log = structlog.get_logger(__name__)

_START_AGAIN_S: Final = 1.0
_START_AGAIN_TIMEOUT_S: Final = 5.0
"""A step of a start in the background cannot be cancelled, and must not hold up a stop."""


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Where the spool lies, in a directory that no other engine uses, and how large it may grow."""

    directory: Path
    max_bytes: int = 128 * 1024 * 1024


class PostgresStore:
    """Implements `Store`, between `async with` and its end.

    Entering migrates the database, ends all earlier incarnations, starts a new one, and stores what
    the last engine left in the spool. It raises `DatabaseError` if the database cannot be used,
    `MigrationRefused` if it must not be, `SpoolRefused` if the spool cannot be read, and
    `SpoolUnavailable` if it cannot be written. Only if it holds something while the database is
    away is the store entered without that: then it has no room and answers UNAVAILABLE until the
    database is back and all of that is done.

    Leaving stores everything that was appended, within `close_timeout_s` and even if cancelled;
    only if all of it got stored does the incarnation count as ended cleanly.

    A running store has at most `readers` connections, one for each shard of the writer, and one to
    see whether the server answers, however much it does (CONN-17). `durability="commit"` promises
    that nothing is shown before it is stored, so that no crash starts a new epoch; the spool then
    takes nothing. `search="off"` indexes nothing, so that nothing can be found.
    """

    journal: Writer
    conversations: PostgresConversations
    inboxes: PostgresInboxes
    user_logs: PostgresUserLogs
    searches: PostgresSearches
    contents: PostgresContents
    jobs: PostgresJobs
    uploads: PostgresUploads

    def __init__(
        self,
        dsn: str,
        *,
        durability: Durability = "write_behind",
        search: SearchMode = "fts",
        readers: int = 8,
        query_timeout_s: float = 10.0,
        start_timeout_s: float = 30.0,
        close_timeout_s: float = 10.0,
        stall_s: float = 1.0,
        writer: WriterSettings | None = None,
        spool: SpoolSettings | None = None,
        observer: Callable[[BatchReport], None] | None = None,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._dsn = dsn
        self._durability = durability
        self._search = search
        self._readers = readers
        self._query_timeout_s = query_timeout_s
        self._start_timeout_s = start_timeout_s
        self._close_timeout_s = close_timeout_s
        self._writer = writer if writer is not None else WriterSettings()
        self._spool = spool
        self._observer = observer
        self._progress = progress
        self._thread = AsyncioThread()
        self._exits = AsyncExitStack()
        self._incarnation = Incarnation()
        self._file: SpoolFile | None = None
        self._trigrams = False
        ask = partial(self._thread.run, probe, dsn, stall_s, cancellable=True)
        self._availability = Availability(ask, stall_s)
        self.migrated: list[str] = []
        """what entering had to apply"""

    @property
    def incarnation(self) -> int:
        return self._incarnation.id

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as exits:
            await exits.enter_async_context(self._thread)
            if self._spool is not None:
                file = await trio.to_thread.run_sync(SpoolFile, self._spool.directory)
                self._file = exits.enter_context(file)
            started = await self._try_to_start()
            database = Database(
                self._thread, self._dsn, self._availability, self._readers, self._query_timeout_s
            )
            exits.push_async_callback(_shielded, database.aclose)
            spool = self._running_spool()
            indexer = Indexer(database, self._incarnation)
            searched = self._search != "off"
            self.journal = Writer(
                self._thread,
                self._dsn,
                self._incarnation,
                self._availability,
                self._writer,
                spool,
                self._observer,
                indexer.told if searched else None,
            )
            epochs = self._durability != "commit"
            self.conversations = PostgresConversations(database, self._incarnation, epochs)
            self.inboxes = PostgresInboxes(database, self._incarnation)
            self.user_logs = PostgresUserLogs(database)
            self.searches = PostgresSearches(database, indexer, lambda: self._trigrams)
            self.contents = PostgresContents(database)
            self.jobs = PostgresJobs(database, self._incarnation)
            self.uploads = PostgresUploads(database)
            nursery = await exits.enter_async_context(trio.open_nursery())
            nursery.start_soon(self.journal.run)
            nursery.start_soon(self._watch, started, spool)
            if searched:
                nursery.start_soon(indexer.run)
            exits.callback(nursery.cancel_scope.cancel)
            exits.push_async_callback(self._stop)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return await self._exits.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # The nursery is no business of whoever raised `error`.
            if group.exceptions == (error,):
                return False
            raise

    def _running_spool(self) -> Spool | None:
        if self._spool is None or self._file is None or self._durability == "commit":
            return None
        return Spool(self._file, lambda: self.incarnation, self._spool.max_bytes)

    async def _try_to_start(self) -> bool:
        """False if that has to wait, since the database is away and the spool holds something."""
        try:
            await self._start(self._start_timeout_s)
        except DatabaseUnavailable as error:
            waiting = 0 if self._file is None else self._file.summary().waiting
            if not waiting:
                raise
            self._progress(f"Postgres is away ({error}), and {waiting} writes wait in the spool")
            self._availability.lost(str(error))
            return False
        return True

    async def _start(self, timeout_s: float) -> None:
        dsn, run = self._dsn, self._thread.run
        with database_errors():
            self.migrated = await run(migrate, dsn, timeout_s)
            if self.migrated:
                _log.info("database migrated", applied=self.migrated)
            for weakness in await run(weaknesses, dsn, timeout_s):
                _log.warning(weakness)
            if self._file is not None:
                self._file.belong(await run(installation, dsn, timeout_s))
            if self._search == "trgm":
                await self._index_trigrams(timeout_s)
            current = Incarnation(await run(incarnation.start, dsn, timeout_s))
        if self._file is not None:
            await self._drain(self._file, current)
        self._incarnation.id = current.id

    async def _index_trigrams(self, timeout_s: float) -> None:
        problem = await self._thread.run(index_trigrams, self._dsn, timeout_s)
        self._trigrams = problem is None
        if problem is not None:
            _log.warning("substrings are searched for without an index", problem=problem)

    async def _drain(self, file: SpoolFile, current: Incarnation) -> None:
        committer = Committer(self._thread, self._dsn, current, self._writer.statement_timeout_s)

        def progress(done: int, waiting: int) -> None:
            self._progress(f"storing what waited in the spool: {done} of {waiting} writes")

        try:
            await drain(file, self._thread, committer, progress)
        finally:
            with trio.CancelScope(shield=True), suppress(DatabaseError), database_errors():
                await self._thread.run(committer.abort)

    async def _watch(self, started: bool, spool: Spool | None) -> None:
        while not started:
            await trio.sleep(_START_AGAIN_S)
            try:
                await self._start(_START_AGAIN_TIMEOUT_S)
            except DatabaseUnavailable as error:
                self._availability.lost(str(error))
            except (DatabaseError, MigrationRefused, SpoolRefused, SpoolUnavailable) as error:
                if str(error) != self._availability.problem:
                    _log.error("cannot start", problem=str(error))
                self._availability.lost(str(error))
            else:
                started = True
                if spool is not None:
                    spool.emptied()
                self._availability.found()
        await self._availability.run()

    async def _stop(self) -> None:
        flushed = await self.journal.aclose(trio.current_time() + self._close_timeout_s)
        if not flushed or not self.incarnation:
            return
        with trio.move_on_after(self._close_timeout_s, shield=True):
            try:
                with database_errors():
                    await self._thread.run(
                        incarnation.end, self._dsn, self._close_timeout_s, self.incarnation
                    )
            except DatabaseError as error:
                _log.warning("the end is not noted, counts as unclean", error=str(error))


async def _shielded(close: Callable[[], Awaitable[None]]) -> None:
    with trio.CancelScope(shield=True):
        await close()
