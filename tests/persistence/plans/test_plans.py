"""`make plans`: how Postgres answers the queries of search, history, media and inbox over a million
messages. Each must use the index that it was written for, whether its plan is made for the values
at hand or for any (what a prepared statement has after a while), and read neither the log nor the
table of search from end to end.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from palaver.persistence.postgres import conversations, inboxes, pages, searches
from palaver.persistence.postgres.connection import connect
from palaver.persistence.postgres.migrate import migrate
from palaver.tests.persistence.plans import dataset
from palaver.tests.persistence.plans.dataset import BIG, HEAVY, SMALL, TIDY

pytestmark = [pytest.mark.plans, pytest.mark.timeout(1800)]

NEVER_WHOLE = {
    *("log", "attachment", "log_reference", "search"),
    *("member", "mark", "user_log", "hidden", "preference"),
}
ALWAYS = [[0], [2**62]]
MOST_COMPARED = 100_000
"""Pairs of rows that a nested loop may look at in vain."""
OWN = {"hidden", "preference"}
MOST_OWN = 50_000
"""Rows of these, all of them one user's, that may be read where there are twice as many."""


@dataclass
class Case:
    sql: str
    arguments: list[Any]
    indexes: set[str] = field(default_factory=lambda: {"log_pkey"})


def search(user: str, conversation: str | None, text: str) -> list[Any]:
    return [user, conversation, text, None, None, None, 0, 20]


def substring(user: str, conversation: str | None, text: str) -> list[Any]:
    return search(user, conversation, searches.substring(text))


def inbox(sql: str, *arguments: Any, user: str = HEAVY) -> Case:
    return Case(sql, [user, 1, *arguments], {"member_user"})


WORDS = {"search_tsv", "log_pkey"}
LOOKING = {"search_pkey", "log_pkey"}
SHOWN = {"attachment_pkey", "log_pkey"}
REFERRING = {"log_reference_pkey", "log_pkey"}
BOOKING = ["booking", "7"]
TIDIED = {"hidden_pkey", "preference_pkey"}

CASES = {
    "words, rare, all of a user": Case(
        searches.BY_WORDS, search("user-50", None, "calculus"), WORDS
    ),
    "words, rare, a thousand groups": Case(
        searches.BY_WORDS, search(HEAVY, None, "calculus"), LOOKING
    ),
    "words, common, all of a user": Case(
        searches.BY_WORDS, search("user-50", None, "hello"), WORDS
    ),
    "words, common, a thousand groups": Case(
        searches.BY_WORDS, search(HEAVY, None, "hello"), LOOKING
    ),
    "words, common, one group": Case(searches.BY_WORDS, search(HEAVY, SMALL, "hello"), WORDS),
    "words, common, the big group": Case(searches.BY_WORDS, search("user-50", BIG, "hello"), WORDS),
    "words, none": Case(searches.BY_WORDS, search("user-50", None, "unheard"), {"search_tsv"}),
    "substring without trigrams, all": Case(
        searches.BY_LOOKING, substring("user-500", None, "alcul"), LOOKING
    ),
    "substring without trigrams, one": Case(
        searches.BY_LOOKING, substring(HEAVY, SMALL, "word1"), LOOKING
    ),
    "words, rare, much put away": Case(
        searches.BY_WORDS, search(TIDY, None, "calculus"), WORDS | TIDIED
    ),
    "words, common, much put away": Case(
        searches.BY_WORDS, search(TIDY, None, "hello"), WORDS | TIDIED
    ),
    "words, common, half put away": Case(
        searches.BY_WORDS, search(TIDY, BIG, "hello"), WORDS | TIDIED
    ),
    "substring without trigrams, put away": Case(
        searches.BY_LOOKING, substring(TIDY, BIG, "alcul"), LOOKING | TIDIED
    ),
    "history, newest page": Case(pages.PAGE_BEFORE, [BIG, *ALWAYS, True, 51, []]),
    "history, before a seq, no tombstones": Case(
        pages.PAGE_BEFORE, [BIG, [0], [50_000], False, 51, []]
    ),
    "history, after a seq": Case(
        pages.PAGE_AFTER, [BIG, [50_000], [2**62], True, 51, pages.SYSTEM_KINDS]
    ),
    "history, seq of a time": Case(pages.SEQ_AT, [BIG, "2024-01-20"]),
    "history, page 1 from the newest": Case(
        pages.NUMBERED_FROM_NEWEST, [BIG, *ALWAYS, True, "user-50", [], 0, 50]
    ),
    "history, page 1000 from the oldest": Case(
        pages.NUMBERED_FROM_OLDEST, [BIG, *ALWAYS, False, "user-50", [], 50_000, 50]
    ),
    "history, page 1 of a small group": Case(
        pages.NUMBERED_FROM_NEWEST, [SMALL, *ALWAYS, False, HEAVY, pages.SYSTEM_KINDS, 0, 50]
    ),
    "media, newest page": Case(pages.MEDIA, [BIG, *ALWAYS, 51, "user-50"], SHOWN),
    "media, before a seq": Case(pages.MEDIA, [BIG, [0], [50_000], 51, "user-50"], SHOWN),
    "media, of a small group": Case(pages.MEDIA, [SMALL, *ALWAYS, 51, HEAVY], SHOWN),
    "history of a booking, newest page": Case(
        pages.ABOUT_BEFORE, [BIG, *ALWAYS, True, 51, BOOKING], REFERRING
    ),
    "history of a booking, after a seq": Case(
        pages.ABOUT_AFTER, [BIG, [50_000], [2**62], False, 51, BOOKING], REFERRING
    ),
    "history of a booking, page 1": Case(
        pages.NUMBERED_ABOUT_FROM_NEWEST, [BIG, *ALWAYS, True, "user-50", BOOKING, 0, 50], REFERRING
    ),
    "history of a booking, a small group": Case(
        pages.ABOUT_BEFORE, [SMALL, *ALWAYS, True, 51, BOOKING], {"log_reference_pkey"}
    ),
    "what refers to a booking": Case(searches.REFERRING, [*BOOKING, SMALL, 0, 100], REFERRING),
    "where a message is": Case(conversations._WHERE, [SMALL, HEAVY], {"log_message"}),
    "resume": Case(conversations._EVENTS, [BIG, 99_500, 1000]),
    "inbox, first page": inbox(inboxes._PAGE, 51, None, None, None, "all", None, None),
    "inbox, about a listing": Case(
        inboxes._PAGE,
        [HEAVY, 1, 51, None, None, None, "all", None, ["listing", "7"]],
        {"log_reference_pkey"},
    ),
    "inbox, a later page": inbox(
        inboxes._PAGE, 51, "1970-01-01", "2024-06-01", SMALL, "all", None, None, user="user-50"
    ),
    "inbox, what is unread": inbox(inboxes._PAGE, 51, None, None, None, "unread", None, None),
    "inbox, every row": inbox(inboxes._ALL),
    "inbox, named rows": Case(
        inboxes._THESE, [HEAVY, 1, [SMALL, BIG]], {"member_pkey", "conversation_head_pkey"}
    ),
    "changes since": inbox(inboxes._CHANGES, "999999999"),
}


