"""A million messages in Postgres, made there: what the plans of queries are looked at with.

    1,000 users · 20,000 groups · "big", a group of 100,000 messages · the rest spread evenly ·
    user-0 belongs to a thousand groups, everybody else to some hundred · user-0 and user-60 have
    each 100,000 messages hidden from themselves, and 100,000 conversations put away or filed

A text has eight words of 20,000, the low ones far more frequent; one in a thousand says "calculus",
one in ten "hello". Every hundredth message is edited, every two-hundredth deleted; every twentieth
has two attachments; every tenth refers to one of a hundred bookings, every conversation to one of a
thousand listings.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from palaver.persistence.postgres.connection import Connection
from palaver.persistence.postgres.indexer import INDEX

MESSAGES = 1_000_000
GROUPS = 20_000
BIG_MESSAGES = 100_000
USERS = 1_000
PER_GROUP = (MESSAGES - BIG_MESSAGES) // GROUPS
BIG = "00000000-0000-7000-8000-000000000000"
SMALL = "00000000-0000-7000-8000-000000000007"
HEAVY = "user-0"
TIDY = "user-60"
OWN_ROWS = 100_000

_ID = "('00000000-0000-7000-8000-' || lpad(to_hex({}), 12, '0'))::uuid"
_AT = "timestamptz '2024-01-01' + {} * interval '30 seconds'"

# Group 0 is the big one. Users 1 to 99 are members of it.
_STEPS = {
    "incarnation": "INSERT INTO incarnation (ended_at, clean) VALUES (now(), true)",
    "conversations": f"""
        INSERT INTO conversation (id, created_at, opened_in, kind, profile)
        SELECT {_ID.format("g")}, '2024-01-01', 1, 'group', 'default'
        FROM generate_series(0, {GROUPS}) AS g
    """,
    "members": f"""
        INSERT INTO member (
            conversation, changed_seq, read_seq, read_number, user_id, role, intervals
        )
        SELECT {_ID.format("g")}, 1, 1, 0, 'user-' || u, 'member', '[[1, null]]'
        FROM generate_series(0, {GROUPS}) AS g
        CROSS JOIN generate_series(0, {USERS - 1}) AS u
        WHERE CASE
            WHEN g = 0 THEN u BETWEEN 1 AND 99
            WHEN u = 0 THEN g % 20 = 7
            ELSE (g * 7919 + u * 104729) % 200 = 0
        END
    """,
    "messages": f"""
        INSERT INTO log (
            conversation, event_id, message_id, seq, number, at, incarnation, kind, sender, body
        )
        SELECT
            {_ID.format("g")}, id, id, seq, seq, {_AT.format("n")}, 1, 'message.sent',
            'user-' || n % 100,
            CASE WHEN random() < 0.001 THEN 'calculus '
                 WHEN random() < 0.1 THEN 'hello ' ELSE '' END || (
                SELECT string_agg('word' || floor(20000 * random() ^ 3), ' ')
                FROM generate_series(1, 8) WHERE n = n
            )
        FROM (
            SELECT
                n, gen_random_uuid() AS id,
                CASE WHEN n <= {BIG_MESSAGES} THEN 0 ELSE n % {GROUPS} + 1 END AS g,
                CASE WHEN n <= {BIG_MESSAGES} THEN n
                     ELSE (n - {BIG_MESSAGES} - 1) / {GROUPS} + 1 END AS seq
            FROM generate_series({{first}}, {{last}}) AS n
        ) AS messages
    """,
    "attachments": """
        INSERT INTO attachment (conversation, seq, ordinal, type, url)
        SELECT conversation, seq, ordinal, 'image', 'https://example.org/' || seq
        FROM log CROSS JOIN generate_series(0, 1) AS ordinal
        WHERE seq % 20 = 0
    """,
    "overlays": """
        INSERT INTO overlay (conversation, seq, changed_seq, deleted_at, text)
        SELECT
            conversation, seq, seq, CASE WHEN nth % 200 = 0 THEN at END,
            CASE WHEN nth % 200 <> 0 THEN 'edited ' || body END
        FROM (
            SELECT *, (extract(epoch FROM at - '2024-01-01') / 30)::bigint AS nth FROM log
        ) AS each
        WHERE nth % 100 = 0
    """,
    "references": """
        INSERT INTO log_reference (conversation, seq, type, id)
        SELECT conversation, seq, 'booking', (nth / 10 % 100)::text
        FROM (
            SELECT *, (extract(epoch FROM at - '2024-01-01') / 30)::bigint AS nth FROM log
        ) AS each
        WHERE nth % 10 = 0
        UNION ALL
        SELECT id, 1, 'listing', (row_number() OVER (ORDER BY id) % 1000)::text FROM conversation
    """,
    # Half of what TIDY may see in the big group; the rest lies all over, as do the preferences,
    # most of which are of conversations that are gone.
    "hidden": f"""
        INSERT INTO hidden (conversation, seq, counted, user_id)
        SELECT {_ID.format("g")}, seq, true, user_id
        FROM (VALUES ('{TIDY}', {BIG_MESSAGES // 2}), ('{HEAVY}', 0)) AS own (user_id, in_big)
        CROSS JOIN LATERAL (
            SELECT 0 AS g, 2 * n AS seq FROM generate_series(1, in_big) AS n
            UNION ALL
            SELECT n % {GROUPS} + 1, n / {GROUPS} * 7 + 1
            FROM generate_series(1, {OWN_ROWS} - in_big) AS n
        ) AS messages
    """,
    "preferences": f"""
        INSERT INTO preference (
            conversation, hidden_seq, hidden_number, archived, unread, user_id
        )
        SELECT {_ID.format("g")}, g % 2 * 10, g % 2 * 10, g % 3 = 0, false, user_id
        FROM (VALUES ('{TIDY}'), ('{HEAVY}')) AS own (user_id)
        CROSS JOIN generate_series(1, {OWN_ROWS}) AS g
    """,
    "heads": """
        INSERT INTO conversation_head (conversation, seq, number, at)
        SELECT conversation, max(seq), max(number), max(at) FROM log GROUP BY conversation
    """,
}
_CHUNK = 100_000


async def fill(connection: Connection, say: Callable[[str], None]) -> None:
    """Make it all; `say` is told how far it is."""
    began = perf_counter()
    for name, step in _STEPS.items():
        if name != "messages":
            await connection.execute(step, timeout=600)
            continue
        for first in range(1, MESSAGES + 1, _CHUNK):
            last = first + _CHUNK - 1
            await connection.execute(step.format(first=first, last=last), timeout=600)
            say(f"{last:,} messages after {perf_counter() - began:.0f} s")
    await _index(connection, say)
    await connection.execute("VACUUM ANALYZE", timeout=600)
    say(f"ready after {perf_counter() - began:.0f} s")


async def _index(connection: Connection, say: Callable[[str], None]) -> None:
    """With the statement of the indexer, without its rests."""
    incarnation = await connection.fetchval("INSERT INTO incarnation DEFAULT VALUES RETURNING id")
    heads = await connection.fetch("SELECT conversation FROM conversation_head")
    waiting = [row["conversation"] for row in heads]
    began, done, told = perf_counter(), 0, 0
    while waiting:
        chosen, waiting = waiting[:20], waiting[20:]
        rows = 1000 // len(chosen)
        more = await connection.fetch(INDEX, incarnation, chosen, rows, timeout=60)
        waiting += [row["conversation"] for row in more]
        done += len(chosen)
        if perf_counter() - began > 10 * (told + 1):
            told += 1
            say(f"indexing: {done:,} of {GROUPS:,} conversations")
    await connection.execute(
        "UPDATE incarnation SET ended_at = now(), clean = true WHERE ended_at IS NULL"
    )
    seconds = perf_counter() - began
    say(f"indexed at {MESSAGES / seconds:,.0f} messages/s, {seconds:.0f} s")
