"""Which database this is, whatever address it is reached by."""

from __future__ import annotations

from .connection import connect
from .errors import database_errors


async def installation(dsn: str, timeout_s: float) -> str:
    """The id that the database at `dsn` was given when it was made. Runs in the asyncio thread;
    raises `DatabaseError`."""
    with database_errors():
        connection = await connect(dsn, timeout_s)
    try:
        with database_errors():
            return str(await connection.fetchval("SELECT id FROM installation"))
    finally:
        with database_errors():
            await connection.close(timeout=timeout_s)


async def probe(dsn: str, timeout_s: float) -> None:
    """Return if the database answers. Runs in the asyncio thread; raises `DatabaseError`."""
    with database_errors():
        connection = await connect(dsn, timeout_s)
    try:
        with database_errors():
            await connection.execute("SELECT")
    finally:
        connection.terminate()
