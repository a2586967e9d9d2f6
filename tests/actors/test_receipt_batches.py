"""Marks that are stored and told together (RCPT-09, C-11), and who hears of them (C-09)."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.marks import MessageReaders, ReadMessages
from palaver.protocol.machine import Mark
from palaver.protocol.records import Write
from palaver.tests.support.engines import Lives, group, say, settled
from palaver.tests.support.stores import Watch

BATCHED = {"receipts_batch_s": 2.0, "receipts_batch_n": 10}
DURABILITIES = ("commit", "write_behind", "relaxed")


class Marks:
    """The writes of marks that a store takes."""

    def __init__(self, store: MemoryStore) -> None:
        self.writes: list[list[Mark]] = []
        genuine = store.journal.append

        def append(write: Write) -> None:
            if write.marks:
                self.writes.append(list(write.marks))
            genuine(write)

        store.journal.append = append  # type: ignore[method-assign]


async def looking(engine: Engine, room: str, *users: str) -> list[Device]:
    devices = [Device(engine, user) for user in users]
    for device in devices:
        await device.ask("conversation.subscribe", c=room)
        device.items.clear()
    return devices


def receipts(device: Device) -> list[list[tuple[str, int]]]:
    """Who has read up to where, signal by signal."""
    told = []
    for item in device.of_kind("message.read", "message.receipts"):
        each = [item["d"]] if item["t"] == "message.read" else item["d"]["read"]
        told.append([(d["by"], d["seq"]) for d in each])
    return told


async def read(engine: Engine, user: str, room: str, seq: int | None = None) -> dict[str, Any]:
    return await engine.as_user(user).do(ReadMessages(seq=seq), room)


async def unread(engine: Engine, user: str, room: str) -> int:
    return int((await engine.as_user(user).conversation(room))["unread"])


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_RCPT_09_25_reads_in_a_second_are_3_signals_and_3_statements(durability: Any):
    store = MemoryStore(durability=durability)
    async with memory_engine(store=store, policy={**BATCHED, "durability": durability}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "ann", *map(str, range(30)))
        (ann,) = await looking(engine, room, "ann")
        marks = Marks(store)
        for seq in range(2, 27):
            await read(engine, "bob" if seq % 2 else "cid", room, seq)
            await trio.sleep(1 / 25)
        assert len(receipts(ann)) == len(marks.writes) == 2
        await trio.sleep(2)
        assert receipts(ann) == [
            [("cid", 10), ("bob", 11)],
            [("cid", 20), ("bob", 21)],
            [("cid", 26), ("bob", 25)],
        ]
        stored = [[(mark.user, mark.seq) for mark in write] for write in marks.writes]
        assert stored == receipts(ann), "one row of each member"


async def test_C_11_without_a_batch_each_is_told_and_stored_at_once():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(25)))
        (ann,) = await looking(engine, room, "ann")
        marks = Marks(store)
        for seq in range(2, 27):
            assert "durable" not in await read(engine, "bob", room, seq)
        assert len(receipts(ann)) == len(marks.writes) == 25


@pytest.mark.parametrize("most", [2, 100])
async def test_RCPT_09_delivered_marks_are_batched_too(most: int):
    store = MemoryStore()
    policy = {**BATCHED, "receipts_batch_n": most}
    async with memory_engine(store=store, policy=policy) as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "ann", "1", "2")
        (ann,) = await looking(engine, room, "ann")
        marks = Marks(store)
        bob, cid = Device(engine, "bob"), Device(engine, "cid")
        bob.submit("ack", c=room, seq=3)
        cid.submit("ack", c=room, seq=2)
        await settled()
        await trio.sleep(3)
        (signal,) = ann.of_kind("message.receipts")
        assert [d["by"] for d in signal["d"]["delivered"]] == ["bob", "cid"]
        assert "read" not in signal["d"]
        assert len(marks.writes) == 1


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_RCPT_09_the_reply_comes_at_once_and_promises_nothing(durability: Any):
    store = MemoryStore(durability=durability)
    async with memory_engine(store=store, policy={**BATCHED, "durability": durability}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2")
        at = engine.now()
        answer = await read(engine, "bob", room)
        assert answer == {"seq": 3, "at": at, "unread": 0, "durable": False}
        assert engine.now() == at
        assert await read(engine, "bob", room) == answer, "a second one keeps it (RCPT-05)"
        await trio.sleep(3)
        relaxed = {"durable": False} if durability == "relaxed" else {}
        assert await read(engine, "bob", room) == {"seq": 3, "at": at, "unread": 0, **relaxed}


async def test_RCPT_09_one_s_own_count_clears_at_once_on_all_devices():
    async with memory_engine(policy={**BATCHED, "receipts_batch_s": 60.0}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2")
        one, other = Device(engine, "bob"), Device(engine, "bob")
        await other.ask("conversation.list")
        await one.ask("message.read", {}, c=room)
        assert await unread(engine, "bob", room) == 0
        (row,) = (await engine.as_user("bob").inbox())["conversations"]
        assert row["unread"] == 0
        await trio.sleep(1)
        (changed,) = other.of_kind("unread.changed")
        assert changed["d"] == {"total": 0, "conversations": {room: 0}}


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_RCPT_09_nobody_else_sees_a_mark_before_its_batch(durability: Any):
    """So no reader's time changes once it was told (RCPT-05)."""
    store = MemoryStore(durability=durability)
    async with memory_engine(store=store, policy={**BATCHED, "durability": durability}) as engine:
        room = await group(engine, "ann", "bob")
        first, last = await say(engine, room, "ann", "1", "2")
        ann = engine.as_user("ann")

        async def readers(id: str) -> list[dict[str, Any]]:
            return list((await ann.do(MessageReaders(message_id=id), room))["readers"])

        await read(engine, "bob", room, first.seq)
        await trio.sleep(1)
        at = engine.now()
        await read(engine, "bob", room, last.seq)
        assert (await ann.conversation(room))["members"]["bob"]["read"]["seq"] == 1
        assert await readers(first.id) == []
        await trio.sleep(2)
        assert await readers(first.id) == await readers(last.id) == [{"user": "bob", "at": at}]
        await trio.sleep(10)
        await read(engine, "bob", room)
        assert await readers(first.id) == [{"user": "bob", "at": at}]


