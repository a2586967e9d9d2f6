import ssl
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import trio

from palaver.persistence.asyncio_thread import AsyncioThread, AsyncioThreadDied
from palaver.persistence.postgres.errors import (
    DatabaseError,
    DatabaseFull,
    DatabaseUnavailable,
    RowRefused,
    TransientConflict,
    database_errors,
)


def postgres(sqlstate: str) -> asyncpg.PostgresError:
    """What asyncpg makes of an ErrorResponse of the server."""
    fields = {"C": sqlstate, "M": "the message", "D": "Key (body)=(a secret) exists."}
    error: asyncpg.PostgresError = asyncpg.PostgresError.new(fields)
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (postgres("08006"), DatabaseUnavailable),
        (postgres("57P01"), DatabaseUnavailable),  # admin_shutdown
        (postgres("57P03"), DatabaseUnavailable),  # cannot_connect_now
        (postgres("57014"), DatabaseUnavailable),  # statement_timeout
        (postgres("57P04"), DatabaseError),  # the database was dropped
        (postgres("53300"), DatabaseUnavailable),  # too_many_connections
        (postgres("53100"), DatabaseFull),
        (postgres("25006"), DatabaseUnavailable),  # fail-over
        (postgres("58030"), DatabaseUnavailable),  # io_error
        (postgres("40001"), TransientConflict),
        (postgres("40P01"), TransientConflict),
        (postgres("40003"), DatabaseUnavailable),
        (postgres("40002"), RowRefused),
        (postgres("55P03"), TransientConflict),
        (postgres("22021"), RowRefused),
        (postgres("23505"), RowRefused),
        (postgres("23514"), RowRefused),
        (postgres("54000"), RowRefused),
        (postgres("42P01"), DatabaseError),  # undefined_table
        (postgres("28P01"), DatabaseError),  # invalid_password
        (postgres("XX001"), DatabaseError),  # data_corrupted
        (postgres("ZZ999"), DatabaseError),  # unheard of
        (asyncpg.InvalidCachedStatementError("stale"), TransientConflict),
        (asyncpg.OutdatedSchemaCacheError("stale"), TransientConflict),
        (asyncpg.InterfaceError("connection is closed"), DatabaseUnavailable),
        (asyncpg.InterfaceError("pool is closing"), DatabaseUnavailable),
        (asyncpg.InterfaceError("connection has been released back"), DatabaseUnavailable),
        (asyncpg.InterfaceError("another operation is in progress"), DatabaseError),
        (asyncpg.TargetServerAttributeNotMatched("no primary"), DatabaseUnavailable),
        (asyncpg.InternalClientError("a bug"), DatabaseError),
        (AsyncioThreadDied("gone"), DatabaseUnavailable),
        (TimeoutError(), DatabaseUnavailable),
        (ConnectionRefusedError("refused"), DatabaseUnavailable),
        (FileNotFoundError("no socket"), DatabaseUnavailable),
        (ssl.SSLError("handshake"), DatabaseUnavailable),
        (EOFError(), DatabaseUnavailable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(value)[:50],
)
def test_every_error_has_its_kind(error: Exception, kind: type[DatabaseError]) -> None:
    with pytest.raises(DatabaseError) as caught, database_errors():
        raise error
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error
    assert str(caught.value)


@pytest.mark.parametrize("error", [KeyError("mine"), ValueError("mine"), KeyboardInterrupt()])
def test_other_errors_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, database_errors():
        raise error
    assert caught.value is error


async def test_cancellation_passes() -> None:
    with trio.CancelScope() as scope, database_errors():
        scope.cancel()
        await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught


def test_no_error_no_trouble() -> None:
    with database_errors():
        pass


class Database:
    """One connection, used through the asyncio thread and the mapping as the product does."""

    def __init__(self, thread: AsyncioThread, connection: Any) -> None:
        self.thread = thread
        self.connection = connection

    async def execute(self, *statement: object) -> object:
        with database_errors():
            return await self.thread.run(self.connection.execute, *statement)


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    async with AsyncioThread() as thread:
        connection = await thread.run(asyncpg.connect, fresh_database)
        database = Database(thread, connection)
        await database.execute("CREATE TABLE log (seq bigint PRIMARY KEY, body text, at int4)")
        yield database
        await thread.run(connection.close)


async def test_a_duplicate_names_its_constraint_and_not_its_values(database: Database) -> None:
    insert = "INSERT INTO log (seq, body) VALUES (4711, $1)"
    await database.execute(insert, "first")
    with pytest.raises(RowRefused) as caught:
        await database.execute(insert, "second")
    assert caught.value.sqlstate == "23505"
    assert caught.value.constraint == "log_pkey"
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", "zero \0 byte"),  # refused by the server
        ("body", "lone \ud800 surrogate"),  # cannot even be encoded
        ("at", 2**40),
        ("at", "not a number"),
    ],
)
async def test_values_that_never_fit_are_refused(
    database: Database, column: str, value: object
) -> None:
    with pytest.raises(RowRefused) as caught:
        await database.execute(f"INSERT INTO log (seq, {column}) VALUES (1, $1)", value)
    assert str(value) not in str(caught.value)
    await database.execute("SELECT 1")  # the connection has survived


async def test_a_connection_that_the_server_ends_is_away(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        await database.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseUnavailable):
        await database.execute("SELECT 1")


async def test_a_server_that_does_not_answer_is_away(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable), database_errors():
        await database.thread.run(
            lambda: database.connection.execute("SELECT pg_sleep(10)", timeout=0.01)
        )


async def test_no_server_is_away(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable), database_errors():
        await database.thread.run(asyncpg.connect, "postgresql://palaver@/x?host=/nonexistent")


async def test_a_wrong_statement_is_nobody_elses_fault(database: Database) -> None:
    with pytest.raises(DatabaseError) as caught:
        await database.execute("SELECT * FROM nowhere")
    assert type(caught.value) is DatabaseError
    assert caught.value.sqlstate == "42P01"
