"""Migrations: numbered SQL files, applied in order when a store opens (DB-11).

Each runs in a transaction of its own together with the note that it was applied, so one that fails
leaves nothing behind. An advisory lock lets one engine at a time migrate. A file never changes once
it was released: its checksum is kept and compared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from .connection import Connection, connect
from .errors import database_errors

_LOCK = 0x70616C61766572
"""Any number of our own: "palaver"."""

OLDEST = 14
"""Major version of Postgres."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS migration (
        version integer PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationRefused(Exception):
    """The database is not one that this version can work with; the text says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Those of this version, in order."""
    found = [
        Migration(int(match[1]), match[2], file.read_text("utf-8"))
        for file in files(__package__).joinpath("migrations").iterdir()
        if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name))
    ]
    return sorted(found, key=lambda migration: migration.version)


async def migrate(
    dsn: str, timeout_s: float, known: Sequence[Migration] | None = None
) -> list[str]:
    """Bring the database up to date; return the names of what was applied now.

    Runs in the asyncio thread. Doing it again changes nothing. Raises `MigrationRefused`, or
    `DatabaseError`; what was applied before the failing one stays applied.
    """
    if known is None:
        known = migrations()
    with database_errors():
        connection = await connect(dsn, timeout_s)
    try:
        await _check(connection)
        with database_errors():
            # Held until the connection closes. Waiting for another engine's migration is no fault.
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=600)
            await connection.execute(_TABLE)
            rows = await connection.fetch("SELECT version, name, checksum FROM migration")
        compare({row["version"]: (row["name"], row["checksum"]) for row in rows}, known)
        applied = {row["version"] for row in rows}
        missing = [migration for migration in known if migration.version not in applied]
        for migration in missing:
            await _apply(connection, migration)
        return [f"{migration.version:04} {migration.name}" for migration in missing]
    finally:
        with database_errors():
            await connection.close(timeout=timeout_s)


async def _check(connection: Connection) -> None:
    """Refuse a server on which something would fail later, and less clearly."""
    version = connection.get_server_version()
    if version.major < OLDEST:
        raise MigrationRefused(
            f"PostgreSQL {OLDEST} or newer is needed; this server is {version.major}."
        )
    with database_errors():
        encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise MigrationRefused(
            f"the database must be encoded in UTF8, and this one is in {encoding}. "
            "Create another with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )


def compare(applied: dict[int, tuple[str, str]], known: Sequence[Migration]) -> None:
    """Raise `MigrationRefused` if a database with `applied` is not an earlier state of `known`."""
    by_version = {migration.version: migration for migration in known}
    newest = max(by_version)
    for version, (name, checksum) in sorted(applied.items()):
        if version > newest:
            raise MigrationRefused(
                f"the database is newer than this palaver: migration {version:04} {name} was "
                f"applied to it, and this version knows none after {newest:04}. "
                "Start the version that applied it, or a newer one."
            )
        if version not in by_version or by_version[version].checksum != checksum:
            raise MigrationRefused(
                f"migration {version:04} {name} was applied to the database in another form than "
                "the one this palaver has. A released migration must never be changed."
            )


async def _apply(connection: Connection, migration: Migration) -> None:
    with database_errors():
        async with connection.transaction():
            await connection.execute(migration.sql, timeout=600)
            await connection.execute(
                "INSERT INTO migration (version, name, checksum) VALUES ($1, $2, $3)",
                migration.version,
                migration.name,
                migration.checksum,
            )
