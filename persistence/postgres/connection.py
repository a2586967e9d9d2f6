"""A Postgres connection as this package wants it, whoever opens it.

Times cross as milliseconds since 1970 (Postgres keeps microseconds, from 2000 on) and JSON as
bytes, both in the binary protocol: arrays of rows cannot carry values in text form.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import asyncpg

_2000 = 946_684_800_000
"""Milliseconds from 1970 to the beginning of Postgres' time."""
_JSONB_VERSION = b"\x01"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


async def prepare(connection: Any) -> None:
    """Set the codecs (the `init` of a pool)."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda ms: ((ms - _2000) * 1000,),
        decoder=lambda stored: stored[0] // 1000 + _2000,
    )
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda data: _JSONB_VERSION + data,
        decoder=lambda data: json.loads(data[1:]),
    )


async def keep(connection: Any) -> None:
    """The `reset` of a pool: nothing here leaves traces in a session, so nothing is removed, which
    saves a round trip per release."""


def settings(timeout_s: float) -> dict[str, Any]:
    """Arguments of every `asyncpg.connect`."""
    return {
        "timeout": timeout_s,
        "command_timeout": timeout_s,
        "server_settings": {
            "application_name": "palaver",
            # Compiling a plan pays off in seconds; nothing here runs that long.
            "jit": "off",
            # Whatever the role or the database says: a reply means that the commit is on disk.
            "synchronous_commit": "on",
        },
    }


async def connect(dsn: str, timeout_s: float) -> Connection:
    """A connection of one's own, outside the pool. `timeout_s` bounds the wait for it, and then
    every statement."""
    connection: Connection = await asyncpg.connect(dsn, **settings(timeout_s))
    try:
        await prepare(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection
