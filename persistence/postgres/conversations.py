"""Reading one conversation from Postgres."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from ...protocol.commands import Position
from ...protocol.errors import Rejected
from ...protocol.events import Event
from ...protocol.features.edits import MessageEdited
from ...protocol.ids import is_uuid
from ...protocol.machine import Mark
from ...protocol.people import Aloof
from ...protocol.records import Events, Loaded, Messages, NumberedPage, PositionAt, Snapshot
from ...protocol.state import Hidden
from .database import Database
from .incarnation import Incarnation
from .pages import (
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

_HEAD = "(SELECT coalesce(max(seq), 0) FROM log WHERE conversation = $1)"

_UNCOUNTED = """
    FROM overlay AS o
    JOIN log AS l ON l.conversation = o.conversation AND l.seq = o.seq
    WHERE o.conversation = $1 AND o.deleted_at IS NOT NULL AND l.number IS NOT NULL
"""

# Countable messages that were not for everybody.
_NARROW = "FROM log WHERE conversation = $1 AND audience IS NOT NULL AND number IS NOT NULL"

# $1 conversation, $2 incarnation, $3 whether a crash may start an epoch, $4 snapshot version.
# A new epoch is a change that `sync.changes` must tell: who was away hears of it nowhere else.
_OPEN = f"""
    WITH opening AS MATERIALIZED (
        SELECT current.id
        FROM incarnation AS current
        JOIN conversation ON conversation.id = $1 AND conversation.opened_in <> current.id
        WHERE current.id = $2 AND current.ended_at IS NULL
        FOR SHARE OF current
    ),
    opened AS (
        UPDATE conversation AS c SET
            opened_in = opening.id,
            epoch = CASE WHEN $3 AND last.clean IS FALSE
                         THEN c.epoch + 1 ELSE c.epoch END,
            starts_after = CASE WHEN $3 AND last.clean IS FALSE
                                THEN c.starts_after || {_HEAD} ELSE c.starts_after END
        FROM opening, incarnation AS last
        WHERE c.id = $1 AND last.id = c.opened_in
        RETURNING c.epoch, c.starts_after
    ),
    told AS (
        UPDATE conversation_head AS head SET xid = pg_current_xact_id()
        FROM conversation AS before, opened
        WHERE head.conversation = $1 AND before.id = $1 AND opened.epoch > before.epoch
    )
    SELECT
        EXISTS (SELECT FROM incarnation WHERE id = $2 AND ended_at IS NULL) AS current,
        coalesce(opened.epoch, c.epoch) AS epoch,
        coalesce(opened.starts_after, c.starts_after) AS starts_after,
        snapshot.seq,
        snapshot.state,
        ARRAY (
            SELECT latest.move
            FROM member
            CROSS JOIN (VALUES ('read'), ('delivered')) AS of (kind)
            CROSS JOIN LATERAL (
                SELECT mark AS move FROM mark
                WHERE mark.conversation = $1
                    AND mark.user_id = member.user_id
                    AND mark.kind = of.kind
                ORDER BY mark.seq DESC
                LIMIT 1
            ) AS latest
            WHERE member.conversation = $1
        ) AS marks,
        ARRAY (SELECT o.seq {_UNCOUNTED} ORDER BY o.seq) AS uncounted,
        ARRAY (
            SELECT own FROM preference AS own WHERE own.conversation = $1 AND own.hidden_seq > 0
        ) AS put_away,
        ARRAY (SELECT hidden FROM hidden WHERE hidden.conversation = $1) AS hidden,
        ARRAY (
            SELECT member.user_id FROM member
            JOIN user_setting AS setting ON setting.user_id = member.user_id
            WHERE member.conversation = $1 AND NOT setting.read_receipts
        ) AS reticent,
        (SELECT jsonb_agg(jsonb_build_array(seq, audience)) {_NARROW}) AS narrow,
        ARRAY (
            SELECT block FROM block WHERE block.conversation = $1 AND block.level <> 'none'
        ) AS barring,
        ARRAY (
            SELECT request FROM message_request AS request
            WHERE request.conversation = $1 AND request.status <> 'accepted'
        ) AS requests
    FROM conversation AS c
    LEFT JOIN opened ON true
    LEFT JOIN snapshot ON snapshot.conversation = c.id AND snapshot.version = $4
    WHERE c.id = $1
