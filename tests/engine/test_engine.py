"""The embedding API: what a host can do, and what it can rely on."""

import pytest
import trio
from prometheus_client import generate_latest

from palaver.engine import Engine, Settings, StartupError
from palaver.engine.local import Disconnected
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.disconnects import SLOW
from palaver.protocol.errors import Rejected


async def test_leaving_drains_what_was_asked_is_stored_and_found_again():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await engine.as_user("ann").create_group("Ops", ["bob"])
        for number in range(20):
            await engine.as_user("ann").send(room, str(number))
    async with memory_engine(store=store.restarted()) as engine:
        bob = engine.as_user("bob")
        assert [m["text"] for m in await bob.history(room)] == [str(n) for n in range(20)]
        assert (await bob.conversation(room))["epoch"] == 1


async def test_an_error_of_the_host_leaves_the_engine_as_it_is():
    with pytest.raises(ZeroDivisionError):
        async with memory_engine():
            raise ZeroDivisionError


async def test_a_store_that_cannot_be_opened_is_a_sentence():
    with pytest.raises(StartupError, match="cannot be reached"):
        async with Engine(Settings.load(storage={"dsn": "postgresql://localhost:1/x"})):
            raise AssertionError


async def test_pushes_make_one_more_device_of_the_user():
    async with memory_engine() as engine:
        ann, device = engine.as_user("ann"), Device(engine, "ann")
        async with ann.pushes() as pushes:
            await ann.send_to("bob", "hi")
            kinds = [(await pushes.__anext__())["t"] for _ in range(2)]
        assert kinds == ["conversation.created", "message.sent"]
        assert [item["t"] for item in device.events()] == kinds


async def test_a_reader_that_lags_is_cut_off_after_what_it_had():
    async with memory_engine(actors={"reader_queue": 3}) as engine:
        ann = engine.as_user("ann")
        async with engine.as_user("bob").pushes() as pushes:
            for number in range(5):
                await ann.send_to("bob", str(number))
            got = [(await pushes.__anext__())["seq"] for _ in range(3)]
            assert got == [1, 2, 3]
            with pytest.raises(Disconnected) as caught:
                await pushes.__anext__()
            assert caught.value.disconnect == SLOW


@pytest.mark.parametrize("after", [0, 1, 30, 59])
async def test_a_subscription_gives_the_old_and_the_new_once_in_order(after):
    """Also from further back than what is in memory."""
    async with memory_engine(actors={"ring": 5}) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Log", [])
        for number in range(59):
            await ann.send(room, str(number))
        seen = []
        async with engine.subscribe(room, after=after) as events, trio.open_nursery() as nursery:
            async for event in events:
                if event.seq == 60:
                    nursery.start_soon(ann.send, room, "live")
                seen.append(event.seq)
                if event.seq == 61:
                    break
        assert seen == list(range(after + 1, 62))


async def test_a_subscription_to_nothing_is_refused():
    async with memory_engine() as engine:
        with pytest.raises(Rejected, match="CONVERSATION_NOT_FOUND"):
            async with engine.subscribe("00000000-0000-7000-8000-000000000000"):
                raise AssertionError


async def test_calls_beyond_what_may_be_pending_are_overloaded():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"pending_asks": 2}) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", [])
        store.hold()
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(ann.send, room, "waits")
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(Rejected, match="OVERLOADED"):
                await ann.send(room, "one too many")
            store.release()
        assert len(await ann.history(room)) == 2


async def test_an_unanswered_call_says_that_its_outcome_is_unknown(autojump_clock):
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ask_timeout_s": 2}) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", [])
        store.hold()
        with pytest.raises(Rejected, match="unknown"):
            await ann.send(room, "hello", client_id="k")
        store.release()
        sent = await ann.send(room, "hello", client_id="k")
        assert [m["id"] for m in await ann.history(room)] == [sent.id]


async def test_MON_08_depths_and_counts_are_exported():
    async with memory_engine() as engine:
        Device(engine, "ann")
        await engine.as_user("ann").create_group("Ops", ["bob"])
        text = generate_latest(engine.metrics.registry).decode()
        assert "palaver_conversations 1.0" in text
        assert "palaver_devices 1.0" in text
        for name in ("mailbox_messages", "pending_conversations", "actor_crashes_total"):
            assert f"palaver_{name} 0.0" in text
        health = engine.health()
        assert (health["status"], health["conversations"]) == ("ok", 1)


async def test_health_says_degraded_while_the_store_is_away():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        store.delay()
        health = engine.health()
        assert (health["status"], health["checks"]["storage"]) == ("degraded", "unavailable")
        store.come_back()
        assert engine.health()["status"] == "ok"


async def test_MON_01_health_tells_how_much_waits_in_the_spool():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        store.spool()
        await ann.send(room, "kept")
        health = engine.health()
        assert (health["status"], health["checks"]["storage"]) == ("degraded", "spooling")
        assert health["storage"]["spooled"] == health["storage"]["waiting"] == 1
        text = generate_latest(engine.metrics.registry).decode()
        assert "palaver_spool_writes 1.0" in text
        assert "palaver_storage_away 1.0" in text
        store.come_back()
        assert engine.health()["storage"]["waiting"] == 0
