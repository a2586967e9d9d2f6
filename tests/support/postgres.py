"""One embedded Postgres for all tests of the process, and an empty database for each that asks.

tests/conftest.py hands both out.
"""

import asyncio
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
import trio

from palaver.persistence.embedded import EmbeddedPostgres

FRUGAL = (
    "ALTER SYSTEM SET autovacuum = off",  # it would hold up who drops a database
    "ALTER SYSTEM SET max_wal_size = '128MB'",
)


async def execute(dsn: str, *statements: str) -> object:
    """As superuser; the first value of what the last one says, if it says something."""
    connection = await asyncpg.connect(dsn.replace("//palaver@", "//postgres@"))
    try:
        value: object = None
        for statement in statements:
            value = await connection.fetchval(statement)
        return value
    finally:
        await connection.close()


async def set_durable(dsn: str, value: str) -> None:
    """Whether the server waits for the disk: `on` or `off`."""
    names = ("fsync", "full_page_writes")
    settings = [f"ALTER SYSTEM SET {name} = {value}" for name in names]
    await execute(dsn, *settings, "SELECT pg_reload_conf()")
    while await execute(dsn, "SHOW fsync") != value:
        pass  # it reloads when it gets to it


@contextmanager
def temporary_data() -> Iterator[Path]:
    """A directory that the account which runs Postgres for root can reach; `tmp_path` is not."""
    above = Path(tempfile.mkdtemp(prefix="palaver-test-"))
    above.chmod(0o711)
    try:
        yield above / "data"
    finally:
        shutil.rmtree(above)


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """The server that all tests of this process share, in a trio of its own: a test's trio ends
    with the test. It may lose what it has stored if the machine dies, which no test of it is about.
    """
    started: Future[tuple[str, trio.Event, trio.lowlevel.TrioToken]] = Future()

    async def serve(path: Path) -> None:
        stop = trio.Event()
        async with EmbeddedPostgres(path) as server:
            started.set_result((server.dsn, stop, trio.lowlevel.current_trio_token()))
            await stop.wait()

    def run(path: Path) -> None:
        try:
            trio.run(serve, path)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    with temporary_data() as path:
        thread = threading.Thread(target=run, args=(path,), name="postgres for the tests")
        thread.start()
        dsn, stop, token = started.result()
        try:
            asyncio.run(execute(dsn, *FRUGAL))
            asyncio.run(set_durable(dsn, "off"))
            yield dsn
        finally:
            token.run_sync_soon(stop.set)
            thread.join()


@pytest.fixture
def as_shipped(postgres_dsn: str) -> Iterator[None]:
    """For as long as the test takes, the server waits for the disk as it does by itself."""
    asyncio.run(set_durable(postgres_dsn, "on"))
    yield
    asyncio.run(set_durable(postgres_dsn, "off"))


@pytest.fixture
def fresh_database(postgres_dsn: str) -> Iterator[str]:
    """The dsn of a new, empty database, dropped after the test even if connections are open."""
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(execute(postgres_dsn, f"CREATE DATABASE {name} OWNER palaver STRATEGY file_copy"))
    yield postgres_dsn.replace("/palaver?", f"/{name}?")
    asyncio.run(execute(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)"))
