"""Incarnations: one numbered row per start of an engine, which fences off all earlier ones.

Every batch locks the current row (`FOR SHARE`), and stores nothing if it has ended. So ending the
earlier ones waits for the batches that a dead process left open in a living Postgres; and when it
returns, that process, should it not be dead at all, can write no more.
"""

from __future__ import annotations

from dataclasses import dataclass

from .connection import connect
from .errors import database_errors


@dataclass(slots=True)
class Incarnation:
    """That of a running engine; `id` is 0 until it has started."""

    id: int = 0


_END_OTHERS = """
    UPDATE incarnation SET ended_at = now(), clean = false WHERE ended_at IS NULL
"""
_START = "INSERT INTO incarnation DEFAULT VALUES RETURNING id"
_END = """
    UPDATE incarnation SET ended_at = now(), clean = $2 WHERE id = $1 AND ended_at IS NULL
"""


async def start(dsn: str, timeout_s: float) -> int:
    """The id of a new incarnation, now the only one that has not ended.

    Runs in the asyncio thread. Raises `DatabaseError`, also if an earlier one's batch does not
    end within `timeout_s`.
    """
    with database_errors():
        connection = await connect(dsn, timeout_s)
    try:
        with database_errors():
            async with connection.transaction():
                await connection.execute(_END_OTHERS)
                id: int = await connection.fetchval(_START)
            return id
    finally:
        with database_errors():
            await connection.close(timeout=timeout_s)


async def end(dsn: str, timeout_s: float, id: int) -> None:
    """Note that everything that incarnation `id` has shown to anybody is stored."""
    with database_errors():
        connection = await connect(dsn, timeout_s)
    try:
        with database_errors():
            await connection.execute(_END, id, True)
    finally:
        with database_errors():
            await connection.close(timeout=timeout_s)
