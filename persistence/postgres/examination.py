"""What can be learned of a server from outside, by somebody who changes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from .connection import Connection, connect
from .durability import risks
from .errors import database_errors
from .migrate import MigrationRefused, compare, migrations

COMMITS: Final = 10
"""Measured, after a first one that does not count."""

_SETTINGS = (
    "fsync", "full_page_writes", "synchronous_commit", "max_connections", "server_encoding",
    "superuser_reserved_connections", "reserved_connections", "TimeZone",
)  # fmt: skip
_STATE = """
    SELECT
        current_database() AS database,
        pg_is_in_recovery() AS standby,
        current_setting('transaction_read_only') = 'on' AS read_only,
        (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS collation,
        (SELECT count(*) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND application_name <> 'palaver') AS others,
        EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS trigrams,
        to_regclass('migration') IS NOT NULL AS migrated,
        CASE WHEN to_regclass('log') IS NULL
            THEN coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
            ELSE has_table_privilege(to_regclass('log'), 'SELECT')
                AND has_table_privilege(to_regclass('log'), 'INSERT')
                AND has_table_privilege(to_regclass('log'), 'UPDATE')
        END AS permitted
"""
# Written to the log of the server and flushed with its commit, like any row; read by nobody.
_COMMIT = "SELECT pg_logical_emit_message(true, 'palaver', 'doctor')"


@dataclass(frozen=True, slots=True)
class Examination:
    """One look. Times in seconds; `clock_ahead_s`: how much its clock is ahead of ours, at least
    as exact as `clock_error_s`. `refused`: why these migrations do not fit this program."""

    version: int
    database: str
    encoding: str
    collation: str
    time_zone: str
    risks: list[str]
    standby: bool
    read_only: bool
    permitted: bool
    connections: int
    """that are not reserved to superusers"""
    others: int
    """of them in use, and not by palaver"""
    trigrams: bool
    clock_ahead_s: float
    clock_error_s: float
    commit_s: tuple[float, ...]
    missing: list[str]
    refused: str | None


async def examine(dsn: str, timeout_s: float) -> Examination:
    """Runs in the asyncio thread. Raises `DatabaseError`."""
    with database_errors():
        connection = await connect(dsn, timeout_s)
    try:
        with database_errors():
            return await _examine(connection)
    finally:
        with database_errors():
            await connection.close(timeout=timeout_s)


async def _examine(connection: Connection) -> Examination:
    rows = await connection.fetch(
        "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])", list(_SETTINGS)
    )
    settings: dict[str, str] = {row["name"]: row["setting"] for row in rows}
    state = await connection.fetchrow(_STATE)
    assert state is not None
    ahead, error = await _clock(connection)
    missing, refused = await _migrations(connection, state["migrated"])
    writable = not (state["standby"] or state["read_only"])
    reserved = ("superuser_reserved_connections", "reserved_connections")
    return Examination(
        version=connection.get_server_version().major,
        database=state["database"],
        encoding=settings["server_encoding"],
        collation=state["collation"],
        time_zone=settings["TimeZone"],
        risks=risks(settings),
        standby=state["standby"],
        read_only=state["read_only"],
        permitted=state["permitted"],
        connections=int(settings["max_connections"])
        - sum(int(settings.get(name, 0)) for name in reserved),
        others=state["others"],
        trigrams=state["trigrams"],
        clock_ahead_s=ahead,
        clock_error_s=error,
        commit_s=await _commits(connection) if writable else (),
        missing=missing,
        refused=refused,
    )


async def _clock(connection: Connection) -> tuple[float, float]:
    """How far its clock is ahead, and how wrong that may be: the round trip lies between."""
    before = time.time()
    theirs = await connection.fetchval(
        "SELECT extract(epoch FROM clock_timestamp())::double precision"
    )
    after = time.time()
    return theirs - (before + after) / 2, (after - before) / 2


async def _migrations(connection: Connection, migrated: bool) -> tuple[list[str], str | None]:
    known = migrations()
    applied: dict[int, tuple[str, str]] = {}
    if migrated:
        rows = await connection.fetch("SELECT version, name, checksum FROM migration")
        applied = {row["version"]: (row["name"], row["checksum"]) for row in rows}
    try:
        compare(applied, known)
    except MigrationRefused as refused:
        return [], str(refused)
    return [f"{each.version:04} {each.name}" for each in known if each.version not in applied], None


async def _commits(connection: Connection) -> tuple[float, ...]:
    taken = []
    for _ in range(COMMITS + 1):
        began = time.perf_counter()
        await connection.execute(_COMMIT)
        taken.append(time.perf_counter() - began)
    return tuple(taken[1:])
