"""Telling stored events again: a job for each, as when it was stored."""

from __future__ import annotations

from collections.abc import Collection

from ...protocol.jobs import LOW
from ...protocol.webhooks import WEBHOOK
from .jobs import Reads

# Under ids of their own: one that is still to be told, or was given up, stays what it is. They are
# taken in order of time, and after what is told for the first time.
_REPLAY = """
    WITH added AS (
        INSERT INTO job (id, due, next_at, priority, attempts, kind, state, data)
        SELECT
            gen_random_uuid(), at, at, $1, 0, $2, 'pending',
            jsonb_build_object('conversation', conversation, 'event_id', event_id, 'seq', seq)
        FROM log
        WHERE kind = ANY ($3) AND at >= $4 AND ($5::uuid IS NULL OR conversation = $5)
        RETURNING id
    )
    SELECT count(*) AS added FROM added
"""


async def replay(
    database: Reads, kinds: Collection[str], since: int, conversation: str | None
) -> int:
    """Have the events of these `kinds` since then (ms) told again; how many they are. Reads the
    whole log, unless a `conversation` is named."""
    (row,) = await database.fetch(_REPLAY, LOW, WEBHOOK, list(kinds), since, conversation)
    added: int = row["added"]
    return added
