"""Finding messages: from the table `search`, checked against what the log and overlay say now.

The table lags behind by less than a second (`indexer.py`), membership and deletions do not: they
are looked up, so that what is deleted or was left cannot be found from the moment it is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import asyncpg

from ...protocol.ids import is_uuid
from ...protocol.records import Found, Hit, Referring, Search
from ...protocol.references import Reference
from .connection import connect
from .database import Database
from .indexer import Indexer
from .rows import LOG_WITH_OVERLAY, MESSAGE_COLUMNS, message_of

_TRIGRAM: Final = 3
"""Characters without which an index of trigrams is of no use."""
_SCOPED: Final = 200
"""Conversations that are looked for by their lexemes, in the index of words. Each of them costs
something for each hit, so of who has more, all messages are looked at."""

_TIMES: Final = f"""
    jsonb_array_elements(member.intervals) AS each
    CROSS JOIN LATERAL (
        SELECT (each ->> 0)::bigint AS first, coalesce((each ->> 1)::bigint, {2**63 - 1}) AS last
    ) AS times
"""


def _search(found: str) -> str:
    """One page and the total of `found`, a query for conversation, seq, at and rank.

    $1 user, $2 conversation, $3 what is searched for, $4 author, $5 and $6 times, $7 offset,
    $8 limit.
    """
    return f"""
        WITH found AS MATERIALIZED ({found})
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM found) AS counted
        LEFT JOIN LATERAL (
            SELECT l.conversation, hit.rank, {MESSAGE_COLUMNS}
            FROM (
                SELECT * FROM found
                ORDER BY rank DESC, at DESC, conversation, seq DESC
                OFFSET $7 LIMIT $8
            ) AS hit
            JOIN {LOG_WITH_OVERLAY} ON l.conversation = hit.conversation AND l.seq = hit.seq
        ) AS page ON true
        ORDER BY page.rank DESC, page.at DESC, page.conversation, page.seq DESC
    """


_MINE = """
    member.user_id = $1
    AND member.role IS NOT NULL
    AND ($2::uuid IS NULL OR member.conversation = $2)
"""

# The offsets keep it one look at each key per hit: else all that the user, or anybody, has put away
# would be read first.
_SHOWN = """
    (s.audience IS NULL OR $1 = ANY (s.audience))
    AND ($4::text IS NULL OR s.sender = $4)
    AND ($5::timestamptz IS NULL OR s.at > $5)
    AND ($6::timestamptz IS NULL OR s.at < $6)
    AND NOT EXISTS (
        SELECT FROM overlay AS o
        WHERE o.conversation = s.conversation AND o.seq = s.seq AND o.deleted_at IS NOT NULL
    )
    AND NOT EXISTS (
        SELECT FROM hidden AS h
        WHERE h.conversation = s.conversation AND h.user_id = $1 AND h.seq = s.seq
        OFFSET 0
    )
    AND NOT EXISTS (
        SELECT FROM preference AS p
        WHERE p.user_id = $1 AND p.conversation = s.conversation AND s.seq <= p.hidden_seq
        OFFSET 0
    )
"""

# The limit keeps it one look at the member's key per hit, whatever Postgres expects of the user.
_SEEN = f"""
    CROSS JOIN LATERAL (
        SELECT FROM member CROSS JOIN LATERAL {_TIMES}
        WHERE {_MINE}
            AND member.conversation = s.conversation
            AND s.seq BETWEEN times.first AND times.last
        LIMIT 1
    ) AS seen
"""

# Words so common that none is left find nothing.
BY_WORDS = _search(f"""
    SELECT s.conversation, s.seq, s.at, ts_rank(s.tsv, wanted.words) AS rank
    FROM (
        SELECT words, words && scope.lexemes AS scoped, scope.conversations > {_SCOPED} AS too_many
        FROM plainto_tsquery('english', $3) AS words
        CROSS JOIN (
            SELECT
                count(*) AS conversations,
                string_agg(quote_literal(' ' || conversation), '|')::tsquery AS lexemes
            FROM (SELECT conversation FROM member WHERE {_MINE} LIMIT {_SCOPED + 1}) AS mine
        ) AS scope
        WHERE numnode(words) > 0
    ) AS wanted
    CROSS JOIN LATERAL (
        SELECT * FROM search WHERE search.tsv @@ wanted.scoped AND NOT wanted.too_many
        UNION ALL
        SELECT each.*
        FROM member
        CROSS JOIN LATERAL (
            SELECT * FROM search
            WHERE search.conversation = member.conversation
                AND (search.tsv @@ wanted.words) IS TRUE -- not by the index
            OFFSET 0
        ) AS each
        WHERE {_MINE} AND wanted.too_many
    ) AS s
    {_SEEN}
    WHERE {_SHOWN}
