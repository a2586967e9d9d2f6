"""Jobs from outside: those that were given up, and trying them again."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import Any

from ..persistence.asyncio_thread import AsyncioThread
from ..persistence.embedded.running import running_dsn
from ..persistence.postgres.connection import Connection, connect
from ..persistence.postgres.database import Rows
from ..persistence.postgres.errors import DatabaseError, database_errors
from ..persistence.postgres.incarnation import Incarnation
from ..persistence.postgres.jobs import PostgresJobs, Reads
from ..protocol.jobs import Job
from .places import data_directory
from .settings import Settings
from .storage import StartupError


async def dead_jobs(settings: Settings, limit: int) -> list[Job]:
    """At most `limit` of the jobs that were given up, the oldest first. Raises `StartupError`."""
    async with _jobs(settings) as jobs:
        return await jobs.dead(limit)


async def retry_jobs(settings: Settings, ids: Collection[str] | None) -> int:
    """Have those, or all, tried again by the engine; how many they are. Raises `StartupError`."""
    async with _jobs(settings) as jobs:
        return await jobs.retry(time.time_ns() // 1_000_000, ids)


@asynccontextmanager
async def _jobs(settings: Settings) -> AsyncGenerator[PostgresJobs]:
    async with line(settings, settings.storage.query_timeout_s) as database:
        yield PostgresJobs(database, Incarnation())


@asynccontextmanager
async def line(settings: Settings, timeout_s: float) -> AsyncGenerator[Reads]:
    """Beside a running engine, whom this neither stops nor fences off. Raises `StartupError`."""
    try:
        async with AsyncioThread() as thread:
            dsn = _dsn(settings)
            with database_errors():
                connection = await thread.run(connect, dsn, timeout_s)
            try:
                yield _Line(thread, connection)
            finally:
                await thread.run(connection.close)
    except DatabaseError as error:
        raise StartupError(f"The database cannot be used: {error}") from error


class _Line:
    """One connection, where the store has many."""

    def __init__(self, thread: AsyncioThread, connection: Connection) -> None:
        self._thread = thread
        self._connection = connection

    async def fetch(self, sql: str, *arguments: Any) -> Rows:
        with database_errors():
            return await self._thread.run(self._connection.fetch, sql, *arguments)


def _dsn(settings: Settings) -> str:
    if settings.storage.memory:
        raise StartupError("In memory there are no jobs to look at from outside.")
    if settings.storage.dsn is not None:
        return settings.storage.dsn.get_secret_value()
    directory = data_directory(settings)
    dsn = None if directory is None else running_dsn(directory)
    if dsn is None:
        raise StartupError("The embedded Postgres is not running: start `palaver serve` first.")
    return dsn
