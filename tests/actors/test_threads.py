"""Sub-threads with their actor: listing, counting under way, who hears of typing."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.actors.fanout import MAX_THREADS
from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.members import AddMembers
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.threads import ListThread
from palaver.tests.support.engines import Lives, group, refused, say, seqs, settled
from palaver.tests.support.stores import Watch

THREADS = {"threads": True}


async def reply(engine: Engine, user: str, room: str, root: str, *texts: str) -> list[str]:
    """Their ids."""
    sender = engine.as_user(user)
    return [(await sender.ask(SendMessage(text=t, thread=root), room)).id for t in texts]


async def listed(
    engine: Engine, user: str, room: str, root: str, after: int = 0, limit: int = 50
) -> dict[str, Any]:
    query = ListThread(message_id=root, after=after, limit=limit)
    return await engine.as_user(user).do(query, room)


async def thread_of(engine: Engine, user: str, room: str, seq: int) -> dict[str, Any]:
    """What history says of the thread under the message at `seq`."""
    page = await engine.as_user(user).history(room, cursor=("after", seq - 1), limit=1)
    answer: dict[str, Any] = page[0]["thread"]
    return answer


@pytest.mark.parametrize("ring", [1, 12, 1000])
async def test_HIST_12_listed_oldest_first_and_exact(ring: int):
    async with memory_engine(policy=THREADS, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        ids = []
        for number in range(10):
            ids += await reply(engine, "bob", room, root.id, f"{number}")
            await say(engine, room, "ann", "aside")
        ann = engine.as_user("bob")
        await ann.edit(room, ids[1], "edited")
        await ann.delete(room, ids[2])
        whole = (await listed(engine, "ann", room, root.id))["messages"]
        assert [message["id"] for message in whole] == ids
        assert [message.get("text") for message in whole[:4]] == ["0", "edited", None, "3"]
        assert all(m["thread"] == {"id": root.id, "seq": root.seq} for m in whole)
        paged: list[dict[str, Any]] = []
        more = True
        while more:
            after = paged[-1]["seq"] if paged else 0
            answer = await listed(engine, "ann", room, root.id, after, 3)
            paged += answer["messages"]
            more = answer["more"]
        assert paged == whole
        assert (await thread_of(engine, "ann", room, root.seq))["count"] == 9


@pytest.mark.parametrize("ring", [1, 1000])
async def test_HIST_12_what_is_not_stored_yet_is_listed_too(ring: int):
    store = MemoryStore()
    async with memory_engine(store=store, policy=THREADS, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        await reply(engine, "bob", room, root.id, "stored")
        await say(engine, room, "ann", "1", "2", "3")
        store.hold()
        bob = Device(engine, "bob")
        bob.submit("message.send", {"text": "on its way", "thread": root.id}, c=room, id=1)
        bob.submit("message.send", {"text": "elsewhere"}, c=room, id=2)
        await settled()
        texts = [m["text"] for m in (await listed(engine, "ann", room, root.id))["messages"]]
        assert texts == ["stored", "on its way"]
        store.release()


async def test_HIST_12_a_recent_thread_is_listed_from_memory():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, policy=THREADS) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        await reply(engine, "bob", room, root.id, "1", "2")
        assert len((await listed(engine, "ann", room, root.id))["messages"]) == 2
        assert watch.calls["replies"] == watch.calls["messages"] == 0


@pytest.mark.parametrize("ring", [1, 1000])
async def test_HIST_11_a_thread_whose_root_one_may_not_see_is_not_there(ring: int):
    async with memory_engine(policy=THREADS, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        await engine.as_user("ann").do(AddMembers(users=["cid"]), room)
        await reply(engine, "bob", room, root.id, "1")
        nowhere = "00000000-0000-7000-8000-ffffffffffff"
        for id in (root.id, nowhere):
            assert (await refused(listed(engine, "cid", room, id))).code == "MESSAGE_NOT_FOUND"
        assert (await listed(engine, "bob", room, root.id))["messages"]


@pytest.mark.parametrize("ring", [1, 1000])
async def test_HIST_12_a_deleted_root_still_has_its_replies(ring: int):
    async with memory_engine(policy=THREADS, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        (first,) = await reply(engine, "bob", room, root.id, "1")
        await engine.as_user("ann").delete(room, root.id)
        assert [m["id"] for m in (await listed(engine, "ann", room, root.id))["messages"]] == [
            first
        ]
        assert (await thread_of(engine, "ann", room, root.seq))["count"] == 1


async def test_CONV_20_the_listing_can_be_switched_off():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        no = await refused(listed(engine, "ann", room, root.id))
        assert no.code == "FEATURE_DISABLED"


@pytest.mark.parametrize("ring", [1, 1000])
async def test_CONV_20_the_count_outlives_crash_and_restart(ring: int):
    lives = Lives(policy=THREADS, actors={"ring": ring})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        ids = await reply(engine, "bob", room, root.id, "1", "2", "3")
        await engine.as_user("bob").delete(room, ids[0])
        expected = await thread_of(engine, "ann", room, root.seq)
        assert expected["count"] == 2
        lives.crash()
    async with lives.life() as engine:
        assert await thread_of(engine, "ann", room, root.seq) == expected
        await reply(engine, "bob", room, root.id, "4")
        assert (await thread_of(engine, "ann", room, root.seq))["count"] == 3
        messages = (await listed(engine, "ann", room, root.id))["messages"]
        assert [m.get("text") for m in messages] == [None, "2", "3", "4"]


async def test_CONV_20_a_repeated_reply_is_counted_once():
    async with memory_engine(policy=THREADS) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        for attempt in (1, 2):
            payload = {"text": "x", "thread": root.id, "client_id": "k", "attempt": attempt}
            bob.submit("message.send", payload, c=room, id=attempt)
        await settled()
        assert bob.reply(1)["ok"] == bob.reply(2)["ok"]
        (told,) = ann.of_kind("thread.replied")
        (sent,) = ann.of_kind("message.sent")
        assert bob.reply(1)["ok"]["id"] == sent["d"]["id"]
        assert seqs(ann) == [told["seq"], sent["seq"]]


@pytest.mark.parametrize("attempt", [1, 2])
async def test_CONV_20_a_reply_that_memory_has_forgotten_is_counted_once(attempt: int):
    async with memory_engine(policy=THREADS, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        bob = Device(engine, "bob")
        payload = {"text": "x", "thread": root.id, "client_id": "k"}
        first = await bob.ask("message.send", payload, c=room)
        await say(engine, room, "ann", "1", "2")
        again = await bob.ask("message.send", {**payload, "attempt": attempt}, c=room)
        assert again["ok"] == first["ok"]
        assert (await thread_of(engine, "ann", room, root.seq))["count"] == 1
        assert len((await listed(engine, "ann", room, root.id))["messages"]) == 1


async def test_CONV_20_a_reply_waits_until_its_root_is_stored():
    store = MemoryStore()
    async with memory_engine(store=store, policy=THREADS) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        store.hold()
        ann.submit("message.send", {"text": "root"}, c=room, id=1)
        await settled()
        root = bob.of_kind("message.sent")[0]["d"]["id"]
        bob.submit("message.send", {"text": "reply", "thread": root}, c=room, id=1)
        await settled()
        assert bob.texts() == ["root"], "a root that is refused has no replies"
        store.release()
        await settled()
        assert bob.texts() == ["root", "reply"]


# Signals.


async def test_RCPT_14_typing_in_a_thread_reaches_its_subscribers_only():
    async with memory_engine(policy=THREADS) as engine:
        room = await group(engine, "ann", "bob", "cid", "dan")
        one, other = await say(engine, room, "ann", "one", "other")
        devices = {user: Device(engine, user) for user in ("ann", "bob", "cid", "dan")}
        follows = {"ann": one.id, "bob": other.id, "cid": None}
        for user, thread in follows.items():
            payload = {} if thread is None else {"thread": thread}
            await devices[user].ask("conversation.subscribe", payload, c=room)
        dan = devices["dan"]
        await dan.ask("typing.start", {"thread": one.id}, c=room)
        (started,) = devices["ann"].of_kind("typing.started")
        assert started["d"] == {"by": "dan", "thread": one.id}
        assert not devices["bob"].of_kind("typing.started")
        assert not devices["cid"].of_kind("typing.started")
        await dan.ask("typing.start", c=room)
        (started,) = devices["cid"].of_kind("typing.started")
        assert started["d"] == {"by": "dan"}
        assert len(devices["ann"].of_kind("typing.started")) == 1


async def test_RCPT_14_typing_in_a_thread_ends_by_itself(autojump_clock: Any):
    async with memory_engine(policy=THREADS) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await ann.ask("conversation.subscribe", {"thread": root.id}, c=room)
        await bob.ask("typing.start", {"thread": root.id}, c=room)
        await bob.ask("typing.start", c=room)
        await trio.sleep(11)
        (stopped,) = ann.of_kind("typing.stopped")
        assert stopped["d"] == {"by": "bob", "thread": root.id}


async def test_RCPT_13_RCPT_14_each_thread_for_itself():
    async with memory_engine(policy={**THREADS, "typing_min_interval_s": 60.0}) as engine:
        room = await group(engine, "ann", "bob")
        one, other = await say(engine, room, "ann", "one", "other")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        places: list[dict[str, str]] = [{}, {"thread": one.id}, {"thread": other.id}]
        for place in places:
            await ann.ask("conversation.subscribe", dict(place), c=room)
        for place in places * 2:
            await bob.ask("typing.start", dict(place), c=room)
        assert [item["d"] for item in ann.items if item["t"] == "typing.started"] == [
            {"by": "bob", **place} for place in places
        ]
        await bob.ask("typing.stop", dict(places[1]), c=room)
        (stopped,) = ann.of_kind("typing.stopped")
        assert stopped["d"] == {"by": "bob", **places[1]}


async def test_RCPT_14_nothing_is_kept_of_typing_where_nobody_looks():
    async with memory_engine(policy=THREADS) as engine:
        room = await group(engine, "ann", "bob")
        (root,) = await say(engine, room, "ann", "root")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await ann.ask("conversation.subscribe", c=room)
        await bob.ask("typing.start", {"thread": root.id}, c=room)
        assert not engine._registry.resident(room)._effects.timers  # type: ignore[union-attr]
        await ann.ask("conversation.subscribe", {"thread": root.id}, c=room)
        await bob.ask("typing.start", {"thread": root.id}, c=room)
        assert len(ann.of_kind("typing.started")) == 1, "it was not told before"


async def test_CONV_20_unsubscribing_from_a_thread_and_from_all():
    async with memory_engine(policy={**THREADS, "typing_min_interval_s": 0.0}) as engine:
        room = await group(engine, "ann", "bob")
        one, other = await say(engine, room, "ann", "one", "other")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")

        async def heard() -> list[str | None]:
            ann.items.clear()
            for thread in ({}, {"thread": one.id}, {"thread": other.id}):
                await bob.ask("typing.start", dict(thread), c=room)
            return [item["d"].get("thread") for item in ann.of_kind("typing.started")]

        for payload in ({}, {"thread": one.id}, {"thread": other.id}):
            await ann.ask("conversation.subscribe", dict(payload), c=room)
        assert await heard() == [None, one.id, other.id]
        await ann.ask("conversation.unsubscribe", {"thread": one.id}, c=room)
        assert await heard() == [None, other.id]
        await ann.ask("conversation.unsubscribe", c=room)
        assert await heard() == []
        assert ann.subscriptions == set()


async def test_CONV_20_who_goes_hears_no_more_of_a_thread():
    async with memory_engine(policy=THREADS) as engine:
        room = await group(engine, "ann", "bob", "cid")
        (root,) = await say(engine, room, "ann", "root")
        bob, cid = Device(engine, "bob"), Device(engine, "cid")
        for device in (bob, cid):
            await device.ask("conversation.subscribe", {"thread": root.id}, c=room)
        await engine.as_user("ann").remove_member(room, "cid")
        ann = Device(engine, "ann")
        await ann.ask("typing.start", {"thread": root.id}, c=room)
        assert bob.of_kind("typing.started")
        assert not cid.of_kind("typing.started")
        bob.leave()
        await ann.ask("typing.stop", {"thread": root.id}, c=room)
        assert not bob.of_kind("typing.stopped")


async def test_CONV_20_so_many_threads_at_a_time():
    async with memory_engine(policy=THREADS) as engine:
        room = await group(engine, "ann")
        roots = await say(engine, room, "ann", *map(str, range(MAX_THREADS + 1)))
        ann = Device(engine, "ann")
        replies = [
            await ann.ask("conversation.subscribe", {"thread": root.id}, c=room) for root in roots
        ]
        assert all("ok" in answer for answer in replies[:-1])
        error = replies[-1]["error"]
        assert (error["code"], error["details"]) == ("VALIDATION_FAILED", {"field": "thread"})
