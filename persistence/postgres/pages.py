"""SQL for pages of one conversation, each with the head of the log as the same snapshot sees it."""

from __future__ import annotations

from collections.abc import Sequence

from ...protocol.features import EVENTS
from .rows import LOG_WITH_OVERLAY, MESSAGE_COLUMNS

_LAST_SEQ = 2**63 - 1

SYSTEM_KINDS = [name for name, kind in EVENTS.items() if kind.is_system]

# Rather than event_id = message_id, which Postgres thinks is rarely true: it would then read a long
# conversation from end to end and sort it, instead of following the key as far as the limit.
_SHOWN = "(l.message_id IS NOT NULL AND l.message_seq IS NULL OR l.kind = ANY ($6::text[]))"


def as_of(query: str) -> str:
    """The rows of `query` in order of `seq`, with `as_of`; a single row of nulls if there is none.

    In `query`, $1 is the conversation.
    """
    return f"""
        SELECT head.as_of, found.*
        FROM (
            SELECT coalesce(max(seq), 0) AS as_of FROM log WHERE conversation = $1
        ) AS head
        LEFT JOIN LATERAL ({query}) AS found ON true
        ORDER BY found.seq
    """


# Type and id of a thing: what refers to it, in order, has a table of its own, whose key is as good.
_REFERS = """
    r.type = ($6::text[])[1]
    AND r.id = ($6::text[])[2]
    AND r.conversation = $1
    AND l.message_id IS NOT NULL
"""
_SAME = "ON l.conversation = r.conversation AND l.seq = r.seq"


def _page(direction: str, about: bool = False) -> str:
    # Each span is read from its end and no further than the limit, however long it is.
    found, seq = f"{LOG_WITH_OVERLAY} WHERE l.conversation = $1 AND {_SHOWN}", "l.seq"
    if about:
        found, seq = f"log_reference AS r JOIN {LOG_WITH_OVERLAY} {_SAME} WHERE {_REFERS}", "r.seq"
    return as_of(f"""
        SELECT page.*
        FROM unnest($2::bigint[], $3::bigint[]) AS span (first, last)
        CROSS JOIN LATERAL (
            SELECT {MESSAGE_COLUMNS} FROM {found}
                AND {seq} BETWEEN span.first AND span.last
                AND ($4 OR o.deleted_at IS NULL)
            ORDER BY {seq} {direction}
            LIMIT $5
        ) AS page
        ORDER BY page.seq {direction}
        LIMIT $5
    """)


# $2 and $3 first and last seq of spans, $4 whether deleted ones come, $5 limit, $6 kinds of events
# that come beside the messages; or, instead, the thing that messages are to refer to.
PAGE_BEFORE = _page("DESC")
PAGE_AFTER = _page("ASC")
ABOUT_BEFORE = _page("DESC", about=True)
ABOUT_AFTER = _page("ASC", about=True)

# The same of the replies to message $6. Each stands right after the event that says so of its root,
# and those events have an index of their own; so a page of a thread is read from its beginning and
# no further than the limit, whatever else there is in the conversation.
REPLIES = as_of(f"""
    SELECT page.*
    FROM unnest($2::bigint[], $3::bigint[]) AS span (first, last)
    CROSS JOIN LATERAL (
        SELECT {MESSAGE_COLUMNS}
        FROM log AS replied
        JOIN {LOG_WITH_OVERLAY} ON l.conversation = replied.conversation AND l.seq = replied.seq + 1
        WHERE replied.message_id = $6
            AND replied.kind = 'thread.replied'
            AND replied.conversation = $1
            AND replied.seq BETWEEN span.first - 1 AND span.last - 1
            AND ($4 OR o.deleted_at IS NULL)
        ORDER BY replied.seq
        LIMIT $5
    ) AS page
    ORDER BY page.seq
    LIMIT $5
""")

