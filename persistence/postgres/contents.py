"""What deleted messages said, in Postgres."""

from __future__ import annotations

from ...protocol.ids import is_uuid
from ...protocol.records import Deleted
from ..payload import CONTENT, SAYING
from .database import Database
from .rows import event_of


def _silenced(last: str) -> str:
    return f"({last} || '{{\"text\":null}}') - 'attachments'"


# $1 conversation, $2 message, $3 when it was deleted, $4 names of what is content. The inbox shows
# no deleted text as soon as the deletion is stored, but an older snapshot may.
_ERASE = f"""
    WITH gone AS (
        SELECT o.seq
        FROM log AS l
        JOIN overlay AS o ON o.conversation = l.conversation AND o.seq = l.seq
        WHERE l.message_id = $2
            AND l.event_id = l.message_id
            AND l.conversation = $1
            AND o.deleted_at = $3
    ),
    said AS (
        UPDATE log SET body = NULL, data = log.data - $4::text[]
        FROM gone
        WHERE log.message_id = $2 AND log.conversation = $1
    ),
    changed AS (
        UPDATE overlay SET text = NULL, data = overlay.data - $4::text[]
        FROM gone
        WHERE overlay.conversation = $1 AND overlay.seq = gone.seq
    ),
    found AS (
        DELETE FROM search USING gone
        WHERE search.conversation = $1 AND search.seq = gone.seq
    ),
    shown AS (
        DELETE FROM attachment USING gone
        WHERE attachment.conversation = $1 AND attachment.seq = gone.seq
    ),
    own AS (
        SELECT jsonb_object_agg(each.key, CASE
            WHEN (each.value->>'seq')::bigint = gone.seq THEN {_silenced("each.value")}
            ELSE each.value
        END) AS last
        FROM gone, snapshot, jsonb_each(state #> '{{last,only}}') AS each
        WHERE snapshot.conversation = $1
    )
    UPDATE snapshot SET state = jsonb_set(state, '{{last}}', CASE
            WHEN (state #>> '{{last,seq}}')::bigint = gone.seq THEN {_silenced("state->'last'")}
            ELSE state->'last'
        END || CASE
            WHEN own.last IS NULL THEN '{{}}'
            ELSE jsonb_build_object('only', own.last)
        END)
    FROM gone, own
    WHERE snapshot.conversation = $1
        AND ((state #>> '{{last,seq}}')::bigint = gone.seq OR own.last IS NOT NULL)
"""


# $3 kinds of events after which a message says something else.
_DELETED = """
    SELECT
        l.seq, l.event_id, l.number, l.at, l.kind, l.sender, l.client_id, l.data, l.audience,
        l.body, false AS redacted, o.deleted_at
    FROM log AS l
    JOIN overlay AS o
        ON o.conversation = l.conversation AND o.seq = coalesce(l.message_seq, l.seq)
    WHERE l.message_id = $2
        AND l.conversation = $1
        AND o.deleted_at IS NOT NULL
        AND (
            l.event_id = l.message_id
            OR l.seq IN (
                SELECT max(seq) FROM log
                WHERE message_id = $2 AND conversation = $1 AND kind = ANY ($3)
                GROUP BY audience
            )
        )
    ORDER BY l.seq
"""


class PostgresContents:
    """Implements `Contents`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deleted(self, conversation: str, message: str) -> Deleted | None:
        if not is_uuid(conversation):
            return None
        rows = await self._database.fetch(_DELETED, conversation, message, SAYING)
        events = [event_of(conversation, row) for row in rows]
        return Deleted(rows[0]["deleted_at"], events) if rows else None

    async def erase(self, conversation: str, message: str, deleted_at: int) -> None:
        await self._database.fetch(_ERASE, conversation, message, deleted_at, CONTENT)
