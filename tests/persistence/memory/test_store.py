"""What tests of the actors do to the in-memory store."""

import pytest
import trio
from trio.testing import MockClock

from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.protocol.records import Committed, Delayed, Refused
from palaver.tests.persistence.contract.chat import Chat


async def chat_in(store: MemoryStore) -> Chat:
    return await Chat(store, ["ann", "bob"]).create()


async def test_a_write_is_stored_before_append_returns():
    chat = await chat_in(MemoryStore())
    assert chat.send("ann", "hello").outcomes == [Committed()]


async def test_held_writes_wait_and_are_released_in_order():
    store = MemoryStore()
    chat = await chat_in(store)
    store.hold()
    tickets = [chat.send("ann", str(number)) for number in range(3)]
    assert [ticket.outcomes for ticket in tickets] == [[], [], []]
    assert set(store.journal.pending()) == {chat.id}
    assert (await store.conversations.events(chat.id, 0, 9)).as_of == 1
    store.release(1)
    assert [ticket.outcomes for ticket in tickets] == [[Committed()], [], []]
    assert (await store.conversations.events(chat.id, 0, 9)).as_of == 2
    store.release()
    assert [ticket.outcomes for ticket in tickets] == [[Committed()]] * 3
    assert not store.journal.pending()
    assert chat.send("ann", "more").outcomes == [Committed()]


async def test_away_means_unavailable_reads_and_waiting_writes(autojump_clock: MockClock):
    store = MemoryStore()
    chat = await chat_in(store)
    store.go_away()
    ticket = chat.send("ann", "hello")
    with pytest.raises(Rejected, match="UNAVAILABLE"):
        await store.conversations.events(chat.id, 0, 9)
    with pytest.raises(Rejected, match="UNAVAILABLE"):
        await store.inboxes.inbox("ann", 5, None)
    with pytest.raises(Rejected, match="UNAVAILABLE"):
        await store.journal.settled(chat.id)
    assert store.journal.has_room
    store.delay()
    store.delay()
    assert ticket.outcomes == [Delayed()]
    assert not store.journal.has_room
    before = trio.current_time()
    with pytest.raises(Rejected, match="UNAVAILABLE"):
        await store.journal.room()
    assert trio.current_time() == before
    store.come_back()
    assert ticket.outcomes == [Delayed(), Committed()]
    await store.journal.room()
    assert (await store.conversations.events(chat.id, 0, 9)).events == chat.log


async def test_a_full_buffer_waits_for_room(autojump_clock: MockClock, nursery: trio.Nursery):
    store = MemoryStore(capacity=5)
    chat = await chat_in(store)
    store.hold()
    while store.journal.has_room:
        chat.send("ann", "more")
    with pytest.raises(Rejected, match="UNAVAILABLE"):
        await store.journal.room()

    async def release() -> None:
        await trio.sleep(0.5)
        store.release()

    nursery.start_soon(release)
    await store.journal.room()
    assert store.journal.has_room


async def test_a_crash_loses_what_was_pending_and_fences_the_old_engine():
    store = MemoryStore()
    chat = await chat_in(store)
    store.hold()
    lost = chat.send("ann", "lost")
    new = store.crashed()
    store.release()
    assert lost.outcomes == []
    loaded = await new.conversations.load(chat.id, 1)
    assert loaded is not None
    assert (loaded.epoch, loaded.starts_after) == (2, [1])
    assert (await new.conversations.events(chat.id, 0, 9)).as_of == 1


@pytest.mark.parametrize("voidable", [True, False])
async def test_chosen_writes_are_refused(voidable: bool):
    store = MemoryStore()
    chat = await chat_in(store)
    store.refuse(lambda write: len(write.events) > 0, voidable=voidable)
    assert chat.send("ann", "no").outcomes == [Refused("refused by the test", voidable)]
    store.refuse(None)
    events = (await store.conversations.events(chat.id, 0, 9)).events
    assert [event.kind for event in events[1:]] == ["void"] * voidable
