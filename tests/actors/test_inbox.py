from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import Lives, group, say, settled
from palaver.tests.support.faults import Trap
from palaver.tests.support.stores import Watch


async def inbox(engine: Engine, user: str, **query: Any) -> dict[str, Any]:
    device = Device(engine, user)
    reply = await device.ask("conversation.list", query)
    device.leave()
    answer: dict[str, Any] = reply["ok"]
    return answer


async def rows(engine: Engine, user: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await inbox(engine, user))["conversations"]
    return found


async def changes(device: Device, cursor: str | None = None, n: int = 0) -> dict[str, Any]:
    payload = {"n": n} if cursor is None else {"n": n, "cursor": cursor}
    answer: dict[str, Any] = (await device.ask("sync.changes", payload))["ok"]
    return answer


async def test_CONV_07_newest_activity_first_with_what_a_list_shows():
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        one = await engine.as_user("ann").create_group("One", ["bob"])
        clock.jump(1)
        two = await engine.as_user("ann").create_direct("bob")
        clock.jump(1)
        (sent,) = await say(engine, one, "ann", "hi")
        first, second = await rows(engine, "bob")
        assert first == {
            "c": one,
            "kind": "group",
            "epoch": 1,
            "seq": 2,
            "number": 1,
            "unread": 1,
            "title": "One",
            "context": {},
            "role": "member",
            "members": ["ann", "bob"],
            "last": {"id": sent.id, "seq": 2, "by": "ann", "ts": sent.at, "text": "hi"},
            "ts": sent.at,
        }
        assert (second["c"], second["kind"], second["last"]) == (two, "direct", None)
        clock.jump(1)
        await say(engine, two, "bob", "moves to the top")
        assert [row["c"] for row in await rows(engine, "bob")] == [two, one]


@pytest.mark.parametrize("asleep", [False, True])
async def test_the_same_in_memory_and_at_rest(asleep: bool):
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        rooms = []
        for n in range(6):
            clock.jump(1)
            rooms.append(await group(engine, "ann", "bob", "cid"))
            await say(engine, rooms[-1], "ann", *map(str, range(n + 1)))
            await say(engine, rooms[-1], "bob", "own")
        await engine.as_user("cid").read(rooms[3], 3)
        await engine.as_user("ann").rename(rooms[2], "New")
        await engine.as_user("ann").remove_member(rooms[4], "cid")
        live = [await rows(engine, user) for user in ("ann", "bob", "cid")]
        if asleep:
            await trio.sleep(1000)
            assert engine.health()["conversations"] == 0
        assert [await rows(engine, user) for user in ("ann", "bob", "cid")] == live
        assert len(live[2]) == 5


async def test_a_deleted_message_is_not_shown_as_the_last():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        _, last = await say(engine, room, "ann", "one", "secret")
        await engine.as_user("ann").delete(room, last.id)
        (live,) = await rows(engine, "bob")
        assert (live["last"]["text"], live["last"]["deleted"], live["unread"]) == (None, True, 1)
        await trio.sleep(1000)
        assert await rows(engine, "bob") == [live]


@pytest.mark.parametrize("asleep", [False, True])
async def test_C_12_unread_of_each_conversation_and_in_all_without_what_was_deleted(asleep: bool):
    async with memory_engine() as engine:
        one, two = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        gone, *_ = await say(engine, one, "ann", "1", "2", "3")
        await say(engine, two, "ann", "4", "5")
        await engine.as_user("ann").delete(one, gone.id)
        if asleep:
            await trio.sleep(1000)
        inbox = await engine.as_user("bob").inbox()
        assert {row["c"]: row["unread"] for row in inbox["conversations"]} == {one: 2, two: 2}
        assert inbox["unread"] == 4


@pytest.mark.parametrize("asleep", [False, True])
async def test_HIST_11_the_last_message_before_one_joined_is_not_shown(asleep: bool):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "secret")
        await engine.as_user("ann").add_members(room, ["cid"])
        if asleep:
            await trio.sleep(1000)
        (row,) = await rows(engine, "cid")
        assert row["last"] is None
        assert row["unread"] == 0


async def test_CONV_26_walked_without_gap_or_repeat_while_messages_arrive():
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        ann = engine.as_user("ann")
        rooms = []
        for n in range(200):
            clock.jump(1)
            rooms.append(await ann.create_group(f"{n}", ["bob"]))
        bob = Device(engine, "bob")
        met: list[str] = []
        cursor: str | None = None
        turn = 0
        while True:
            answer = (await bob.ask("conversation.list", {"limit": 15, "cursor": cursor}))["ok"]
            met += [row["c"] for row in answer["conversations"]]
            cursor = answer["next"]
            if cursor is None:
                break
            clock.jump(1)
            for n in (turn, 100 + turn):  # an old one, and one in the middle
                await say(engine, rooms[n], "ann", "hi")
            turn += 1
        assert len(met) == len(set(met)), "none twice"
        pushed = {item["c"] for item in bob.of_kind("message.sent")}
        assert set(met) | pushed == set(rooms), "none missed: what moved to the top was pushed"
        assert len(met) > 150


