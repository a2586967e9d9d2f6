"""The group-commit writer when something goes wrong: nothing is lost, nothing is stored twice."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.postgres.availability import Availability
from palaver.persistence.postgres.committer import Committer
from palaver.persistence.postgres.errors import DatabaseUnavailable, TransientConflict
from palaver.persistence.postgres.parcel import Parcel
from palaver.persistence.postgres.shard import BatchReport, Shard
from palaver.persistence.postgres.store import PostgresStore
from palaver.persistence.postgres.writer import WriterSettings
from palaver.persistence.verdict import COMMITTED
from palaver.protocol.errors import Rejected
from palaver.protocol.records import Committed, Delayed, Write
from palaver.tests.persistence.contract.chat import Chat, Ticket, nobody
from palaver.tests.persistence.contract.twins import execute
from palaver.tests.persistence.outage import served
from palaver.tests.persistence.proxy import Proxy, proxied

QUICK = WriterSettings(answer_timeout_s=0.3, wait_s=0.2, statement_timeout_s=2.0)
PATIENT = WriterSettings(statement_timeout_s=1e6)
"""A test that waited for this would never end."""


@pytest.fixture
async def proxy(fresh_database: str) -> AsyncIterator[Proxy]:
    async with proxied(fresh_database) as proxy:
        yield proxy


async def stored(dsn: str, chat: Chat) -> list[tuple[int, str]]:
    rows = await execute(
        dsn, f"SELECT seq, event_id FROM log WHERE conversation = '{chat.id}' ORDER BY seq"
    )
    return [(row["seq"], str(row["event_id"])) for row in rows]


def logged(chat: Chat) -> list[tuple[int, str]]:
    return [(event.seq, event.id) for event in chat.log]


class FakeThread(AsyncioThread):
    async def run(self, async_fn, *args, cancellable=False):  # type: ignore[override]
        await trio.lowlevel.checkpoint()
        return await async_fn(*args)


class FakeCommitter(Committer):
    """Raises `errors` one after the other, then stores."""

    def __init__(self, errors: list[Exception]) -> None:
        self.errors = errors
        self.attempts: list[float] = []

    async def store(self, parcels):
        self.attempts.append(trio.current_time())
        if self.errors:
            raise self.errors.pop(0)
        return [COMMITTED] * len(parcels)


async def nothing() -> None:
    """A probe that is never asked."""


async def attempt(committer: FakeCommitter, nursery: trio.Nursery) -> BatchReport:
    """One write through a shard; what its batch reports."""
    reports: list[BatchReport] = []
    done = trio.Event()

    def deliver(parcels, outcomes, report) -> None:
        assert outcomes == [COMMITTED]
        reports.append(report)
        done.set()

    shard = Shard(FakeThread(), committer, Availability(nothing, 1.0), 500, deliver)
    nursery.start_soon(shard.run)
    shard.put(Parcel(Write("c", nobody), 0.0))
    await done.wait()
    return reports[0]


async def test_SEND_20_a_deadlock_is_retried_with_growing_waits(
    autojump_clock: MockClock, nursery: trio.Nursery
):
    committer = FakeCommitter([TransientConflict("deadlock")] * 2)
    report = await attempt(committer, nursery)
    assert report.attempts == 3
    assert report.seconds < 2.5


async def test_SEND_20_after_three_retries_it_counts_as_unavailable_and_goes_on(
    autojump_clock: MockClock, nursery: trio.Nursery
):
    committer = FakeCommitter([TransientConflict("deadlock")] * 4)
    assert (await attempt(committer, nursery)).attempts == 5


async def test_an_outage_of_an_hour_is_waited_for_with_growing_waits(
    autojump_clock: MockClock, nursery: trio.Nursery
):
    committer = FakeCommitter([DatabaseUnavailable("away")] * 2000)
    report = await attempt(committer, nursery)
    waits = [b - a for a, b in zip(committer.attempts, committer.attempts[1:], strict=False)]
    assert report.attempts == 2001
    assert waits[0] < 0.1
    assert max(waits) <= 2.0
    assert sum(waits) > 1800


async def test_writes_during_an_outage_are_delayed_then_stored(fresh_database: str, proxy: Proxy):
    settings = replace(QUICK, wait_s=1e6)  # once it is known, nothing waits
    async with PostgresStore(proxy.dsn, writer=settings, query_timeout_s=1.0) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        proxy.go_away()
        tickets = [chat.send("ann", str(number)) for number in range(3)]
        for ticket in tickets:
            assert await ticket.told() == Delayed()
        assert not store.journal.has_room
        with pytest.raises(Rejected, match="UNAVAILABLE") as refused:
            await store.journal.room()
        assert refused.value.retry_after is not None
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.journal.settled(chat.id)
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.conversations.events(chat.id, 0, 10)
        proxy.come_back()
        for ticket in tickets:
            assert await ticket.outcome() == Committed()
            assert ticket.outcomes == [Delayed(), Committed()]
        await store.journal.room()
        assert store.journal.statistics.delayed == 3
        assert store.journal.statistics.retries > 0
        events = await store.conversations.events(chat.id, 0, 10)
        assert events.events == chat.log


async def test_a_commit_whose_answer_is_lost_is_stored_once(fresh_database: str, proxy: Proxy):
    async with PostgresStore(proxy.dsn, writer=QUICK) as store:
        chat = await Chat(store, ["ann", "bob"]).create()

        def batch() -> Ticket:
            for _ in range(2):
                chat.send("ann", "hello", client_id=str(len(chat.sent)))
            chat.edit(chat.sent[-1], "edited")
            return chat.delete(chat.sent[-2])

        await batch().outcome()  # from now on the statement is prepared: it takes one answer
        proxy.swallow_answers()
        last = batch()
        while (await stored(fresh_database, chat))[-1][0] < chat.state.seq:
            await trio.lowlevel.checkpoint()
        assert last.outcomes in ([], [Delayed()])
        proxy.cut()
        proxy.come_back()
        await chat.settle()
        assert last.outcomes[-1] == Committed()
        page = await store.conversations.page(chat.id, spans=[(1, 99)], limit=9)
        assert [message.current_text for message in page.messages] == [None, "edited"] * 2
    assert await stored(fresh_database, chat) == logged(chat)


async def test_a_server_that_hangs_is_given_up_and_asked_again(fresh_database: str, proxy: Proxy):
    settings = replace(QUICK, statement_timeout_s=0.3)
    async with PostgresStore(proxy.dsn, writer=settings, query_timeout_s=0.2) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await served(lambda: store.conversations.events(chat.id, 0, 10))
        proxy.swallow_answers()
        ticket = chat.send("ann", "hello")
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.conversations.events(chat.id, 0, 10)
        proxy.come_back()
        assert await ticket.outcome() == Committed()
    assert await stored(fresh_database, chat) == logged(chat)


async def test_killed_connections_lose_and_double_nothing(fresh_database: str):
    kill = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'palaver' AND pid <> pg_backend_pid()
            AND datname = current_database()
    """
    settings = WriterSettings(shards=2, batch_rows=20)
    async with PostgresStore(fresh_database, writer=settings) as store:
        chats = [await Chat(store, ["ann", "bob"]).create() for _ in range(6)]

        async def chatter(chat: Chat) -> None:
            for number in range(60):
                ticket = chat.send("ann", str(number), client_id=str(number))
                if number % 7 == 0:
                    await ticket.outcome()
            await chat.settle()

        async def killer() -> None:
            for _ in range(6):
                await execute(fresh_database, kill)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(killer)
            for chat in chats:
                nursery.start_soon(chatter, chat)
        assert store.journal.pending() == set()
    for chat in chats:
        assert await stored(fresh_database, chat) == logged(chat)


