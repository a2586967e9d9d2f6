"""What users let others know of them: marks, and that they are online."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import Lives, group, say, settled
from palaver.tests.support.stores import Watch

RECEIPTS = {"receipts_optout": True}
PRESENCE = {"presence_optout": True}
GRACE_S = 5.0


async def ok(device: Device, kind: str, c: str | None = None, **payload: Any) -> dict[str, Any]:
    reply = await device.ask(kind, payload, c=c)
    assert "ok" in reply, reply
    answer: dict[str, Any] = reply["ok"]
    return answer


async def marks_of(user: str, device: Device, room: str) -> list[Any]:
    """Everything that tells `device` of the marks of `user`: 2 keys of 2 views, and marks moved."""
    state = await ok(device, "conversation.get", room)
    listed = (await ok(device, "member.list", room))["members"]
    (member,) = [each for each in listed if each["user"] == user]
    resumed = await ok(device, "conversation.resume", room, epoch=state["epoch"], seq=state["seq"])
    views = [state["members"][user], member]
    told = [view[kind]["seq"] for view in views for kind in ("read", "delivered") if kind in view]
    return told + [move["read"] for move in resumed["marks"]["moved"] if move["user"] == user]


async def test_RCPT_08_off_nobody_is_told_and_one_s_own_unread_still_clears():
    async with memory_engine(policy=RECEIPTS) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob, laptop = (Device(engine, user) for user in ("ann", "bob", "bob"))
        for device in (ann, laptop):
            await ok(device, "conversation.subscribe", room)
        await ok(bob, "settings.set", read_receipts=False)
        settings = {"read_receipts": False, "presence": "everyone", "messages_from": "everyone"}
        assert await ok(laptop, "settings.get") == settings
        await say(engine, room, "ann", "hello")
        assert (await ok(bob, "conversation.list"))["unread"] == 1
        bob.submit("ack", c=room, seq=2)
        assert (await ok(bob, "message.read", room))["unread"] == 0
        await trio.sleep(1)
        assert ann.of_kind("message.read", "message.delivered") == []
        assert await marks_of("bob", ann, room) == []
        assert await marks_of("bob", bob, room) == [2] * 5, "one knows one's own"
        assert (await ok(laptop, "conversation.list"))["unread"] == 0
        await trio.sleep(1000)
        assert await marks_of("bob", ann, room) == [], "also when it was put away"
        await ok(bob, "settings.set", read_receipts=True)
        assert await marks_of("bob", ann, room) == [2] * 5
        await say(engine, room, "ann", "more")
        await ok(bob, "message.read", room)
        assert [item["d"]["by"] for item in ann.of_kind("message.read")] == ["bob"]


async def test_RCPT_08_holds_for_who_is_away_and_after_a_restart():
    lives = Lives(policy=RECEIPTS)
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "hello")
        await ok(bob, "message.read", room)
        await ok(bob, "settings.set", read_receipts=False)
        lives.restart()
    async with lives.life() as engine:
        assert await marks_of("bob", Device(engine, "ann"), room) == []


@pytest.mark.parametrize("known", [False, True])
async def test_RCPT_08_of_who_joins_nothing_is_told_before_it_is_known(known: bool):
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, policy=RECEIPTS) as engine:
        bob, cid, ann = (Device(engine, user) for user in ("bob", "cid", "ann"))
        await ok(bob, "settings.set", read_receipts=False)
        if not known:
            watch.hold("reticent")
        room = await group(engine, "ann", "bob", "cid")
        await ok(ann, "conversation.subscribe", room)
        await say(engine, room, "ann", "hello")
        await settled()
        for device in (bob, cid):
            await ok(device, "message.read", room)
        read = [item["d"]["by"] for item in ann.of_kind("message.read")]
        assert read == (["cid"] if known else [])
        watch.release()
        await settled()
        assert await marks_of("bob", ann, room) == []
        assert await marks_of("cid", ann, room) == [2] * 5


async def test_RCPT_08_switched_while_the_conversation_is_being_loaded():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, policy=RECEIPTS) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "hello")
        bob, ann = Device(engine, "bob"), Device(engine, "ann")
        await ok(bob, "message.read", room)
        await trio.sleep(1000)
        watch.hold("load")
        ann.submit("conversation.get", c=room, id=1)
        await settled()
        await ok(bob, "settings.set", read_receipts=False)
        watch.release()
        await settled()
        assert await marks_of("bob", ann, room) == []


async def test_C_10_receipts_are_always_on_unless_the_product_says_otherwise():
    lives = Lives(policy=RECEIPTS)
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "hello")
        bob = Device(engine, "bob")
        await ok(bob, "settings.set", read_receipts=False)
        await ok(bob, "message.read", room)
        lives.restart()
    lives._settings["policy"] = {}
    async with lives.life() as engine:
        bob = Device(engine, "bob")
        reply = await bob.ask("settings.set", {"read_receipts": False})
        assert reply["error"]["code"] == "FEATURE_DISABLED"
        assert len(await marks_of("bob", Device(engine, "ann"), room)) == 5


# Presence.


async def presence(device: Device, room: str) -> dict[str, Any]:
    users: dict[str, Any] = (await ok(device, "presence.get", conversation=room))["users"]
    return users


async def test_REQ_12_who_wants_nobody_to_know_is_never_online_nor_seen():
    async with memory_engine(policy=PRESENCE) as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann, bob, cid = (Device(engine, user) for user in ("ann", "bob", "cid"))
        await settled()
        await ok(ann, "conversation.subscribe", room)
        await ok(bob, "settings.set", presence="nobody")
        (gone,) = ann.of_kind("presence.changed")
        assert gone["d"] == {"user": "bob", "online": False}
        bob.leave()
        cid.leave()
        await trio.sleep(GRACE_S + 1)
        assert (await presence(ann, room))["bob"] == {"online": False, "last_seen": None}
        assert (await presence(ann, room))["cid"]["last_seen"] is not None
        bob, cid = Device(engine, "bob"), Device(engine, "cid")
        await settled()
        told = [item["d"]["user"] for item in ann.of_kind("presence.changed")[1:]]
        assert told == ["cid", "cid"], "went, and came"
        assert (await presence(ann, room))["bob"]["online"] is False
        await ok(bob, "settings.set", presence="everyone")
        assert ann.of_kind("presence.changed")[-1]["d"] == {"user": "bob", "online": True}
        assert (await presence(ann, room))["bob"]["online"] is True


async def test_REQ_12_nothing_is_told_before_it_is_known():
    store = MemoryStore()
    async with memory_engine(store=store, policy=PRESENCE) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        await ok(ann, "conversation.subscribe", room)
        store.go_away()
        Device(engine, "bob")
        await trio.sleep(10)
        assert ann.of_kind("presence.changed") == []
        store.come_back()
        await trio.sleep(2)
        assert [item["d"]["user"] for item in ann.of_kind("presence.changed")] == ["bob"]
