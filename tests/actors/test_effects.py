"""What is pushed, stored and replied, in which order; and what becomes of what cannot be stored."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.records import Write
from palaver.tests.support.engines import Lives, group, refused, say, seqs, settled
from palaver.tests.support.faults import Trap

COMMIT = {"durability": "commit"}
RELAXED = {"durability": "relaxed"}


def store_for(policy: dict[str, Any]) -> MemoryStore:
    return MemoryStore(durability=policy.get("durability", "write_behind"))


def carries(client_id: str):
    def predicate(write: Write) -> bool:
        return any(event.client_id == client_id for event in write.events)

    return predicate


async def at_rest(store: MemoryStore, room: str) -> list[str]:
    """The kinds of the events in the log."""
    return [event.kind for event in (await store.conversations.events(room, 0, 10_000)).events]


async def positions(engine: Engine, device: Device, room: str) -> tuple[int, int]:
    """(epoch, seq) of the conversation."""
    view = (await device.ask("conversation.get", c=room))["ok"]
    return view["epoch"], view["seq"]


# The three durabilities.


async def test_SEND_11_commit_shows_and_says_nothing_before_it_is_stored():
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await bob.ask("conversation.subscribe", c=room)
        bob.items.clear()
        store.hold()
        ann.submit("message.send", {"text": "hi"}, c=room, id=1)
        ann.submit("message.read", {}, c=room, id=2)
        await settled()
        assert ann.items == bob.items == []
        store.release(1)
        await settled()
        assert bob.texts() == ann.texts() == ["hi"]
        assert ann.reply(1)["ok"]["seq"] == 2
        store.release()
        await settled()
        assert "ok" in ann.reply(2)


async def test_commit_shows_no_mark_before_it_is_stored():
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "hi")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await ann.ask("conversation.subscribe", c=room)
        store.hold()
        bob.submit("message.read", {}, c=room, id=1)
        await settled()
        assert not ann.of_kind("message.read")
        assert not bob.of_kind("reply")
        store.release()
        await settled()
        (mark,) = ann.of_kind("message.read")
        assert mark["d"]["seq"] == 2
        assert "ok" in bob.reply(1)


@pytest.mark.parametrize("kind", ["conversation.get", "message.history", "member.list"])
async def test_commit_lets_nobody_read_what_is_not_stored(kind: str):
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        ann.submit("message.send", {"text": "hi"}, c=room)
        bob.submit(kind, c=room, id=1)
        ann.submit("message.send", {"text": "ho"}, c=room)
        await settled()
        assert bob.items == []
        store.release()
        await settled()
        kinds = [(item["t"], item.get("seq")) for item in bob.items]
        assert kinds == [("message.sent", 2), ("reply", None), ("message.sent", 3)]
        assert bob.reply(1)["ok"]["seq"] == 2


async def test_commit_lets_the_inbox_show_nothing_that_is_not_stored():
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "stored")
        store.hold()
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        ann.submit("message.send", {"text": "held"}, c=room)
        bob.submit("conversation.list", id=1)
        await settled()
        assert bob.items == []
        store.release()
        await settled()
        (row,) = bob.reply(1)["ok"]["conversations"]
        assert (row["seq"], row["last"]["text"], row["unread"]) == (3, "held", 2)


async def test_commit_lets_a_resume_end_at_what_is_stored():
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "stored")
        store.hold()
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        ann.submit("message.send", {"text": "held"}, c=room)
        await settled()
        reply = await bob.ask("conversation.resume", {"epoch": 1, "seq": 1}, c=room)
        assert (reply["ok"]["recovered"], reply["ok"]["seq"]) == (True, 2)
        store.release()
        await settled()
        assert bob.texts() == ["stored", "held"]


async def test_SEND_11_write_behind_shows_at_once_and_replies_when_it_is_stored():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        ann.submit("message.send", {"text": "hi"}, c=room, id=1)
        await settled()
        assert bob.texts() == ann.texts() == ["hi"]
        assert not ann.of_kind("reply")
        assert await at_rest(store, room) == ["conversation.created"]
        reply = await bob.ask("conversation.get", c=room)
        assert reply["ok"]["seq"] == 2, "what is shown may be read"
        store.release()
        await settled()
        assert ann.reply(1)["ok"]["seq"] == 2
        assert await at_rest(store, room) == ["conversation.created", "message.sent"]


async def test_relaxed_replies_at_once_and_says_so():
    store = store_for(RELAXED)
    async with memory_engine(store=store, policy=RELAXED) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        sent = await ann.ask("message.send", {"text": "hi", "client_id": "1"}, c=room)
        assert sent["ok"]["durable"] is False
        again = await ann.ask("message.send", {"text": "hi", "client_id": "1"}, c=room)
        assert again["ok"] == sent["ok"]
        read = await bob.ask("message.read", {}, c=room)
        assert read["ok"]["durable"] is False
        assert bob.texts() == ["hi"]
        store.release()


@pytest.mark.parametrize("durability", ["commit", "write_behind", "relaxed"])
async def test_a_reply_never_precedes_the_push_of_its_event(durability: str):
    policy = {"durability": durability}
    store = store_for(policy)
    async with memory_engine(store=store, policy=policy) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        for n in range(100):
            if n % 7 == 0:
                store.hold()
            ann.submit("message.send", {"text": f"{n}", "client_id": f"{n}"}, c=room, id=n)
            if n % 5 == 0:
                await settled()
            if n % 3 == 0:
                store.release(n % 4)
        store.release()
        await settled()
        pushed = {}
        for place, item in enumerate(ann.items):
            if item["t"] == "message.sent":
                pushed[item["d"]["client_id"]] = place, item
            elif item["t"] == "reply":
                earlier, push = pushed[str(item["id"])]
                assert earlier < place
                assert (item["ok"]["seq"], item["ok"]["id"]) == (push["seq"], push["d"]["id"])
        assert len(ann.of_kind("reply")) == 100
        assert seqs(ann, room) == list(range(2, 102))


async def test_SEND_15_live_delivery_goes_on_while_the_store_stands_still():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        for n in range(200):
            ann.submit("message.send", {"text": f"{n}"}, c=room, id=n)
        await trio.sleep(2)
        assert bob.texts() == [f"{n}" for n in range(200)]
        assert not ann.of_kind("reply")
        store.release()
        await settled()
        assert [reply["id"] for reply in ann.of_kind("reply")] == list(range(200))
        assert len(await at_rest(store, room)) == 201


async def test_nothing_to_do_is_answered_when_what_made_it_so_is_stored():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, other = Device(engine, "ann"), Device(engine, "ann")
        store.hold()
        ann.submit("conversation.rename", {"title": "New"}, c=room, id=1)
        other.submit("conversation.rename", {"title": "New"}, c=room, id=1)
        await settled()
        assert not other.of_kind("reply")
        store.release()
        await settled()
        assert "ok" in other.reply(1)


async def test_a_repeated_mark_is_answered_when_the_first_is_stored():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "hi")
        store.hold()
        bob = Device(engine, "bob")
        bob.submit("message.read", {}, c=room, id=1)
        bob.submit("message.read", {}, c=room, id=2)
        await settled()
        assert not bob.of_kind("reply")
        store.release()
        await settled()
        assert bob.reply(1)["ok"] == bob.reply(2)["ok"]


# Refused.


async def test_SEND_19_a_refused_message_is_taken_back_and_fails_alone():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.refuse(carries("bad"))
        store.hold()
        for n, client_id in enumerate(["good", "bad", "fine"]):
            payload = {"text": client_id, "client_id": client_id}
            ann.submit("message.send", payload, c=room, id=n)
        await settled()
        assert bob.texts() == ["good", "bad", "fine"]
        store.release()
        await settled()
        assert ann.reply(0)["ok"]["seq"] == 2
        error = ann.reply(1)["error"]
        assert (error["code"], error["retryable"]) == ("PERSIST_FAILED", False)
        assert ann.reply(2)["ok"]["seq"] == 4
        for device in (ann, bob):
            (void,) = device.of_kind("void")
            (shown,) = [i for i in device.events(room) if i["seq"] == 3 and i["t"] != "void"]
            assert (void["seq"], void["d"]["of"]) == (3, shown["d"]["id"])
            assert not device.of_kind("conversation.head"), "a message is taken back by itself"
        assert await at_rest(store, room) == [
            "conversation.created",
            "message.sent",
            "void",
            "message.sent",
        ]
        assert [m["text"] for m in await engine.as_user("bob").history(room)] == ["good", "fine"]
        assert (await ann.ask("conversation.get", c=room))["ok"]["epoch"] == 1


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_after_a_refusal_the_state_is_what_a_fresh_load_gives(durability: str):
    lives = Lives(policy={"durability": durability}, actors={"snapshot_every": 3})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann = Device(engine, "ann")
        await say(engine, room, "ann", "one", "two")
        lives.store.refuse(carries("bad"))
        lives.store.hold()
        for n, client_id in enumerate(["three", "bad", "four"]):
            payload = {"text": client_id, "client_id": client_id}
            ann.submit("message.send", payload, c=room, id=n)
        Device(engine, "bob").submit("message.read", {}, c=room)
        await settled()
        lives.store.release()
        await settled()
        live = [await engine.as_user(user).conversation(room) for user in ("ann", "bob", "cid")]
        lives.restart()
    async with lives.life() as engine:
        fresh = [await engine.as_user(user).conversation(room) for user in ("ann", "bob", "cid")]
        assert fresh == live
        assert [view["unread"] for view in live] == [0, 0, 4]


async def test_commit_shows_only_the_void_of_a_refused_message():
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.refuse(carries("bad"))
        reply = await ann.ask("message.send", {"text": "bad", "client_id": "bad"}, c=room)
        assert reply["error"]["code"] == "PERSIST_FAILED"
        await say(engine, room, "ann", "good")
        assert [(item["t"], item["seq"]) for item in bob.events()] == [
            ("void", 2),
            ("message.sent", 3),
        ]


async def test_commit_needs_no_epoch_since_nobody_was_shown_what_was_refused():
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.refuse(carries("bad"))
        reply = await ann.ask("conversation.rename", {"title": "No", "client_id": "bad"}, c=room)
        assert reply["error"]["code"] == "PERSIST_FAILED"
        store.refuse(carries("worse"), voidable=False)
        payload = {"text": "worse", "client_id": "worse"}
        reply = await ann.ask("message.send", payload, c=room)
        assert reply["error"]["code"] == "PERSIST_FAILED"
        store.refuse(None)
        await say(engine, room, "ann", "good")
        assert [(item["t"], item["seq"]) for item in bob.events()] == [
            ("void", 2),
            ("message.sent", 3),
        ]
        assert await positions(engine, bob, room) == (1, 3)


async def test_a_refused_message_may_be_sent_again():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        store.refuse(carries("1"))
        assert (await refused(ann.send(room, "hi", client_id="1"))).code == "PERSIST_FAILED"
        store.refuse(None)
        assert (await ann.send(room, "hi", client_id="1", attempt=2)).seq == 3


async def test_whoever_relied_on_what_was_refused_is_told_to_try_again():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, other = Device(engine, "ann"), Device(engine, "ann")
        store.refuse(carries("bad"))
        store.hold()
        ann.submit("conversation.rename", {"title": "New", "client_id": "bad"}, c=room, id=1)
        other.submit("conversation.rename", {"title": "New"}, c=room, id=1)
        await settled()
        store.release()
        await settled()
        assert ann.reply(1)["error"]["code"] == "PERSIST_FAILED"
        assert other.reply(1)["error"]["code"] == "UNAVAILABLE"
        assert "ok" in await other.ask("conversation.rename", {"title": "New"}, c=room)


async def test_a_refusal_that_members_cannot_take_back_begins_a_new_epoch():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        store.refuse(carries("bad"))
        store.hold()
        ann = Device(engine, "ann")
        ann.submit("conversation.rename", {"title": "No", "client_id": "bad"}, c=room, id=1)
        await settled()
        assert bob.of_kind("conversation.renamed")
        store.release()
        await settled()
        assert ann.reply(1)["error"]["code"] == "PERSIST_FAILED"
        assert [item["t"] for item in bob.items][-2:] == ["void", "conversation.head"]
        (head,) = bob.of_kind("conversation.head")
        assert head["d"] == {"epoch": 2, "seq": 2}
        view = (await bob.ask("conversation.get", c=room))["ok"]
        assert (view["epoch"], view["seq"], view["title"]) == (2, 2, "Room")


async def test_whoever_saw_what_was_refused_and_went_is_told_to_reload():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.refuse(carries("bad"))
        store.hold()
        ann.submit("conversation.rename", {"title": "No", "client_id": "bad"}, c=room)
        ann.submit("message.send", {"text": "hi"}, c=room)
        await settled()
        assert seqs(bob, room) == [2, 3]
        bob.leave()
        store.release()
        await settled()
        bob = Device(engine, "bob")
        reply = await bob.ask("conversation.resume", {"epoch": 1, "seq": 3}, c=room)
        assert reply["ok"] == {
            "recovered": False,
            "reason": "diverged",
            "reload_after": 1,
            "epoch": 2,
            "seq": 3,
        }
        reply = await bob.ask("conversation.resume", {"epoch": 1, "seq": 1}, c=room)
        assert (reply["ok"]["recovered"], reply["ok"]["epoch"]) == (True, 2)
        assert [item["t"] for item in bob.events(room)] == ["void", "message.sent"]


async def test_a_refused_member_is_none_and_a_refused_removal_leaves_them_in():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob, cid = (Device(engine, user) for user in ("ann", "bob", "cid"))
        store.refuse(carries("bad"))
        ann.submit("member.add", {"users": ["cid"], "client_id": "bad"}, c=room)
        await settled()
        ann.submit("member.remove", {"user": "bob", "client_id": "bad"}, c=room)
        await settled()
        store.refuse(None)
        before = len(cid.items)
        await say(engine, room, "ann", "hi")
        assert bob.texts() == ["hi"]
        assert len(cid.items) == before
        view = (await bob.ask("conversation.get", c=room))["ok"]
        assert sorted(view["members"]) == ["ann", "bob"]
        assert view["epoch"] == 3


async def test_a_creation_that_is_refused_leaves_no_conversation():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        store.refuse(lambda write: True)
        no = await refused(engine.as_user("ann").create_group("Room", ["bob"], client_id="1"))
        assert no.code == "PERSIST_FAILED"
        await settled()
        assert engine.health()["conversations"] == 0
        store.refuse(None)
        assert await engine.as_user("ann").create_group("Room", ["bob"], client_id="1")


async def test_what_cannot_even_be_voided_halts_and_begins_a_new_epoch():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.refuse(carries("bad"), voidable=False)
        store.hold()
        for n, client_id in enumerate(["good", "bad", "after"]):
            payload = {"text": client_id, "client_id": client_id}
            ann.submit("message.send", payload, c=room, id=n)
        await settled()
        store.release()
        await settled()
        assert "ok" in ann.reply(0)
        assert ann.reply(1)["error"]["code"] == "PERSIST_FAILED"
        assert "error" in ann.reply(2), "nothing is stored after a gap"
        assert await at_rest(store, room) == ["conversation.created", "message.sent"]
        (head,) = bob.of_kind("conversation.head")
        assert head["d"] == {"epoch": 2, "seq": 2}
        store.refuse(None)
        assert (await engine.as_user("ann").send(room, "again")).seq == 3
        reply = await bob.ask("conversation.resume", {"epoch": 1, "seq": 4}, c=room)
        assert reply["ok"]["reason"] == "diverged"
        assert reply["ok"]["reload_after"] == 2


async def test_the_new_epoch_comes_even_if_the_store_goes_away_first():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.refuse(carries("bad"))
        store.hold()
        ann.submit("conversation.rename", {"title": "No", "client_id": "bad"}, c=room, id=1)
        ann.submit("message.send", {"text": "held"}, c=room, id=2)
        await settled()
        store.release(1)
        store.go_away()
        await settled()
        assert ann.reply(1)["error"]["code"] == "PERSIST_FAILED"
        await trio.sleep(2)  # the rebuild is given up
        assert ann.reply(2)["error"]["code"] == "UNAVAILABLE"
        store.come_back()
        assert await positions(engine, ann, room) == (2, 3)
        assert bob.of_kind("conversation.head")[-1]["d"] == {"epoch": 2, "seq": 3}


async def test_the_new_epoch_comes_even_if_the_actor_crashes_first():
    store, trap = MemoryStore(), Trap()
    async with memory_engine(store=store, guards=[trap]) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        store.refuse(carries("bad"))
        store.hold()
        ann.submit("conversation.rename", {"title": "No", "client_id": "bad"}, c=room, id=1)
        await settled()
        trap.spring("boom")
        ann.submit("message.send", {"text": "boom"}, c=room, id=2)
        await settled()
        store.release()
        assert await positions(engine, ann, room) == (2, 2)
        assert ann.reply(1)["error"]["code"] == "PERSIST_FAILED"


# Duplicate.


async def test_a_duplicate_is_voided_and_answered_with_the_first():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": 2}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        first = await ann.send(room, "hi", client_id="1")
        await say(engine, room, "bob", *map(str, range(5)))
        # Long out of the ring, and the client does not say that it is a repetition.
        assert await ann.send(room, "hi", client_id="1") == first
        await settled()
        (void,) = bob.of_kind("void")
        assert void["seq"] == 8
        assert bob.texts().count("hi") == 2, "it was shown, and taken back"
        assert [m["text"] for m in await ann.history(room)].count("hi") == 1
        view = await engine.as_user("bob").conversation(room)
        assert (view["seq"], view["epoch"], view["unread"]) == (8, 1, 0)


# Foreign.


async def test_an_engine_that_was_overtaken_stops_writing_loudly():
    store = MemoryStore()
    async with memory_engine(store=store, storage={"close_timeout_s": 0.001}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        successor = MemoryStore(disk=store._disk)
        assert (await refused(ann.send(room, "hi"))).code == "UNAVAILABLE"
        assert engine.health()["crashes"] == 1
        assert await at_rest(successor, room) == ["conversation.created"]


# Delayed.


async def test_a_store_that_stays_away_makes_senders_wait_no_longer():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, other = Device(engine, "ann"), Device(engine, "ann")
        store.go_away()
        payload = {"text": "hi", "client_id": "1"}
        ann.submit("message.send", payload, c=room, id=1)
        await settled()
        other.submit("message.read", {}, c=room, id=1)  # nothing to do, but waits for the message
        await settled()
        assert not ann.of_kind("reply")
        store.delay()
        await settled()
        error = ann.reply(1)["error"]
        assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)
        assert other.reply(1)["error"]["code"] == "UNAVAILABLE"
        reply = await ann.ask("message.send", {**payload, "attempt": 2}, c=room)
        assert reply["error"]["code"] == "UNAVAILABLE", "nobody knows yet"
        reply = await ann.ask("message.send", {"text": "ho"}, c=room)
        assert reply["error"]["code"] == "UNAVAILABLE", "there is no room for more"
        store.come_back()
        reply = await ann.ask("message.send", {**payload, "attempt": 3}, c=room)
        assert reply["ok"]["seq"] == 2
        assert ann.texts() == ["hi"]
        assert await at_rest(store, room) == ["conversation.created", "message.sent"]


async def test_delayed_under_commit_is_shown_once_it_is_stored():
    store = store_for(COMMIT)
    async with memory_engine(store=store, policy=COMMIT) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.go_away()
        ann.submit("message.send", {"text": "hi"}, c=room, id=1)
        await settled()
        bob.submit("conversation.get", c=room, id=1)
        await settled()
        store.delay()
        await settled()
        assert ann.reply(1)["error"]["code"] == "UNAVAILABLE"
        assert bob.reply(1)["error"]["code"] == "UNAVAILABLE"
        assert not bob.texts()
        store.come_back()
        await settled()
        assert bob.texts() == ["hi"]


async def test_a_full_journal_makes_the_conversation_wait_then_refuse():
    store = MemoryStore(capacity=3)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        store.hold()
        for n in range(4):
            ann.submit("message.send", {"text": f"{n}"}, c=room, id=n)
            await settled()
        assert len(ann.texts()) == 2
        await trio.sleep(5)
        assert {reply["error"]["code"] for reply in ann.of_kind("reply")} == {"UNAVAILABLE"}
        assert len(ann.of_kind("reply")) == 2
        store.release()
        await settled()
        assert [ann.reply(n)["ok"]["seq"] for n in range(2)] == [2, 3]


async def test_waiting_for_room_forgets_no_message_that_is_spoken_of():
    store = MemoryStore(capacity=3)
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        (target,) = await say(engine, room, "bob", "target")
        ann = Device(engine, "ann")
        store.hold()
        for n in range(2):
            ann.submit("message.send", {"text": f"{n}"}, c=room, id=n)
        # In the ring when it is looked up, gone from it when there is room again.
        ann.submit("message.send", {"text": "re", "reply_to": target.id}, c=room, id="re")
        await settled()
        store.release()
        await settled()
        assert "ok" in ann.reply("re")


# A crash with writes under way.


@pytest.mark.parametrize("durability", ["commit", "write_behind", "relaxed"])
async def test_HIST_13_a_crash_with_pending_writes_loses_nothing(durability: str):
    policy = {"durability": durability}
    store, trap = store_for(policy), Trap()
    async with memory_engine(store=store, policy=policy, guards=[trap]) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        trap.spring("boom")
        for n, text in enumerate(["one", "two", "boom", "three"]):
            ann.submit("message.send", {"text": text}, c=room, id=n)
        await settled()
        assert ann.reply(2)["error"]["code"] == "INTERNAL"
        store.release()
        await settled()
        assert [ann.reply(n)["ok"]["seq"] for n in (0, 1, 3)] == [2, 3, 4]
        assert seqs(bob, room) == [2, 3, 4]
        assert bob.texts() == ["one", "two", "three"]
        assert len(await at_rest(store, room)) == 4


async def test_an_actor_given_up_with_pending_writes_still_answers_for_them():
    policy = COMMIT
    store, trap = store_for(policy), Trap()
    async with memory_engine(store=store, policy=policy, guards=[trap]) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.go_away()
        payload = {"text": "hi", "client_id": "1"}
        ann.submit("message.send", payload, c=room, id=1)
        trap.spring("boom")
        ann.submit("message.send", {"text": "boom"}, c=room, id=2)
        await settled()
        await trio.sleep(2)  # it cannot be rebuilt
        assert ann.reply(1)["error"]["code"] == "UNAVAILABLE"
        assert ann.reply(2)["error"]["code"] == "INTERNAL"
        store.come_back()
        await trio.sleep(10)
        assert bob.texts() == ["hi"], "nobody has asked, but it is stored, so it is shown"
        reply = await ann.ask("message.send", {**payload, "attempt": 2}, c=room)
        assert reply["ok"]["seq"] == 2


async def test_a_snapshot_that_is_refused_does_no_harm():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"snapshot_every": 3}) as engine:
        room = await group(engine, "ann", "bob")
        store.refuse(lambda write: write.snapshot is not None)
        await say(engine, room, "ann", *map(str, range(10)))
        await trio.sleep(1000)
        assert engine.health()["conversations"] == 0
        store.refuse(None)
        assert (await engine.as_user("bob").conversation(room))["unread"] == 10
