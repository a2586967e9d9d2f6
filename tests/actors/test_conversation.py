"""One conversation, one order; and for each sender the order in which they asked."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features import COMMANDS
from palaver.tests.support.engines import NOWHERE, Lives, group, refused, say, seqs, settled
from palaver.tests.support.stores import Watch


async def test_SEND_09_everybody_sees_the_same_gap_free_sequence():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob", "cid")
        devices = [Device(engine, user) for user in ("ann", "ann", "bob", "cid", "cid", "cid")]
        async with trio.open_nursery() as nursery:
            for n in range(50):
                nursery.start_soon(engine.as_user("ann").send, room, f"a{n}")
                nursery.start_soon(engine.as_user("bob").send, room, f"b{n}")
        assert seqs(devices[0], room) == list(range(2, 102))
        assert all(device.items == devices[0].items for device in devices)


async def test_SEND_05_twenty_sends_at_once_get_each_their_own_reply():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        for n in range(20):
            payload = {"text": f"{n}", "client_id": f"id {n}"}
            ann.submit("message.send", payload, c=room, id=f"send {n}")
        await settled()
        store.release()
        await settled()
        by_client_id = {item["d"]["client_id"]: item for item in bob.of_kind("message.sent")}
        for n in range(20):
            push, reply = by_client_id[f"id {n}"], ann.reply(f"send {n}")["ok"]
            assert push["d"]["text"] == f"{n}"
            assert reply == {"c": room, "seq": push["seq"], "id": push["d"]["id"], "ts": push["ts"]}


async def test_SEND_07_SEND_08_every_device_of_every_member_gets_one_copy():
    async with memory_engine() as engine:
        users = [f"user {n}" for n in range(5)]
        room = await group(engine, *users)
        devices = [Device(engine, user) for user in users for _ in range(4)]
        stranger = Device(engine, "stranger")
        sender = devices[0]
        sender.submit("message.send", {"text": "hi", "client_id": "1"}, c=room, id=1)
        await settled()
        for device in devices:
            (copy,) = device.of_kind("message.sent")
            assert copy["d"]["client_id"] == "1", "the sender's device knows its own by it"
        assert [device for device in devices if device.of_kind("reply")] == [sender]
        assert stranger.items == []


async def test_CONN_02_a_device_that_goes_takes_nobody_along():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        devices = [Device(engine, "bob") for _ in range(3)]
        await say(engine, room, "ann", "one")
        devices[1].leave()
        await say(engine, room, "ann", "two")
        assert [device.texts() for device in devices] == [["one", "two"], ["one"], ["one", "two"]]


async def test_CONV_02_a_first_message_makes_the_conversation():
    async with memory_engine() as engine:
        bob = Device(engine, "bob")
        first = await engine.as_user("ann").send_to("bob", "hi")
        again = await engine.as_user("bob").send_to("ann", "hello")
        assert first.conversation == again.conversation
        assert [(item["t"], item["seq"]) for item in bob.events()] == [
            ("conversation.created", 1),
            ("message.sent", 2),
            ("message.sent", 3),
        ]


async def test_CONV_03_fifty_first_messages_at_once_make_one_conversation():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        places = []

        async def greet(user: str, other: str, n: int) -> None:
            places.append(await engine.as_user(user).send_to(other, f"{user} {n}"))

        async with trio.open_nursery() as nursery:
            for n in range(25):
                nursery.start_soon(greet, "ann", "bob", n)
                nursery.start_soon(greet, "bob", "ann", n)
        assert len({place.conversation for place in places}) == 1
        assert sorted(place.seq for place in places) == list(range(2, 52))
        assert watch.calls["load"] == 1
        (row,) = (await engine.as_user("ann").inbox())["conversations"]
        assert row["seq"] == 51


async def test_CONV_17_a_new_title_reaches_every_device_of_every_member():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        devices = [Device(engine, user) for user in ("ann", "bob", "bob")]
        await engine.as_user("ann").rename(room, "New")
        for device in devices:
            (renamed,) = device.of_kind("conversation.renamed")
            assert (renamed["seq"], renamed["d"]["title"], renamed["d"]["by"]) == (2, "New", "ann")


async def test_CONV_22_nobody_writes_to_themselves():
    async with memory_engine() as engine:
        ann = engine.as_user("ann")
        assert (await refused(ann.send_to("ann", "hi"))).code == "SELF_MESSAGE"
        assert (await refused(ann.create_direct("ann"))).code == "SELF_MESSAGE"
        assert engine.health()["conversations"] == 0


SOME_ID = "00000000-0000-7000-8000-00000000ffff"
PAYLOADS: dict[str, dict[str, Any]] = {
    "conversation.rename": {"title": "x"},
    "conversation.change_settings": {"description": "x"},
    "member.add": {"users": ["dan"]},
    "member.remove": {"user": "bob"},
    "member.set_role": {"user": "bob", "role": "admin"},
    "message.send": {"text": "x"},
    "message.edit": {"message_id": SOME_ID, "text": "x"},
    "message.delete": {"message_id": SOME_ID},
    "message.pin": {"message_id": SOME_ID},
    "message.readers": {"message_id": SOME_ID},
    "message.unpin": {"message_id": SOME_ID},
    "message.hide": {"message_id": SOME_ID},
    "message.star": {"message_id": SOME_ID},
    "message.unstar": {"message_id": SOME_ID},
    "draft.save": {"text": "x"},
    "attachment.list": {"message_id": SOME_ID},
    "message.versions": {"message_id": SOME_ID},
    "reaction.set": {"message_id": SOME_ID, "emoji": "👍"},
    "poll.vote": {"message_id": SOME_ID, "option": 0},
    "thread.list": {"message_id": SOME_ID},
    "message.forward": {"message_id": SOME_ID, "to": SOME_ID},
    "message.restore": {"message_id": SOME_ID},
    "message.schedule": {"id": "k", "send_at": 1_700_001_000_000, "message": {"text": "x"}},
    "template.send": {"template": "x"},
    "conversation.resume": {"epoch": 1, "seq": 0},
    "presence.get": {},
    "message.search": {"query": "secret"},
}
IN_PAYLOAD = {"presence.get", "message.search"}
"""Commands that name one in their payload."""
ELSEWHERE = {
    "conversation.create",
    "conversation.list",
    "sync.changes",
    "presence.list",
    "user.get",
    "user.search",
    "star.list",
    "settings.get",
    "settings.set",
    "user.block",
    "user.restrict",
    "user.unblock",
    "block.list",
    "schedule.cancel",
    "schedule.list",
    "template.list",
}
"""Commands that name no conversation."""


@pytest.mark.parametrize("who", ["a stranger", "a former member"])
@pytest.mark.parametrize("kind", sorted(COMMANDS.keys() - ELSEWHERE))
async def test_CONV_18_who_is_no_member_can_do_nothing(kind: str, who: str):
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob", "a former member")
        target, *_ = await say(engine, room, "ann", "secret", "more", "and more")
        await engine.as_user("ann").remove_member(room, "a former member")
        before = await store.conversations.events(room, 0, 100)
        outsider = Device(engine, who)
        payload = dict(PAYLOADS.get(kind, {}))
        if "message_id" in payload:
            payload["message_id"] = target.id
        if kind in IN_PAYLOAD:
            payload["conversation"] = room
        outsider.submit(kind, payload, c=room, id=1, seq=1)
        await settled()
        reply = outsider.reply(1)
        if kind == "conversation.resume" and who == "a former member":
            assert reply["ok"]["recovered"] is False
            assert reply["ok"]["reason"] == "not_member"
        else:
            assert reply["error"]["code"] == "PERMISSION_DENIED"
        assert outsider.items == [reply]
        assert (await store.conversations.events(room, 0, 100)).events == before.events
        await say(engine, room, "ann", "still secret")
        assert outsider.items == [reply]


@pytest.mark.parametrize("nowhere", [NOWHERE, "nonsense", ""])
@pytest.mark.parametrize("kind", sorted(COMMANDS.keys() - ELSEWHERE))
async def test_CONV_08_CONV_18_what_does_not_exist_is_not_found(kind: str, nowhere: str):
    async with memory_engine() as engine:
        ann = Device(engine, "ann")
        payload = dict(PAYLOADS.get(kind, {}))
        if kind in IN_PAYLOAD:
            payload["conversation"] = NOWHERE
        ann.submit(kind, payload, c=nowhere, id=1, seq=1)
        await settled()
        assert ann.reply(1)["error"]["code"] == "CONVERSATION_NOT_FOUND"
        assert engine.health()["conversations"] == 0


async def test_WS_07_what_is_no_command_is_said_to_be_none():
    async with memory_engine() as engine:
        ann = Device(engine, "ann")
        error = (await ann.ask("message.explode"))["error"]
        assert (error["code"], error["details"]) == (
            "UNSUPPORTED_COMMAND",
            {"t": "message.explode"},
        )
        error = (await ann.ask("message.send", {"text": "hi"}))["error"]
        assert (error["code"], error["details"]["field"]) == ("VALIDATION_FAILED", "c")


# One sender's order, and nobody else's delay.


async def test_one_sender_s_commands_keep_their_order_while_one_waits_for_a_read():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        old, *_ = await say(engine, room, "bob", "old", "new", "newer")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        watch.hold("messages")
        ann.submit("message.send", {"text": "1", "reply_to": old.id}, c=room, id=1)
        ann.submit("message.send", {"text": "2"}, c=room, id=2)
        ann.submit("message.send", {"text": "3", "reply_to": old.id}, c=room, id=3)
        ann.submit("message.send", {"text": "4"}, c=room, id=4)
        bob.submit("message.send", {"text": "bob's"}, c=room, id=1)
        await settled()
        assert bob.texts() == ["bob's"], "others are not delayed"
        assert "ok" in bob.reply(1)
        watch.release()
        await settled()
        assert bob.texts() == ["bob's", "1", "2", "3", "4"]
        assert [reply["id"] for reply in ann.of_kind("reply")] == [1, 2, 3, 4]


async def test_too_many_commands_behind_a_read_are_too_many():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 1, "waiting_per_sender": 3}) as engine:
        room = await group(engine, "ann", "bob")
        old, *_ = await say(engine, room, "bob", "old", "new")
        ann = Device(engine, "ann")
        watch.hold("messages")
        ann.submit("message.send", {"text": "0", "reply_to": old.id}, c=room, id=0)
        for n in range(1, 6):
            ann.submit("message.send", {"text": f"{n}"}, c=room, id=n)
        await settled()
        assert [ann.reply(n)["error"]["code"] for n in (4, 5)] == ["OVERLOADED"] * 2
        watch.release()
        await settled()
        assert ann.texts() == ["0", "1", "2", "3"]


async def test_a_full_mailbox_is_overloaded_and_says_when_to_come_back():
    async with memory_engine(actors={"mailbox": 5}) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        for n in range(8):
            ann.submit("message.send", {"text": f"{n}"}, c=room, id=n)
        for n in range(5, 8):
            error = ann.reply(n)["error"]
            assert (error["code"], error["retryable"]) == ("OVERLOADED", True)
            assert error["retry_after"] > 0
        await settled()
        assert ann.texts() == [f"{n}" for n in range(5)]


async def test_a_read_that_is_refused_ends_that_command_only():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        old, *_ = await say(engine, room, "bob", "old", "new")
        store.go_away()
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        ann.submit("message.send", {"text": "1", "reply_to": old.id}, c=room, id=1)
        ann.submit("message.send", {"text": "2"}, c=room, id=2)
        await settled()
        assert ann.reply(1)["error"]["code"] == "UNAVAILABLE"
        assert bob.texts() == ["2"]
        store.come_back()


async def test_a_read_that_fails_is_internal_and_no_crash():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        old, *_ = await say(engine, room, "bob", "old", "new")
        Watch(store).fail("messages", ZeroDivisionError())
        no = await refused(engine.as_user("ann").send(room, "re", reply_to=old.id))
        assert (no.code, no.correlation is not None) == ("INTERNAL", True)
        assert engine.health()["crashes"] == 0


async def test_who_waits_for_a_read_when_the_actor_is_given_up_is_told():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        old, *_ = await say(engine, room, "bob", "old", "new")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        watch.hold("messages")
        ann.submit("message.send", {"text": "1", "reply_to": old.id}, c=room, id=1)
        ann.submit("message.send", {"text": "2"}, c=room, id=2)
        await settled()
        # A refusal makes it load anew, while the store is away.
        store.refuse(lambda write: True)
        store.hold()
        bob.submit("message.send", {"text": "bad"}, c=room, id=1)
        bob.submit("message.send", {"text": "held"}, c=room, id=2)
        await settled()
        store.release(1)
        store.refuse(None)
        await trio.sleep(2)
        assert [ann.reply(n)["error"]["code"] for n in (1, 2)] == ["UNAVAILABLE"] * 2
        store.release()
        watch.release()
        await settled()
        assert len(ann.of_kind("reply")) == 2, "each is answered once"
        assert (await ann.ask("message.send", {"text": "3"}, c=room))["ok"]


# A read is answered in line with the events.


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
@pytest.mark.parametrize(
    "kind", ["conversation.get", "message.history", "member.list", "conversation.resume"]
)
async def test_what_a_read_has_not_seen_comes_after_it(kind: str, durability: str):
    policy = {"durability": durability}
    store = MemoryStore(durability="commit" if durability == "commit" else "write_behind")
    async with memory_engine(store=store, policy=policy) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        payload = {"epoch": 1, "seq": 1} if kind == "conversation.resume" else {}
        for n in range(20):
            # All of it in one wake-up of the conversation.
            bob.items.clear()
            for text in ("before", "before"):
                ann.submit("message.send", {"text": text}, c=room)
            bob.submit(kind, payload, c=room, id=n)
            ann.submit("message.send", {"text": "after"}, c=room)
            await settled()
            place = bob.items.index(bob.reply(n))
            seen = bob.reply(n)["ok"]["seq"]
            assert all(item["seq"] <= seen for item in bob.items[:place])
            assert all(item["seq"] > seen for item in bob.items[place + 1 :])
            assert bob.items[place + 1 :]


async def test_a_snapshot_and_the_events_after_it_make_the_state_of_later():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob, ann = Device(engine, "bob"), Device(engine, "ann")
        for n in range(10):
            ann.submit("message.send", {"text": f"{n}"}, c=room)
            bob.submit("conversation.get", c=room, id=n)
        await settled()
        for n in range(10):
            view = bob.reply(n)["ok"]
            later = [s for s in seqs(bob, room) if s > view["seq"]]
            assert later == list(range(view["seq"] + 1, 12))


# Details of commands that pass through the actor.


async def test_time_never_goes_back_within_a_conversation():
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        (first,) = await say(engine, room, "ann", "one")
        clock.jump(-60)
        (second,) = await say(engine, room, "ann", "two")
        assert second.at == first.at


async def test_GRP_07_a_removed_member_gets_the_removal_and_nothing_after():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await bob.ask("conversation.subscribe", c=room)
        bob.items.clear()
        await engine.as_user("ann").remove_member(room, "bob")
        await say(engine, room, "ann", "secret")
        ann = Device(engine, "ann")
        await ann.ask("typing.start", c=room)
        assert [item["t"] for item in bob.items] == ["member.removed"]
        assert bob.subscriptions == set()
        assert (await refused(engine.as_user("bob").history(room))).code == "PERMISSION_DENIED"


async def test_HIST_13_the_successor_of_the_last_admin_does_not_depend_on_a_restart():
    async def leave(restart: bool) -> list[str]:
        lives = Lives()
        async with lives.life() as engine:
            room = await group(engine, "ann", "zoe", "bob")
            if not restart:
                await engine.as_user("ann").leave(room, confirm=True)
        lives.restart()
        async with lives.life() as engine:
            if restart:
                await engine.as_user("ann").leave(room, confirm=True)
            view = await engine.as_user("bob").conversation(room)
            return [user for user, member in view["members"].items() if member["role"] == "admin"]

    assert await leave(restart=True) == await leave(restart=False)
