"""Who has read a message, and when (RCPT-10)."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.engine.user import Sent
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.marks import MessageReaders, ReadMessages
from palaver.tests.support.engines import group, refused, say, settled
from palaver.tests.support.stores import Watch

NOBODY_S = "00000000-0000-7000-8000-ffffffffffff"
"""An id that no message has."""


async def ask(engine: Engine, user: str, room: str, id: str, **more: Any) -> dict[str, Any]:
    return await engine.as_user(user).do(MessageReaders(message_id=id, **more), room)


async def readers(engine: Engine, user: str, room: str, id: str) -> dict[str, int]:
    return {each["user"]: each["at"] for each in (await ask(engine, user, room, id))["readers"]}


@pytest.mark.parametrize("batch_s", [0.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
async def test_RCPT_10_readers_are_who_the_cursors_say(seed: int, batch_s: float):
    """And the time of each is that of the first time, by reading or by answering."""
    chance = random.Random(seed)
    users = ["ann", "bob", "cid", "dan"]
    actors = {"ring": chance.choice([1, 100]), "idle_s": chance.choice([5.0, 1000.0])}
    policy = {"receipts_batch_s": batch_s, "receipts_batch_n": 100}
    async with memory_engine(actors=actors, policy=policy) as engine:
        room = await group(engine, *users)
        sent: list[tuple[str, Sent]] = []
        read_at: dict[tuple[str, str], int] = {}
        for step in range(40):
            user, now = chance.choice(users), engine.now()
            if not sent or chance.random() < 0.4:
                (message,) = await say(engine, room, user, f"{step}")
                sent.append((user, message))
                mark = message.seq
            else:
                mark = chance.choice(sent)[1].seq
                await engine.as_user(user).read(room, mark)
            for by, message in sent:
                if message.seq <= mark and by != user:
                    read_at.setdefault((message.id, user), now)
            await trio.sleep(batch_s + chance.choice([0.1, 3.0, 20.0]))
            by, message = chance.choice(sent)
            found = await readers(engine, "bob", room, message.id)
            members = (await engine.as_user("ann").conversation(room))["members"]
            cursors = {name: member["read"]["seq"] for name, member in members.items()}
            assert set(found) == {u for u in users if cursors[u] >= message.seq} - {by}
            assert found == {user: at for (id, user), at in read_at.items() if id == message.id}


@pytest.mark.parametrize("ring", [1, 100])
async def test_RCPT_10_by_pages(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        users = ["ann", *(f"user {n}" for n in range(9))]
        room = await group(engine, *users)
        message, *_ = await say(engine, room, "ann", "1", "2", "3")
        assert await ask(engine, "ann", room, message.id) == {
            "readers": [],
            "more": False,
            "seq": message.seq,
        }
        for user in users[1:8]:
            await engine.as_user(user).read(room)
        page = await ask(engine, "user 8", room, message.id, limit=4)
        assert [each["user"] for each in page["readers"]] == users[1:5]
        assert page["more"] is True
        rest = await ask(engine, "user 8", room, message.id, limit=4, after=users[4])
        assert [each["user"] for each in rest["readers"]] == users[5:8]
        assert rest["more"] is False


@pytest.mark.parametrize("ring", [1, 100])
async def test_RCPT_10_HIST_11_of_a_message_that_one_may_not_see_nothing_is_told(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        before, deleted, _ = await say(engine, room, "ann", "before", "deleted", "more")
        await ann.add_members(room, ["cid"])
        (after,) = await say(engine, room, "ann", "after")
        await engine.as_user("bob").read(room)
        await engine.as_user("cid").read(room)
        await ann.delete(room, deleted.id)
        for user, id in [("cid", before.id), ("ann", deleted.id), ("ann", NOBODY_S)]:
            assert (await refused(ask(engine, user, room, id))).code == "MESSAGE_NOT_FOUND"
        assert set(await readers(engine, "ann", room, before.id)) == {"bob"}, "cid never saw it"
        assert set(await readers(engine, "cid", room, after.id)) == {"bob", "cid"}
        await ann.remove_member(room, "bob")
        assert set(await readers(engine, "ann", room, after.id)) == {"cid"}
        assert (await refused(ask(engine, "bob", room, after.id))).code == "PERMISSION_DENIED"


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_RCPT_10_a_mark_that_is_not_stored_yet(durability: Any):
    """Under `commit` it is told when it is; else at once."""
    store = MemoryStore(durability=durability)
    async with memory_engine(store=store, policy={"durability": durability}) as engine:
        room = await group(engine, "ann", "bob")
        message, *_ = await say(engine, room, "ann", "1", "2")
        at = engine.now()
        store.hold()
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        bob.submit("message.read", {}, c=room, id=1)
        ann.submit("message.readers", {"message_id": message.id}, c=room, id=1)
        await settled()
        assert bool(ann.of_kind("reply")) == (durability == "write_behind")
        store.release()
        await settled()
        assert ann.reply(1)["ok"]["readers"] == [{"user": "bob", "at": at}]


async def test_RCPT_10_who_reads_while_it_is_asked_is_told_of_the_next_time():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob", "cid")
        message, *_ = await say(engine, room, "ann", "1", "2")
        await engine.as_user("bob").read(room)
        watch, ann = Watch(store), Device(engine, "ann")
        watch.hold("read_at")
        ann.submit("message.readers", {"message_id": message.id}, c=room, id=1)
        await settled()
        await engine.as_user("cid").read(room)
        watch.release()
        await settled()
        assert [each["user"] for each in ann.reply(1)["ok"]["readers"]] == ["bob"]
        assert set(await readers(engine, "ann", room, message.id)) == {"bob", "cid"}


async def test_RCPT_10_while_the_store_is_away_times_are_unavailable():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        (message,) = await say(engine, room, "ann", "1")
        await engine.as_user("bob").read(room)
        store.go_away()
        assert (await refused(ask(engine, "ann", room, message.id))).code == "UNAVAILABLE"
        store.come_back()


async def test_RCPT_08_RCPT_10_who_is_reticent_is_a_reader_for_themselves_alone():
    async with memory_engine(policy={"receipts_optout": True}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        (sent,) = await say(engine, room, "ann", "hello")
        bob = Device(engine, "bob")
        await bob.ask("settings.set", {"read_receipts": False})
        for user in ("bob", "cid"):
            await engine.as_user(user).do(ReadMessages(), room)
        assert (await readers(engine, "ann", room, sent.id)).keys() == {"cid"}
        assert (await readers(engine, "bob", room, sent.id)).keys() == {"bob", "cid"}
        await bob.ask("settings.set", {"read_receipts": True})
        assert (await readers(engine, "ann", room, sent.id)).keys() == {"bob", "cid"}
