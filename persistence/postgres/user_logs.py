"""The users' own logs, from Postgres: an event and what follows from it in one statement."""

from __future__ import annotations

from collections.abc import Collection

from ...protocol.errors import Rejected
from ...protocol.features.blocks import BlockChanged
from ...protocol.features.hides import MessageHidden
from ...protocol.features.requests import RequestAnswered
from ...protocol.features.schedule import SEND, MessageScheduled, ScheduleCancelled
from ...protocol.features.stars import MessageStarred, MessageUnstarred
from ...protocol.jobs import NORMAL
from ...protocol.people import Bar, Standing
from ...protocol.personal import PreferenceChanged, SettingsChanged, UserEventData
from ...protocol.records import Remembered, Starred, UserEvent
from ..user_events import REMEMBERED, read
from .database import Database
from .rows import LOG_WITH_OVERLAY, MESSAGE_COLUMNS, Record, message_of, to_json


def _time(field: str) -> str:
    """A time of the payload, which has 0 for never."""
    ms = f"nullif(($4->>'{field}')::bigint, 0)"
    return f"timestamptz 'epoch' + {ms} * interval '1 millisecond'"


# What follows from an event: $1 user, $4 its payload, $5 its time; `added` is its row in the log.
_CONVERSATION = "($4->>'conversation')::uuid"
_FOLLOWS: dict[type[UserEventData], str] = {
    PreferenceChanged: f"""
        INSERT INTO preference
        SELECT
            {_CONVERSATION}, ($4->>'hidden_seq')::bigint, ($4->>'hidden_number')::bigint,
            {_time("muted_until")}, {_time("pinned_at")},
            ($4->>'archived')::boolean, ($4->>'unread')::boolean, $1
        FROM added
        ON CONFLICT (user_id, conversation) DO UPDATE SET
            hidden_seq = excluded.hidden_seq,
            hidden_number = excluded.hidden_number,
            muted_until = excluded.muted_until,
            pinned_at = excluded.pinned_at,
            archived = excluded.archived,
            unread = excluded.unread
    """,
    MessageHidden: f"""
        INSERT INTO hidden
        SELECT {_CONVERSATION}, ($4->>'message_seq')::bigint, ($4->>'counted')::boolean, $1
        FROM added
        ON CONFLICT DO NOTHING
    """,
    MessageStarred: f"""
        INSERT INTO star
        SELECT
            {_CONVERSATION}, ($4->>'message_id')::uuid, ($4->>'message_seq')::bigint, n, $5, $1
        FROM added
        ON CONFLICT (user_id, message_id) DO UPDATE SET n = excluded.n, at = excluded.at
    """,
    MessageUnstarred: """
        DELETE FROM star USING added
        WHERE star.user_id = $1 AND star.message_id = ($4->>'message_id')::uuid
    """,
    SettingsChanged: """
        INSERT INTO user_setting
        SELECT ($4->>'read_receipts')::boolean, $1, $4->>'presence', $4->>'messages_from'
        FROM added
        ON CONFLICT (user_id) DO UPDATE SET
            read_receipts = excluded.read_receipts,
            presence = excluded.presence,
            messages_from = excluded.messages_from
    """,
    BlockChanged: f"""
        INSERT INTO block
        SELECT {_CONVERSATION}, {_time("seen")}, $4->>'level', $1, $4->>'user' FROM added
        ON CONFLICT (user_id, blocked) DO UPDATE SET
            level = excluded.level, seen = excluded.seen
    """,
    RequestAnswered: f"""
        INSERT INTO message_request AS asked
        SELECT {_CONVERSATION}, $5, true, $4->>'status', $1 FROM added
        ON CONFLICT (conversation) DO UPDATE SET status = excluded.status
        WHERE asked.user_id = excluded.user_id
    """,
}


