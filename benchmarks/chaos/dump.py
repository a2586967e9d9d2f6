"""The database at the end of a run, read table by table once the engine has gone."""

from __future__ import annotations

from typing import Any

from ...persistence.asyncio_thread import AsyncioThread
from ...persistence.postgres.connection import connect
from .checker.truth import Epochs, MarkRow, Overlay, Row, Truth

_TIMEOUT_S = 30.0
_LOG = """
    SELECT conversation, seq, event_id, kind, sender, client_id, number, body, data
    FROM log WHERE conversation = ANY($1::uuid[])
"""
_OVERLAYS = """
    SELECT conversation, seq, text, deleted_at IS NOT NULL AS deleted
    FROM overlay WHERE conversation = ANY($1::uuid[])
"""
_MARKS = """
    SELECT conversation, user_id, kind, seq, n FROM mark WHERE conversation = ANY($1::uuid[])
"""
_EPOCHS = "SELECT id, epoch, starts_after FROM conversation WHERE id = ANY($1::uuid[])"


async def dump(dsn: str, conversations: list[str]) -> Truth:
    """What the log, the overlays, the marks and the epochs of `conversations` are."""
    async with AsyncioThread() as thread:
        log, overlays, marks, epochs = await thread.run(_read, dsn, conversations)
    return Truth(
        rows=[
            Row(
                c=str(row["conversation"]),
                seq=row["seq"],
                id=str(row["event_id"]),
                kind=row["kind"],
                sender=row["sender"],
                client_id=row["client_id"],
                number=row["number"],
                text=row["body"],
                data=row["data"] or {},
            )
            for row in log
        ],
        overlays=[
            Overlay(str(row["conversation"]), row["seq"], row["text"], row["deleted"])
            for row in overlays
        ],
        marks=[
            MarkRow(str(row["conversation"]), row["user_id"], row["kind"], row["seq"], row["n"])
            for row in marks
        ],
        epochs={str(row["id"]): Epochs(row["epoch"], tuple(row["starts_after"])) for row in epochs},
    )


async def _read(dsn: str, conversations: list[str]) -> list[Any]:
    """Runs in the asyncio thread."""
    connection = await connect(dsn, _TIMEOUT_S)
    try:
        return [
            await connection.fetch(query, conversations)
            for query in (_LOG, _OVERLAYS, _MARKS, _EPOCHS)
        ]
    finally:
        await connection.close()