@pytest.mark.parametrize("end", ["drain", "idle"])
async def test_RCPT_09_no_mark_is_lost_when_a_conversation_is_put_away(end: str):
    lives = Lives(policy={**BATCHED, "receipts_batch_s": 1000.0}, actors={"idle_s": 5.0})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2", "3")
        await read(engine, "bob", room, 3)
        if end == "idle":
            await trio.sleep(20)
            assert engine.health()["conversations"] == 0
            (row,) = (await engine.as_user("bob").inbox())["conversations"]
            assert row["unread"] == 1, "at rest"
            assert await unread(engine, "bob", room) == 1, "and opened again"
        else:
            await engine.drained()
    lives.restart()
    async with lives.life() as engine:
        assert await unread(engine, "bob", room) == 1
        member = (await engine.as_user("ann").conversation(room))["members"]["bob"]
        assert member["read"]["seq"] == 3


async def test_RCPT_09_a_crash_of_the_engine_loses_what_was_not_promised_and_no_more():
    lives = Lives(policy=BATCHED)
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "1", "2", "3")
        assert (await read(engine, "bob", room, 2))["durable"] is False
        await trio.sleep(3)
        assert "durable" not in await read(engine, "bob", room, 2)
        assert (await read(engine, "bob", room, 4))["durable"] is False
        lives.crash()
    async with lives.life() as engine:
        assert await unread(engine, "bob", room) == 2


async def test_RCPT_09_a_batch_outlives_what_could_not_be_stored():
    """The conversation is built anew; what was read of it holds."""
    store = MemoryStore()
    async with memory_engine(store=store, policy=BATCHED) as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "ann", "1", "2")
        (cid,) = await looking(engine, room, "cid")
        await read(engine, "bob", room, 2)
        store.refuse(lambda write: bool(write.events))
        ann = Device(engine, "ann")
        assert "error" in await ann.ask("message.send", {"text": "bad"}, c=room)
        store.refuse(None)
        assert await unread(engine, "bob", room) == 1
        assert receipts(cid) == [[("bob", 2)]]