# What must be there, or be possible, or nothing is stored: a job is changed only before anybody has
# begun with it. Its row is locked by that, so that nobody can begin meanwhile.
_SEND_AT = _time("send_at")
_LEADS: dict[type[UserEventData], str] = {
    MessageScheduled: f"""
        INSERT INTO job AS old (id, due, next_at, priority, attempts, kind, state, owner, data)
        VALUES (
            ($4::jsonb->>'job')::uuid, {_SEND_AT}, {_SEND_AT},
            {NORMAL}, 0, '{SEND}', 'pending', $1, $4::jsonb
        )
        ON CONFLICT (id) DO UPDATE SET
            due = excluded.due, next_at = excluded.next_at, data = excluded.data
        WHERE old.state = 'pending' AND old.attempts = 0
        RETURNING id
    """,
    ScheduleCancelled: """
        UPDATE job SET state = 'cancelled', data = data - 'message'
        WHERE id = ($4::jsonb->>'job')::uuid AND state IN ('pending', 'cancelled') AND attempts = 0
        RETURNING id
    """,
}


def _append(lead: str | None, follows: str | None) -> str:
    return f"""
        WITH lead AS ({lead or "SELECT"}),
        added AS (
            INSERT INTO user_log (user_id, n, kind, subject, data, at)
            SELECT $1, coalesce(max(n), 0) + 1, $2, $3, $4::jsonb, $5::timestamptz
            FROM user_log WHERE user_id = $1
            HAVING EXISTS (SELECT FROM lead)
            ON CONFLICT DO NOTHING
            RETURNING n
        ),
        replaced AS (
            DELETE FROM user_log AS old USING added
            WHERE old.user_id = $1 AND old.subject = $3 AND old.n < added.n
        )
        {"" if follows is None else f", follows AS ({follows})"}
        SELECT (SELECT n FROM added) AS n, EXISTS (SELECT FROM lead) AS possible
    """


_APPEND = {kind: _append(_LEADS.get(kind), _FOLLOWS.get(kind)) for kind in (*_LEADS, *_FOLLOWS)}
_APPEND_ALONE = _append(None, None)
_IS_THERE = "SELECT FROM job WHERE id = $1"

_AFTER = "SELECT n, kind, data, at FROM user_log WHERE user_id = $1 AND n > $2 ORDER BY n LIMIT $3"
_REMEMBERED = """
    SELECT last.n AS last, own.n, own.kind, own.data, own.at
    FROM (SELECT coalesce(max(n), 0) AS n FROM user_log WHERE user_id = $1) AS last
    LEFT JOIN user_log AS own ON own.user_id = $1 AND own.kind = ANY ($2)
    ORDER BY own.n
"""

_RETICENT = "SELECT user_id FROM user_setting WHERE user_id = ANY ($1) AND NOT read_receipts"

_STANDINGS = """
    SELECT
        other.user_id,
        theirs.level AS bars,
        CASE WHEN setting.presence IS DISTINCT FROM 'nobody' THEN theirs.seen END AS seen,
        own.level AS barred,
        coalesce(setting.messages_from, 'everyone') AS messages_from
    FROM unnest($2::text[]) AS other (user_id)
    LEFT JOIN block AS theirs
        ON theirs.user_id = other.user_id AND theirs.blocked = $1 AND theirs.level <> 'none'
    LEFT JOIN block AS own
        ON own.user_id = $1 AND own.blocked = other.user_id AND own.level <> 'none'
    LEFT JOIN user_setting AS setting ON setting.user_id = other.user_id
"""

_UNDISTURBED = """
    SELECT user_id FROM preference
    WHERE user_id = ANY ($1) AND conversation = $2 AND muted_until > $4
    UNION
    SELECT user_id FROM block WHERE user_id = ANY ($1) AND blocked = $3 AND level <> 'none'
"""

_BARRING = "SELECT user_id, level FROM block WHERE conversation = $1 AND level <> 'none'"