@pytest.fixture(scope="module")
def million(postgres_dsn: str) -> str:
    """The dsn of a database with a million messages."""

    async def make() -> None:
        await migrate(postgres_dsn, 60)
        connection = await connect(postgres_dsn, 600)
        try:
            await dataset.fill(connection, lambda line: print(f"  {line}", flush=True))
        finally:
            await connection.close()

    print(flush=True)
    asyncio.run(make())
    return postgres_dsn


@pytest.mark.parametrize("mode", ["custom", "generic"])
@pytest.mark.parametrize("name", CASES)
def test_PERF_07_every_query_uses_its_index(million: str, name: str, mode: str):
    case = CASES[name]
    explained = asyncio.run(explain(million, case, mode))
    nodes = [node for node in walk(explained["Plan"]) if node["Actual Loops"]]
    used = {node["Index Name"] for node in nodes if "Index Name" in node}
    root = explained["Plan"]
    print(
        f"  {name:38} {mode:8}{explained['Execution Time']:9.1f} ms"
        f" {root['Shared Hit Blocks']:7} hit {root['Shared Read Blocks']:6} read"
        f"  {', '.join(sorted(used))}",
        flush=True,
    )
    whole = {node["Relation Name"] for node in nodes if "Seq Scan" in node["Node Type"]}
    assert not whole & NEVER_WHOLE
    assert all(
        node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"] <= MOST_COMPARED
        for node in nodes
    )
    own = (
        node["Actual Rows"] * node["Actual Loops"]
        for node in nodes
        if node.get("Relation Name") in OWN
    )
    assert max(own, default=0) <= MOST_OWN
    assert case.indexes <= used


async def explain(dsn: str, case: Case, mode: str) -> dict[str, Any]:
    connection = await connect(dsn, 60)
    try:
        await connection.execute(f"SET plan_cache_mode = force_{mode}_plan")
        await connection.execute(f"PREPARE query AS {case.sql}")
        values = ", ".join(map(literal, case.arguments))
        text = await connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE query ({values})"
        )
        explained: dict[str, Any] = json.loads(text)[0]
        return explained
    finally:
        await connection.close()


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return literal("{" + ",".join(map(str, value)) + "}")
    if isinstance(value, str):
        escaped = value.replace("'", "''")
        return f"'{escaped}'"
    return str(value).lower()
