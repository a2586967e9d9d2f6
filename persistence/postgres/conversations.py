"""Reading one conversation from Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...protocol.commands import Position
from ...protocol.errors import Rejected
from ...protocol.events import Event
from ...protocol.features.edits import MessageEdited
from ...protocol.ids import is_uuid
from ...protocol.records import Events, Loaded, Messages, NumberedPage, PositionAt, Snapshot
from ...protocol.references import Reference
from .database import Database
from .incarnation import Incarnation
from .opening import HEAD, NARROW, OPEN, UNCOUNTED, loaded
from .pages import (
    ABOUT_AFTER,
    ABOUT_BEFORE,
    MEDIA,
    NUMBERED_ABOUT_FROM_NEWEST,
    NUMBERED_ABOUT_FROM_OLDEST,
    NUMBERED_FROM_NEWEST,
    NUMBERED_FROM_OLDEST,
    PAGE_AFTER,
    PAGE_BEFORE,
    REPLIES,
    SEQ_AT,
    SYSTEM_KINDS,
    as_of,
    clip,
)
from .rows import EVENT_COLUMNS, LOG_WITH_OVERLAY, MESSAGE_COLUMNS, Record, event_of, message_of

_TAIL = f"""
    SELECT {EVENT_COLUMNS} FROM {LOG_WITH_OVERLAY}
    WHERE l.conversation = $1 AND l.seq > $2
    ORDER BY l.seq
"""

_RENEW = """
    WITH renewed AS (
        UPDATE conversation SET epoch = epoch + 1, starts_after = starts_after || $2::bigint
        WHERE id = $1
        RETURNING id
    )
    UPDATE conversation_head AS head SET xid = pg_current_xact_id()
    FROM renewed WHERE head.conversation = renewed.id
    RETURNING renewed.id
"""

_EVENTS = as_of(f"{_TAIL} LIMIT $3")

_FIND = f"""
    SELECT {EVENT_COLUMNS} FROM {LOG_WITH_OVERLAY}
    WHERE l.conversation = $1 AND l.sender = $2 AND l.client_id = $3
"""

_MESSAGES = as_of(f"""
    SELECT {MESSAGE_COLUMNS} FROM {LOG_WITH_OVERLAY}
    WHERE l.message_id = ANY ($2::uuid[]) AND l.event_id = l.message_id AND l.conversation = $1
""")

_WHERE = """
    SELECT l.conversation FROM log AS l
    JOIN member AS m ON m.conversation = l.conversation AND m.user_id = $2
    WHERE l.message_id = $1 AND l.event_id = l.message_id
"""

_EDITS = as_of(f"""
    SELECT {EVENT_COLUMNS} FROM {LOG_WITH_OVERLAY}
    WHERE l.message_id = $2 AND l.kind = $3 AND l.conversation = $1
    ORDER BY l.seq DESC
    LIMIT $4
""")

_POSITION = f"""
    SELECT
        {HEAD} AS as_of,
        (
            SELECT number FROM log
            WHERE conversation = $1 AND seq <= $2 AND number IS NOT NULL
            ORDER BY seq DESC
            LIMIT 1
        ) AS number,
        (
            SELECT count(*) {UNCOUNTED} AND o.seq > $2
                AND (l.audience IS NULL OR $3 = ANY (l.audience))
        ) + (
            SELECT count(*) {NARROW} AND seq > $2 AND $3 <> ALL (audience)
        ) AS excluded
"""

# $2 seq, $3 and $4 users and where their marks are now. A mark or an own message lies there, so no
# more of the log is looked at than they read at once.
_READ_AT = """
    SELECT reader.user_id, least(moved.at, wrote.at) AS at
    FROM unnest($3::text[], $4::bigint[]) AS reader (user_id, read_seq)
    LEFT JOIN LATERAL (
        SELECT seq, at FROM mark
        WHERE conversation = $1 AND user_id = reader.user_id AND kind = 'read' AND seq >= $2
        ORDER BY seq
        LIMIT 1
    ) AS moved ON true
    LEFT JOIN LATERAL (
        SELECT at FROM log
        WHERE conversation = $1
            AND seq BETWEEN $2 AND least(reader.read_seq, moved.seq)
            AND sender = reader.user_id
            AND number IS NOT NULL
        ORDER BY seq
        LIMIT 1
    ) AS wrote ON true
    WHERE moved.at IS NOT NULL OR wrote.at IS NOT NULL
