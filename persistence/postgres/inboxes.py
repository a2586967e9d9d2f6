"""What a user sees across conversations, from Postgres.

Unread counts are arithmetic on the head and the member's mark; only what no longer counts after
the mark is looked at, never the log. Of a conversation that is open in this engine the actor knows
better: marks reach the member's row when it passivates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...protocol.ids import is_uuid
from ...protocol.records import Changes, Head, Inbox, InboxRow, UserEvent
from .. import cursors
from .database import Database
from .incarnation import Incarnation
from .rows import Record, to_json

SHOWN_MEMBERS = 5
"""Of a conversation, in an inbox row: enough for a title; a direct one has two."""


def _rows(condition: str, rest: str = "") -> str:
    """Inbox rows of user $1 in incarnation $2, chosen by `condition` on member and head; the
    costly columns only of those that `rest` (order and limit) leaves."""
    return f"""
        SELECT
            mine.*, c.kind, c.epoch,
            mine.number - mine.read_number - (
                SELECT count(*)
                FROM overlay AS o
                JOIN log AS l ON l.conversation = o.conversation AND l.seq = o.seq
                WHERE o.conversation = mine.conversation
                    AND o.seq > mine.read_seq
                    AND o.deleted_at IS NOT NULL
                    AND l.number IS NOT NULL
            ) AS unread,
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
                member.read_seq, member.read_number,
                head.seq, head.number, head.at, head.title, head.last
            FROM member
            JOIN conversation_head AS head ON head.conversation = member.conversation
            WHERE member.user_id = $1 AND {condition}
            {rest}
        ) AS mine
        JOIN conversation AS c ON c.id = mine.conversation
        JOIN incarnation AS opened_in ON opened_in.id = c.opened_in
    """


_ALL = _rows("member.role IS NOT NULL")
_THESE = _rows("member.role IS NOT NULL AND member.conversation = ANY ($3::uuid[])")

_NEWEST_FIRST = "ORDER BY {}.at DESC, {}.conversation"
_PAGE = _rows(
    """member.role IS NOT NULL
            AND ($4::timestamptz IS NULL
                OR head.at < $4 OR (head.at = $4 AND member.conversation > $5::uuid))""",
    f"{_NEWEST_FIRST.format('head', 'member')} LIMIT $3",
) + _NEWEST_FIRST.format("mine", "mine")

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

_USER_EVENTS = "SELECT n, kind, data, at FROM user_log WHERE user_id = $1 AND n > $2 ORDER BY n"

_APPEND_USER_EVENT = """
    INSERT INTO user_log (user_id, n, kind, data, at)
    SELECT $1, coalesce(max(n), 0) + 1, $2, $3, $4 FROM user_log WHERE user_id = $1
    ON CONFLICT DO NOTHING
    RETURNING n
"""

_SEEN = """
    INSERT INTO presence AS old (user_id, last_seen)
    SELECT * FROM unnest($1::text[], $2::timestamptz[])
    ON CONFLICT (user_id) DO UPDATE SET last_seen = excluded.last_seen
    WHERE old.last_seen < excluded.last_seen
"""

_LAST_SEEN = "SELECT user_id, last_seen FROM presence WHERE user_id = ANY ($1)"


class PostgresInboxes:
    """Implements `Inboxes`."""

    def __init__(self, database: Database, incarnation: Incarnation) -> None:
        self._database = database
        self._incarnation = incarnation

    async def inbox(self, user: str, limit: int, cursor: str | None) -> Inbox:
        place = (None, None) if cursor is None else cursors.unpack(cursor)
        found = await self._fetch(_PAGE, user, limit + 1, *place)
        page = [_row_of(row) for row in found[:limit]]
        if len(found) <= limit:
            return Inbox(page, None)
        return Inbox(page, cursors.pack(page[-1].head.at, page[-1].conversation))

    async def changes(self, user: str, cursor: str | None, n: int) -> Changes:
        if cursor is None:
            found = await self._database.fetch(_CURSOR)
            changed = []
        else:
            found = await self._fetch(_CHANGES, user, cursors.counter(cursor))
            changed = [row for row in found if row["conversation"] is not None]
        return Changes(
            rows=[_row_of(row) for row in changed if row["role"] is not None],
            cursor=found[0]["cursor"],
            user_events=await self._user_events(user, n),
            left=[str(row["conversation"]) for row in changed if row["role"] is None],
        )

    async def rows(self, user: str, conversations: Collection[str] | None = None) -> Inbox:
        if conversations is None:
            found = await self._fetch(_ALL, user)
        else:
            found = await self._fetch(_THESE, user, [id for id in conversations if is_uuid(id)])
        return Inbox([_row_of(row) for row in found], None)

    async def append_user_event(
        self, user: str, kind: str, data: dict[str, object], at: int
    ) -> UserEvent:
        row = None
        while row is None:  # no row: another device of the user has taken that number
            row = await self._database.first(_APPEND_USER_EVENT, user, kind, to_json(data), at)
        return UserEvent(user, row["n"], kind, data, at)

    async def seen(self, at: Mapping[str, int]) -> None:
        # In one order: two statements that lock the same rows cannot wait for each other.
        users = sorted(at)
        await self._database.fetch(_SEEN, users, [at[user] for user in users])

    async def last_seen(self, users: Collection[str]) -> dict[str, int]:
        rows = await self._database.fetch(_LAST_SEEN, list(users))
        return {row["user_id"]: row["last_seen"] for row in rows}

    async def _user_events(self, user: str, n: int) -> list[UserEvent]:
        rows = await self._database.fetch(_USER_EVENTS, user, n)
        return [UserEvent(user, row["n"], row["kind"], row["data"], row["at"]) for row in rows]

    async def _fetch(self, sql: str, user: str, *arguments: object) -> list[Record]:
        return await self._database.fetch(sql, user, self._incarnation.id, *arguments)


def _row_of(row: Record) -> InboxRow:
    head = Head(row["seq"], row["number"], row["at"], row["title"], row["last"])
    return InboxRow(
        conversation=str(row["conversation"]),
        kind=row["kind"],
        epoch=row["epoch"],
        role=row["role"],
        members=row["members"],
        head=head.within(row["intervals"]),
        unread=row["unread"],
        stale=row["stale"],
    )
