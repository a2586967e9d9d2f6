"""Opening a cold conversation: everything but its events in one row, and what that row says."""

from __future__ import annotations

from bisect import bisect_right

from ...protocol.events import Event
from ...protocol.machine import Mark
from ...protocol.people import Aloof
from ...protocol.records import Loaded, Snapshot
from ...protocol.state import Hidden
from .rows import Record

HEAD = "(SELECT coalesce(max(seq), 0) FROM log WHERE conversation = $1)"

UNCOUNTED = """
    FROM overlay AS o
    JOIN log AS l ON l.conversation = o.conversation AND l.seq = o.seq
    WHERE o.conversation = $1 AND o.deleted_at IS NOT NULL AND l.number IS NOT NULL
"""

# Countable messages that were not for everybody.
NARROW = "FROM log WHERE conversation = $1 AND audience IS NOT NULL AND number IS NOT NULL"

# $1 conversation, $2 incarnation, $3 whether a crash may start an epoch, $4 snapshot version.
# A new epoch is a change that `sync.changes` must tell: who was away hears of it nowhere else.
OPEN = f"""
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
                                THEN c.starts_after || {HEAD} ELSE c.starts_after END
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
        ARRAY (SELECT o.seq {UNCOUNTED} ORDER BY o.seq) AS uncounted,
        ARRAY (
            SELECT own FROM preference AS own WHERE own.conversation = $1 AND own.hidden_seq > 0
        ) AS put_away,
        ARRAY (SELECT hidden FROM hidden WHERE hidden.conversation = $1) AS hidden,
        ARRAY (
            SELECT member.user_id FROM member
            JOIN user_setting AS setting ON setting.user_id = member.user_id
            WHERE member.conversation = $1 AND NOT setting.read_receipts
        ) AS reticent,
        (SELECT jsonb_agg(jsonb_build_array(seq, audience)) {NARROW}) AS narrow,
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


def loaded(conversation: str, row: Record, snapshot: Snapshot | None, tail: list[Event]) -> Loaded:
    """The conversation of `row`, which is one of `OPEN`; `tail` comes after `snapshot`."""
    return Loaded(
        epoch=row["epoch"],
        starts_after=row["starts_after"],
        snapshot=snapshot,
        tail=tail,
        marks=[_mark_of(conversation, move, row) for move in row["marks"]],
        hidden=_hidden(row),
        reticent=set(row["reticent"]),
        aloof=_aloof(row),
    )


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
