"""While Postgres is away or slow, the spool answers; when it is back, everything is stored once, in
order."""

import gc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
import trio

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.embedded import EmbeddedPostgres
from palaver.persistence.postgres.connection import Connection, connect
from palaver.persistence.postgres.parcel import Parcel
from palaver.persistence.postgres.shard import BatchReport
from palaver.persistence.postgres.store import PostgresStore
from palaver.persistence.spool import SpoolUnavailable
from palaver.persistence.spool.file import NAME
from palaver.persistence.spool.glance import refusals
from palaver.protocol.errors import Rejected
from palaver.protocol.records import Committed, Delayed, Outcome, Refused, Spooled, Write
from palaver.tests.persistence.contract.chat import Chat, Ticket
from palaver.tests.persistence.contract.twins import POISON, execute
from palaver.tests.persistence.outage import (
    journal_is,
    logged,
    served,
    stored,
    until,
    waiting,
    with_spool,
)
from palaver.tests.persistence.proxy import Proxy, proxied


@pytest.fixture
async def proxy(fresh_database: str) -> AsyncIterator[Proxy]:
    async with proxied(fresh_database) as proxy:
        yield proxy


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "spool"


CLOSED: Callable[[Proxy], None] = Proxy.go_away
STALLED: Callable[[Proxy], None] = Proxy.swallow_answers


@pytest.mark.parametrize("leave", [CLOSED, STALLED], ids=["closed", "stalled"])
async def test_replies_go_on_in_order_and_all_is_stored_when_it_is_back(
    fresh_database: str, proxy: Proxy, directory: Path, leave: Callable[[Proxy], None]
):
    async with with_spool(proxy.dsn, directory) as store:
        chats = [await Chat(store, ["ann", "bob"]).create() for _ in range(3)]
        await journal_is(store, "ok")
        leave(proxy)
        tickets = [chat.send("ann", f"{number} " * 400) for number in range(300) for chat in chats]
        chats[0].edit(chats[0].sent[0], "edited")
        chats[0].delete(chats[0].sent[1])
        tickets.append(chats[0].read("bob"))
        for ticket in tickets:
            assert await ticket.told() == Spooled()
        await until(store, lambda: store.journal.condition().problem is not None)
        condition = store.journal.condition()
        assert condition.status == "spooling"
        assert condition.waiting == condition.spooled == 903
        assert condition.spooled_bytes > 900 * 800
        assert condition.oldest_s > 0
        assert store.journal.has_room
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.conversations.events(chats[0].id, 0, 10)
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.journal.settled(chats[0].id)
        assert await chats[1].send("ann", "without waiting").told() == Spooled()
        proxy.cut()
        proxy.come_back()
        for chat in chats:
            await chat.settle()
        assert {tuple(ticket.outcomes) for ticket in tickets} == {(Spooled(), Committed())}
        await journal_is(store, "ok")
        assert store.journal.condition().spooled_bytes == 0
        found = await served(lambda: store.conversations.events(chats[1].id, 0, 999))
        assert found.events == chats[1].log
    for chat in chats:
        assert await stored(fresh_database, chat) == logged(chat)
    assert waiting(directory) == []
    assert (directory / NAME).stat().st_size < 100_000


async def locked(dsn: str, thread: AsyncioThread) -> Connection:
    """A connection that holds up every write to the log until its `COMMIT`."""
    connection: Connection = await thread.run(connect, dsn, 30.0)
    await thread.run(connection.execute, "BEGIN; LOCK TABLE log IN EXCLUSIVE MODE")
    return connection


async def test_a_slow_postgres_is_overtaken_by_the_spool_and_nothing_is_doubled(
    fresh_database: str, directory: Path
):
    async with (
        AsyncioThread() as thread,
        with_spool(fresh_database, directory, statement_timeout_s=30.0) as store,
    ):
        chat = await Chat(store, ["ann", "bob"]).create()
        slow = await locked(fresh_database, thread)
        first = chat.send("ann", "one")
        assert await first.told() == Spooled()
        assert store.journal.condition().status == "spooling"
        # It answers what it can: it is slow, not away.
        found = await served(lambda: store.conversations.events(chat.id, 0, 9))
        assert found.events == chat.log[:1]
        await thread.run(slow.execute, "COMMIT")
        await chat.settle()
        assert first.outcomes == [Spooled(), Committed()]
        await journal_is(store, "ok")
        quick = chat.send("ann", "two")
        await chat.settle()
        assert quick.outcomes == [Committed()]
        await thread.run(slow.close)
    assert await stored(fresh_database, chat) == logged(chat)


