"""The Postgres store: opened once per engine, migrated, fenced, and closed in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import structlog
import trio

from ...protocol.policy import Durability
from ..asyncio_thread import AsyncioThread
from . import incarnation
from .conversations import PostgresConversations
from .database import Database
from .errors import DatabaseError, database_errors
from .inboxes import PostgresInboxes
from .migrate import migrate
from .shard import BatchReport
from .writer import Writer, WriterSettings

_log = structlog.get_logger(__name__)


class PostgresStore:
    """Implements `Store`, between `async with` and its end.

    Entering migrates the database, ends all earlier incarnations and starts a new one. It raises
    `DatabaseError` if the database cannot be used, `MigrationRefused` if it must not be.

    Leaving stores everything that was appended, within `close_timeout_s` and even if cancelled;
    only if all of it got stored does the incarnation count as ended cleanly.

    A running store has at most `readers` connections, and one for each shard of the writer, however
    much it does (CONN-17). `durability="commit"` promises that nothing is shown before it is
    stored, so that no crash starts a new epoch.
    """

    journal: Writer
    conversations: PostgresConversations
    inboxes: PostgresInboxes

    def __init__(
        self,
        dsn: str,
        *,
        durability: Durability = "write_behind",
        readers: int = 8,
        query_timeout_s: float = 10.0,
        start_timeout_s: float = 30.0,
        close_timeout_s: float = 10.0,
        writer: WriterSettings | None = None,
        observer: Callable[[BatchReport], None] | None = None,
    ) -> None:
        self._dsn = dsn
        self._durability = durability
        self._readers = readers
        self._query_timeout_s = query_timeout_s
        self._start_timeout_s = start_timeout_s
        self._close_timeout_s = close_timeout_s
        self._writer = writer if writer is not None else WriterSettings()
        self._observer = observer
        self._thread = AsyncioThread()
        self._exits = AsyncExitStack()
        self.incarnation = 0
        self.migrated: list[str] = []
        """what entering had to apply"""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as exits:
            await exits.enter_async_context(self._thread)
            await self._start()
            database = Database(self._thread, self._dsn, self._readers, self._query_timeout_s)
            exits.push_async_callback(_shielded, database.aclose)
            self.journal = Writer(
                self._thread, self._dsn, self.incarnation, self._writer, self._observer
            )
            epochs = self._durability != "commit"
            self.conversations = PostgresConversations(database, self.incarnation, epochs)
            self.inboxes = PostgresInboxes(database, self.incarnation)
            nursery = await exits.enter_async_context(trio.open_nursery())
            nursery.start_soon(self.journal.run)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        await self._stop()
        try:
            return await self._exits.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # The nursery is no business of whoever raised `error`.
            if group.exceptions == (error,):
                return False
            raise

    async def _start(self) -> None:
        with database_errors():
            self.migrated = await self._thread.run(migrate, self._dsn, self._start_timeout_s)
            self.incarnation = await self._thread.run(
                incarnation.start, self._dsn, self._start_timeout_s
            )
        if self.migrated:
            _log.info("database migrated", applied=self.migrated)

    async def _stop(self) -> None:
        flushed = await self.journal.aclose(trio.current_time() + self._close_timeout_s)
        if not flushed:
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
