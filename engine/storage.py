"""Which store the settings ask for, opened; and every way in which that fails, in words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from ..actors.ports import Store
from ..persistence.asyncio_thread import AsyncioThread
from ..persistence.data_directory import DataDirectory, StartRefused
from ..persistence.embedded import EmbeddedPostgres
from ..persistence.memory.store import MemoryStore
from ..persistence.postgres.errors import DatabaseError
from ..persistence.postgres.migrate import MigrationRefused
from ..persistence.postgres.migrate import migrate as apply_migrations
from ..persistence.postgres.shard import BatchReport
from ..persistence.postgres.store import PostgresStore, SpoolSettings
from ..persistence.postgres.writer import WriterSettings
from ..persistence.spool import SpoolUnavailable
from .background import Background
from .metrics import Metrics
from .sections import Storage
from .settings import Settings


class StartupError(Exception):
    """The engine cannot start. The text is for a person and says what to do."""


@asynccontextmanager
async def open_store(
    settings: Settings, progress: Callable[[str], None], metrics: Metrics
) -> AsyncGenerator[Store]:
    """The store that `settings.storage` names. Closing it stores what is pending first."""
    if settings.storage.memory:
        yield MemoryStore(durability=settings.policy.durability)
        return

    def observe(report: BatchReport) -> None:
        metrics.commit_seconds.observe(report.seconds)
        metrics.batch_rows.observe(report.rows)

    storage = settings.storage
    async with AsyncExitStack() as stack:
        with _in_words():
            directory = stack.enter_context(_directory(storage))
        dsn = await stack.enter_async_context(_database(storage, directory, progress))
        spool = None
        if directory is not None and storage.spool_bytes:
            spool = SpoolSettings(directory.path / "spool", storage.spool_bytes)
        store = PostgresStore(
            dsn,
            durability=settings.policy.durability,
            search=settings.policy.search_mode,
            readers=storage.pool,
            query_timeout_s=storage.query_timeout_s,
            start_timeout_s=storage.start_timeout_s,
            close_timeout_s=storage.close_timeout_s,
            stall_s=storage.stall_s,
            spool=spool,
            progress=progress,
            writer=WriterSettings(
                shards=storage.writers,
                batch_rows=storage.batch_rows,
                buffer_rows=storage.buffer_rows,
                buffer_bytes=storage.buffer_bytes,
                answer_timeout_s=storage.answer_timeout_s,
                spool_after_s=storage.spool_after_s,
            ),
            observer=observe,
        )
        with _in_words():
            await stack.enter_async_context(store)
        yield store


async def migrate(settings: Settings) -> list[str]:
    """Bring the database that `settings.storage` names up to date; the names of what was applied.

    Raises `StartupError`. Doing it again changes nothing.
    """
    if settings.storage.memory:
        raise StartupError("There is nothing to migrate in memory.")
    async with AsyncExitStack() as stack:
        with _in_words():
            directory = stack.enter_context(_directory(settings.storage))
        dsn = await stack.enter_async_context(
            _database(settings.storage, directory, lambda _: None)
        )
        thread = await stack.enter_async_context(AsyncioThread())
        with _in_words():
            return await thread.run(apply_migrations, dsn, settings.storage.start_timeout_s)


@contextmanager
def _directory(storage: Storage) -> Generator[DataDirectory | None]:
    """The data directory, held meanwhile; None if nothing is kept on this machine."""
    if storage.dsn is not None and not storage.spool_bytes:
        yield None
        return
    with DataDirectory(storage.data) as directory:
        yield directory


@asynccontextmanager
async def _database(
    storage: Storage, directory: DataDirectory | None, progress: Callable[[str], None]
) -> AsyncGenerator[str]:
    """The DSN of the server to use: one's own, or the embedded one, which runs meanwhile."""
    if storage.dsn is not None:
        yield storage.dsn.get_secret_value()
        return
    server = EmbeddedPostgres(
        directory, start_timeout=storage.start_timeout_s, on_progress=progress
    )
    async with AsyncExitStack() as stack:
        with _in_words():
            await stack.enter_async_context(server)
        nursery = await stack.enter_async_context(Background())
        nursery.start_soon(server.keep_running)
        yield server.dsn


@contextmanager
def _in_words() -> Generator[None]:
    try:
        yield
    except (StartRefused, MigrationRefused) as error:
        raise StartupError(str(error)) from error
    except DatabaseError as error:
        raise StartupError(f"The database cannot be used: {error}") from error
    except SpoolUnavailable as error:
        raise StartupError(f"The spool cannot be written: {error}") from error