async def test_CONN_17_ten_thousand_messages_share_a_few_connections(
    fresh_database: str, proxy: Proxy
):
    lanes = WriterSettings(shards=2)
    # A slow machine is no stalled one: that would be asked over a connection of its own.
    async with PostgresStore(
        proxy.dsn, readers=3, writer=lanes, stall_s=1e6, query_timeout_s=1e6
    ) as store:
        at_start = proxy.opened
        chats = [await Chat(store, ["ann", "bob"]).create() for _ in range(50)]

        async def read(chat: Chat) -> None:
            await store.conversations.events(chat.id, 0, 5)

        for _ in range(20):
            for chat in chats:
                for number in range(10):
                    chat.send("ann", str(number))
            async with trio.open_nursery() as nursery:
                for chat in chats:
                    nursery.start_soon(read, chat)
            for chat in chats:
                await chat.settle()
        assert sum(len(chat.sent) for chat in chats) == 10_000
        assert proxy.opened - at_start <= 5
        assert proxy.most <= 5


async def test_a_full_buffer_says_so_and_has_room_again(fresh_database: str, proxy: Proxy):
    settings = WriterSettings(buffer_rows=20, wait_s=0.2)
    async with PostgresStore(proxy.dsn, writer=settings) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        proxy.go_away()
        while store.journal.has_room:
            chat.send("ann", "more")
        assert store.journal.statistics.rows >= 20
        began = trio.current_time()
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.journal.room()
        assert trio.current_time() - began >= settings.wait_s
        proxy.come_back()
        await chat.settle()
        await store.journal.room()
        assert store.journal.statistics.rows == store.journal.statistics.bytes == 0


