"""What a user sees across conversations, from Postgres.

Unread counts are arithmetic on the head and the member's mark; only what no longer counts after
the mark is looked at, never the log. Of a conversation that is open in this engine the actor knows
better: marks reach the member's row when it passivates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...protocol.ids import is_uuid
from ...protocol.records import EVERYTHING, Changes, Head, Inbox, InboxRow, Selection
from ...protocol.state import Hidden
from .. import cursors
from .database import Database
from .incarnation import Incarnation
from .rows import Record

SHOWN_MEMBERS = 5
"""Of a conversation, in an inbox row: enough for a title; a direct one has two."""


def _uncounted(mine: str) -> str:
    """How many countable messages after `base_seq` of `mine` do not count for user $1."""
    return f"""((
                SELECT count(*)
                FROM overlay AS o
                JOIN log AS l ON l.conversation = o.conversation AND l.seq = o.seq
                WHERE o.conversation = {mine}.conversation
                    AND o.seq > {mine}.base_seq
                    AND o.deleted_at IS NOT NULL
                    AND l.number IS NOT NULL
                    AND (l.audience IS NULL OR $1 = ANY (l.audience))
            ) + (
                SELECT count(*)
                FROM log AS l
                WHERE l.conversation = {mine}.conversation
                    AND l.seq > {mine}.base_seq
                    AND l.audience IS NOT NULL
                    AND l.number IS NOT NULL
                    AND $1 <> ALL (l.audience)
            ) + (
                SELECT count(*)
                FROM hidden AS h
                LEFT JOIN overlay AS o ON o.conversation = h.conversation AND o.seq = h.seq
                WHERE h.conversation = {mine}.conversation
                    AND h.user_id = $1
                    AND h.seq > {mine}.base_seq
                    AND h.counted
                    AND o.deleted_at IS NULL
            ))"""


def _rows(condition: str, rest: str = "") -> str:
    """Inbox rows of user $1 in incarnation $2, chosen by `condition` on member, head, `own` (the
    user's preference, or defaults) and base; the costly columns only of those that `rest` (order
    and limit) leaves."""
    return f"""
        SELECT
            mine.*, c.kind, c.epoch,
            mine.number - mine.base_number - {_uncounted("mine")} AS unread,
            EXISTS (
                SELECT FROM hidden AS h
                WHERE h.conversation = mine.conversation
                    AND h.user_id = $1
                    AND h.seq = coalesce(
                        mine.last->'only'->$1->>'seq', mine.last->>'seq'
                    )::bigint
                OFFSET 0 -- one look at the key, not at all that anybody has hidden
            ) AS last_hidden,
            ARRAY (
                SELECT other.user_id FROM member AS other
                WHERE other.conversation = mine.conversation AND other.role IS NOT NULL
                ORDER BY other.user_id
                LIMIT {SHOWN_MEMBERS}
            ) AS members,
            opened_in.clean IS FALSE AND opened_in.id <> $2 AS stale
        FROM (
            SELECT
                member.conversation, member.role, member.intervals,
                head.seq, head.number, head.at, head.title, head.last, head.context,
                own.hidden_seq, own.pinned_at, own.request, base.base_seq, base.base_number
            FROM member
            JOIN conversation_head AS head ON head.conversation = member.conversation
            LEFT JOIN preference AS p
                ON p.user_id = $1 AND p.conversation = member.conversation
            LEFT JOIN message_request AS asked
                ON asked.user_id = $1
                AND asked.conversation = member.conversation
                AND asked.status <> 'accepted'
            CROSS JOIN LATERAL (
                SELECT
                    coalesce(p.hidden_seq, 0) AS hidden_seq,
                    coalesce(p.hidden_number, 0) AS hidden_number,
                    coalesce(p.pinned_at, timestamptz 'epoch') AS pinned_at,
                    coalesce(p.archived, false) AS archived,
                    coalesce(p.unread, false) AS unread,
                    asked.status AS request
            ) AS own
            CROSS JOIN LATERAL (
                SELECT
                    member.conversation,
                    greatest(member.read_seq, own.hidden_seq) AS base_seq,
                    CASE WHEN member.read_seq >= own.hidden_seq
                         THEN member.read_number ELSE own.hidden_number END AS base_number
            ) AS base
            WHERE member.user_id = $1 AND {condition}
            {rest}
        ) AS mine
        JOIN conversation AS c ON c.id = mine.conversation
        JOIN incarnation AS opened_in ON opened_in.id = c.opened_in
    """


_ALL = _rows("member.role IS NOT NULL")
_THESE = _rows("member.role IS NOT NULL AND member.conversation = ANY ($3::uuid[])")

# $3 limit; $4 to $6 the place after which the page begins; $7 to $9 the selection. What was hidden
# is back when its number has grown. A member's id is compared as it is, so that its key serves.
_NEWEST_FIRST = "ORDER BY {0}.pinned_at DESC, {1}.at DESC, {2}.conversation"
_PAGE = _rows(
    f"""member.role IS NOT NULL
            AND (own.hidden_seq = 0 OR head.number > own.hidden_number)
            AND own.request IS NOT DISTINCT FROM CASE $7 WHEN 'requests' THEN 'pending' END
            AND ($7 = 'requests' OR own.archived = ($7 = 'archived'))
            AND ($7 <> 'unread' OR own.unread OR (
                head.number > base.base_number
                AND head.number - base.base_number > {_uncounted("base")}
            ))
            AND ($8::text IS NULL
                OR strpos(' ' || lower(head.title), ' ' || lower($8)) > 0
                OR EXISTS (
                    SELECT FROM member AS other
                    WHERE other.conversation = member.conversation
                        AND other.role IS NOT NULL
                        AND other.user_id <> $1
                        AND other.user_id >= $8
                        AND other.user_id < $8 || chr(1114111)
                ))
            AND ($9::text[] IS NULL OR EXISTS (
                SELECT FROM log_reference AS r
                WHERE r.type = ($9::text[])[1]
                    AND r.id = ($9::text[])[2]
                    AND r.conversation = member.conversation
                    AND r.seq = 1
            ))
            AND ($6::uuid IS NULL OR own.pinned_at < $4
                OR (own.pinned_at = $4 AND (head.at < $5
                    OR (head.at = $5 AND member.conversation > $6))))""",
    f"{_NEWEST_FIRST.format('own', 'head', 'member')} LIMIT $3",
) + _NEWEST_FIRST.format("mine", "mine", "mine")

# The cursor is the oldest transaction that may still commit, seen by the snapshot that reads the
# rows: what commits later has that number or a greater one, so nothing falls between two calls.
# What was open when an engine died, and has not been opened since, may have shown what is lost.
_CURSOR = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS cursor"
_CHANGES = f"""
    SELECT now.cursor, changed.*
    FROM ({_CURSOR}) AS now
    LEFT JOIN LATERAL ({
    _rows('''
        (member.xid >= $3::xid8 OR (member.role IS NOT NULL AND (
            head.xid >= $3::xid8
            OR EXISTS (
                SELECT FROM conversation AS open
                JOIN incarnation AS dead ON dead.id = open.opened_in
                WHERE open.id = member.conversation AND dead.clean IS FALSE AND dead.id <> $2
            )
        )))
    ''')
}) AS changed ON true
"""

_PEERS = """
    SELECT DISTINCT other.user_id
    FROM member AS mine
    JOIN member AS other ON other.conversation = mine.conversation
    WHERE mine.user_id = $1
        AND mine.role IS NOT NULL
        AND other.role IS NOT NULL
        AND other.user_id <> $1
        AND other.user_id > $2
        AND NOT EXISTS (
            SELECT FROM message_request AS asked
            WHERE asked.conversation = other.conversation
                AND asked.user_id = other.user_id
                AND asked.status <> 'accepted'
        )
    ORDER BY other.user_id
    LIMIT $3
