"""Who came and went, several at a time (RCPT-16, 18, 19; C-40)."""

from __future__ import annotations

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import Lives, group, settled
from palaver.tests.support.stores import Watch

NO_GRACE = {"presence_grace_s": 0.0}
BATCHED = {"presence_batch_s": 30.0}


async def watcher(engine: Engine, user: str, *rooms: str) -> Device:
    device = Device(engine, user)
    for room in rooms:
        await device.ask("conversation.subscribe", c=room)
    await trio.sleep(60)
    device.items.clear()
    return device


def told(device: Device) -> list[tuple[str, bool]]:
    return [(i["d"]["user"], i["d"]["online"]) for i in device.of_kind("presence.changed")]


@pytest.mark.parametrize("flaps", [100, 101])
async def test_RCPT_18_100_flaps_in_a_window_are_one_update_at_most(flaps: int):
    store = MemoryStore()
    async with memory_engine(store=store, policy=BATCHED, actors=NO_GRACE) as engine:
        room = await group(engine, "ann", "bob")
        ann, watch = await watcher(engine, "ann", room), Watch(store)
        for n in range(flaps):
            device = Device(engine, "bob")
            await trio.sleep(0.1)
            if n < 100:
                device.leave()
                await trio.sleep(0.1)
        assert told(ann) == []
        await trio.sleep(30)
        assert told(ann) == ([] if flaps == 100 else [("bob", True)])
        assert watch.calls["seen"] == (flaps == 100), "they were here nevertheless"
        reply = await ann.ask("presence.get", {"conversation": room})
        assert reply["ok"]["users"]["bob"]["online"] is (flaps == 101), "asked, it is what is now"


async def test_RCPT_18_one_update_in_each_window():
    async with memory_engine(policy=BATCHED, actors=NO_GRACE) as engine:
        room = await group(engine, "ann", "bob")
        ann = await watcher(engine, "ann", room)
        bob = Device(engine, "bob")
        await trio.sleep(31)
        bob.leave()
        await trio.sleep(29)
        assert told(ann) == [("bob", True)]
        await trio.sleep(2)
        assert told(ann) == [("bob", True), ("bob", False)]
        last_seen = ann.of_kind("presence.changed")[-1]["d"]["last_seen"]
        assert engine.now() - last_seen == 31_000, "when it was, not when it is told"


async def test_RCPT_19_one_upsert_for_all_of_a_batch():
    store = MemoryStore()
    async with memory_engine(store=store, policy=BATCHED, actors=NO_GRACE) as engine:
        users = [f"user {n}" for n in range(20)]
        room = await group(engine, "ann", *users)
        ann, watch = await watcher(engine, "ann", room), Watch(store)
        devices = [Device(engine, user) for user in users]
        await trio.sleep(31)
        assert watch.calls["seen"] == 0, "nothing is stored of who is here"
        for device in devices:
            device.leave()
            await trio.sleep(1)
        await trio.sleep(31)
        assert watch.calls["seen"] == 1
        seen = await store.inboxes.last_seen(users)
        assert sorted(seen.values()) == [seen["user 0"] + n * 1000 for n in range(20)]
        assert told(ann) == [(u, True) for u in users] + [(u, False) for u in users]


async def test_RCPT_19_what_comes_while_a_batch_is_stored_is_the_next():
    store = MemoryStore()
    async with memory_engine(store=store, actors=NO_GRACE) as engine:
        watch = Watch(store)
        watch.hold("seen")
        for n in range(5):
            Device(engine, f"user {n}").leave()
            await settled()
        assert watch.calls["seen"] == 1
        watch.release()
        await settled()
        assert watch.calls["seen"] == 2
        assert len(await store.inboxes.last_seen([f"user {n}" for n in range(5)])) == 5


async def test_RCPT_16_an_engine_that_ends_keeps_when_everybody_was_last_seen():
    lives = Lives(policy=BATCHED)
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob", "cid")
        Device(engine, "ann")
        Device(engine, "bob").leave()
        await trio.sleep(10)
        at = engine.now()
        await engine.drained()
    lives.restart()
    async with lives.life() as engine:
        reply = await Device(engine, "cid").ask("presence.get", {"conversation": room})
        seen = {user: each["last_seen"] for user, each in reply["ok"]["users"].items()}
        assert seen == {"ann": at, "bob": at - 5000, "cid": None}


async def test_C_40_presence_switched_off():
    store = MemoryStore()
    policy = {"presence_enabled": False}
    async with memory_engine(store=store, policy=policy, actors=NO_GRACE) as engine:
        room = await group(engine, "ann", "bob")
        ann, watch = await watcher(engine, "ann", room), Watch(store)
        Device(engine, "bob").leave()
        await trio.sleep(60)
        assert ann.items == []
        assert watch.calls["seen"] == 0
        reply = await ann.ask("presence.get", {"conversation": room})
        assert reply["error"]["code"] == "FEATURE_DISABLED"


async def test_REQ_12_who_wants_nobody_to_know_is_in_no_batch_and_seen_nevertheless():
    store = MemoryStore()
    policy = {**BATCHED, "presence_optout": True}
    async with memory_engine(store=store, policy=policy, actors=NO_GRACE) as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann = await watcher(engine, "ann", room)
        bob, cid = Device(engine, "bob"), Device(engine, "cid")
        await bob.ask("settings.set", {"presence": "nobody"})
        await trio.sleep(31)
        assert told(ann) == [("cid", True)], "bob has changed their mind in time"
        bob.leave()
        cid.leave()
        at = engine.now()
        await trio.sleep(31)
        assert told(ann) == [("cid", True), ("cid", False)]
        assert await store.inboxes.last_seen(["bob", "cid"]) == {"cid": at}
        await Device(engine, "bob").ask("settings.set", {"presence": "everyone"})
        assert await store.inboxes.last_seen(["bob"]) == {"bob": at}
