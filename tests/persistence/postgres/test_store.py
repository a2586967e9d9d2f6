"""What only the Postgres store can show: locks, snapshots, plans, columns."""

import gc
import json

import pytest
import trio

from palaver.persistence.asyncio_thread import AsyncioThread, AsyncioThreadDied
from palaver.persistence.payload import UnreadableEvent
from palaver.persistence.postgres.availability import Availability
from palaver.persistence.postgres.connection import Connection, connect
from palaver.persistence.postgres.conversations import _EVENTS
from palaver.persistence.postgres.database import Database
from palaver.persistence.postgres.inboxes import _PAGE
from palaver.persistence.postgres.pages import ABOUT_BEFORE, PAGE_BEFORE, REPLIES, SEQ_AT
from palaver.persistence.postgres.store import PostgresStore
from palaver.protocol.errors import Rejected
from palaver.protocol.records import Committed
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import execute
from palaver.tests.persistence.outage import journal_is, served
from palaver.tests.persistence.proxy import proxied


async def kill(thread: AsyncioThread) -> None:
    async def die() -> None:
        raise SystemExit

    with pytest.raises(AsyncioThreadDied):
        await thread.run(die)


# Connections whose loop has died cannot be closed any more; the garbage collector says so.
lost_connections = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


async def test_a_start_waits_for_the_last_batch_of_a_dead_process(fresh_database: str):
    async with PostgresStore(fresh_database) as first, AsyncioThread() as thread:
        dead: Connection = await thread.run(connect, fresh_database, 10.0)
        await thread.run(dead.execute, "BEGIN")
        await thread.run(
            dead.execute, f"SELECT FROM incarnation WHERE id = {first.incarnation} FOR SHARE"
        )
        started = trio.Event()

        async def start() -> None:
            async with PostgresStore(fresh_database):
                started.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(start)
            waiting = "SELECT FROM pg_locks WHERE NOT granted"
            while not await execute(fresh_database, waiting):
                await trio.lowlevel.checkpoint()
            assert not started.is_set()
            await thread.run(dead.execute, "COMMIT")
            await started.wait()
        await thread.run(dead.close)


async def test_an_open_transaction_hides_no_change_from_a_cursor(fresh_database: str):
    async with PostgresStore(fresh_database) as store, AsyncioThread() as thread:
        early = await Chat(store, ["ann", "bob"]).create()
        late = await Chat(store, ["ann", "bob"]).create()
        cursor = (await store.inboxes.changes("bob", None)).cursor
        # Takes its number first and commits last.
        other: Connection = await thread.run(connect, fresh_database, 10.0)
        await thread.run(other.execute, "BEGIN")
        await thread.run(
            other.execute,
            "UPDATE conversation_head SET seq = 2, xid = pg_current_xact_id() "
            f"WHERE conversation = '{early.id}'",
        )
        await late.send("ann", "news").outcome()
        first = await store.inboxes.changes("bob", cursor)
        assert {row.conversation for row in first.rows} == {late.id}
        await thread.run(other.execute, "COMMIT")
        await thread.run(other.close)
        second = await store.inboxes.changes("bob", first.cursor)
        assert early.id in {row.conversation for row in second.rows}