async def test_spooling_ends_under_load_once_postgres_keeps_up_again(
    fresh_database: str, directory: Path
):
    async with (
        AsyncioThread() as thread,
        with_spool(fresh_database, directory, after_s=0.3, statement_timeout_s=30.0) as store,
    ):
        chats = [await Chat(store, ["ann", "bob"]).create() for _ in range(20)]
        slow = await locked(fresh_database, thread)
        done = False

        async def chatter(chat: Chat) -> None:
            """Always something under way."""
            last = chat.send("ann", "first")
            while not done:
                following = chat.send("ann", "next")
                await last.outcome()
                last = following

        async with trio.open_nursery() as nursery:
            for chat in chats:
                nursery.start_soon(chatter, chat)
            await journal_is(store, "spooling")
            await thread.run(slow.execute, "COMMIT")
            await journal_is(store, "ok")
            done = True
        for chat in chats:
            await chat.settle()
        await thread.run(slow.close)
    for chat in chats:
        assert await stored(fresh_database, chat) == logged(chat)


async def test_a_full_spool_takes_nothing_more(fresh_database: str, proxy: Proxy, directory: Path):
    async with with_spool(proxy.dsn, directory, max_bytes=5000) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        proxy.go_away()
        while store.journal.has_room:
            assert await chat.send("ann", "x" * 500).told() == Spooled()
        assert store.journal.condition().status == "unavailable"
        with pytest.raises(Rejected, match="UNAVAILABLE") as refused:
            await store.journal.room()
        assert refused.value.retry_after is not None
        proxy.come_back()
        await chat.settle()
        await store.journal.room()
    assert await stored(fresh_database, chat) == logged(chat)


def large(chat: Chat) -> Ticket:
    """Some pages of a spool."""
    return [chat.send("ann", "x" * 4000) for _ in range(10)][-1]


async def test_a_spool_whose_disk_is_full_delays_and_recovers(
    fresh_database: str, proxy: Proxy, directory: Path
):
    store = with_spool(proxy.dsn, directory, answer_timeout_s=0.3)
    async with store:
        assert store._file is not None
        chat = await Chat(store, ["ann", "bob"]).create()
        store._file._db.execute("PRAGMA max_page_count = 1")  # it keeps what it has
        proxy.go_away()
        ticket = large(chat)
        assert await ticket.told() == Delayed()
        condition = store.journal.condition()
        assert condition.status == "unavailable"
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.journal.room()
        store._file._db.execute("PRAGMA max_page_count = 100000")
        await until(store, lambda: len(ticket.outcomes) > 1)
        assert ticket.outcomes == [Delayed(), Spooled()]
        assert store.journal.has_room
        proxy.come_back()
        await chat.settle()
        await journal_is(store, "ok")
    assert await stored(fresh_database, chat) == logged(chat)


async def test_a_spool_that_cannot_be_written_does_not_hold_up_a_slow_postgres(
    fresh_database: str, directory: Path
):
    async with (
        AsyncioThread() as thread,
        with_spool(fresh_database, directory, statement_timeout_s=30.0) as store,
    ):
        assert store._file is not None
        chat = await Chat(store, ["ann", "bob"]).create()
        store._file._db.execute("PRAGMA max_page_count = 1")
        slow = await locked(fresh_database, thread)
        large(chat)
        await until(store, lambda: store.journal._spooler.problem is not None)  # type: ignore[union-attr]
        await store.journal.room()
        last = chat.send("ann", "more")
        await thread.run(slow.execute, "COMMIT")
        await chat.settle()
        assert last.outcomes == [Committed()]
        await journal_is(store, "ok")
        await thread.run(slow.close)
    assert await stored(fresh_database, chat) == logged(chat)


FULL = [
    """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'No space left' USING ERRCODE = '53100'; END $$""",
    "CREATE TRIGGER full_disk BEFORE INSERT ON log EXECUTE FUNCTION full_disk()",
]


async def test_the_spool_takes_over_from_a_full_postgres(fresh_database: str, directory: Path):
    async with with_spool(fresh_database, directory) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await execute(fresh_database, *FULL)
        ticket = chat.send("ann", "hello")
        assert await ticket.told() == Spooled()
        # What is there can be read.
        found = await served(lambda: store.conversations.events(chat.id, 0, 9))
        assert found.events == chat.log[:1]
        await execute(fresh_database, "DROP TRIGGER full_disk ON log")
        await chat.settle()
        assert ticket.outcomes == [Spooled(), Committed()]
    assert await stored(fresh_database, chat) == logged(chat)


async def test_SEND_11_commit_never_answers_from_the_spool(
    fresh_database: str, proxy: Proxy, directory: Path
):
    store = with_spool(proxy.dsn, directory, durability="commit", answer_timeout_s=0.5)
    async with store:
        chat = await Chat(store, ["ann", "bob"]).create()
        proxy.go_away()
        ticket = chat.send("ann", "hello")
        assert await ticket.told() == Delayed()
        assert store.journal.condition().status == "unavailable"
        assert waiting(directory) == []
        proxy.come_back()
        await chat.settle()
    assert ticket.outcomes == [Delayed(), Committed()]


async def test_leaving_does_not_wait_for_a_connection_that_is_being_made(
    fresh_database: str, proxy: Proxy, directory: Path
):
    async with with_spool(proxy.dsn, directory, statement_timeout_s=1e6) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        proxy.swallow_answers()
        proxy.cut()
        assert await chat.send("ann", "hello").told() == Spooled()
    assert len(waiting(directory)) == 1


