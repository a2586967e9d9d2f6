"""What a dead engine left in the spool goes into the log first, once and in order."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
import trio

from palaver.persistence.postgres.committer import Committer
from palaver.persistence.postgres.drain import _ENTRIES
from palaver.persistence.postgres.errors import DatabaseUnavailable
from palaver.persistence.postgres.store import PostgresStore
from palaver.persistence.spool import SpoolFile, SpoolRefused
from palaver.persistence.spool.file import NAME
from palaver.persistence.spool.glance import refusals
from palaver.persistence.spool.record import entry, write_of
from palaver.protocol.errors import Rejected
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.records import Committed, Spooled, Write
from palaver.protocol.state import STATE_VERSION
from palaver.tests.persistence.contract.chat import Chat, mark, nobody
from palaver.tests.persistence.contract.twins import POISON, execute
from palaver.tests.persistence.outage import journal_is, logged, stored, waiting, with_spool
from palaver.tests.persistence.proxy import Proxy, proxied


@pytest.fixture
async def proxy(fresh_database: str) -> AsyncIterator[Proxy]:
    async with proxied(fresh_database) as proxy:
        yield proxy


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "spool"


async def spooled(proxy: Proxy, directory: Path, messages: int = 3, chats: int = 2) -> list[Chat]:
    """What an engine leaves that ends during an outage: chats that are in the log with one message,
    then one that is not; each has `messages` more in the spool."""
    async with with_spool(proxy.dsn, directory) as store:
        known = [await Chat(store, ["ann", "bob"]).create() for _ in range(chats)]
        for chat in known:
            await chat.send("ann", "stored", client_id="stored").outcome()
        await journal_is(store, "ok")
        proxy.go_away()
        unknown = Chat(store, ["ann", "cid"])
        unknown.do("ann", CreateConversation(kind="group", members=["cid"]))
        for number in range(messages):
            for chat in (*known, unknown):
                chat.send("ann", str(number), client_id=str(number))
        for chat in (*known, unknown):
            for ticket in chat.tickets:
                await ticket.told()
    proxy.come_back()
    return [*known, unknown]


async def test_it_is_drained_before_anything_else_and_with_the_right_epochs(
    fresh_database: str, proxy: Proxy, directory: Path
):
    chats = await spooled(proxy, directory)
    lines: list[str] = []
    async with with_spool(fresh_database, directory, progress=lines.append) as store:
        for chat in chats:
            loaded = await store.conversations.load(chat.id, STATE_VERSION)
            assert loaded is not None
            # Opened by an engine that did not end cleanly, also what was created in the spool.
            assert (loaded.epoch, loaded.starts_after) == (2, [chat.state.seq])
            assert loaded.tail == chat.log
    for chat in chats:
        assert await stored(fresh_database, chat) == logged(chat)
    assert waiting(directory) == []
    assert lines == ["storing what waited in the spool: 10 of 10 writes"]


@pytest.mark.parametrize("stage", ["nothing", "some", "all"])
async def test_a_kill_between_the_commit_and_the_removal_doubles_nothing(
    fresh_database: str, proxy: Proxy, directory: Path, stage: str
):
    chats = await spooled(proxy, directory)
    left = waiting(directory)
    if stage != "nothing":
        async with with_spool(fresh_database, directory):
            pass
        with SpoolFile(directory) as spool:
            spool.change(add=left if stage == "all" else left[4:])
    for _ in range(2):
        async with with_spool(fresh_database, directory):
            pass
        for chat in chats:
            assert await stored(fresh_database, chat) == logged(chat)
        assert waiting(directory) == []
        with SpoolFile(directory) as spool:
            assert spool.summary().refused == 0
            spool.change(add=left)


@pytest.mark.parametrize("broken", ["heads", "store", "removal"])
async def test_a_drain_that_breaks_off_goes_on_at_the_next_start(
    fresh_database: str,
    proxy: Proxy,
    directory: Path,
    broken: str,
    monkeypatch: pytest.MonkeyPatch,
):
    chats = await spooled(proxy, directory, messages=_ENTRIES // 2)
    assert len(waiting(directory)) > _ENTRIES
    owner, name = {
        "heads": (Committer, "heads"),
        "store": (Committer, "store"),
        "removal": (SpoolFile, "change"),
    }[broken]
    method, calls = getattr(owner, name), 0

    def second_fails(*args):
        nonlocal calls
        calls += 1
        if calls == 2:
            raise DatabaseUnavailable("gone again")
        return method(*args)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, second_fails)
        async with with_spool(fresh_database, directory, start_timeout_s=2.0) as store:
            # The spool holds something, so it is entered; and it goes on by itself.
            assert not store.journal.has_room
            await journal_is(store, "ok")
    for chat in chats:
        assert await stored(fresh_database, chat) == logged(chat)
    assert waiting(directory) == []


async def test_a_start_without_postgres_waits_for_it_and_takes_nothing(
    fresh_database: str, proxy: Proxy, directory: Path
):
    chats = await spooled(proxy, directory)
    proxy.go_away()
    async with with_spool(proxy.dsn, directory) as store:
        assert store.incarnation == 0
        condition = store.journal.condition()
        assert condition.status == "unavailable"
        assert condition.problem is not None
        assert not store.journal.has_room
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.journal.room()
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await store.conversations.load(chats[0].id, STATE_VERSION)
        proxy.come_back()
        await journal_is(store, "ok")
        await store.journal.room()
        loaded = await store.conversations.load(chats[0].id, STATE_VERSION)
        assert loaded is not None
        assert loaded.tail == chats[0].log
        chats[0].store = store
        assert await chats[0].send("ann", "newer").outcome() == Committed()
    for chat in chats:
        assert await stored(fresh_database, chat) == logged(chat)


async def test_a_start_without_postgres_that_is_stopped_keeps_the_spool(
    fresh_database: str, proxy: Proxy, directory: Path
):
    await spooled(proxy, directory)
    before = waiting(directory)
    proxy.go_away()
    async with with_spool(proxy.dsn, directory):
        pass
    assert waiting(directory) == before


async def test_a_start_without_postgres_and_with_nothing_to_keep_fails(
    proxy: Proxy, directory: Path
):
    proxy.go_away()
    with pytest.raises(DatabaseUnavailable):
        async with with_spool(proxy.dsn, directory):
            raise AssertionError


async def test_commit_drains_too(fresh_database: str, proxy: Proxy, directory: Path):
    chats = await spooled(proxy, directory)
    async with with_spool(fresh_database, directory, durability="commit"):
        for chat in chats:
            assert await stored(fresh_database, chat) == logged(chat)


async def test_the_spool_of_another_database_is_refused_and_kept(
    fresh_database: str, proxy: Proxy, directory: Path
):
    await spooled(proxy, directory)
    before = waiting(directory)
    await execute(fresh_database, "UPDATE installation SET id = gen_random_uuid()")
    with pytest.raises(SpoolRefused, match="another database"):
        async with with_spool(fresh_database, directory):
            raise AssertionError
    assert waiting(directory) == before
    ended = await execute(fresh_database, "SELECT count(*) AS n FROM incarnation")
    assert ended[0]["n"] == 1


async def test_a_log_set_back_takes_nothing_that_would_leave_a_gap(
    fresh_database: str, proxy: Proxy, directory: Path
):
    back, sound, new = await spooled(proxy, directory, messages=_ENTRIES)
    # Between what is stored and what is spooled of one chat something is missing now.
    await execute(fresh_database, f"DELETE FROM log WHERE conversation = '{back.id}' AND seq = 2")
    read = Write(back.id, nobody, marks=[mark(back, "bob", "read", 2, 1)])
    before = waiting(directory)
    with SpoolFile(directory) as spool:
        spool.change(add=[entry(before[-1].n + 1, 1, 1, read)])
    with structlog.testing.capture_logs() as logs:
        async with with_spool(fresh_database, directory):
            pass
    assert await stored(fresh_database, back) == logged(back)[:1]
    assert await execute(fresh_database, "SELECT FROM mark") == []
    for chat in (sound, new):
        assert await stored(fresh_database, chat) == logged(chat)
    kept = refusals(directory, 9999)
    assert len(kept) == _ENTRIES + 1
    assert {conversation for _, _, conversation, _ in kept} == {back.id}
    assert kept[-1].problem == "the log ends at 1, so seq 3 cannot follow"
    assert "error" in {line["log_level"] for line in logs}
    # With what was said, to be brought in by hand.
    with closing(sqlite3.connect(directory / NAME)) as spool:
        rows = spool.execute("SELECT record FROM refused").fetchall()
    texts = {
        event.data
        for each in before
        if each.conversation == back.id
        for event in write_of(each).events
    }
    assert len(rows) == len(texts) + 1


async def test_a_write_that_postgres_refuses_is_set_aside_and_the_start_goes_on(
    fresh_database: str, proxy: Proxy, directory: Path
):
    async with with_spool(proxy.dsn, directory) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        proxy.go_away()
        for text in ("one", POISON, "two"):
            assert await chat.send("ann", text).told() == Spooled()
    proxy.come_back()
    await execute(fresh_database, f"ALTER TABLE log ADD CHECK (body <> '{POISON}')")
    async with with_spool(fresh_database, directory) as store:
        events = (await store.conversations.events(chat.id, 0, 9)).events
    assert [event.kind for event in events] == [
        "conversation.created",
        "message.sent",
        "void",
        "message.sent",
    ]
    ((_, _, conversation, problem),) = refusals(directory, 9)
    assert conversation == chat.id
    assert "log_body_check" in problem
    assert POISON not in problem
    assert waiting(directory) == []


async def test_what_follows_a_foreign_event_is_refused_with_it_also_in_a_later_batch(
    fresh_database: str, proxy: Proxy, directory: Path
):
    chat, other, new = await spooled(proxy, directory, messages=_ENTRIES)
    # Somebody else has written at its next place.
    await execute(
        fresh_database,
        f"""INSERT INTO log SELECT (foreigner).* FROM (
            SELECT jsonb_populate_record(log, jsonb_build_object(
                'seq', 3, 'event_id', gen_random_uuid(), 'client_id', 'x'
            )) AS foreigner FROM log WHERE conversation = '{chat.id}' AND seq = 2
        ) AS made""",
    )
    async with with_spool(fresh_database, directory):
        pass
    assert [seq for seq, _ in await stored(fresh_database, chat)] == [1, 2, 3]
    assert len(refusals(directory, 9999)) == _ENTRIES
    for each in (other, new):
        assert await stored(fresh_database, each) == logged(each)


@pytest.mark.parametrize("how", ["damaged", "newer"])
async def test_an_entry_that_cannot_be_read_stops_the_start_and_stays(
    fresh_database: str, proxy: Proxy, directory: Path, how: str
):
    chats = await spooled(proxy, directory)
    with closing(sqlite3.connect(directory / NAME)) as spool:
        change = "conversation = 'x' || conversation" if how == "damaged" else "record = x'9109'"
        spool.execute(f"UPDATE waiting SET {change} WHERE n = (SELECT max(n) FROM waiting)")
        spool.commit()
    before = waiting(directory)
    with pytest.raises(SpoolRefused, match="cannot be read: entry"):
        async with with_spool(fresh_database, directory):
            raise AssertionError
    assert waiting(directory) == before
    assert [await stored(fresh_database, chat) for chat in chats] == [
        logged(chats[0])[:2],
        logged(chats[1])[:2],
        [],
    ]


CHILD = """
import sys, trio
from pathlib import Path
from palaver.protocol.records import Committed, Spooled
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.outage import with_spool