async def test_text_lies_in_a_column_of_its_own(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        chat.send("ann", "hello")
        chat.send("ann", "more", metadata={"k": "v"})
        chat.edit(chat.sent[0], "edited")
        await chat.settle()
    rows = await execute(
        fresh_database, "SELECT body, data, message_id, message_seq FROM log ORDER BY seq"
    )
    first = chat.sent[0]
    assert [(row["body"], row["data"]) for row in rows[1:]] == [
        ("hello", None),
        ("more", {"metadata": {"k": "v"}}),
        ("edited", {"message_id": first.id, "message_seq": 2, "version": 2}),
    ]
    assert [(row["message_id"] and str(row["message_id"]), row["message_seq"]) for row in rows] == [
        (None, None),
        (first.id, None),
        (chat.sent[1].id, None),
        (first.id, 2),
    ]


async def test_an_event_of_a_newer_version_is_named_not_skipped(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await chat.send("ann", "hello", client_id="k").outcome()
        await execute(fresh_database, "UPDATE log SET kind = 'poll.closed' WHERE seq = 2")
        with pytest.raises(UnreadableEvent, match=r"poll\.closed") as unreadable:
            await store.conversations.load(chat.id, 1)
        assert (unreadable.value.kind, unreadable.value.seq) == ("poll.closed", 2)
        extra = json.dumps({"colour": "blue"})
        await execute(
            fresh_database,
            f"UPDATE log SET kind = 'message.sent', data = '{extra}' WHERE seq = 2",
        )
        with pytest.raises(UnreadableEvent, match="colour"):
            await store.conversations.events(chat.id, 0, 10)


async def test_reads_are_unavailable_in_time_and_recover(fresh_database: str):
    async with (
        proxied(fresh_database) as proxy,
        PostgresStore(proxy.dsn, query_timeout_s=0.3) as store,
    ):
        chat = await Chat(store, ["ann", "bob"]).create()
        reads = [
            lambda: store.conversations.load(chat.id, 1),
            lambda: store.conversations.position(chat.id, "ann", 1),
            lambda: store.inboxes.inbox("ann", 5, None),
            lambda: store.inboxes.last_seen(["ann"]),
        ]
        for broken in (proxy.swallow_answers, proxy.go_away):
            broken()
            for read in reads:
                with pytest.raises(Rejected, match="UNAVAILABLE") as refused:
                    await read()
                assert refused.value.retry_after is not None
        proxy.cut()
        proxy.come_back()
        await journal_is(store, "ok")
        for read in reads:
            await served(read)


async def nothing() -> None:
    """A probe that is never asked."""


@lost_connections
async def test_reading_survives_the_death_of_the_asyncio_thread(fresh_database: str):
    async with AsyncioThread() as thread:
        database = Database(thread, fresh_database, Availability(nothing, 1.0), 2, 5.0)
        assert (await database.fetch("SELECT 1 AS one"))[0]["one"] == 1

        await kill(thread)
        assert (await database.fetch("SELECT 1 AS one"))[0]["one"] == 1
        await database.aclose()
    gc.collect()


@lost_connections
async def test_writing_survives_the_death_of_the_asyncio_thread(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()

        await kill(store._thread)
        assert await chat.send("ann", "hello").outcome() == Committed()
        assert (await store.conversations.events(chat.id, 0, 9)).events == chat.log
    gc.collect()


async def test_an_exception_in_the_body_comes_out_as_it_is(fresh_database: str):
    with pytest.raises(ZeroDivisionError):
        async with PostgresStore(fresh_database):
            raise ZeroDivisionError


# 100,000 messages in one conversation, every tenth in one thread, every hundredth about one house;
# 2,000 conversations of one user.
MANY = """
    INSERT INTO log (conversation, event_id, message_id, seq, number, at, incarnation, kind, sender,
                     client_id, body)
    SELECT '00000000-0000-7000-8000-000000000001', id, id, n, n, now(), 1, 'message.sent', 'ann',
           'c' || n, 'hello'
    FROM generate_series(1, 100000) AS n, LATERAL (SELECT gen_random_uuid()) AS new (id)
    WHERE n > 0;
    UPDATE log SET kind = 'thread.replied', message_id = '00000000-0000-7000-8000-000000000002'
    WHERE seq % 10 = 0;
    INSERT INTO conversation (id, created_at, opened_in, kind, profile)
    SELECT gen_random_uuid(), now(), 1, 'group', 'default' FROM generate_series(1, 20000);
    INSERT INTO member (conversation, user_id, role, intervals, changed_seq, read_seq, read_number)
    SELECT id, CASE WHEN row_number() OVER () <= 2000 THEN 'ann' ELSE 'user' || random() END,
           'member', '[[1, null]]', 1, 1, 0
    FROM conversation;
    INSERT INTO conversation_head (conversation, seq, number, at) SELECT id, 1, 0, now()
    FROM conversation;
    INSERT INTO log_reference (conversation, seq, type, id)
    SELECT conversation, seq, 'property', 'p' || seq % 100 FROM log;
    ANALYZE;
"""


async def test_DB_02_DB_03_DB_04_DB_05_plans_use_the_indexes(fresh_database: str):
    async with PostgresStore(fresh_database):
        pass

    async def plan(sql: str, *arguments: object) -> str:
        connection = await connect(fresh_database, 30.0)
        try:
            rows = await connection.fetch(f"EXPLAIN {sql}", *arguments)
            return "\n".join(row[0] for row in rows)
        finally:
            await connection.close()

    conversation = "00000000-0000-7000-8000-000000000001"
    root = "00000000-0000-7000-8000-000000000002"
    async with AsyncioThread() as thread:

        async def fill() -> None:
            connection = await connect(fresh_database, 60.0)
            try:
                await connection.execute(MANY)
            finally:
                await connection.close()

        await thread.run(fill)
        plans = [
            await thread.run(plan, PAGE_BEFORE, conversation, [1], [90_000], True, 51, []),
            await thread.run(plan, _EVENTS, conversation, 99_000, 100),
            await thread.run(plan, _PAGE, "ann", 1, 51, None, None, None, "all", None, None),
            await thread.run(plan, REPLIES, conversation, [50_000], [2**62], True, 51, root),
            await thread.run(plan, SEQ_AT, conversation, 1_700_000_000_000),
            await thread.run(plan, _PAGE, "ann", 1, 51, None, None, None, "unread", None, None),
            await thread.run(
                plan, ABOUT_BEFORE, conversation, [1], [90_000], True, 51, ["property", "p9"]
            ),
        ]
    for text in plans:
        assert "Seq Scan on log" not in text, text
        assert "Seq Scan on member" not in text, text
    assert "log_pkey" in plans[0]
    assert "member_user" in plans[2]
    assert "log_thread" in plans[3]
    assert "log_pkey" in plans[4]
    assert "member_user" in plans[5]
    assert "log_reference_pkey" in plans[6]
    assert "Sort" not in plans[3].rpartition("Limit")[2], (
        "no more of a thread is read than its page"
    )
