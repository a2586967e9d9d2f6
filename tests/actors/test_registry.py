from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.protocol.state import STATE_VERSION
from palaver.tests.support.engines import NOWHERE, Lives, group, refused, say, settled
from palaver.tests.support.stores import Watch

IDLE_S = 300.0


def in_memory(engine: Engine) -> object:
    return engine.health()["conversations"]


async def test_a_conversation_starts_when_somebody_speaks_to_it():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
    lives.restart()
    async with lives.life() as engine:
        assert in_memory(engine) == 0
        await say(engine, room, "ann", "hi")
        assert in_memory(engine) == 1


async def test_one_load_however_many_ask_at_once():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
    lives.restart()
    watch = Watch(lives.store)
    async with lives.life() as engine:
        watch.hold("load")
        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon(engine.as_user("ann").send, room, f"{n}")
            await settled()
            watch.release()
        assert watch.calls["load"] == 1
        assert (await engine.as_user("ann").conversation(room))["seq"] == 101


@pytest.mark.parametrize(
    "kind", ["message.send", "conversation.get", "message.history", "conversation.resume", "ack"]
)
async def test_SEND_21_an_unknown_conversation_is_not_found_and_leaves_nothing_behind(kind: str):
    async with memory_engine() as engine:
        ann = Device(engine, "ann")
        payload: dict[str, dict[str, Any]] = {
            "message.send": {"text": "hi"},
            "conversation.resume": {"epoch": 1, "seq": 0},
        }
        ann.submit(kind, payload.get(kind), c=NOWHERE, id=1, seq=1)
        await settled()
        assert ann.reply(1)["error"]["code"] == "CONVERSATION_NOT_FOUND"
        assert in_memory(engine) == 0


async def test_what_is_no_id_is_not_even_looked_for():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        no = await refused(engine.as_user("ann").send("lobby", "hi"))
        assert no.code == "CONVERSATION_NOT_FOUND"
        assert not watch.calls


async def test_an_idle_conversation_is_put_away_with_a_snapshot():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "one", "two")
        await trio.sleep(IDLE_S - 1)
        assert in_memory(engine) == 1
        await say(engine, room, "ann", "three")
        await trio.sleep(IDLE_S - 1)
        assert in_memory(engine) == 1
        await trio.sleep(2)
        assert in_memory(engine) == 0
        loaded = await lives.store.conversations.load(room, STATE_VERSION)
        assert loaded is not None
        assert loaded.snapshot is not None
        assert (loaded.snapshot.seq, loaded.tail) == (4, [])


async def test_it_is_not_put_away_before_everything_is_stored():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        store.hold()
        ann.submit("message.send", {"text": "hi"}, c=room, id=1)
        await trio.sleep(3 * IDLE_S)
        assert in_memory(engine) == 1
        store.release()
        await settled()
        assert "ok" in ann.reply(1)
        assert in_memory(engine) == 0


async def test_it_is_not_put_away_while_somebody_looks():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await bob.ask("conversation.subscribe", c=room)
        async with engine.subscribe(room) as events:
            await trio.sleep(3 * IDLE_S)
            bob.leave()
            assert (await anext(events)).seq == 1
            await trio.sleep(3 * IDLE_S)
            assert in_memory(engine) == 1
        await trio.sleep(2 * IDLE_S)
        assert in_memory(engine) == 0


async def test_HIST_13_it_comes_back_as_it_was():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        first, second, third = await say(engine, room, "ann", "one", "two", "three")
        await ann.edit(room, first.id, "ONE")
        await ann.delete(room, second.id)
        await ann.pin(room, third.id)
        await ann.rename(room, "The room")
        await ann.set_role(room, "bob", "admin")
        await ann.remove_member(room, "cid")
        await bob.send(room, "four", reply_to=third.id)
        await bob.read(room, first.seq)
        before = [await user.conversation(room) for user in (ann, bob)]
        history = await bob.history(room)
        await trio.sleep(2 * IDLE_S)
        assert in_memory(engine) == 0
        assert [await user.conversation(room) for user in (ann, bob)] == before
        assert await bob.history(room) == history
    lives.restart()
    async with lives.life() as engine:
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        assert [await user.conversation(room) for user in (ann, bob)] == before
        assert await bob.history(room) == history


async def test_HIST_13_a_crash_in_between_changes_nothing_but_the_epoch():
    lives = Lives(actors={"snapshot_every": 3})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        for n in range(10):
            sent = await ann.send(room, f"{n}")
            if n % 2:
                await bob.read(room, sent.seq)
        before = [await user.conversation(room) for user in (ann, bob)]
        lives.crash()
    async with lives.life() as engine:
        after = [await engine.as_user(user).conversation(room) for user in ("ann", "bob")]
        assert after == [{**view, "epoch": 2} for view in before]


async def test_a_busy_conversation_writes_snapshots_as_it_goes():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"snapshot_every": 10}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(34)))
        loaded = await store.conversations.load(room, STATE_VERSION)
        assert loaded is not None
        assert loaded.snapshot is not None
        assert loaded.snapshot.seq + len(loaded.tail) == 35
        assert len(loaded.tail) < 10