async def test_RCPT_09_what_was_read_and_then_never_happened_is_forgotten():
    store = MemoryStore()
    async with memory_engine(store=store, policy=BATCHED) as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "ann", "1")
        (cid,) = await looking(engine, room, "cid")
        store.hold()
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        ann.submit("message.send", {"text": "bad"}, c=room, id=1)
        bob.submit("message.read", {}, c=room, id=1)
        await settled()
        store.refuse(lambda write: bool(write.events), voidable=False)
        store.release()
        await settled()
        store.refuse(None)
        await trio.sleep(10)
        assert receipts(cid) == []
        assert await unread(engine, "bob", room) == 1
        assert (await read(engine, "bob", room))["unread"] == 0


# Who hears (C-09).


async def heard(engine: Engine, room: str, *users: str) -> dict[str, list[list[tuple[str, int]]]]:
    """What each hears when bob reads 2, then cid and bob all."""
    devices = await looking(engine, room, *users)
    await read(engine, "bob", room, 2)
    await trio.sleep(3)
    await read(engine, "cid", room)
    await read(engine, "bob", room)
    await trio.sleep(3)
    return {device.user: receipts(device) for device in devices}


async def test_C_09_members_and_others():
    for audience in ("members", "others"):
        async with memory_engine(policy={**BATCHED, "receipts_audience": audience}) as engine:
            room = await group(engine, "ann", "bob", "cid")
            await say(engine, room, "ann", "2", "3")
            told = await heard(engine, room, "ann", "bob", "cid")
            both = [("cid", 3), ("bob", 3)]
            assert told["ann"] == [[("bob", 2)], both]
            if audience == "members":
                assert told["bob"] == told["cid"] == told["ann"]
            else:
                assert told["bob"] == [[("cid", 3)]]
                assert told["cid"] == [[("bob", 2)], [("bob", 3)]]


@pytest.mark.parametrize("batched", [True, False])
async def test_C_09_RCPT_06_senders_of_what_was_unread(batched: bool):
    policy = {"receipts_audience": "senders", **(BATCHED if batched else {})}
    async with memory_engine(policy=policy) as engine:
        room = await group(engine, "ann", "bob", "cid", "dan")
        await say(engine, room, "dan", "2")
        await say(engine, room, "ann", "3")
        told = await heard(engine, room, "ann", "bob", "cid", "dan")
        assert told["bob"] == told["cid"] == []
        if batched:
            assert told["ann"] == [[("bob", 2)], [("cid", 3), ("bob", 3)]]
            assert told["dan"] == [[("bob", 2)], [("cid", 3)]], "what bob read then was ann's"
        else:
            assert told["dan"] == [[("bob", 2)], [("cid", 3)]]
            assert told["ann"] == [[("bob", 2)], [("cid", 3)], [("bob", 3)]]


async def test_C_09_RCPT_05_who_writes_while_their_read_waits_has_read_then():
    policy = {**BATCHED, "receipts_audience": "senders"}
    async with memory_engine(policy=policy) as engine:
        room = await group(engine, "ann", "bob", "cid")
        (first,) = await say(engine, room, "ann", "2")
        ann, bob = await looking(engine, room, "ann", "bob")
        await read(engine, "bob", room)
        await trio.sleep(1)
        at = engine.now()
        await say(engine, room, "bob", "3")
        for _ in range(2):
            answer = await engine.as_user("ann").do(MessageReaders(message_id=first.id), room)
            assert answer["readers"] == [{"user": "bob", "at": at}]
            await trio.sleep(3)
        await read(engine, "cid", room)
        await trio.sleep(3)
        assert receipts(ann) == receipts(bob) == [[("cid", 3)]]


# The property.


