"""Migrations: applied once, in order, by one engine at a time; and never onto something newer."""

import re
import uuid

import pytest
import trio

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.postgres.errors import DatabaseError
from palaver.persistence.postgres.migrate import Migration, MigrationRefused, migrate, migrations
from palaver.persistence.postgres.store import PostgresStore
from palaver.tests.persistence.contract.twins import execute

SCHEMA = """
    SELECT table_name, column_name, data_type, is_nullable
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
"""


async def apply(dsn: str, known: list[Migration]) -> list[str]:
    async with AsyncioThread() as thread:
        return await thread.run(migrate, dsn, 10.0, known)


async def migrated(dsn: str) -> list[str]:
    return await apply(dsn, migrations())


def test_they_are_numbered_from_one_without_gap():
    assert [migration.version for migration in migrations()] == list(
        range(1, len(migrations()) + 1)
    )


async def test_DB_11_twice_is_as_good_as_once(fresh_database: str):
    applied = await migrated(fresh_database)
    assert applied == [f"{each.version:04} {each.name}" for each in migrations()]
    before = [tuple(row) for row in await execute(fresh_database, SCHEMA)]
    assert await migrated(fresh_database) == []
    async with PostgresStore(fresh_database) as store:
        assert store.migrated == []
    assert [tuple(row) for row in await execute(fresh_database, SCHEMA)] == before


async def test_DB_01_all_tables_are_there(fresh_database: str):
    await migrated(fresh_database)
    rows = await execute(fresh_database, "SELECT DISTINCT table_name FROM (" + SCHEMA + ") AS s")
    assert {row["table_name"] for row in rows} >= {
        "incarnation", "conversation", "member", "log", "overlay", "mark", "user_log",
        "conversation_head", "snapshot", "presence", "migration",
        "preference", "hidden", "star", "user_setting", "attachment", "job",
    }  # fmt: skip


async def test_DB_11_two_engines_at_once_apply_each_once(fresh_database: str):
    applied: list[str] = []

    async def one() -> None:
        applied.extend(await migrated(fresh_database))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(one)
    assert applied == [f"{each.version:04} {each.name}" for each in migrations()]


async def test_later_ones_are_added_to_what_is_there(fresh_database: str):
    known = migrations()
    await apply(fresh_database, known)
    new = Migration(known[-1].version + 1, "more", "CREATE TABLE more (id integer)")
    assert await apply(fresh_database, [*known, new]) == [f"{new.version:04} more"]


async def test_DB_11_a_newer_database_is_refused_in_words(fresh_database: str):
    known = migrations()
    new = Migration(known[-1].version + 1, "more", "CREATE TABLE more (id integer)")
    await apply(fresh_database, [*known, new])
    with pytest.raises(MigrationRefused, match=f"newer than this palaver.*{new.version:04} more"):
        await migrated(fresh_database)
    with pytest.raises(MigrationRefused):
        async with PostgresStore(fresh_database):
            raise AssertionError("opened")


async def test_a_changed_migration_is_refused(fresh_database: str):
    await apply(fresh_database, [Migration(1, "first", "CREATE TABLE a (id integer)")])
    with pytest.raises(MigrationRefused, match="0001 first"):
        await apply(fresh_database, [Migration(1, "first", "CREATE TABLE a (id bigint)")])


async def test_one_that_fails_leaves_nothing_and_the_lock_free(fresh_database: str):
    good = Migration(1, "good", "CREATE TABLE good (id integer)")
    bad = Migration(2, "bad", "CREATE TABLE bad (id integer); SELECT 1 / 0")
    with pytest.raises(DatabaseError):
        await apply(fresh_database, [good, bad])
    rows = await execute(fresh_database, SCHEMA)
    assert {row["table_name"] for row in rows} == {"good", "migration"}
    mended = Migration(2, "bad", "CREATE TABLE bad (id integer)")
    assert await apply(fresh_database, [good, mended]) == ["0002 bad"]


async def test_a_database_that_cannot_hold_every_text_is_refused(fresh_database: str):
    name = f"latin_{uuid.uuid4().hex}"
    await execute(
        fresh_database,
        f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    )
    other = re.sub(r"/test_\w+\?", f"/{name}?", fresh_database)
    try:
        with pytest.raises(MigrationRefused, match=r"UTF8.*LATIN1"):
            await migrated(other)
    finally:
        await execute(fresh_database, f"DROP DATABASE {name} WITH (FORCE)")
