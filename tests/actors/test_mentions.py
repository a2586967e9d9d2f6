"""Mentions: told to every device of those mentioned, and to nobody else (MSG-20)."""

from __future__ import annotations

import trio

from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.messages import SendMessage
from palaver.tests.support.engines import group, refused, say, settled


async def test_MSG_20_all_devices_of_those_mentioned_are_told_subscribed_or_not():
    async with memory_engine(policy={"mentions_in_text": True}) as engine:
        room = await group(engine, "ann", "bob", "cid", "dee")
        phone, desk = Device(engine, "bob"), Device(engine, "bob")
        others = [Device(engine, user) for user in ("ann", "cid", "eve")]
        await desk.ask("conversation.subscribe", c=room)
        reply = await others[0].ask("message.send", {"text": "hi @bob, @dee, @eve"}, c=room)
        await settled()
        for device in (phone, desk):
            (signal,) = device.of_kind("message.mentioned")
            assert (signal["c"], signal["d"]) == (room, {"by": "ann", "seq": reply["ok"]["seq"]})
            kinds = [item["t"] for item in device.items]
            assert kinds.index("message.sent") < kinds.index("message.mentioned")
        assert not any(device.of_kind("message.mentioned") for device in others)


async def test_MSG_20_nobody_is_told_of_what_is_not_stored():
    store = MemoryStore(durability="commit")
    async with memory_engine(store=store, policy={"durability": "commit"}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        ann.submit("message.send", {"text": "x", "mentions": ["bob"]}, c=room, id=1)
        await settled()
        assert bob.items == []
        store.release()
        await settled()
        assert [item["t"] for item in bob.items] == ["message.sent", "message.mentioned"]


async def test_MSG_20_a_repetition_tells_nobody_again():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        command = SendMessage(text="x", mentions=["bob"], client_id="k")
        first = await engine.as_user("ann").do(command, room)
        assert await engine.as_user("ann").do(command, room) == first
        await settled()
        assert len(bob.of_kind("message.mentioned")) == 1


async def test_MSG_20_WS_10_of_a_message_that_is_for_some_the_others_are_not_told():
    store = MemoryStore()
    async with memory_engine(store=store, policy={"edit_window_s": None}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        (sent,) = await say(engine, room, "ann", "psst")
        await trio.sleep(1000)
        store._disk.shelves[room].log[sent.seq - 1].audience = ("ann", "bob")
        bob, cid = Device(engine, "bob"), Device(engine, "cid")
        await engine.as_user("ann").do(
            EditMessage(message_id=sent.id, text="psst!", mentions=["bob", "cid"]), room
        )
        await settled()
        assert [item["t"] for item in bob.items] == ["message.edited", "message.mentioned"]
        assert [item["t"] for item in cid.items] == ["skipped"]


async def test_MSG_13_a_message_of_another_conversation_cannot_be_answered():
    """Nor be told from one that is not there."""
    async with memory_engine() as engine:
        here, there = await group(engine, "ann", "bob"), await group(engine, "ann", "cid")
        (secret,) = await say(engine, there, "ann", "secret")
        no = await refused(engine.as_user("ann").send(here, "x", reply_to=secret.id))
        assert (no.code, no.details) == ("MESSAGE_NOT_FOUND", {"message_id": secret.id})
