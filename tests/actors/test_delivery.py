"""The host is told of messages for members who are away: of which, to whom, how often."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.actors.delivery import BATCH
from palaver.engine import Engine
from palaver.engine.testing import Device, Follows, TrioClock, memory_engine, numbered_ids
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.commands import Command
from palaver.protocol.delivery import DELIVER, NOTIFY
from palaver.protocol.features.blocks import BlockUser, RestrictUser
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.preferences import SetPreference
from palaver.protocol.features.requests import AcceptRequest
from palaver.tests.support.engines import group, say, settled
from palaver.tests.support.hosts import Pusher, Subscribers

MINUTE = 60.0


async def do(engine: Engine, user: str, command: Command, room: str | None = None) -> None:
    await engine.as_user(user).do(command, room)


def jobs(store: MemoryStore, kind: str) -> list[Any]:
    return [job for job in store._disk.jobs.values() if job.kind == kind]


async def test_SEND_13_who_is_away_is_told_of_once_and_nobody_else():
    pusher = Pusher()
    async with memory_engine(delivery=pusher) as engine:
        room = await group(engine, "ann", "bob", "cid", "dan")
        Device(engine, "cid")
        gone = Device(engine, "dan")
        gone.leave()  # a moment ago: the others see him online for a while
        (sent,) = await say(engine, room, "ann", "hello")
        await trio.sleep(MINUTE)
        assert sorted(pusher.users) == ["bob", "dan"]
        (shown,) = await engine.as_user("bob").history(room)
        for notice in pusher.told:
            assert (notice.conversation, notice.message) == (room, shown)
        assert len({notice.id for notice in pusher.told}) == 2
        await engine.post(room, "the house is on fire")
        await trio.sleep(MINUTE)
        assert sorted(pusher.users[2:]) == ["ann", "bob", "dan"], "of nobody's message all"
        assert sent.seq == shown["seq"]
        store = engine._env.store
        assert isinstance(store, MemoryStore)
        assert store._disk.jobs == {}


async def test_SEND_13_without_the_port_there_is_no_job():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "hello")
        assert store._disk.jobs == {}


async def test_SEND_13_a_push_that_fails_three_times_is_given_up_and_can_be_tried_again():
    pusher, store = Pusher(broken=True), MemoryStore()
    async with memory_engine(delivery=pusher, store=store) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "hello")
        await trio.sleep(60 * MINUTE)
        assert [notice.user for notice in pusher.tries] == ["bob"] * 3
        assert len({notice.id for notice in pusher.tries}) == 1
        (dead,) = await store.jobs.dead(10)
        assert (dead.kind, dead.attempts, dead.error) == (NOTIFY, 3, "UNAVAILABLE")
        assert (dead.data["user"], "hello" in repr(dead.data)) == ("bob", False)
        pusher.broken = False
        assert await store.jobs.retry(engine.now()) == 1
        engine._env.bell.ring(engine.now())
        await trio.sleep(MINUTE)
        assert pusher.users == ["bob"]


async def test_SEND_13_while_the_host_is_away_nothing_counts_as_tried():
    """The breaker is open: what is not asked is no try, and nothing is lost."""
    pusher, store = Pusher(broken=True), MemoryStore()
    host = {"failures": 2, "cool_down_s": 300}
    async with memory_engine(delivery=pusher, store=store, host=host) as engine:
        room = await group(engine, "ann", "bob", "cid", "dan", "eve")
        await say(engine, room, "ann", "hello")
        await trio.sleep(4 * MINUTE)
        assert len(pusher.tries) <= 4, "those who were asked before it opened"
        pusher.broken = False
        await trio.sleep(20 * MINUTE)
        assert sorted(pusher.users) == ["bob", "cid", "dan", "eve"]
        assert await store.jobs.dead(10) == []


async def test_SEND_13_whose_turn_does_not_come_has_not_been_tried():
    pusher, store = Pusher(delay_s=4.0), MemoryStore()
    host, one = {"max_requests": 1, "timeout_s": 5.0}, {"tries": 1}
    async with memory_engine(delivery=pusher, store=store, host=host, jobs=one) as engine:
        users = [f"user {n}" for n in range(30)]
        room = await group(engine, "ann", *users)
        await say(engine, room, "ann", "hello")
        await trio.sleep(10 * MINUTE)
        assert sorted(pusher.users) == sorted(users)
        assert await store.jobs.dead(10) == []


@pytest.mark.parametrize("how", ["read", "online", "left", "deleted"])
async def test_SEND_13_what_is_not_needed_any_more_is_not_told(how: str):
    pusher = Pusher(broken=True)
    async with memory_engine(delivery=pusher) as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await say(engine, room, "ann", "hello")
        await trio.sleep(1)
        assert len(pusher.tries) == 1
        if how == "read":
            await engine.as_user("bob").read(room)
        elif how == "online":
            Device(engine, "bob")
        elif how == "left":
            await engine.as_user("ann").remove_member(room, "bob")
        else:
            await engine.as_user("ann").delete(room, sent.id)
        pusher.broken = False
        await trio.sleep(MINUTE)
        assert pusher.told == []


async def test_SEND_13_who_mutes_the_conversation_is_told_again_when_that_is_over():
    pusher = Pusher()
    async with memory_engine(delivery=pusher) as engine:
        room = await group(engine, "ann", "bob", "cid")
        await do(engine, "bob", SetPreference(muted_until=engine.now() + 60_000), room)
        await do(engine, "cid", SetPreference(muted=True), room)
        await say(engine, room, "ann", "hello")
        await trio.sleep(61)
        assert pusher.told == []
        await say(engine, room, "ann", "hello?")
        await trio.sleep(1)
        assert pusher.users == ["bob"]


async def test_SEND_13_REQ_04_there_is_none_for_requests_and_who_is_kept_out():
    pusher, relations = Pusher(), Follows()
    policy = {"blocks": "silent", "message_requests": True}
    async with memory_engine(delivery=pusher, relations=relations, policy=policy) as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        await trio.sleep(1)
        assert pusher.told == [], "a request"
        await do(engine, "bob", AcceptRequest(), room)
        await say(engine, room, "ann", "hello again")
        await trio.sleep(1)
        assert pusher.users == ["bob"]
        await do(engine, "bob", RestrictUser(user="ann"))
        everybody = await group(engine, "ann", "cid", "bob")
        await do(engine, "bob", BlockUser(user="ann"))
        for each in (room, everybody):
            await say(engine, each, "ann", "and again")
        await trio.sleep(1)
        assert pusher.users == ["bob", "cid"]


async def test_SEND_17_subscribers_are_served_first_under_a_backlog():
    pusher = Pusher(broken=True)
    premium = Subscribers("premium 1", "premium 2")
    one = {"concurrency": 1}
    async with memory_engine(
        delivery=pusher, premium=premium, jobs=one, host={"failures": 100}
    ) as engine:
        port = engine._env.host.premium
        assert port is not None
        await port.learn([f"{kind} {n}" for kind in ("premium", "user") for n in range(10)])
        room = await group(engine, "ann", *(f"user {n}" for n in range(4)), "premium 1")
        await say(engine, room, "ann", "one")
        await trio.sleep(0.1)
        pusher.broken = False
        other = await group(engine, "ann", "user 9", "premium 2")
        await say(engine, other, "ann", "two")
        await trio.sleep(MINUTE)
        assert len(pusher.told) == 7
        tried = {notice.user for notice in pusher.tries}
        fresh = [user for user in pusher.users if user not in tried]
        firsts = [user.startswith("premium") for user in fresh]
        assert firsts == sorted(firsts, reverse=True), fresh


async def test_SEND_13_in_a_large_conversation_only_who_is_mentioned():
    pusher = Pusher()
    async with memory_engine(delivery=pusher, host={"delivery_members": 3}) as engine:
        room = await group(engine, "ann", "bob", "cid", "dan")
        await say(engine, room, "ann", "hello")
        await do(engine, "ann", SendMessage(text="you", mentions=["cid", "ann"]), room)
        await trio.sleep(1)
        assert pusher.users == ["cid"]
        await engine.as_user("ann").remove_member(room, "dan")
        await say(engine, room, "ann", "we are few")
        await trio.sleep(1)
        assert sorted(pusher.users[1:]) == ["bob", "cid"]


async def test_SEND_13_many_are_added_in_batches_and_once_though_that_fails_half_way():
    pusher, store = Pusher(), MemoryStore()
    sizes: list[int] = []
    add = store.jobs.add

    async def counted(added: Any) -> None:
        sizes.append(len(added))
        if len(sizes) == 2:
            raise RuntimeError("half way")
        await add(added)

    store.jobs.add = counted  # type: ignore[assignment, method-assign]
    many = [f"user {n}" for n in range(2 * BATCH + 50)]
    policy = {"max_members": 1000}
    async with memory_engine(delivery=pusher, store=store, policy=policy) as engine:
        room = await group(engine, "ann", *many)
        pusher.broken = True
        await say(engine, room, "ann", "hello")
        await trio.sleep(1)
        pusher.broken = False
        await trio.sleep(30 * MINUTE)
        assert sizes == [BATCH, BATCH, BATCH, BATCH, 50]
        assert sorted(pusher.users) == sorted(many)


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_SEND_13_what_was_stored_is_told_though_the_engine_is_killed(durability: str):
    pusher, clock, new_id = Pusher(), TrioClock(), numbered_ids()
    store = MemoryStore(durability=durability)  # type: ignore[arg-type]
    more: dict[str, Any] = {"clock": clock, "new_id": new_id, "policy": {"durability": durability}}
    more["storage"] = {"close_timeout_s": 0.001}
    async with memory_engine(store=store, **more, delivery=pusher) as engine:
        room = await group(engine, "ann", "bob")
        pusher.broken = True
        await say(engine, room, "ann", "hello")
    assert len(jobs(store, DELIVER)) + len(jobs(store, NOTIFY)) == 1
    store = store.crashed()
    pusher.broken = False
    async with memory_engine(store=store, **more, delivery=pusher):
        await trio.sleep(MINUTE)
    assert pusher.users == ["bob"]


async def test_SEND_13_what_the_spool_has_taken_is_told_when_it_is_stored():
    pusher, store = Pusher(), MemoryStore()
    async with memory_engine(delivery=pusher, store=store) as engine:
        room = await group(engine, "ann", "bob")
        store.spool()
        await say(engine, room, "ann", "hello")
        await settled()
        assert pusher.told == []
        store.come_back()
        await trio.sleep(MINUTE)
        assert pusher.users == ["bob"]
