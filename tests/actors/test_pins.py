"""Listing what is pinned."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.testing import memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.pins import ListPins
from palaver.tests.support.engines import Lives, group, refused, say, settled
from palaver.tests.support.stores import Watch


async def pins(engine: Engine, user: str, room: str, **query: Any) -> dict[str, Any]:
    return await engine.as_user(user).do(ListPins(**query), room)


def texts(answer: dict[str, Any]) -> list[str]:
    return [message["text"] for message in answer["messages"]]


@pytest.mark.parametrize("ring", [1, 3, 100])
async def test_MSG_18_what_is_pinned_is_listed_as_it_is_now(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        one, two, _, four = await say(engine, room, "ann", "one", "two", "three", "four")
        for message in (four, one, two):
            await ann.pin(room, message.id)
        await ann.unpin(room, two.id)
        await ann.edit(room, four.id, "FOUR")
        answer = await pins(engine, "bob", room)
        assert texts(answer) == ["one", "FOUR"]
        assert answer["messages"] == [
            message for message in await ann.history(room) if message.get("pinned")
        ]
        assert not answer["more"]


@pytest.mark.parametrize("ring", [1, 100])
async def test_MSG_18_by_pages(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", *map(str, range(5)))
        for message in sent:
            await engine.as_user("ann").pin(room, message.id)
        newest = await pins(engine, "bob", room, limit=2)
        assert (texts(newest), newest["more"]) == (["3", "4"], True)
        older = await pins(engine, "bob", room, limit=3, before=newest["messages"][0]["seq"])
        assert (texts(older), older["more"]) == (["0", "1", "2"], False)


@pytest.mark.parametrize("ring", [1, 100])
@pytest.mark.parametrize("tombstones", [True, False])
async def test_HIST_06_a_deleted_one_is_listed_where_history_has_it(ring: int, tombstones: bool):
    policy = {"show_tombstones": tombstones}
    async with memory_engine(policy=policy, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        (secret,) = await say(engine, room, "ann", "secret")
        await ann.pin(room, secret.id)
        await ann.delete(room, secret.id)
        listed = (await pins(engine, "bob", room))["messages"]
        assert listed == await engine.as_user("bob").history(room)
        assert len(listed) == tombstones
        assert "secret" not in repr(listed)


@pytest.mark.parametrize("ring", [1, 100])
async def test_HIST_11_what_one_may_not_see_is_not_listed(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        (early,) = await say(engine, room, "ann", "early")
        await ann.add_members(room, ["cid"])
        (late,) = await say(engine, room, "ann", "late")
        for message in (early, late):
            await ann.pin(room, message.id)
        assert texts(await pins(engine, "cid", room)) == ["late"]
        assert texts(await pins(engine, "bob", room)) == ["early", "late"]
        assert (await refused(pins(engine, "eve", room))).code == "PERMISSION_DENIED"


@pytest.mark.parametrize("ring", [1, 2, 100])
async def test_MSG_13_a_pinned_reply_comes_with_its_preview(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        quoted = await ann.send(room, "question")
        answer = await ann.send(room, "answer", reply_to=quoted.id)
        await ann.pin(room, answer.id)
        (pinned,) = (await pins(engine, "bob", room))["messages"]
        assert pinned["preview"] == {"by": "ann", "text": "question"}


async def test_pins_that_the_ring_has_outrun_are_read_again():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 2}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await ann.send(room, "pinned")
        await ann.pin(room, sent.id)
        await say(engine, room, "ann", *map(str, range(5)))

        async def outrun() -> None:
            await ann.edit(room, sent.id, "edited")
            await say(engine, room, "ann", *map(str, range(5)))
            await settled()

        watch.after("messages", outrun)
        assert texts(await pins(engine, "bob", room)) == ["edited"]


async def test_pins_of_a_cold_conversation():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", "one", "two")
        await engine.as_user("ann").pin(room, sent[0].id)
    lives.restart()
    async with lives.life() as engine:
        assert texts(await pins(engine, "bob", room)) == ["one"]


async def test_C_42_without_pins_there_is_no_list():
    async with memory_engine(policy={"max_pins": 0}) as engine:
        room = await group(engine, "ann", "bob")
        assert (await refused(pins(engine, "ann", room))).code == "FEATURE_DISABLED"
