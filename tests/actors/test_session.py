"""A user in this process: devices, presence, counts."""

from __future__ import annotations

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.tests.support.engines import Lives, group, say, settled
from palaver.tests.support.stores import Watch

GRACE_S = 5.0


async def counting(engine: Engine, user: str) -> Device:
    """A device that has asked for the inbox."""
    device = Device(engine, user)
    await device.ask("conversation.list")
    device.items.clear()
    return device


def counts(device: Device) -> list[tuple[int, dict[str, int]]]:
    return [(i["d"]["total"], i["d"]["conversations"]) for i in device.of_kind("unread.changed")]


def presences(device: Device) -> list[tuple[str, bool]]:
    return [(i["d"]["user"], i["d"]["online"]) for i in device.of_kind("presence.changed")]


# Devices.


async def test_CONN_03_one_device_too_many_is_refused_and_the_others_go_on():
    async with memory_engine(connections={"max_per_user": 5}) as engine:
        room = await group(engine, "ann", "bob")
        devices = [Device(engine, "bob") for _ in range(5)]
        with pytest.raises(Rejected) as no:
            Device(engine, "bob")
        assert no.value.code == "CONNECTION_LIMIT"
        assert no.value.details == {"max_connections": 5}
        await say(engine, room, "ann", "hi")
        assert all(device.texts() == ["hi"] for device in devices)
        devices[0].leave()
        late = Device(engine, "bob")
        await say(engine, room, "ann", "ho")
        assert late.texts() == ["ho"]
        assert devices[0].texts() == ["hi"]
        Device(engine, "ann")  # somebody else's devices are not counted


async def test_C_30_ten_devices_of_one_user_unless_the_product_says_otherwise():
    async with memory_engine() as engine:
        for _ in range(10):
            Device(engine, "bob")
        with pytest.raises(Rejected, match="CONNECTION_LIMIT"):
            Device(engine, "bob")


async def test_a_device_may_leave_twice():
    async with memory_engine() as engine:
        one, other = Device(engine, "ann"), Device(engine, "ann")
        one.leave()
        one.leave()
        assert engine.health()["connections"] == 1
        other.leave()
        await trio.sleep(2 * GRACE_S)
        other.leave()
        assert engine.health()["connections"] == 0


async def test_a_user_who_has_gone_leaves_nothing_behind():
    async with memory_engine() as engine:
        Device(engine, "ann").leave()
        await engine.as_user("bob").inbox()
        await trio.sleep(2 * GRACE_S)
        assert engine.health()["users_online"] == 0
        assert not engine._env.hub.sessions


# Presence.


async def watched(engine: Engine, *users: str) -> tuple[str, Device]:
    """A group that `users` are in, and a device of the first that looks."""
    room = await group(engine, *users)
    device = Device(engine, users[0])
    await device.ask("conversation.subscribe", c=room)
    device.items.clear()
    return room, device


async def test_RCPT_16_CONN_15_online_with_the_first_device_offline_after_the_last():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room, ann = await watched(engine, "ann", "bob", "cid")
        one, other = Device(engine, "bob"), Device(engine, "bob")
        assert presences(ann) == [("bob", True)]
        one.leave()
        await trio.sleep(2 * GRACE_S)
        assert presences(ann) == [("bob", True)]
        left = engine.now()
        other.leave()
        await trio.sleep(GRACE_S - 1)
        assert presences(ann) == [("bob", True)]
        await trio.sleep(2)
        assert presences(ann) == [("bob", True), ("bob", False)]
        gone = ann.of_kind("presence.changed")[-1]
        assert gone["c"] == room
        assert gone["d"]["last_seen"] - left == GRACE_S * 1000
        assert await store.inboxes.last_seen(["bob"]) == {"bob": gone["d"]["last_seen"]}


async def test_RCPT_16_who_is_online_can_be_asked():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        reply = await ann.ask("presence.get", {"conversation": room})
        assert reply["ok"]["users"] == {
            "ann": {"online": True, "last_seen": None},
            "bob": {"online": True, "last_seen": None},
            "cid": {"online": False, "last_seen": None},
        }
        bob.leave()
        await trio.sleep(2 * GRACE_S)
        reply = await ann.ask("presence.get", {"conversation": room})
        assert reply["ok"]["users"]["bob"]["online"] is False
        assert reply["ok"]["users"]["bob"]["last_seen"] > 0
        reply = await ann.ask(
            "presence.get", {"conversation": "ffffffff-0000-5000-8000-000000000000"}
        )
        assert reply["error"]["code"] == "CONVERSATION_NOT_FOUND"


async def test_RCPT_20_a_short_absence_is_none():
    async with memory_engine() as engine:
        _, ann = await watched(engine, "ann", "bob")
        bob = Device(engine, "bob")
        ann.items.clear()
        for _ in range(5):
            bob.leave()
            await trio.sleep(GRACE_S - 1)
            bob = Device(engine, "bob")
        await trio.sleep(3 * GRACE_S)
        assert presences(ann) == []


async def test_presence_is_for_who_looks_and_of_members_only():
    async with memory_engine() as engine:
        room, ann = await watched(engine, "ann", "bob", "cid")
        cid = Device(engine, "cid")  # a member, but does not look
        stranger = Device(engine, "eve")
        Device(engine, "bob")
        assert presences(ann) == [("cid", True), ("bob", True)]
        assert cid.items == stranger.items == []
        # Who joins is watched from then on, who leaves is not.
        await engine.as_user("ann").add_members(room, ["dan"])
        await engine.as_user("ann").remove_member(room, "bob")
        ann.items.clear()
        Device(engine, "dan")
        await ann.ask("conversation.unsubscribe", c=room)
        stranger.leave()
        cid.leave()
        await trio.sleep(2 * GRACE_S)
        assert presences(ann) == [("dan", True)]