"""

_SEEN = """
    INSERT INTO presence AS old (user_id, last_seen)
    SELECT * FROM unnest($1::text[], $2::timestamptz[])
    ON CONFLICT (user_id) DO UPDATE SET last_seen = excluded.last_seen
    WHERE old.last_seen < excluded.last_seen
"""

_LAST_SEEN = """
    SELECT user_id, last_seen FROM presence
    LEFT JOIN user_setting AS setting USING (user_id)
    WHERE user_id = ANY ($1) AND setting.presence IS DISTINCT FROM 'nobody'
"""


class PostgresInboxes:
    """Implements `Inboxes`."""

    def __init__(self, database: Database, incarnation: Incarnation) -> None:
        self._database = database
        self._incarnation = incarnation

    async def inbox(
        self, user: str, limit: int, cursor: str | None, selection: Selection = EVERYTHING
    ) -> Inbox:
        place = (None, None, None) if cursor is None else cursors.unpack(cursor)
        chosen = (selection.filter, selection.text, selection.about)
        found = await self._fetch(_PAGE, user, limit + 1, *place, *chosen)
        page = [_row_of(user, row) for row in found[:limit]]
        if len(found) <= limit:
            return Inbox(page, None)
        last = page[-1]
        return Inbox(page, cursors.pack((last.pinned_at, last.head.at, last.conversation)))

    async def changes(self, user: str, cursor: str | None) -> Changes:
        if cursor is None:
            found = await self._database.fetch(_CURSOR)
            changed = []
        else:
            found = await self._fetch(_CHANGES, user, cursors.counter(cursor))
            changed = [row for row in found if row["conversation"] is not None]
        return Changes(
            rows=[_row_of(user, row) for row in changed if row["role"] is not None],
            cursor=found[0]["cursor"],
            left=[str(row["conversation"]) for row in changed if row["role"] is None],
        )

    async def rows(self, user: str, conversations: Collection[str] | None = None) -> Inbox:
        if conversations is None:
            found = await self._fetch(_ALL, user)
        else:
            found = await self._fetch(_THESE, user, [id for id in conversations if is_uuid(id)])
        return Inbox([_row_of(user, row) for row in found], None)

    async def peers(self, user: str, after: str, limit: int) -> list[str]:
        rows = await self._database.fetch(_PEERS, user, after, limit)
        return [row["user_id"] for row in rows]

    async def seen(self, at: Mapping[str, int]) -> None:
        # In one order: two statements that lock the same rows cannot wait for each other.
        users = sorted(at)
        await self._database.fetch(_SEEN, users, [at[user] for user in users])

    async def last_seen(self, users: Collection[str]) -> dict[str, int]:
        rows = await self._database.fetch(_LAST_SEEN, list(users))
        return {row["user_id"]: row["last_seen"] for row in rows}

    async def _fetch(self, sql: str, user: str, *arguments: object) -> list[Record]:
        return await self._database.fetch(sql, user, self._incarnation.id, *arguments)


def _row_of(user: str, row: Record) -> InboxRow:
    last = None if row["last_hidden"] else row["last"]
    head = Head(row["seq"], row["number"], row["at"], row["title"], last, row["context"])
    hidden = Hidden(row["hidden_seq"])
    return InboxRow(
        conversation=str(row["conversation"]),
        kind=row["kind"],
        epoch=row["epoch"],
        role=row["role"],
        members=row["members"],
        head=head.seen_by(user, row["intervals"], hidden),
        unread=row["unread"],
        stale=row["stale"],
        pinned_at=row["pinned_at"],
        request=row["request"],
    )