async def main(dsn, directory):
    async with with_spool(dsn, Path(directory), after_s=0.0001) as store:
        chats = [await Chat(store, ["ann", "bob"]).create() for _ in range(5)]
        number = 0
        while True:
            number += 1
            for chat in chats:
                ticket = chat.send("ann", str(number))
                def told(outcome, ticket=ticket, event=chat.log[-1]):
                    if isinstance(outcome, Committed | Spooled):
                        print("told", event.conversation, event.seq, event.id, flush=True)
                    ticket(outcome)
                ticket.write.done = told
            await store.journal.room()

trio.run(main, *sys.argv[1:])
"""


async def test_DEP_11_after_a_kill_everything_that_was_replied_to_is_there_once(
    fresh_database: str, proxy: Proxy, directory: Path
):
    child = await trio.lowlevel.open_process(
        [sys.executable, "-c", CHILD, proxy.dsn, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    told = b""
    async with child.stdout:
        while told.count(b"told") < 400:
            told += await child.stdout.receive_some()
        proxy.go_away()
        while told.count(b"told") < 800:
            told += await child.stdout.receive_some()
        child.send_signal(signal.SIGKILL)
        async for chunk in child.stdout:
            told += chunk
    await child.wait()
    assert waiting(directory) != []
    async with with_spool(fresh_database, directory):
        pass
    rows = await execute(fresh_database, "SELECT conversation, seq, event_id FROM log")
    places = [(str(row["conversation"]), row["seq"]) for row in rows]
    there = {(str(row["conversation"]), str(row["seq"]), str(row["event_id"])) for row in rows}
    lines = [line.decode().split() for line in told.split(b"\n")[:-1]]
    replied = {tuple(place) for first, *place in lines if first == "told"}
    assert len(replied) >= 400
    assert replied <= there
    assert len(set(places)) == len(places)
    for id in {id for id, _ in places}:
        seqs = [seq for conversation, seq in places if conversation == id]
        assert sorted(seqs) == list(range(1, len(seqs) + 1))


async def test_a_store_without_a_spool_needs_no_directory(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        assert store.journal.condition().spooled == 0
