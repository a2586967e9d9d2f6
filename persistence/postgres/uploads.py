"""Announced files in Postgres."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from ...protocol.ids import is_uuid
from ...protocol.uploads import Content, Upload
from .database import Database

_ADD = """
    INSERT INTO upload (id, owner, type, mime, size, name, original_name, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FIND = "SELECT * FROM upload WHERE id = ANY ($1::uuid[])"
_SENT_IN = """
    SELECT log.conversation, log.event_id
    FROM (
        SELECT a.conversation, a.seq FROM attachment AS a
        JOIN member AS m ON m.conversation = a.conversation AND m.user_id = $2
        WHERE a.url = $1 AND a.url LIKE '/v1/files/%'
        LIMIT $3
    ) AS sent
    JOIN log USING (conversation, seq)
"""
_COMPLETE = """
    UPDATE upload SET
        completed_at = now(), stored_size = $2, sha256 = $3, width = $4, height = $5,
        thumbnails = $6
    WHERE id = $1 AND completed_at IS NULL
"""
_FORGET = """
    DELETE FROM upload WHERE completed_at IS NULL AND id = ANY (ARRAY (
        SELECT id FROM upload WHERE completed_at IS NULL AND created_at < $1 LIMIT $2
    ))
    RETURNING id
"""


class PostgresUploads:
    """Implements `Uploads`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, upload: Upload) -> None:
        await self._database.fetch(
            _ADD,
            upload.id,
            upload.owner,
            upload.type,
            upload.mime,
            upload.size,
            upload.name,
            upload.original_name,
            upload.created_at,
        )

    async def find(self, ids: Collection[str]) -> dict[str, Upload]:
        rows = await self._database.fetch(_FIND, [id for id in ids if is_uuid(id)])
        return {str(row["id"]): _upload(row) for row in rows}

    async def sent_in(self, url: str, user: str, limit: int) -> list[tuple[str, str]]:
        rows = await self._database.fetch(_SENT_IN, url, user, limit)
        return [(str(row["conversation"]), str(row["event_id"])) for row in rows]

    async def complete(self, id: str, content: Content) -> None:
        await self._database.fetch(
            _COMPLETE,
            id,
            content.size,
            content.sha256,
            content.width,
            content.height,
            list(content.thumbnails),
        )

    async def forget(self, before: int, limit: int) -> list[str]:
        rows = await self._database.fetch(_FORGET, before, limit)
        return [str(row["id"]) for row in rows]


def _upload(row: asyncpg.Record) -> Upload:
    content = None
    if row["completed_at"] is not None:
        content = Content(
            row["stored_size"],
            row["sha256"],
            row["width"],
            row["height"],
            tuple(row["thumbnails"]),
        )
    return Upload(
        str(row["id"]),
        row["owner"],
        row["type"],
        row["mime"],
        row["size"],
        row["name"],
        row["original_name"],
        row["created_at"],
        content,
    )