async def test_in_a_large_group_presence_is_not_pushed():
    async with memory_engine(policy={"max_presence_members": 2}) as engine:
        _, ann = await watched(engine, "ann", "bob", "cid")
        Device(engine, "bob")
        assert presences(ann) == []


async def test_last_seen_that_cannot_be_stored_is_no_disaster():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        bob = Device(engine, "bob")
        store.go_away()
        bob.leave()
        await trio.sleep(2 * GRACE_S)
        assert engine.health()["users_online"] == 0
        store.come_back()


# Unread counts.


async def test_CONV_16_RCPT_07_the_total_is_pushed_when_it_changes():
    async with memory_engine() as engine:
        one, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        await say(engine, one, "ann", "1", "2")
        bob, second = Device(engine, "bob"), Device(engine, "bob")
        listed = await bob.ask("conversation.list")
        assert listed["ok"]["unread"] == 2
        sent = await say(engine, other, "ann", "1", "2", "3")
        await trio.sleep(1)
        assert counts(bob) == counts(second) == [(5, {other: 3})]
        await bob.ask("message.read", {}, c=one)
        await trio.sleep(1)
        assert counts(bob)[1:] == [(3, {one: 0})]
        await engine.as_user("ann").delete(other, sent[1].id)
        await trio.sleep(1)
        assert counts(bob)[2:] == [(2, {other: 2})]
        await engine.as_user("ann").remove_member(other, "bob")
        await trio.sleep(1)
        assert counts(bob)[3:] == [(0, {other: 0})]


async def test_changes_are_gathered():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob = await counting(engine, "bob")
        await say(engine, room, "ann", *map(str, range(20)))
        await trio.sleep(1)
        assert counts(bob) == [(20, {room: 20})]
        await say(engine, room, "bob", "own")
        await trio.sleep(1)
        assert counts(bob)[1:] == [(0, {room: 0})]


async def test_who_never_asked_is_not_counted_for():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "hi")
        await trio.sleep(1)
        assert counts(bob) == []


async def test_a_new_device_asks_anew():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob = await counting(engine, "bob")
        bob.leave()
        await say(engine, room, "ann", "1", "2")
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "3")
        await trio.sleep(1)
        assert counts(bob) == []
        assert (await bob.ask("conversation.list"))["ok"]["unread"] == 3


async def test_a_count_that_could_not_be_made_is_made_later():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2")
    lives.restart()
    async with lives.life() as engine:
        watch = Watch(lives.store)
        watch.fail("rows", Rejected("UNAVAILABLE"))
        bob = Device(engine, "bob")
        assert (await bob.ask("conversation.list"))["error"]["code"] == "UNAVAILABLE"
        watch.fail("rows", None)
        assert (await bob.ask("conversation.list"))["ok"]["unread"] == 2


async def test_a_count_waits_for_a_conversation_that_cannot_tell_now():
    """It changed, and was put away before it was counted."""
    async with memory_engine(actors={"idle_s": 0.1, "unread_flush_s": 10.0}) as engine:
        room = await group(engine, "ann", "bob")
        bob = await counting(engine, "bob")
        await say(engine, room, "ann", "1", "2")
        await trio.sleep(1)
        assert engine.health()["conversations"] == 0
        await trio.sleep(10)
        assert counts(bob) == [(2, {room: 2})]


async def test_commit_counts_nothing_before_it_is_stored():
    store = MemoryStore(durability="commit")
    async with memory_engine(store=store, policy={"durability": "commit"}) as engine:
        room = await group(engine, "ann", "bob")
        bob = await counting(engine, "bob")
        await say(engine, room, "ann", "1")
        store.hold()
        Device(engine, "ann").submit("message.send", {"text": "2"}, c=room)
        await trio.sleep(2)
        assert counts(bob) == []
        store.release()
        await trio.sleep(2)
        assert counts(bob)[-1] == (2, {room: 2})


async def test_SEND_16_who_subscribes_to_nothing_hears_of_a_message_and_the_total():
    async with memory_engine() as engine:
        rooms = [await group(engine, "ann", "bob") for _ in range(2)]
        await say(engine, rooms[0], "ann", "one", "two")
        bob = await counting(engine, "bob")
        await say(engine, rooms[1], "ann", "three")
        await trio.sleep(1)
        (sent,) = bob.of_kind("message.sent")
        assert (sent["c"], sent["d"]["by"], sent["d"]["text"]) == (rooms[1], "ann", "three")
        assert counts(bob) == [(3, {rooms[1]: 1})]


# Queries.


async def test_queries_of_one_user_are_bounded():
    async with memory_engine(actors={"session_queries": 3}) as engine:
        ann = Device(engine, "ann")
        for n in range(5):
            ann.submit("conversation.list", id=n)
        await settled()
        errors = [reply["error"]["code"] for reply in ann.of_kind("reply") if "error" in reply]
        assert errors == ["OVERLOADED"] * 2
        assert "ok" in await ann.ask("conversation.list")


async def test_ERR_06_a_query_that_fails_is_internal_and_the_next_one_is_answered():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        ann, watch = Device(engine, "ann"), Watch(store)
        watch.fail("inbox", ZeroDivisionError())
        error = (await ann.ask("conversation.list"))["error"]
        assert (error["code"], "correlation" in error) == ("INTERNAL", True)
        watch.fail("inbox", None)
        assert "ok" in await ann.ask("conversation.list")