""")

# Postgres chooses what narrows more: the index of trigrams, the conversations, or both.
BY_TRIGRAMS = _search(f"""
    SELECT s.conversation, s.seq, s.at, 0 AS rank
    FROM (
        SELECT * FROM search
        WHERE text ILIKE $3
            AND conversation = ANY (ARRAY (SELECT conversation FROM member WHERE {_MINE}))
        OFFSET 0
    ) AS s
    {_SEEN}
    WHERE {_SHOWN}
""")

# Without an index for it, everything that the user may see is looked at, and nothing else.
BY_LOOKING = _search(f"""
    SELECT s.conversation, s.seq, s.at, 0 AS rank
    FROM member
    CROSS JOIN LATERAL {_TIMES}
    CROSS JOIN LATERAL (
        SELECT * FROM search
        WHERE search.conversation = member.conversation
            AND search.seq BETWEEN times.first AND times.last
            AND search.text ILIKE $3
        OFFSET 0
    ) AS s
    WHERE {_MINE} AND {_SHOWN}
""")

# $1 and $2 type and id, $3 and $4 the place after which it goes on, $5 limit. The first event of a
# conversation is no message.
REFERRING = """
    SELECT r.conversation, r.seq, l.message_id
    FROM log_reference AS r
    JOIN log AS l ON l.conversation = r.conversation AND l.seq = r.seq
    WHERE r.type = $1 AND r.id = $2 AND (r.conversation, r.seq) > ($3, $4)
    ORDER BY r.conversation, r.seq
    LIMIT $5
"""
_BEGINNING: Final = ("00000000-0000-0000-0000-000000000000", 0)


class PostgresSearches:
    """Implements `Searches`. `trigrams` tells whether there is an index of them."""

    def __init__(self, database: Database, indexer: Indexer, trigrams: Callable[[], bool]) -> None:
        self._database = database
        self._indexer = indexer
        self._trigrams = trigrams

    async def search(self, search: Search) -> Found:
        if search.conversation is not None and not is_uuid(search.conversation):
            return Found([], 0)
        rows = await self._database.fetch(
            self._sql(search),
            search.user,
            search.conversation,
            search.text if search.mode == "fts" else substring(search.text),
            search.by,
            search.after,
            search.before,
            search.offset,
            search.limit,
        )
        hits = [row for row in rows if row["seq"] is not None]
        return Found([_hit(str(row["conversation"]), row) for row in hits], rows[0]["total"])

    async def referring(
        self, to: Reference, limit: int, after: tuple[str, int] | None = None
    ) -> list[Referring]:
        rows = await self._database.fetch(REFERRING, *to, *(after or _BEGINNING), limit)
        return [_referring(row) for row in rows]

    async def caught_up(self) -> None:
        await self._indexer.caught_up()

    def _sql(self, search: Search) -> str:
        if search.mode == "fts":
            return BY_WORDS
        return BY_TRIGRAMS if self._trigrams() and len(search.text) >= _TRIGRAM else BY_LOOKING


def substring(text: str) -> str:
    """The pattern of LIKE that finds exactly `text`, wherever it stands."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"


def _referring(row: asyncpg.Record) -> Referring:
    message = row["message_id"]
    return Referring(str(row["conversation"]), row["seq"], message and str(message))


def _hit(conversation: str, row: asyncpg.Record) -> Hit:
    return Hit(conversation, message_of(conversation, row))


async def index_trigrams(dsn: str, timeout_s: float) -> str | None:
    """Make an index of trigrams, if there is none; what prevents that, in words.

    Runs in the asyncio thread. Takes its time where there are many messages already.
    """
    connection = await connect(dsn, timeout_s)
    try:
        if not await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')"
        ):
            return "this server does not have the extension pg_trgm"
        try:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except asyncpg.InsufficientPrivilegeError:
            return "a superuser must CREATE EXTENSION pg_trgm first"
        await connection.execute(
            "CREATE INDEX IF NOT EXISTS search_trgm ON search USING gin (text gin_trgm_ops)",
            timeout=3600,
        )
        return None
    finally:
        await connection.close(timeout=timeout_s)
