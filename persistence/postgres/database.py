"""Reading: a pool of connections behind one method, for tasks of trio.

One call is one statement, one round trip and one crossing to the asyncio thread. Every failure is
an answer that the engine knows: a read that the database cannot serve now is UNAVAILABLE.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import trio

from ...protocol.errors import Rejected
from ..asyncio_thread import AsyncioThread
from .availability import Availability
from .connection import Pool, keep, prepare, settings
from .errors import DatabaseUnavailable, TransientConflict, database_errors
from .retry import repeated

Rows = list[asyncpg.Record]


class Database:
    """At most `size` connections, opened when they are needed and kept for a while.

    `timeout_s` bounds each call, the wait for a free connection included; while Postgres is known
    to be away, nothing waits. A cancelled call returns at once; its statement is cancelled, or its
    outcome dropped.
    """

    def __init__(
        self,
        thread: AsyncioThread,
        dsn: str,
        availability: Availability,
        size: int,
        timeout_s: float,
    ) -> None:
        self._thread = thread
        self._dsn = dsn
        self._availability = availability
        self._size = size
        self._timeout_s = timeout_s
        self._pool: Pool | None = None
        self._generation = 0
        self._opening = trio.Lock()

    async def fetch(self, sql: str, *arguments: Any) -> Rows:
        """The rows. Raises UNAVAILABLE; or `DatabaseError`, for what can only be a mistake."""
        if not self._availability.away:
            try:
                with trio.fail_after(self._timeout_s), self._availability.reading():
                    return await repeated(lambda: self._try(sql, arguments))
            except DatabaseUnavailable:
                self._availability.suspect()
            except (trio.TooSlowError, TransientConflict):
                pass
        raise Rejected("UNAVAILABLE", retry_after=1.0)

    async def first(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        rows = await self.fetch(sql, *arguments)
        return rows[0] if rows else None

    async def aclose(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None and self._generation == self._thread.generation:
            with database_errors():
                await self._thread.run(self._close, pool)

    async def _try(self, sql: str, arguments: tuple[Any, ...]) -> Rows:
        if self._pool is None or self._generation != self._thread.generation:
            await self._open()
        with database_errors():
            return await self._thread.run(self._fetch, sql, arguments, cancellable=True)

    async def _open(self) -> None:
        async with self._opening:
            if self._pool is None or self._generation != self._thread.generation:
                with database_errors():
                    self._pool = await self._thread.run(self._new_pool)

    async def _fetch(self, sql: str, arguments: tuple[Any, ...]) -> Rows:
        if self._pool is None or self._generation != self._thread.generation:
            raise TransientConflict("the connections died with their thread; there are new ones")
        return await self._pool.fetch(sql, *arguments)

    async def _new_pool(self) -> Pool:
        self._generation = self._thread.generation
        return await asyncpg.create_pool(
            self._dsn,
            min_size=0,  # so that opening it connects to nothing, and cannot fail
            max_size=self._size,
            init=prepare,
            reset=keep,
            **settings(self._timeout_s),
        )

    async def _close(self, pool: Pool) -> None:
        pool.terminate()