async def test_a_callback_that_raises_stops_nothing(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        write = chat.send("ann", "one").write

        def broken(outcome) -> None:
            raise RuntimeError("secret text")

        write.done = broken
        second = chat.send("ann", "two")
        assert await second.outcome() == Committed()
        assert store.journal.pending() == set()


async def test_DEP_11_leaving_stores_what_waits_also_when_cancelled(fresh_database: str):
    chats: list[Chat] = []
    patient = WriterSettings(answer_timeout_s=1e6)
    with trio.CancelScope() as scope:
        async with PostgresStore(fresh_database, writer=patient, close_timeout_s=1e6) as store:
            chat = await Chat(store, ["ann", "bob"]).create()
            chats.append(chat)
            for number in range(2000):
                chat.send("ann", str(number))
            scope.cancel()
    assert [ticket.outcomes for ticket in chats[0].tickets] == [[Committed()]] * 2001
    assert await stored(fresh_database, chats[0]) == logged(chats[0])
    rows = await execute(fresh_database, "SELECT clean FROM incarnation")
    assert [row["clean"] for row in rows] == [True]


@pytest.mark.parametrize("how", ["gone", "hanging"])
async def test_leaving_without_the_database_ends_in_time_and_unclean(
    fresh_database: str, proxy: Proxy, how: str
):
    async with PostgresStore(proxy.dsn, writer=PATIENT, close_timeout_s=0.5) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await store.conversations.events(chat.id, 0, 10)
        if how == "gone":
            proxy.go_away()
        else:
            proxy.swallow_answers()
        ticket = chat.send("ann", "lost")
    assert ticket.outcomes == []
    rows = await execute(fresh_database, "SELECT clean FROM incarnation")
    assert [row["clean"] for row in rows] == [None]


async def test_leaving_in_peace_while_the_database_hangs_ends_in_time(proxy: Proxy):
    async with PostgresStore(proxy.dsn, writer=PATIENT, close_timeout_s=0.5) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await store.conversations.events(chat.id, 0, 10)
        proxy.swallow_answers()


async def test_batches_grow_while_one_commits(fresh_database: str):
    reports: list[BatchReport] = []
    async with PostgresStore(fresh_database, observer=reports.append) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        tickets: list[Ticket] = []
        for number in range(600):
            tickets.append(chat.send("ann", str(number)))
            if number % 20 == 0:
                await trio.lowlevel.checkpoint()
        for ticket in tickets:
            await ticket.outcome()
        assert max(report.rows for report in reports) <= 500
        assert len(reports) < 60
        assert store.journal.statistics.batches == len(reports)
        assert sum(report.writes for report in reports) == 601