# $2 and $3 as for `_page`, $4 limit, $5 user. Each message stands once in the index as its first
# attachment, and the table holds no others.
MEDIA = as_of(f"""
    SELECT page.*
    FROM unnest($2::bigint[], $3::bigint[]) AS span (first, last)
    CROSS JOIN LATERAL (
        SELECT {MESSAGE_COLUMNS}
        FROM attachment AS a
        JOIN {LOG_WITH_OVERLAY} ON l.conversation = a.conversation AND l.seq = a.seq
        WHERE a.conversation = $1
            AND a.seq BETWEEN span.first AND span.last
            AND a.ordinal = 0
            AND o.deleted_at IS NULL
            AND (l.audience IS NULL OR $5 = ANY (l.audience))
        ORDER BY a.seq DESC
        LIMIT $4
    ) AS page
    ORDER BY page.seq DESC
    LIMIT $4
""")


def _numbered(direction: str, about: bool = False) -> str:
    # `shown` is only counted: what is in the page is looked up again.
    found, seq = f"log AS l WHERE l.conversation = $1 AND {_SHOWN}", "l.seq"
    if about:
        found, seq = f"log_reference AS r JOIN log AS l {_SAME} WHERE {_REFERS}", "r.seq"
    return f"""
        WITH shown AS MATERIALIZED (
            SELECT each.seq
            FROM unnest($2::bigint[], $3::bigint[]) AS span (first, last)
            CROSS JOIN LATERAL (
                SELECT l.seq FROM {found}
                    AND {seq} BETWEEN span.first AND span.last
                    AND (l.audience IS NULL OR $5 = ANY (l.audience))
                OFFSET 0
            ) AS each
            WHERE $4 OR each.seq NOT IN (
                SELECT seq FROM overlay WHERE conversation = $1 AND deleted_at IS NOT NULL
            )
        )
        SELECT head.as_of, counted.total, found.*
        FROM (
            SELECT coalesce(max(seq), 0) AS as_of FROM log WHERE conversation = $1
        ) AS head
        CROSS JOIN (SELECT count(*) AS total FROM shown) AS counted
        LEFT JOIN LATERAL (
            SELECT {MESSAGE_COLUMNS}
            FROM (SELECT seq FROM shown ORDER BY seq {direction} OFFSET $7 LIMIT $8) AS chosen
            JOIN {LOG_WITH_OVERLAY} ON l.conversation = $1 AND l.seq = chosen.seq
        ) AS found ON true
        ORDER BY found.seq
    """


# $2 to $4 and $6 as for `_page`, $5 user, $7 offset, $8 limit.
NUMBERED_FROM_NEWEST = _numbered("DESC")
NUMBERED_FROM_OLDEST = _numbered("ASC")
NUMBERED_ABOUT_FROM_NEWEST = _numbered("DESC", about=True)
NUMBERED_ABOUT_FROM_OLDEST = _numbered("ASC", about=True)

# The first seq whose time is $2 or later. Times never fall and seqs have no gaps within a
# conversation, so the log is its own index: some twenty probes of the primary key.
SEQ_AT = """
    WITH RECURSIVE search (low, high) AS (
        SELECT 1::bigint, coalesce(max(seq), 0) + 1 FROM log WHERE conversation = $1
        UNION ALL
        SELECT
            CASE WHEN log.at < $2 THEN log.seq + 1 ELSE low END,
            CASE WHEN log.at < $2 THEN high ELSE log.seq END
        FROM search
        JOIN log ON log.conversation = $1 AND log.seq = (low + high) / 2
        WHERE low < high
    )
    SELECT low AS seq FROM search WHERE low = high
"""


def clip(
    spans: Sequence[tuple[int, int]], after: int | None, before: int | None
) -> tuple[list[int], list[int]]:
    """First and last seqs of the parts of `spans` that lie between `after` and `before`."""
    low = 0 if after is None else after + 1
    high = _LAST_SEQ if before is None else before - 1
    clipped = [(max(first, low), min(last, high)) for first, last in spans]
    clipped = [(first, last) for first, last in clipped if first <= last]
    return [first for first, _ in clipped], [last for _, last in clipped]
