"""Read and delivered marks, typing: signals to those who look, marks kept for those who come."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.marks import ReadMessages
from palaver.protocol.features.typing import StartTyping, StopTyping
from palaver.protocol.state import STATE_VERSION
from palaver.tests.support.engines import Lives, group, refused, say, settled

TYPING = ("typing.started", "typing.stopped")


async def looking(engine: Engine, room: str, *users: str) -> list[Device]:
    """A device of each user, subscribed, and with nothing in it yet."""
    devices = [Device(engine, user) for user in users]
    for device in devices:
        await device.ask("conversation.subscribe", c=room)
    for device in devices:
        device.items.clear()
    return devices


async def read_ids(engine: Engine, user: str, room: str, *ids: str) -> dict[str, Any]:
    return await engine.as_user(user).do(ReadMessages(message_ids=list(ids)), room)


async def unread(engine: Engine, user: str, room: str) -> int:
    return int((await engine.as_user(user).conversation(room))["unread"])


@pytest.mark.parametrize("ring", [1, 100])
async def test_RCPT_01_reading_one_message(ring: int):
    clock = TrioClock()
    async with memory_engine(clock=clock, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        first, *_ = await say(engine, room, "ann", "2", "3", "4", "5")
        (ann,) = await looking(engine, room, "ann")
        clock.jump(10)
        answer = await read_ids(engine, "bob", room, first.id)
        assert (answer["seq"], answer["unread"]) == (2, 3)
        (receipt,) = ann.of_kind("message.read")
        assert receipt["c"] == room
        assert receipt["d"] == {"by": "bob", "seq": 2, "at": answer["at"]}
        assert answer["at"] - first.at == 10_000
        assert await unread(engine, "cid", room) == 4


@pytest.mark.parametrize("ring", [1, 100])
async def test_RCPT_02_a_list_moves_the_mark_to_the_greatest_that_is_meant(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        one, two, three = await say(engine, room, "ann", "one", "two", "three")
        (own,) = await say(engine, room, "bob", "own")
        (last,) = await say(engine, room, "ann", "last")
        (elsewhere,) = await say(engine, other, "ann", "elsewhere")
        ids = [elsewhere.id, "00000000-0000-7000-8000-ffffffffffff", two.id, own.id, one.id]
        answer = await read_ids(engine, "bob", room, *ids)
        assert answer["seq"] == own.seq, "one's own sending has moved it already"
        answer = await read_ids(engine, "bob", room, last.id, three.id)
        assert (answer["seq"], answer["unread"]) == (last.seq, 0)
        assert await unread(engine, "bob", other) == 1
        no = await refused(read_ids(engine, "bob", room, elsewhere.id))
        assert no.code == "MESSAGE_NOT_FOUND"


async def test_RCPT_03_reading_all_of_one_conversation_only():
    async with memory_engine() as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2", "3")
        await say(engine, other, "ann", "1")
        assert await engine.as_user("bob").read(room) == 0
        assert await unread(engine, "bob", room) == 0
        assert await unread(engine, "bob", other) == 1


async def test_RCPT_04_one_s_own_message_is_not_marked_read():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (own,) = await say(engine, room, "ann", "own")
        assert (await refused(read_ids(engine, "ann", room, own.id))).code == "PERMISSION_DENIED"


async def test_RCPT_05_the_first_time_is_kept():
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await say(engine, room, "ann", "hi")
        first = await read_ids(engine, "bob", room, sent.id)
        (ann,) = await looking(engine, room, "ann")
        clock.jump(60)
        assert await read_ids(engine, "bob", room, sent.id) == first
        assert await engine.as_user("bob").read(room, 1) == 0, "a mark never goes back"
        assert ann.items == [], "nor is it told twice"


async def test_RCPT_06_a_receipt_says_who_what_and_when_to_the_others_who_look():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob", "cid", "dan")
        await say(engine, room, "ann", "hi")
        elsewhere = Device(engine, "dan")
        ann, bob, cid = await looking(engine, room, "ann", "bob", "cid")
        await engine.as_user("bob").read(room)
        for device in (ann, cid, bob):
            (receipt,) = device.items
            assert receipt["t"] == "message.read"
            assert receipt["d"].keys() == {"by", "seq", "at"}
        assert elsewhere.items == []


@pytest.mark.parametrize("ring", [1, 100])
async def test_RCPT_10_who_has_read_a_message_follows_from_the_marks(ring: int):
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        sent = await say(engine, room, "ann", *map(str, range(5)))
        for user, seq in [("bob", 3), ("cid", 2), ("bob", 5), ("cid", 6)]:
            await engine.as_user(user).read(room, seq)
        members = (await engine.as_user("ann").conversation(room))["members"]
        marks = {user: member["read"]["seq"] for user, member in members.items()}
        assert marks == {"ann": 6, "bob": 5, "cid": 6}
        loaded = await store.conversations.load(room, STATE_VERSION)
        assert loaded is not None
        assert {m.user: m.seq for m in loaded.marks if m.kind == "read"} == {"bob": 5, "cid": 6}
        readers = {
            message.seq: [user for user in ("bob", "cid") if marks[user] >= message.seq]
            for message in sent
        }
        assert readers[5] == ["bob", "cid"]
        assert readers[6] == ["cid"]


async def test_RCPT_06_sending_moves_one_s_own_mark_without_a_receipt():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (ann,) = await looking(engine, room, "ann")
        await say(engine, room, "ann", "1", "2")
        assert await unread(engine, "bob", room) == 2
        await say(engine, room, "bob", "3")
        assert await unread(engine, "bob", room) == 0
        assert await unread(engine, "ann", room) == 1
        assert not ann.of_kind("message.read")


@pytest.mark.parametrize("ring", [1, 100])
async def test_RCPT_07_deleting_and_voiding_leave_the_counts(ring: int):
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await say(engine, room, "ann", *map(str, range(6)))
        await engine.as_user("bob").read(room, sent[1].seq)
        assert await unread(engine, "bob", room) == 4
        await ann.delete(room, sent[0].id)  # read already
        await ann.delete(room, sent[3].id)
        assert await unread(engine, "bob", room) == 3
        store.refuse(lambda write: True)
        await refused(ann.send(room, "bad"))
        store.refuse(None)
        assert await unread(engine, "bob", room) == 3
        # Reading up to somewhere in the middle counts what is deleted behind it.
        assert await engine.as_user("bob").read(room, sent[2].seq) == 2
        assert await engine.as_user("bob").read(room, sent[4].seq) == 1
        await trio.sleep(1000)
        (row,) = (await engine.as_user("bob").inbox())["conversations"]
        assert row["unread"] == 1


async def test_HIST_07_a_move_that_could_not_be_stored_hides_none_that_gets_its_number():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob", "cid")
        (sent,) = await say(engine, room, "ann", "hello")
        (ann,) = await looking(engine, room, "ann")
        store.hold()
        Device(engine, "bob").submit("message.read", c=room)
        await settled()
        assert len(ann.of_kind("message.read")) == 1
        known = (await ann.ask("conversation.get", c=room))["ok"]
        store.refuse(lambda write: bool(write.marks))
        store.release()
        await settled()
        store.refuse(None)
        await engine.as_user("cid").read(room)
        position = {name: known[name] for name in ("epoch", "seq", "marks")}
        answer = (await ann.ask("conversation.resume", position, c=room))["ok"]
        assert answer["recovered"]
        moved = {move["user"]: move["read"] for move in answer["marks"]["moved"]}
        assert (answer["marks"]["n"], moved["cid"]) == (known["marks"], sent.seq)


async def test_HIST_13_marks_and_counts_outlive_a_restart():
    lives = Lives(actors={"ring": 2, "snapshot_every": 4})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob", "cid")
        sent = await say(engine, room, "ann", *map(str, range(10)))
        await engine.as_user("bob").read(room, sent[6].seq)
        await engine.as_user("ann").delete(room, sent[8].id)
        before = await engine.as_user("cid").conversation(room)
        counts = [await unread(engine, user, room) for user in ("ann", "bob", "cid")]
        assert counts == [0, 2, 9]
        lives.crash()
    async with lives.life() as engine:
        # Not opened yet: the inbox opens what was open in a crash, to count right.
        for user, count in zip(("ann", "bob", "cid"), counts, strict=True):
            (row,) = (await engine.as_user(user).inbox())["conversations"]
            assert row["unread"] == count
        assert await engine.as_user("cid").conversation(room) == {**before, "epoch": 2}
        await trio.sleep(1000)
        assert engine.health()["conversations"] == 0
        for user, count in zip(("ann", "bob", "cid"), counts, strict=True):
            (row,) = (await engine.as_user(user).inbox())["conversations"]
            assert row["unread"] == count, "at rest"


async def test_counts_at_rest_after_a_crash_with_a_long_tail():
    """Own messages far back in the log, and marks below the last snapshot."""
    lives = Lives(actors={"ring": 1, "snapshot_every": 12})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "ann", *map(str, range(11)))  # then comes the snapshot
        await say(engine, room, "bob", "own")
        await say(engine, room, "ann", *map(str, range(5)))
        await engine.as_user("cid").read(room, 5)
        counts = [await unread(engine, user, room) for user in ("ann", "bob", "cid")]
        assert counts == [0, 5, 13]
        lives.crash()
    async with lives.life() as engine:
        await unread(engine, "ann", room)
        await trio.sleep(1000)
        assert engine.health()["conversations"] == 0
        for user, count in zip(("ann", "bob", "cid"), counts, strict=True):
            (row,) = (await engine.as_user(user).inbox())["conversations"]
            assert row["unread"] == count


# Delivered.


async def test_SEND_18_an_ack_raises_the_delivered_mark_and_gets_no_reply():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2")
        bob = Device(engine, "bob")
        (ann,) = await looking(engine, room, "ann")
        bob.submit("ack", c=room, seq=2)
        await settled()
        assert bob.items == []
        (signal,) = ann.items
        assert (signal["t"], signal["d"]["by"], signal["d"]["seq"]) == (
            "message.delivered",
            "bob",
            2,
        )
        bob.submit("ack", c=room, seq=2)
        bob.submit("ack", c=room, seq=1)
        await settled()
        assert len(ann.items) == 1
        member = (await engine.as_user("ann").conversation(room))["members"]["bob"]
        assert (member["delivered"]["seq"], member["read"]["seq"]) == (2, 1)


async def test_SEND_18_an_ack_of_what_is_not_there_reaches_as_far_as_there_is():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        bob.submit("ack", c=room, seq=1000)
        await settled()
        await say(engine, room, "ann", "1")
        member = (await engine.as_user("ann").conversation(room))["members"]["bob"]
        assert member["delivered"]["seq"] == 1


async def test_SEND_18_reading_means_that_it_was_delivered():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2")
        await engine.as_user("bob").read(room)
        member = (await engine.as_user("ann").conversation(room))["members"]["bob"]
        assert member["delivered"] == member["read"]


async def test_SEND_18_who_is_away_has_it_only_when_they_are_back():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob", "cid")
        (ann,) = await looking(engine, room, "ann")
        bob = Device(engine, "bob")
        (sent,) = await say(engine, room, "ann", "hi")
        bob.submit("ack", c=room, seq=bob.events(room)[-1]["seq"])
        await trio.sleep(60)
        assert [item["d"]["by"] for item in ann.of_kind("message.delivered")] == ["bob"]
        cid = Device(engine, "cid")
        await cid.ask("conversation.resume", {"epoch": 1, "seq": 1}, c=room)
        cid.submit("ack", c=room, seq=cid.events(room)[-1]["seq"])
        await settled()
        told = [(item["d"]["by"], item["d"]["seq"]) for item in ann.of_kind("message.delivered")]
        assert told == [("bob", sent.seq), ("cid", sent.seq)]


# Typing.


async def test_RCPT_11_typing_is_told_to_the_others_and_never_stored():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann, bob, cid = await looking(engine, room, "ann", "bob", "cid")
        head = (await store.conversations.events(room, 0, 10)).as_of
        await ann.ask("typing.start", c=room)
        await ann.ask("typing.stop", c=room)
        for device in (bob, cid):
            assert [item["t"] for item in device.items] == ["typing.started", "typing.stopped"]
            assert all(item["d"] == {"by": "ann"} and "seq" not in item for item in device.items)
        assert not ann.of_kind("typing.started", "typing.stopped")
        assert (await store.conversations.events(room, 0, 10)).as_of == head
        assert not store.journal.pending()


async def test_RCPT_12_typing_ends_by_itself():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = await looking(engine, room, "ann", "bob")
        await ann.ask("typing.start", c=room)
        await trio.sleep(9)
        await ann.ask("typing.start", c=room)  # a refresh
        await trio.sleep(9)
        assert not bob.of_kind("typing.stopped")
        await trio.sleep(2)
        assert len(bob.of_kind("typing.stopped")) == 1
        await trio.sleep(100)
        assert len(bob.of_kind("typing.stopped")) == 1


async def test_RCPT_12_stopping_stops_the_timer_too():
    async with memory_engine(policy={"typing_ttl_s": 3.0}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = await looking(engine, room, "ann", "bob")
        await ann.ask("typing.start", c=room)
        await ann.ask("typing.stop", c=room)
        await trio.sleep(10)
        assert len(bob.of_kind("typing.stopped")) == 1
        await ann.ask("typing.start", c=room)
        await trio.sleep(4)
        assert len(bob.of_kind("typing.stopped")) == 2


def typed(device: Device) -> list[str]:
    return [item["t"].removeprefix("typing.") for item in device.of_kind(*TYPING)]


async def test_RCPT_13_20_starts_in_a_second_are_relayed_once():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = await looking(engine, room, "ann", "bob")
        for _ in range(20):
            await ann.ask("typing.start", c=room)
            await trio.sleep(0.05)
        assert typed(bob) == ["started"]
        await trio.sleep(0.1)
        await ann.ask("typing.start", c=room)
        await trio.sleep(9)
        assert typed(bob) == ["started"] * 2, "those left out put the end off, too"
        await trio.sleep(2)
        assert typed(bob) == ["started"] * 2 + ["stopped"]


async def test_RCPT_13_stopping_and_starting_again_and_again_is_relayed_no_more_often():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = await looking(engine, room, "ann", "bob")
        for _ in range(20):
            await ann.ask("typing.start", c=room)
            await ann.ask("typing.stop", c=room)
            await trio.sleep(0.04)
        assert typed(bob) == ["started", "stopped"]
        await trio.sleep(1)
        await ann.ask("typing.stop", c=room)
        await ann.ask("typing.start", c=room)
        assert typed(bob) == ["started", "stopped", "started"]


async def test_RCPT_13_each_user_and_each_conversation_for_itself():
    async with memory_engine(policy={"typing_min_interval_s": 60.0}) as engine:
        rooms = [await group(engine, "ann", "bob", "cid") for _ in range(2)]
        (bob,) = await looking(engine, rooms[0], "bob")
        await bob.ask("conversation.subscribe", c=rooms[1])
        bob.items.clear()
        for user in ("ann", "cid"):
            device = Device(engine, user)
            for room in rooms * 2:
                await device.ask("typing.start", c=room)
        assert typed(bob) == ["started"] * 4


async def test_RCPT_13_nothing_is_kept_of_those_who_typed_long_ago():
    async with memory_engine() as engine:
        users = [f"user {n}" for n in range(250)]
        room = await group(engine, "ann", *users)
        await looking(engine, room, "ann")
        for user in users:
            await Device(engine, user).ask("typing.start", c=room)
            await trio.sleep(1)
        timers = engine._registry.resident(room)._effects.timers  # type: ignore[union-attr]
        assert len(timers._quiet) <= 64
        await trio.sleep(20)
        assert not timers


async def test_C_39_typing_switched_off():
    async with memory_engine(policy={"typing_enabled": False}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = await looking(engine, room, "ann", "bob")
        reply = await ann.ask("typing.start", c=room)
        assert reply["error"]["code"] == "FEATURE_DISABLED"
        assert bob.items == []


async def test_RCPT_15_typing_without_a_socket():
    """By the embedding API, as the REST endpoint will."""
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (bob,) = await looking(engine, room, "bob")
        ann = engine.as_user("ann")
        await ann.do(StartTyping(), room)
        await ann.do(StopTyping(), room)
        assert typed(bob) == ["started", "stopped"]