_STARS = f"""
    SELECT
        mine.n, mine.at AS starred_at, mine.conversation, found.*,
        (SELECT max(seq) FROM log WHERE log.conversation = mine.conversation) AS as_of
    FROM star AS mine
    JOIN member
        ON member.conversation = mine.conversation
        AND member.user_id = $1 AND member.role IS NOT NULL
    JOIN LATERAL (
        SELECT {MESSAGE_COLUMNS} FROM {LOG_WITH_OVERLAY}
        WHERE l.conversation = mine.conversation
            AND l.seq = mine.seq
            AND l.event_id = mine.message_id
            AND l.message_id = mine.message_id
            AND (l.audience IS NULL OR $1 = ANY (l.audience))
    ) AS found ON true
    LEFT JOIN preference AS p ON p.user_id = $1 AND p.conversation = mine.conversation
    WHERE mine.user_id = $1
        AND ($2::bigint IS NULL OR mine.n < $2)
        AND EXISTS (
            SELECT FROM jsonb_array_elements(member.intervals) AS span
            WHERE mine.seq >= (span->>0)::bigint
                AND mine.seq <= coalesce((span->>1)::bigint, mine.seq)
        )
        AND mine.seq > coalesce(p.hidden_seq, 0)
        AND NOT EXISTS (
            SELECT FROM hidden
            WHERE hidden.conversation = mine.conversation
                AND hidden.user_id = $1 AND hidden.seq = mine.seq
        )
    ORDER BY mine.n DESC
    LIMIT $3
"""


class PostgresUserLogs:
    """Implements `UserLogs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remembered(self, user: str) -> Remembered:
        rows = await self._database.fetch(_REMEMBERED, user, REMEMBERED)
        events = [_event_of(user, row) for row in rows if row["n"] is not None]
        return Remembered(events, rows[0]["last"])

    async def append(self, user: str, data: UserEventData, at: int) -> UserEvent:
        sql = _APPEND.get(type(data), _APPEND_ALONE)
        n = None
        while n is None:  # something else of the user has taken that number
            (row,) = await self._database.fetch(
                sql, user, data.name, data.subject, to_json(data.fields()), at
            )
            if not row["possible"]:
                assert isinstance(data, MessageScheduled | ScheduleCancelled)
                there = await self._database.fetch(_IS_THERE, data.job)
                raise Rejected("VERSION_CONFLICT" if there else "MESSAGE_NOT_FOUND")
            n = row["n"]
        return UserEvent(user, n, data, at)

    async def after(self, user: str, n: int, limit: int) -> list[UserEvent]:
        rows = await self._database.fetch(_AFTER, user, n, limit)
        return [_event_of(user, row) for row in rows]

    async def reticent(self, users: Collection[str]) -> set[str]:
        return {row["user_id"] for row in await self._database.fetch(_RETICENT, list(users))}

    async def standings(self, user: str, others: Collection[str]) -> dict[str, Standing]:
        rows = await self._database.fetch(_STANDINGS, user, list(others))
        return {
            row["user_id"]: Standing(row["bars"], row["seen"], row["barred"], row["messages_from"])
            for row in rows
        }

    async def undisturbed(
        self, users: Collection[str], conversation: str, sender: str | None, now: int
    ) -> set[str]:
        rows = await self._database.fetch(_UNDISTURBED, list(users), conversation, sender, now)
        return {row["user_id"] for row in rows}

    async def barring(self, conversation: str) -> dict[str, Bar]:
        rows = await self._database.fetch(_BARRING, conversation)
        return {row["user_id"]: row["level"] for row in rows}

    async def stars(self, user: str, limit: int, before: int | None) -> list[Starred]:
        rows = await self._database.fetch(_STARS, user, before, limit)
        return [_starred(row) for row in rows]


def _event_of(user: str, row: Record) -> UserEvent:
    data = read(row["kind"], row["data"], user, row["n"])
    return UserEvent(user, row["n"], data, row["at"])


def _starred(row: Record) -> Starred:
    conversation = str(row["conversation"])
    message = message_of(conversation, row)
    return Starred(row["n"], row["starred_at"], conversation, message, row["as_of"])
