"""Forwarding with both conversations, and what is left when it stops half-way."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.forwards import ForwardMessage
from palaver.protocol.records import Write
from palaver.tests.support.engines import NOWHERE, Lives, group, refused, say, settled


async def forward(
    engine: Engine, user: str, origin: str, id: str, to: str, **more: Any
) -> dict[str, Any]:
    command = ForwardMessage(message_id=id, to=to, **more)
    return await engine.as_user(user).do(command, origin)


async def last(engine: Engine, user: str, room: str) -> dict[str, Any]:
    """The last message there."""
    return (await engine.as_user(user).history(room, limit=1))[0]


async def count(engine: Engine, user: str, room: str, seq: int) -> int:
    """How often the message at `seq` was forwarded."""
    page = await engine.as_user(user).history(room, cursor=("after", seq - 1), limit=1)
    return int(page[0].get("forwards", 0))


@pytest.mark.parametrize("ring", [1, 100])
async def test_MSG_17_the_sixth_forward_is_refused_and_the_origin_counts(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        (message,) = await say(engine, origin, "ann", "look")
        ann, cid = Device(engine, "ann"), Device(engine, "cid")
        for number in range(1, 6):
            answer = await forward(engine, "bob", origin, message.id, target)
            copy = await last(engine, "cid", target)
            assert (answer["c"], answer["id"], answer["seq"]) == (target, copy["id"], copy["seq"])
            assert (copy["text"], copy["by"], copy["forwarded"]) == ("look", "bob", {"hops": 1})
            assert await count(engine, "ann", origin, message.seq) == number
        no = await refused(forward(engine, "bob", origin, message.id, target))
        assert no.code == "FORWARD_LIMIT"
        assert cid.texts() == ["look"] * 5
        assert [item["d"]["count"] for item in ann.of_kind("message.forwarded")] == [1, 2, 3, 4, 5]
        assert message.id not in str(cid.items), "nothing leads back to the origin"
        assert origin not in str(cid.items)


async def test_MSG_17_what_it_carries_is_referenced_not_copied():
    async with memory_engine() as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        metadata = {"media": {"key": "k1", "size": 7}}
        message = await engine.as_user("ann").send(origin, "look", metadata=metadata)
        await forward(engine, "bob", origin, message.id, target)
        assert (await last(engine, "cid", target))["metadata"] == metadata


async def test_MSG_17_permission_is_needed_in_both():
    async with memory_engine() as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "cid")
        elsewhere = await group(engine, "bob")
        (message,) = await say(engine, origin, "ann", "look")
        for to, code in ((target, "PERMISSION_DENIED"), (NOWHERE, "CONVERSATION_NOT_FOUND")):
            no = await refused(forward(engine, "bob", origin, message.id, to))
            assert no.code == code
        assert await count(engine, "ann", origin, message.seq) == 0, "nothing was sent"
        no = await refused(forward(engine, "cid", origin, message.id, target))
        assert no.code == "PERMISSION_DENIED"
        no = await refused(forward(engine, "bob", elsewhere, message.id, elsewhere))
        assert no.code == "MESSAGE_NOT_FOUND"
        no = await refused(
            engine.as_user("bob").do(ForwardMessage(message_id=message.id, to=target))
        )
        assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "c"})


async def test_MSG_17_within_one_conversation():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (message,) = await say(engine, room, "ann", "look")
        for attempt in (1, 2):
            more = {"client_id": "k", "attempt": attempt}
            answer = await forward(engine, "bob", room, message.id, room, **more)
            assert answer["seq"] == message.seq + 1
        assert await count(engine, "bob", room, message.seq) == 1


@pytest.mark.parametrize("ring", [1, 100])
async def test_SEND_06_MSG_17_a_repetition_changes_nothing(ring: int):
    async with memory_engine(policy={"max_forwards": 1}, actors={"ring": ring}) as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        (message,) = await say(engine, origin, "ann", "look")
        first = await forward(engine, "bob", origin, message.id, target, client_id="k")
        await say(engine, target, "cid", "1", "2")
        await engine.as_user("ann").delete(origin, message.id)
        more = {"client_id": "k", "attempt": 2}
        assert await forward(engine, "bob", origin, message.id, target, **more) == first
        cid = await engine.as_user("cid").history(target)
        assert [m["text"] for m in cid] == ["look", "1", "2"]


async def test_MSG_17_a_copy_that_was_sent_but_not_counted_is_counted_by_the_repetition():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        (message,) = await say(engine, origin, "ann", "look")
        bob = Device(engine, "bob")
        payload = {"message_id": message.id, "to": target, "client_id": "k"}
        store.hold()
        bob.submit("message.forward", payload, c=origin, id=1)
        await settled()
        store.release(1)  # the copy
        await settled()
        store.delay()  # and then the store goes away
        await settled()
        error = bob.reply(1)["error"]
        assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)
        store.come_back()
        bob.submit("message.forward", {**payload, "attempt": 2}, c=origin, id=2)
        await settled()
        assert bob.reply(2)["ok"]["seq"] == 2
        assert await count(engine, "ann", origin, message.seq) == 1
        assert Device(engine, "cid").texts() == []
        assert [m["text"] for m in await engine.as_user("cid").history(target)] == ["look"]


async def test_MSG_17_what_the_target_cannot_store_is_not_counted():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        (message,) = await say(engine, origin, "ann", "look")

        def to_target(write: Write) -> bool:
            return write.conversation == target

        store.refuse(to_target)
        no = await refused(forward(engine, "bob", origin, message.id, target, client_id="k"))
        assert no.code == "PERSIST_FAILED"
        store.refuse(None)
        assert await count(engine, "ann", origin, message.seq) == 0


async def test_MSG_17_the_limit_outlives_a_restart():
    lives = Lives(policy={"max_forwards": 1})
    async with lives.life() as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        (message,) = await say(engine, origin, "ann", "look")
        await forward(engine, "bob", origin, message.id, target)
    lives.restart()
    async with lives.life() as engine:
        no = await refused(forward(engine, "bob", origin, message.id, target))
        assert no.code == "FORWARD_LIMIT"


async def test_SEC_03_a_forwarded_message_counts_against_the_rate():
    async with memory_engine(limits={"messages_per_min": 2}) as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        (message,) = await say(engine, origin, "ann", "look")
        bob = Device(engine, "bob", limited=True)
        payload = {"message_id": message.id, "to": target}
        replies = [await bob.ask("message.forward", payload, c=origin) for _ in range(3)]
        assert ["ok" in answer for answer in replies] == [True, True, False]
        assert replies[2]["error"]["code"] == "RATE_LIMITED"
        assert await count(engine, "ann", origin, message.seq) == 2