"""


class PostgresConversations:
    """Implements `Conversations`. Every method is one round trip; `load` and a page by time two."""

    def __init__(self, database: Database, incarnation: Incarnation, epochs: bool) -> None:
        self._database = database
        self._incarnation = incarnation
        self._epochs = epochs

    async def load(self, conversation: str, version: int) -> Loaded | None:
        if not is_uuid(conversation):
            return None
        row = await self._database.first(
            OPEN, conversation, self._incarnation.id, self._epochs, version
        )
        if row is None:
            return None
        if not row["current"]:
            raise Rejected("UNAVAILABLE", "Another engine has taken over.")
        snapshot = None
        if row["seq"] is not None:
            snapshot = Snapshot(row["seq"], version, row["state"])
        after = 0 if snapshot is None else snapshot.seq
        tail = await self._database.fetch(_TAIL, conversation, after)
        events = [event_of(conversation, each) for each in tail]
        return loaded(conversation, row, snapshot, events)

    async def renew(self, conversation: str, after: int) -> None:
        await self._database.fetch(_RENEW, conversation, after)

    async def events(self, conversation: str, after: int, limit: int) -> Events:
        rows = await self._database.fetch(_EVENTS, conversation, after, limit)
        return _events(conversation, rows)

    async def find(self, conversation: str, sender: str, client_id: str) -> Event | None:
        row = await self._database.first(_FIND, conversation, sender, client_id)
        return None if row is None else event_of(conversation, row)

    async def messages(self, conversation: str, ids: Sequence[str]) -> Messages:
        wanted = [id for id in ids if is_uuid(id)]
        return _messages(conversation, await self._database.fetch(_MESSAGES, conversation, wanted))

    async def where(self, message: str, user: str) -> str | None:
        rows = await self._database.fetch(_WHERE, message, user) if is_uuid(message) else []
        return str(rows[0]["conversation"]) if rows else None

    async def page(
        self,
        conversation: str,
        *,
        spans: Sequence[tuple[int, int]],
        limit: int,
        before: int | None = None,
        after: int | None = None,
        before_time: int | None = None,
        deleted: bool = True,
        system: bool = False,
        about: Reference | None = None,
    ) -> Messages:
        if before_time is not None:
            before = await self._before(conversation, before, before_time)
        firsts, lasts = clip(spans, after, before)
        # One more than asked for tells whether there is more.
        if about is None:
            sql = PAGE_BEFORE if after is None else PAGE_AFTER
        else:
            sql = ABOUT_BEFORE if after is None else ABOUT_AFTER
        chosen = _chosen(system, about)
        rows = await self._database.fetch(
            sql, conversation, firsts, lasts, deleted, limit + 1, chosen
        )
        return _cut(_messages(conversation, rows), limit, -1 if after is not None else 0)

    async def replies(
        self,
        conversation: str,
        root: str,
        *,
        spans: Sequence[tuple[int, int]],
        after: int,
        limit: int,
        deleted: bool = True,
    ) -> Messages:
        clipped = clip(spans, after, None)
        rows = await self._database.fetch(REPLIES, conversation, *clipped, deleted, limit + 1, root)
        return _cut(_messages(conversation, rows), limit, -1)

    async def media(
        self,
        conversation: str,
        user: str,
        *,
        spans: Sequence[tuple[int, int]],
        limit: int,
        before: int | None = None,
    ) -> Messages:
        clipped = clip(spans, None, before)
        rows = await self._database.fetch(MEDIA, conversation, *clipped, limit + 1, user)
        return _cut(_messages(conversation, rows), limit, 0)

    async def edits(self, conversation: str, message: str, limit: int) -> Events:
        kind = MessageEdited.name
        rows = await self._database.fetch(_EDITS, conversation, message, kind, limit)
        return _events(conversation, rows)

    async def numbered_page(
        self,
        conversation: str,
        user: str,
        *,
        spans: Sequence[tuple[int, int]],
        offset: int,
        limit: int,
        newest_first: bool,
        before: int | None = None,
        before_time: int | None = None,
        deleted: bool = True,
        system: bool = False,
        about: Reference | None = None,
    ) -> NumberedPage:
        if before_time is not None:
            before = await self._before(conversation, before, before_time)
        if about is None:
            sql = NUMBERED_FROM_NEWEST if newest_first else NUMBERED_FROM_OLDEST
        else:
            sql = NUMBERED_ABOUT_FROM_NEWEST if newest_first else NUMBERED_ABOUT_FROM_OLDEST
        rows = await self._database.fetch(
            sql,
            conversation,
            *clip(spans, None, before),
            deleted,
            user,
            _chosen(system, about),
            offset,
            limit,
        )
        page = _messages(conversation, rows)
        return NumberedPage(page.messages, rows[0]["total"], page.as_of)

    async def _before(self, conversation: str, before: int | None, time: int) -> int:
        """The seq that is before both."""
        row = await self._database.first(SEQ_AT, conversation, time)
        assert row is not None
        seq: int = row["seq"]
        return seq if before is None else min(before, seq)

    async def position(self, conversation: str, user: str, seq: int) -> PositionAt:
        row = await self._database.first(_POSITION, conversation, seq, user)
        assert row is not None
        return PositionAt(Position(row["number"] or 0, row["excluded"]), row["as_of"])

    async def read_at(
        self, conversation: str, seq: int, marks: Mapping[str, int]
    ) -> dict[str, int]:
        rows = await self._database.fetch(
            _READ_AT, conversation, seq, list(marks), list(marks.values())
        )
        return {row["user_id"]: row["at"] for row in rows}


def _events(conversation: str, rows: Sequence[Record]) -> Events:
    events = [event_of(conversation, row) for row in rows if row["seq"] is not None]
    return Events(events, rows[0]["as_of"])


def _messages(conversation: str, rows: Sequence[Record]) -> Messages:
    messages = [message_of(conversation, row) for row in rows if row["seq"] is not None]
    return Messages(messages, rows[0]["as_of"])


def _chosen(system: bool, about: Reference | None) -> Sequence[str]:
    """$6 of a page."""
    if about is not None:
        return about
    return SYSTEM_KINDS if system else ()


def _cut(page: Messages, limit: int, end: int) -> Messages:
    """`page`, read with one message more than asked for, which lies at this `end` of it."""
    if len(page.messages) > limit:
        page.more = True
        del page.messages[end]
    return page
