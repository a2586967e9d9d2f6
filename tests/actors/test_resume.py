"""HIST-07: a device says where it is, and gets everything after it, or is told what to reload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio

from palaver.actors.resident import Resident
from palaver.actors.resume import ResumeRead, diverged_at
from palaver.actors.ring import Ring
from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.events import Event
from palaver.protocol.features.conversation import ConversationCreated
from palaver.protocol.features.history import Resume
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.machine import apply
from palaver.protocol.state import ConversationState
from palaver.tests.support.engines import Lives, group, refused, say, seqs, settled
from palaver.tests.support.stores import Watch

ROOM = "c0000000-0000-5000-8000-000000000000"


async def resume(
    engine: Engine, user: str, room: str, seq: int, *, epoch: int = 1, marks: int = 0
) -> tuple[Device, dict[str, Any]]:
    """A device that comes back, and the answer that it gets."""
    device = Device(engine, user)
    payload = {"epoch": epoch, "seq": seq, "marks": marks}
    reply = await device.ask("conversation.resume", payload, c=room)
    assert device.items[-1] is reply, "everything is pushed before the answer"
    device.items.pop()
    return device, reply["ok"]


@pytest.mark.parametrize(
    ("ring", "seq", "fetches"),
    [
        pytest.param(100, 0, 0, id="all of it from memory"),
        pytest.param(100, 30, 0, id="the end of it from memory"),
        pytest.param(10, 41, 0, id="just what memory holds"),
        pytest.param(10, 40, 1, id="one more than memory holds"),
        pytest.param(10, 5, 1, id="from store and memory"),
        pytest.param(1, 0, 1, id="nearly all from the store"),
        pytest.param(100, 51, 0, id="nothing"),
    ],
)
async def test_HIST_07_every_event_once_and_in_order(ring: int, seq: int, fetches: int):
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        witness = Device(engine, "bob")
        await say(engine, room, "ann", *map(str, range(2, 52)))
        device, answer = await resume(engine, "bob", room, seq)
        assert (answer["recovered"], answer["epoch"], answer["seq"]) == (True, 1, 51)
        assert seqs(device, room) == list(range(seq + 1, 52))
        later = {item["seq"]: item for item in witness.events(room)}
        assert all(item == later.get(item["seq"], item) for item in device.events(room))
        assert watch.calls["events"] == fetches


async def test_HIST_07_a_conversation_from_cold():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "one", "two", "three")
    lives.restart()
    async with lives.life() as engine:
        device, answer = await resume(engine, "bob", room, 2)
        assert device.texts() == ["two", "three"]
        assert answer["recovered"]


async def test_SEND_14_two_hundred_missed_messages_come_once_and_in_order():
    async with memory_engine(actors={"ring": 50}) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "seen")
        bob.leave()
        await say(engine, room, "ann", *map(str, range(200)))
        device, _ = await resume(engine, "bob", room, seqs(bob, room)[-1])
        assert device.texts() == [str(n) for n in range(200)]


async def test_HIST_07_nothing_is_lost_between_catching_up_and_going_on():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 5}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(20)))
        watch.hold("events")
        bob = Device(engine, "bob")
        bob.submit("conversation.resume", {"epoch": 1, "seq": 1}, c=room, id=1)
        await settled()
        await say(engine, room, "ann", *map(str, range(20, 30)))
        assert seqs(bob, room) == list(range(22, 32)), "dropped: they lie beyond the gap"
        bob.items.clear()
        watch.release()
        await settled()
        assert watch.calls["events"] == 2, "by then the ring had outrun what was read"
        assert bob.reply(1)["ok"]["seq"] == 31
        assert seqs(bob, room) == list(range(2, 32))


async def test_HIST_07_fifty_mixed_events_make_the_same_of_both_devices():
    """What the one saw live and the other caught up on; deleted messages differ, and must."""
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": 10}) as engine:
        room = await group(engine, "ann", "bob")
        always = Device(engine, "bob")
        ann = engine.as_user("ann")
        sent = await say(engine, room, "ann", *map(str, range(10)))
        for n in range(10):
            await ann.edit(room, sent[n].id, f"edited {n}")
            await ann.pin(room, sent[n].id)
            await ann.unpin(room, sent[n].id)
            await ann.rename(room, f"title {n}")
        device, answer = await resume(engine, "bob", room, 1)
        assert answer["recovered"]
        assert device.events(room) == always.events(room)
        assert len(device.events(room)) == 50


async def test_a_device_too_far_behind_loads_anew():
    async with memory_engine(actors={"resume_limit": 10}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(10)))
        device, answer = await resume(engine, "bob", room, 1)
        assert answer["recovered"]
        assert len(device.items) == 10
        await say(engine, room, "ann", "one more")
        device, answer = await resume(engine, "bob", room, 1)
        assert answer == {
            "recovered": False,
            "reason": "too_far",
            "reload_after": 1,
            "epoch": 1,
            "seq": 12,
        }
        assert device.items == [], "never a part of it"


async def test_a_resume_that_becomes_too_far_while_it_is_read():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"resume_limit": 10, "ring": 2}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(10)))
        watch.hold("events")
        bob = Device(engine, "bob")
        bob.submit("conversation.resume", {"epoch": 1, "seq": 1}, c=room, id=1)
        await settled()
        await say(engine, room, "ann", "one more")
        watch.release()
        await settled()
        assert bob.reply(1)["ok"]["reason"] == "too_far"
        assert seqs(bob, room) == [12]


async def test_a_stranger_may_not_resume():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        device = Device(engine, "eve")
        reply = await device.ask("conversation.resume", {"epoch": 1, "seq": 0}, c=room)
        assert reply["error"]["code"] == "PERMISSION_DENIED"


async def test_who_has_left_is_told_so():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await engine.as_user("bob").leave(room)
        device, answer = await resume(engine, "bob", room, 1)
        assert (answer["recovered"], answer["reason"]) == (False, "not_member")
        assert device.items == []


async def test_HIST_11_what_lies_outside_of_one_s_membership_is_skipped():
    async with memory_engine(actors={"ring": 3}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        await say(engine, room, "ann", "2", "3")
        await ann.add_members(room, ["cid"])  # 4
        await say(engine, room, "ann", "5")
        await ann.remove_member(room, "cid")  # 6
        await say(engine, room, "ann", "7", "8", "9")
        await ann.add_members(room, ["cid"])  # 10
        await say(engine, room, "ann", "11")
        device, answer = await resume(engine, "cid", room, 0)
        assert answer["recovered"]
        shown = [(item["t"], item["d"].get("from"), item["seq"]) for item in device.events(room)]
        assert shown == [
            ("skipped", 1, 3),
            ("member.added", None, 4),
            ("message.sent", None, 5),
            ("member.removed", None, 6),
            ("skipped", 7, 9),
            ("member.added", None, 10),
            ("message.sent", None, 11),
        ]


# Epochs.


def test_above_the_least_start_of_a_later_epoch_a_device_may_hold_what_is_lost():
    state = ConversationState(ROOM, epoch=4, starts_after=[10, 7, 20])
    assert [diverged_at(state, epoch) for epoch in (1, 2, 3, 4)] == [7, 7, 20, None]


async def test_a_crash_that_lost_what_was_shown_is_told_to_who_saw_it():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "stored")
        bob = Device(engine, "bob")
        lives.store.hold()
        Device(engine, "ann").submit("message.send", {"text": "lost"}, c=room)
        await settled()
        assert seqs(bob, room) == [3]
        lives.crash()
    async with lives.life() as engine:
        device, answer = await resume(engine, "bob", room, 3)
        assert answer == {
            "recovered": False,
            "reason": "diverged",
            "reload_after": 2,
            "epoch": 2,
            "seq": 2,
        }
        # Another event stands where the lost one stood; nobody may mistake it.
        await say(engine, room, "ann", "another")
        device, answer = await resume(engine, "bob", room, 3)
        assert (answer["reason"], answer["reload_after"]) == ("diverged", 2)
        device, answer = await resume(engine, "bob", room, 2)
        assert (answer["recovered"], answer["epoch"]) == (True, 2)
        assert device.texts() == ["another"]
        device, answer = await resume(engine, "bob", room, 3, epoch=2)
        assert (answer["recovered"], device.items) == (True, [])


async def test_two_crashes_are_told_apart():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "2")
        lives.crash()
    async with lives.life() as engine:  # epoch 2 starts after 2
        await say(engine, room, "ann", "3", "4", "5")
        lives.crash()
    async with lives.life() as engine:  # epoch 3 starts after 5
        await say(engine, room, "ann", "6")
        for epoch, seq, recovered in [
            (1, 2, True),
            (1, 3, False),  # in epoch 1 that was something else
            (2, 3, True),
            (2, 5, True),
            (2, 6, False),
            (3, 6, True),
        ]:
            device, answer = await resume(engine, "bob", room, seq, epoch=epoch)
            device.leave()
            assert answer["recovered"] is recovered, (epoch, seq)
            if recovered:
                assert seqs(device, room) == list(range(seq + 1, 7))
            else:
                assert answer["reload_after"] == {1: 2, 2: 5}[epoch]


async def test_commit_needs_no_epochs():
    lives = Lives(policy={"durability": "commit"})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "stored")
        bob = Device(engine, "bob")
        lives.store.hold()
        Device(engine, "ann").submit("message.send", {"text": "lost"}, c=room)
        await settled()
        assert bob.items == []
        lives.crash()
    async with lives.life() as engine:
        await say(engine, room, "ann", "another")
        device, answer = await resume(engine, "bob", room, 2)
        assert (answer["recovered"], answer["epoch"]) == (True, 1)
        assert device.texts() == ["another"]


@pytest.mark.parametrize(("epoch", "seq"), [(1, 99), (2, 0), (2, 99)])
async def test_a_position_that_cannot_be_is_not_believed(epoch: int, seq: int):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        device, answer = await resume(engine, "bob", room, seq, epoch=epoch)
        assert not answer["recovered"]
        assert device.items == []


# What is gone is gone for who comes later, too.


@pytest.mark.parametrize("ring", [1, 3, 100])
async def test_HIST_06_what_was_deleted_comes_without_its_content(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await ann.send(room, "secret", metadata={"also": "secret"})
        await ann.edit(room, sent.id, "secret, too")
        await ann.delete(room, sent.id)
        device, _ = await resume(engine, "bob", room, 1)
        first, edit, deletion = device.events(room)
        assert first["d"]["id"] == sent.id
        assert first["d"]["redacted"] is edit["d"]["redacted"] is True
        assert deletion["t"] == "message.deleted"
        assert "secret" not in str(device.items)


async def test_what_is_deleted_while_it_is_read_comes_without_its_content():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 3}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await ann.send(room, "secret")
        await ann.send(room, "answer", reply_to=sent.id)
        await say(engine, room, "ann", *map(str, range(5)))
        watch.after("events", lambda: ann.delete(room, sent.id))
        device, _ = await resume(engine, "bob", room, 1)
        live, first, answer, *_ = device.events(room)
        assert live["t"] == "message.deleted"
        assert first["d"]["redacted"] is True
        assert answer["d"]["preview"] == {"unavailable": True}
        assert "secret" not in str(device.items)


@pytest.mark.parametrize("ring", [1, 2, 100])
async def test_MSG_13_the_preview_of_what_was_deleted_is_gone(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann, live = engine.as_user("ann"), Device(engine, "bob")
        sent = await ann.send(room, "quoted")
        await ann.send(room, "answer", reply_to=sent.id)
        assert live.of_kind("message.sent")[-1]["d"]["preview"] == {"by": "ann", "text": "quoted"}
        device, _ = await resume(engine, "bob", room, 2)
        assert device.events(room)[0]["d"]["preview"] == {"by": "ann", "text": "quoted"}
        await ann.delete(room, sent.id)
        device, _ = await resume(engine, "bob", room, 2)
        assert device.events(room)[0]["d"]["preview"] == {"unavailable": True}


# Marks.


async def test_the_marks_that_moved_come_along():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "ann", "2", "3", "4")
        await engine.as_user("bob").read(room, 3)
        _, answer = await resume(engine, "ann", room, 4)
        known = answer["marks"]["n"]
        assert answer["marks"]["moved"] == [{"user": "bob", "read": 3, "delivered": 3}]
        _, answer = await resume(engine, "ann", room, 4, marks=known)
        assert answer["marks"] == {"n": known, "moved": []}
        await engine.as_user("cid").read(room)
        Device(engine, "bob").submit("ack", c=room, seq=4)
        await settled()
        _, answer = await resume(engine, "ann", room, 4, marks=known)
        assert answer["marks"]["n"] == known + 2
        moved = {
            move["user"]: (move["read"], move["delivered"]) for move in answer["marks"]["moved"]
        }
        assert moved == {"bob": (3, 4), "cid": (4, 4)}


async def test_in_a_new_epoch_all_marks_come():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "ann", "2", "3")
        await engine.as_user("bob").read(room)
        _, answer = await resume(engine, "ann", room, 3)
        known = answer["marks"]["n"]
        lives.store.hold()
        Device(engine, "cid").submit("message.read", {}, c=room)
        await settled()
        lives.crash()
    async with lives.life() as engine:
        # The count of moves went back with the lost one, so nobody may be compared by it.
        _, answer = await resume(engine, "ann", room, 3, marks=known + 1)
        assert answer["epoch"] == 2
        assert answer["marks"]["moved"] == [{"user": "bob", "read": 3, "delivered": 3}]


# Audiences: no feature makes one yet, so this is said to the read itself.


def test_what_is_for_others_is_skipped():
    state = ConversationState(ROOM)
    ring = Ring(100)
    roles: Any = {"ann": "member", "bob": "member"}
    created = ConversationCreated(kind="group", profile="default", roles=roles)
    events = [Event(ROOM, 1, "1", created, "ann", 0)]
    for seq, audience in [(2, None), (3, ("ann",)), (4, ("ann",)), (5, ("ann", "bob"))]:
        event = Event(ROOM, seq, f"{seq}", MessageSent(text="x"), "ann", 0, number=seq - 1)
        events.append(replace(event, audience=audience))
    for event in events:
        apply(state, event)
        ring.add(event)
    resident = Resident(state, ring, stored=5, shown=5)
    read = ResumeRead(Resume(epoch=1, seq=1), "bob", 100)
    assert not read.missing(resident)
    pushes, answer = read.answer(resident)
    assert answer["recovered"]
    assert [(p.item["t"], p.item["d"].get("from"), p.item["seq"]) for p in pushes] == [
        ("message.sent", None, 2),
        ("skipped", 3, 4),
        ("message.sent", None, 5),
    ]


async def test_a_resume_of_nothing_is_not_found():
    async with memory_engine() as engine:
        user = engine.as_user("ann")
        no = await refused(user.do(Resume(epoch=1, seq=0), "ffffffff-0000-5000-8000-000000000000"))
        assert no.code == "CONVERSATION_NOT_FOUND"
        await trio.lowlevel.checkpoint()