@pytest.mark.parametrize("seed", range(8))
async def test_RCPT_07_RCPT_09_counts_are_what_counting_gives_whatever_happens(seed: int):
    """Sends, reads, deletions, people coming and going, with marks in batches, through rebuilds."""
    chance = random.Random(seed)
    users = ["ann", "bob", "cid"]
    policy = {**BATCHED, "receipts_batch_n": chance.choice([2, 5, 100])}
    store = MemoryStore()
    actors = {"ring": chance.choice([1, 100]), "idle_s": chance.choice([1.0, 100.0])}
    clock = TrioClock()
    async with memory_engine(store=store, policy=policy, actors=actors, clock=clock) as engine:
        room = await group(engine, *users)
        sent: list[tuple[str, str, int]] = []
        marks = dict.fromkeys(users, 1)
        deleted: set[int] = set()

        async def check(user: str) -> None:
            count = sum(seq > marks[user] and seq not in deleted for _, _, seq in sent)
            assert await unread(engine, user, room) == count
            (row,) = (await engine.as_user(user).inbox())["conversations"]
            assert row["unread"] == count

        for step in range(60):
            user = chance.choice(users)
            match chance.choice(["send", "send", "read", "read", "delete", "wait", "refuse"]):
                case "send":
                    (message,) = await say(engine, room, user, f"text {step}")
                    sent.append((user, message.id, message.seq))
                    marks[user] = message.seq
                case "read" if sent:
                    seq = chance.choice([chance.choice(sent)[2], sent[-1][2]])
                    marks[user] = max(marks[user], seq)
                    answer = await read(engine, user, room, seq)
                    assert answer["seq"] >= marks[user]
                    marks[user] = answer["seq"]
                case "delete" if sent:
                    by, id, seq = chance.choice(sent)
                    await engine.as_user(by).delete(room, id)
                    deleted.add(seq)
                case "wait":
                    await trio.sleep(chance.choice([0.5, 3.0, 20.0]))
                case "refuse":
                    store.refuse(lambda write: bool(write.events))
                    await Device(engine, user).ask("message.send", {"text": "bad"}, c=room)
                    store.refuse(None)
                    # Also a void one moves the mark of whoever wanted to send it.
                    marks[user] = (await engine.as_user(user).conversation(room))["seq"]
            await check(chance.choice(users))
        for user in users:
            await check(user)
        await trio.sleep(1000)
        for user in users:
            await check(user)


@pytest.mark.parametrize("audience", ["members", "others", "senders"])
async def test_RCPT_08_of_who_is_reticent_a_batch_says_nothing(audience: str):
    policy = {**BATCHED, "receipts_optout": True, "receipts_audience": audience}
    async with memory_engine(policy=policy) as engine:
        room = await group(engine, "ann", "bob", "cid", "dan")
        ann, phone = await looking(engine, room, "ann", "bob")
        dan = Device(engine, "dan")
        await phone.ask("settings.set", {"read_receipts": False})
        (sent,) = await say(engine, room, "ann", "hello")
        for user in ("bob", "cid", "dan"):
            await read(engine, user, room)
        await dan.ask("settings.set", {"read_receipts": False})
        await trio.sleep(3)
        assert receipts(ann) == [[("cid", sent.seq)]], "dan has changed their mind in time"
        assert await unread(engine, "bob", room) == await unread(engine, "dan", room) == 0


async def test_RCPT_09_CONV_13_loaded_anew_while_marks_wait_none_is_lost():
    """So much is said while cid hides the conversation that what they hid must be looked up."""
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, policy=BATCHED, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        (ann,) = await looking(engine, room, "ann")
        cid = Device(engine, "cid")

        async def go_on() -> None:
            await say(engine, room, "ann", "one", "two", "three")
            await read(engine, "bob", room)

        watch.before("append", go_on)
        assert "ok" in await cid.ask("conversation.hide", c=room)
        await settled()
        assert watch.calls["load"] == 2
        assert [await unread(engine, user, room) for user in ("bob", "cid")] == [0, 3]
        await trio.sleep(3)
        assert receipts(ann) == [[("bob", 4)]]
