"""History by page number, in the two ways that products want it."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import group, say, settled
from palaver.tests.support.stores import Watch

OLDEST_FIRST = {"history_style": "page", "history_order": "ascending"}
NEWEST_PAGE = {"history_style": "page", "history_order": "newest_page_ascending"}


async def asked(engine: Engine, user: str, room: str, **query: Any) -> dict[str, Any]:
    device = Device(engine, user)
    reply = await device.ask("message.history", query, c=room)
    device.leave()
    return reply


async def page(engine: Engine, user: str, room: str, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await asked(engine, user, room, **query))["ok"]
    return answer


def texts(answer: dict[str, Any]) -> list[str]:
    return [message["text"] for message in answer["messages"]]


def numbers(first: int, last: int) -> list[str]:
    return [str(n) for n in range(first, last)]


@pytest.mark.parametrize("ring", [1, 500])
@pytest.mark.parametrize(("policy", "second"), [(OLDEST_FIRST, (50, 100)), (NEWEST_PAGE, (20, 70))])
async def test_HIST_02_HIST_05_page_2_of_120_messages(
    ring: int, policy: dict[str, str], second: tuple[int, int]
):
    limits = {"messages_per_min": 0}
    async with memory_engine(policy=policy, actors={"ring": ring}, limits=limits) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *numbers(0, 120))
        answer = await page(engine, "bob", room, page=2)
        assert texts(answer) == numbers(*second)
        del answer["messages"]
        assert answer == {
            "page": 2,
            "limit": 50,
            "total": 120,
            "total_pages": 3,
            "more": True,
            "seq": 121,
        }
        first, third, fourth = [await page(engine, "bob", room, page=n) for n in (1, 3, 4)]
        assert sorted(texts(first) + numbers(*second) + texts(third), key=int) == numbers(0, 120)
        assert texts(first) == sorted(texts(first), key=int), "oldest first within a page"
        assert (third["more"], len(third["messages"])) == (False, 20)
        assert (fourth["messages"], fourth["more"], fourth["total"]) == ([], False, 120)


async def test_C_24_page_sizes_are_the_policy_s():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        for query in ({"limit": 101}, {"page": 1, "limit": 101}, {"before": 2, "limit": 101}):
            error = (await asked(engine, "bob", room, **query))["error"]
            assert (error["code"], error["details"]["field"]) == ("VALIDATION_FAILED", "limit")
        reply = await Device(engine, "bob").ask("conversation.list", {"limit": 201})
        assert reply["error"]["details"]["field"] == "limit"
    sizes = {"messages_page": 2, "max_messages_page": 3, "conversations_page": 1}
    async with memory_engine(policy=sizes) as engine:
        room = await group(engine, "ann", "bob")
        await group(engine, "ann", "bob")
        await say(engine, room, "ann", *numbers(0, 5))
        assert texts(await page(engine, "bob", room)) == ["3", "4"]
        assert texts(await page(engine, "bob", room, limit=3)) == ["2", "3", "4"]
        assert "error" in await asked(engine, "bob", room, limit=4)
        assert len((await engine.as_user("bob").inbox())["conversations"]) == 1


async def test_C_25_the_style_says_what_is_given_without_a_cursor():
    async with memory_engine(policy=OLDEST_FIRST) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *numbers(0, 5))
        assert texts(await page(engine, "bob", room, limit=2)) == ["0", "1"]
        answer = await page(engine, "bob", room, limit=2, before=5)
        assert texts(answer) == ["1", "2"], "a cursor is a cursor"
        assert "total" not in answer
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *numbers(0, 5))
        answer = await page(engine, "bob", room, limit=2)
        assert texts(answer) == ["3", "4"]
        assert "total" not in answer
        assert (await page(engine, "bob", room, limit=2, page=3))["total_pages"] == 3


async def test_HIST_03_a_page_of_what_was_before_a_time():
    clock = TrioClock()
    async with memory_engine(policy=NEWEST_PAGE, clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        sent = []
        for n in range(10):
            clock.jump(60)
            sent += await say(engine, room, "ann", f"{n}")
        for before in ({"before_time": sent[5].at}, {"before": sent[5].seq}):
            answer = await page(engine, "bob", room, page=2, limit=2, **before)
            assert texts(answer) == ["1", "2"]
            assert (answer["total"], answer["total_pages"], answer["more"]) == (5, 3, True)


async def test_HIST_02_a_page_counts_what_one_may_be_shown():
    policy = {**OLDEST_FIRST, "show_tombstones": False}
    for shown in (True, False):
        policy["show_tombstones"] = shown
        async with memory_engine(policy=policy) as engine:
            room = await group(engine, "ann", "bob")
            ann = engine.as_user("ann")
            await say(engine, room, "ann", "early")
            await ann.add_members(room, ["cid"])
            sent = await say(engine, room, "ann", *numbers(0, 6))
            await ann.delete(room, sent[1].id)
            answer = await page(engine, "cid", room, limit=2)
            assert answer["total"] == (6 if shown else 5)
            seqs = [message["seq"] for message in answer["messages"]]
            assert seqs == [sent[0].seq, sent[1 if shown else 2].seq]


async def test_a_page_is_brought_up_to_date():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, policy={"show_tombstones": False}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        first, second, _ = await say(engine, room, "ann", "0", "1", "2")
        watch.hold("numbered_page")
        bob.submit("message.history", {"page": 1}, c=room, id=1)
        await settled()
        await ann.edit(room, first.id, "edited")
        await ann.delete(room, second.id)
        watch.release()
        await settled()
        answer = bob.reply(1)["ok"]
        assert texts(answer) == ["edited", "2"]
        assert answer["total"] == 2


async def test_a_page_that_the_ring_has_outrun_is_read_again():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "0")
        watch.hold("numbered_page")
        bob.submit("message.history", {"page": 1}, c=room, id=1)
        await settled()
        await say(engine, room, "ann", *numbers(1, 4))
        watch.release()
        await settled()
        assert texts(bob.reply(1)["ok"]) == numbers(0, 4)
        assert watch.calls["numbered_page"] == 2


@pytest.mark.parametrize("ring", [1, 500])
async def test_HIST_02_MSG_09_CONV_13_a_page_leaves_out_what_one_has_hidden(ring: int):
    async with memory_engine(policy=OLDEST_FIRST, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "old")
        await bob.ask("conversation.hide", c=room)
        sent = await say(engine, room, "ann", *numbers(0, 6))
        await bob.ask("message.hide", {"message_id": sent[1].id}, c=room)
        answer = await page(engine, "bob", room, page=1, limit=3)
        assert texts(answer) == ["0", "2", "3"]
        assert (answer["total"], answer["total_pages"], answer["more"]) == (5, 2, True)
        assert (await page(engine, "ann", room, page=1, limit=3))["total"] == 7


async def test_HIST_02_MSG_09_hidden_while_the_page_is_read():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        first, _ = await say(engine, room, "ann", "0", "1")
        watch.hold("numbered_page")
        bob.submit("message.history", {"page": 1}, c=room, id=1)
        await settled()
        assert "ok" in await bob.ask("message.hide", {"message_id": first.id}, c=room)
        watch.release()
        await settled()
        answer = bob.reply(1)["ok"]
        assert (texts(answer), answer["total"]) == (["1"], 1)