"""

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

_EDITS = as_of(f"""
    SELECT {EVENT_COLUMNS} FROM {LOG_WITH_OVERLAY}
    WHERE l.message_id = $2 AND l.kind = $3 AND l.conversation = $1
    ORDER BY l.seq DESC
    LIMIT $4
""")

_POSITION = f"""
    SELECT
        {_HEAD} AS as_of,
        (
            SELECT number FROM log
            WHERE conversation = $1 AND seq <= $2 AND number IS NOT NULL
            ORDER BY seq DESC
            LIMIT 1
        ) AS number,
        (
            SELECT count(*) {_UNCOUNTED} AND o.seq > $2
                AND (l.audience IS NULL OR $3 = ANY (l.audience))
        ) + (
            SELECT count(*) {_NARROW} AND seq > $2 AND $3 <> ALL (audience)
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
            _OPEN, conversation, self._incarnation.id, self._epochs, version
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
        return Loaded(
            epoch=row["epoch"],
            starts_after=row["starts_after"],
            snapshot=snapshot,
            tail=[event_of(conversation, row) for row in tail],
            marks=[_mark_of(conversation, move, row) for move in row["marks"]],
            hidden=_hidden(row),
            reticent=set(row["reticent"]),
            aloof=_aloof(row),
        )

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
    ) -> Messages:
        if before_time is not None:
            before = await self._before(conversation, before, before_time)
        firsts, lasts = clip(spans, after, before)
        # One more than asked for tells whether there is more.
        sql = PAGE_BEFORE if after is None else PAGE_AFTER
        kinds = SYSTEM_KINDS if system else ()
        rows = await self._database.fetch(
            sql, conversation, firsts, lasts, deleted, limit + 1, kinds
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
    ) -> NumberedPage:
        if before_time is not None:
            before = await self._before(conversation, before, before_time)
        rows = await self._database.fetch(
            NUMBERED_FROM_NEWEST if newest_first else NUMBERED_FROM_OLDEST,
            conversation,
            *clip(spans, None, before),
            deleted,
            user,
            SYSTEM_KINDS if system else (),
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


def _cut(page: Messages, limit: int, end: int) -> Messages:
    """`page`, read with one message more than asked for, which lies at this `end` of it."""
    if len(page.messages) > limit:
        page.more = True
        del page.messages[end]
    return page


def _mark_of(conversation: str, row: Record, loaded: Record) -> Mark:
    seq = row["seq"]
    return Mark(
        conversation=conversation,
        user=row["user_id"],
        kind=row["kind"],
        seq=seq,
        number=row["number"],
        excluded=_after(seq, _uncounted(loaded, row["user_id"])),
        at=row["at"],
        n=row["n"],
    )


def _uncounted(row: Record, user: str) -> list[int]:
    """Countable messages that do not count for `user`, in order: gone, or not for them."""
    if row["narrow"] is None:
        uncounted: list[int] = row["uncounted"]
        return uncounted
    others = (seq for seq, audience in row["narrow"] if user not in audience)
    return sorted({*row["uncounted"], *others})


def _after(seq: int, uncounted: list[int]) -> int:
    return len(uncounted) - bisect_right(uncounted, seq)


def _hidden(row: Record) -> dict[str, Hidden]:
    found = {
        each["user_id"]: Hidden(
            each["hidden_seq"],
            each["hidden_number"],
            _after(each["hidden_seq"], _uncounted(row, each["user_id"])),
        )
        for each in row["put_away"]
    }
    gone = set(row["uncounted"])
    for each in row["hidden"]:
        hidden = found.setdefault(each["user_id"], Hidden())
        hidden.messages[each["seq"]] = each["counted"] and each["seq"] not in gone
    return found


def _aloof(row: Record) -> dict[str, Aloof]:
    found: dict[str, Aloof] = {}
    for each in row["barring"]:
        found.setdefault(each["user_id"], Aloof()).bar = each["level"]
    for each in row["requests"]:
        aloof = found.setdefault(each["user_id"], Aloof())
        aloof.request, aloof.asked = each["status"], each["asked"]
    return found