async def test_a_cursor_that_was_never_given_out_is_refused():
    async with memory_engine() as engine:
        ann = Device(engine, "ann")
        reply = await ann.ask("conversation.list", {"cursor": "nonsense"})
        assert reply["error"]["code"] == "VALIDATION_FAILED"
        reply = await ann.ask("sync.changes", {"cursor": "nonsense"})
        assert reply["error"]["code"] == "VALIDATION_FAILED"


async def test_what_is_shown_but_not_stored_is_in_the_list():
    clock = TrioClock()
    store = MemoryStore()
    async with memory_engine(store=store, clock=clock) as engine:
        one, two = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        store.hold()
        ann = Device(engine, "ann")
        clock.jump(1)
        ann.submit("message.send", {"text": "held"}, c=one)
        ann.submit("conversation.create", {"kind": "direct", "members": ["bob"]})
        await settled()
        new, first, second = await rows(engine, "bob")
        assert (new["kind"], new["seq"]) == ("direct", 1)
        assert (first["c"], first["last"]["text"], first["unread"]) == (one, "held", 1)
        assert second["c"] == two
        store.release()
        await settled()
        assert {row["c"] for row in await rows(engine, "bob")} == {new["c"], one, two}


async def test_GRP_07_who_was_removed_has_it_no_longer():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        await engine.as_user("ann").remove_member(room, "bob")
        assert await rows(engine, "bob") == []
        await trio.sleep(1000)
        assert await rows(engine, "bob") == []


async def test_after_a_crash_conversations_are_opened_to_count_right():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2")
        await say(engine, room, "bob", "own")
        await say(engine, room, "ann", "3")
        lives.crash()
    async with lives.life() as engine:
        (row,) = await rows(engine, "bob")
        assert (row["unread"], row["epoch"], row["seq"]) == (1, 2, 5)


async def test_a_conversation_that_cannot_be_opened_is_shown_as_it_is_at_rest():
    lives, trap = Lives(), Trap()
    async with lives.life(guards=[trap]) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1")
        trap.spring("boom", times=4)
        ann = Device(engine, "ann")
        for _ in range(4):
            await ann.ask("message.send", {"text": "boom"}, c=room)
        (row,) = await rows(engine, "bob")
        assert (row["c"], row["seq"], row["unread"]) == (room, 2, 1)


# What changed since.


async def test_without_a_cursor_only_the_cursor_of_now():
    async with memory_engine() as engine:
        await group(engine, "ann", "bob")
        answer = await changes(Device(engine, "bob"))
        assert answer["conversations"] == answer["left"] == answer["log"] == []


async def test_changes_since_a_cursor():
    async with memory_engine() as engine:
        quiet, busy = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        lost = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        cursor = (await changes(bob))["cursor"]
        bob.leave()
        await say(engine, busy, "ann", "1", "2")
        new = await group(engine, "ann", "bob")
        await engine.as_user("ann").remove_member(lost, "bob")
        bob = Device(engine, "bob")
        answer = await changes(bob, cursor)
        assert {row["c"]: row["seq"] for row in answer["conversations"]} == {busy: 3, new: 1}
        assert answer["left"] == [lost]
        assert quiet not in str(answer)
        again = await changes(bob, answer["cursor"])
        assert again["conversations"] == again["left"] == []


async def test_changes_miss_nothing_that_is_not_stored_yet():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        cursor = (await changes(bob))["cursor"]
        bob.leave()
        store.hold()
        ann = Device(engine, "ann")
        ann.submit("message.send", {"text": "shown while bob was away"}, c=room)
        await settled()
        bob = Device(engine, "bob")
        answer = await changes(bob, cursor)
        assert {row["c"]: row["seq"] for row in answer["conversations"]} == {room: 2}
        store.release()
        await settled()
        later = await changes(bob, answer["cursor"])
        assert {row["c"] for row in later["conversations"]} >= {room}, "at least once"
        assert other not in str(later["conversations"])


async def test_changes_that_are_stored_while_they_are_read_are_not_missed():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        bob, ann = Device(engine, "bob"), Device(engine, "ann")
        cursor = (await changes(bob))["cursor"]
        store.hold()
        ann.submit("message.send", {"text": "1"}, c=room)
        await settled()

        async def release() -> None:
            store.release()
            await settled()

        watch.before("changes", release)
        answer = await changes(bob, cursor)
        assert [row["seq"] for row in answer["conversations"]] == [2]


async def test_under_commit_what_is_not_stored_comes_with_the_next_cursor():
    store = MemoryStore(durability="commit")
    async with memory_engine(store=store, policy={"durability": "commit"}) as engine:
        room = await group(engine, "ann", "bob")
        bob, ann = Device(engine, "bob"), Device(engine, "ann")
        cursor = (await changes(bob))["cursor"]
        store.hold()
        ann.submit("message.send", {"text": "1"}, c=room)
        await settled()
        answer = await changes(bob, cursor)
        assert answer["conversations"] == []
        store.release()
        await settled()
        answer = await changes(bob, answer["cursor"])
        assert [row["seq"] for row in answer["conversations"]] == [2]
