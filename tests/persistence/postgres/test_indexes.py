"""The indexes that the products' lists ask for, by what they are to find.

Their tables have other names here, and what they look for may lie elsewhere: seqs follow each other
in order of time, unread is the difference of two numbers, and a recipient is whoever is a member.
That the queries use them is held by test_store.py and, over a million messages, by `make plans`.
"""

import re

from palaver.persistence.postgres.store import PostgresStore
from palaver.tests.persistence.contract.twins import execute

FINDING = {
    "DB-02: messages of a conversation by seq and time": "log (conversation, seq)",
    "DB-03: conversations of a guest or owner": "member (user_id)",
    "DB-03: messages about a property": "log_reference (type, id, conversation, seq)",
    "DB-03: when somebody has read": "mark (conversation, user_id, kind, seq)",
    "DB-04: how far somebody has read": "member (conversation, user_id)",
    "DB-04: how many messages there are": "conversation_head (conversation)",
    "DB-08: what is due": "job (priority, next_at)",
    "DB-08: requests to somebody": "message_request (user_id)",
    "DB-08: when somebody was online": "presence (user_id)",
}
UNIQUE = {
    "DB-02: a seq": "log (conversation, seq)",
    "DB-05: a member": "member (conversation, user_id)",
    "DB-07: a message that is sent again": "log (conversation, sender, client_id)",
    "DB-07: a mark": "mark (conversation, user_id, kind, seq)",
    "DB-07: a star": "star (user_id, message_id)",
}


async def indexes(dsn: str, unique: bool) -> set[str]:
    """Table and columns of each."""
    async with PostgresStore(dsn):
        pass
    rows = await execute(dsn, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
    defined = [row["indexdef"] for row in rows]
    return {
        f"{found[1]} ({found[2]})"
        for each in defined
        if each.startswith("CREATE UNIQUE") or not unique
        if (found := re.search(r" ON public\.(\w+) USING btree \(([^()]+)\)", each))
    }


async def test_DB_02_DB_03_DB_04_DB_08_what_is_looked_for_has_its_index(fresh_database: str):
    there = await indexes(fresh_database, unique=False)
    assert {what for what, index in FINDING.items() if index not in there} == set()


async def test_DB_05_DB_07_what_there_is_once_is_unique(fresh_database: str):
    there = await indexes(fresh_database, unique=True)
    assert {what for what, index in UNIQUE.items() if index not in there} == set()