@pytest.mark.parametrize("leave", [CLOSED, STALLED], ids=["closed", "stalled"])
async def test_leaving_while_it_is_away_leaves_all_in_the_spool(
    fresh_database: str, proxy: Proxy, directory: Path, leave: Callable[[Proxy], None]
):
    async with with_spool(proxy.dsn, directory, close_timeout_s=1e6) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        leave(proxy)
        tickets = [chat.send("ann", str(number)) for number in range(50)]
        # And nothing is known of the outage yet.
    assert [ticket.outcomes for ticket in tickets] == [[Spooled()]] * 50
    assert [entry.conversation for entry in waiting(directory)] == [chat.id] * 50
    async with with_spool(fresh_database, directory) as store:
        assert await stored(fresh_database, chat) == logged(chat)
    assert waiting(directory) == []


async def test_SEND_19_what_is_refused_after_its_reply_is_kept_aside(
    fresh_database: str, proxy: Proxy, directory: Path
):
    async with with_spool(proxy.dsn, directory) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await execute(fresh_database, f"ALTER TABLE log ADD CHECK (body <> '{POISON}')")
        proxy.go_away()
        before, poison, after = (chat.send("ann", text) for text in ("one", POISON, "two"))
        for ticket in (before, poison, after):
            assert await ticket.told() == Spooled()
        proxy.come_back()
        await chat.settle()
        assert isinstance(poison.outcomes[-1], Refused)
        assert before.outcomes[-1] == after.outcomes[-1] == Committed()
        await journal_is(store, "ok")
    ((_, _, conversation, problem),) = refusals(directory, 9)
    assert (conversation, "log_body_check" in problem) == (chat.id, True)
    kinds = await execute(fresh_database, "SELECT kind FROM log ORDER BY seq")
    assert [row["kind"] for row in kinds] == [
        "conversation.created",
        "message.sent",
        "void",
        "message.sent",
    ]


# Connections whose loop has died cannot be closed any more; the garbage collector says so.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
async def test_the_thread_may_die_while_postgres_is_asked_whether_it_is_there(
    fresh_database: str, proxy: Proxy, directory: Path
):
    async with with_spool(proxy.dsn, directory, stall_s=0.2) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        proxy.swallow_answers()
        opened = proxy.opened
        ticket = chat.send("ann", "hello")
        while proxy.opened == opened:
            await trio.lowlevel.checkpoint()

        async def die() -> None:
            raise SystemExit

        with pytest.raises(Exception, match="died"):
            await store._thread.run(die)
        proxy.cut()
        proxy.come_back()
        await ticket.outcome()
        await chat.settle()
    assert await stored(fresh_database, chat) == logged(chat)
    gc.collect()


async def test_a_spool_without_disk_at_start_is_said_in_one_error(
    fresh_database: str, directory: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise SpoolUnavailable("database or disk is full")

    monkeypatch.setattr("palaver.persistence.spool.file.SpoolFile.belong", full)
    with pytest.raises(SpoolUnavailable, match="full"):
        async with PostgresStore(
            fresh_database, spool=with_spool(fresh_database, directory)._spool
        ):
            raise AssertionError


async def test_a_server_that_is_stopped_is_noticed_and_used_again(data: Path, directory: Path):
    """SIGSTOP: its connections are open, and connecting to it succeeds."""
    async with EmbeddedPostgres(data) as server, with_spool(server.dsn, directory) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        assert server.pid is not None
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
        for process in processes:
            process.suspend()
        try:
            tickets = [chat.send("ann", str(number)) for number in range(20)]
            for ticket in tickets:
                assert await ticket.told() == Spooled()
            await until(store, lambda: store.journal.condition().problem is not None)
            with pytest.raises(Rejected, match="UNAVAILABLE"):
                await store.conversations.events(chat.id, 0, 10)
        finally:
            for process in processes:
                process.resume()
        await chat.settle()
        await journal_is(store, "ok")
        assert await stored(server.dsn, chat) == logged(chat)


async def test_what_postgres_has_refused_is_not_answered_from_the_spool(
    fresh_database: str, directory: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its outcome has come, and is not told yet, when the spool has it on disk."""
    async with with_spool(fresh_database, directory) as store:
        told: list[Outcome] = []
        parcel = Parcel(Write("c", told.append), trio.current_time())
        spooler = store.journal._spooler
        assert spooler is not None

        async def exchange(writes: object, stored: object) -> list[int]:
            store.journal._deliver([parcel], [Refused("no")], BatchReport(1, 1, 0.1, 1))
            return []

        store.journal._backlog.add(parcel)
        with monkeypatch.context() as patch:
            patch.setattr(spooler.spool, "exchange", exchange)
            await spooler._spool([parcel])
        await until(store, lambda: bool(told))
    assert told == [Refused("no")]