async def test_a_snapshot_never_holds_what_was_refused():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"snapshot_every": 2}) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        store.refuse(lambda write: any(e.client_id == "bad" for e in write.events))
        store.hold()
        ann.submit("message.send", {"text": "bad", "client_id": "bad"}, c=room, id=1)
        await settled()
        ann.submit("message.send", {"text": "good"}, c=room, id=2)
        await settled()
        store.release()
        await settled()
        assert ann.reply(1)["error"]["code"] == "PERSIST_FAILED"
        live = await engine.as_user("bob").conversation(room)
        assert (live["seq"], live["unread"]) == (3, 1)
        await trio.sleep(2 * IDLE_S)
        assert in_memory(engine) == 0
        assert await engine.as_user("bob").conversation(room) == live


async def test_closing_stores_what_is_pending_and_takes_nothing_new():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        store.hold()
        for n in range(5):
            ann.submit("message.send", {"text": f"{n}"}, c=room, id=n)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.drained)
            await settled()
            assert in_memory(engine) == 1
            assert (await refused(engine.as_user("ann").send(room, "late"))).code == "UNAVAILABLE"
            assert (await refused(engine.as_user("ann").conversation(room))).code == "UNAVAILABLE"
            store.release()
        assert in_memory(engine) == 0
        assert [ann.reply(n)["ok"]["seq"] for n in range(5)] == [2, 3, 4, 5, 6]


async def test_asking_for_presence_while_closing_starts_nothing():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "cid")
        await trio.sleep(2 * IDLE_S)
        store.hold()
        ann = Device(engine, "ann")
        ann.submit("message.send", {"text": "hi"}, c=room, id=1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.drained)
            await settled()
            reply = await ann.ask("presence.get", {"conversation": other})
            assert reply["error"]["code"] == "UNAVAILABLE"
            assert in_memory(engine) == 1
            store.release()


async def test_a_store_that_is_away_makes_a_cold_conversation_unavailable_for_now():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
    lives.restart()
    async with lives.life() as engine:
        lives.store.go_away()
        assert (await refused(engine.as_user("ann").send(room, "hi"))).code == "UNAVAILABLE"
        assert in_memory(engine) == 0
        lives.store.come_back()
        assert (await engine.as_user("ann").send(room, "hi")).seq == 2


async def test_a_visit_of_nothing_is_not_found():
    async with memory_engine() as engine:
        with pytest.raises(Rejected, match="CONVERSATION_NOT_FOUND"):
            async with engine.subscribe(NOWHERE):
                pass
        with pytest.raises(Rejected, match="CONVERSATION_NOT_FOUND"):
            async with engine.subscribe("lobby"):
                pass
        assert in_memory(engine) == 0


async def test_a_storm_of_reconnects_loads_a_conversation_once_and_then_reads_nothing():
    """A thousand devices come back to a cold conversation, all of them a few events behind."""
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", *(f"user {n}" for n in range(200)))
        await say(engine, room, "ann", *map(str, range(20)))
    lives.restart()
    watch = Watch(lives.store)
    async with lives.life() as engine:
        devices = [Device(engine, f"user {n % 200}") for n in range(1000)]
        for device in devices:
            device.submit("conversation.resume", {"epoch": 1, "seq": 15}, c=room, id=1)
        await settled()
        assert watch.calls == {"load": 1, "events": 1}
        for device in devices:
            assert device.reply(1)["ok"]["recovered"]
            assert [item["seq"] for item in device.events(room)] == list(range(16, 22))


async def test_loads_of_many_conversations_take_their_turn():
    lives = Lives(actors={"loads": 3, "waiting_loads": 4})
    async with lives.life() as engine:
        rooms = [await group(engine, "ann", "bob") for _ in range(9)]
    lives.restart()
    watch = Watch(lives.store)
    async with lives.life() as engine:
        ann = Device(engine, "ann")
        watch.hold("load")
        for n, room in enumerate(rooms):
            ann.submit("conversation.get", c=room, id=n)
        await settled()
        assert watch.calls["load"] == 3
        refused = ann.of_kind("reply")
        assert len(refused) == 2
        assert {reply["error"]["code"] for reply in refused} == {"OVERLOADED"}
        assert {reply["error"]["retry_after"] for reply in refused} == {1.0}
        watch.release()
        await settled()
        assert watch.calls["load"] == 7
        assert sum("ok" in ann.reply(n) for n in range(9)) == 7
        assert "ok" in await ann.ask("conversation.get", c=rooms[refused[0]["id"]])


async def test_a_full_mailbox_is_overloaded_and_says_when_to_come_back():
    lives = Lives(actors={"mailbox": 5})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
    lives.restart()
    watch = Watch(lives.store)
    async with lives.life() as engine:
        ann = Device(engine, "ann")
        watch.hold("load")
        for n in range(8):
            ann.submit("message.send", {"text": str(n)}, c=room, id=n)
        await settled()
        assert [reply["id"] for reply in ann.of_kind("reply")] == [5, 6, 7]
        assert ann.reply(5)["error"]["code"] == "OVERLOADED"
        assert ann.reply(5)["error"]["retryable"]
        assert ann.reply(5)["error"]["retry_after"] == 1.0
        watch.release()
        await settled()
        assert ann.texts() == ["0", "1", "2", "3", "4"]
