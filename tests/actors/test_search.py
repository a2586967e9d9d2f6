from __future__ import annotations

from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import NOWHERE, group, say, settled


async def asked(engine: Engine, user: str, query: str, **more: Any) -> dict[str, Any]:
    device = Device(engine, user)
    reply = await device.ask("message.search", {"query": query, **more})
    device.leave()
    return reply


async def search(engine: Engine, user: str, query: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await asked(engine, user, query, **more))["ok"]
    return answer


async def texts(engine: Engine, user: str, query: str, **more: Any) -> list[str]:
    return [hit["text"] for hit in (await search(engine, user, query, **more))["hits"]]


async def code(engine: Engine, user: str, query: str, **more: Any) -> tuple[str, Any]:
    error = (await asked(engine, user, query, **more))["error"]
    return error["code"], error.get("details", {}).get("field")


async def test_SRCH_01_a_foreign_conversation_is_not_searched():
    async with memory_engine() as engine:
        ours, foreign = await group(engine, "ann", "bob"), await group(engine, "ann", "cid")
        await say(engine, ours, "ann", "lunch at noon")
        await say(engine, foreign, "ann", "lunch without bob")
        assert await texts(engine, "bob", "lunch") == ["lunch at noon"]
        assert len(await texts(engine, "ann", "lunch")) == 2


async def test_SRCH_02_one_conversation_or_no_such():
    async with memory_engine() as engine:
        ours, foreign = await group(engine, "ann", "bob"), await group(engine, "ann", "cid")
        other = await group(engine, "ann", "bob")
        await say(engine, ours, "ann", "lunch here")
        await say(engine, other, "ann", "lunch there")
        assert await texts(engine, "bob", "lunch", conversation=ours) == ["lunch here"]
        refused = [await code(engine, "bob", "lunch", conversation=id) for id in (foreign, NOWHERE)]
        assert refused == [("PERMISSION_DENIED", None), ("CONVERSATION_NOT_FOUND", None)]


async def test_SRCH_03_too_short_a_query_is_refused():
    async with memory_engine() as engine:
        assert await code(engine, "ann", " x ") == ("VALIDATION_FAILED", "query")
        assert await texts(engine, "ann", "xx") == []
    async with memory_engine(policy={"search_min_chars": 4}) as engine:
        assert await code(engine, "ann", "xxx") == ("VALIDATION_FAILED", "query")
        assert await texts(engine, "ann", "xxxx") == []


async def test_SRCH_04_45_hits_are_pages_of_20_20_and_5():
    async with memory_engine(limits={"messages_per_min": 0}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *(f"lunch {n}" for n in range(45)))
        pages = [await search(engine, "bob", "lunch", page=n) for n in (1, 2, 3, 4)]
        assert [len(page["hits"]) for page in pages] == [20, 20, 5, 0]
        for number, page in enumerate(pages, 1):
            assert (page["page"], page["limit"]) == (number, 20)
            assert (page["total"], page["total_pages"]) == (45, 3)
        assert len((await search(engine, "bob", "lunch", limit=50))["hits"]) == 45
        assert await code(engine, "bob", "lunch", limit=51) == ("VALIDATION_FAILED", "limit")


async def test_SRCH_06_substrings_by_policy():
    async with memory_engine(policy={"search_mode": "trgm"}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "brunch 100%", "lunch", "supper 100")
        assert await texts(engine, "bob", "unch") == ["lunch", "brunch 100%"]
        assert await texts(engine, "bob", "0%") == ["brunch 100%"]


async def test_C_26_search_may_be_off_or_of_one_conversation_only():
    async with memory_engine(policy={"search_mode": "off"}) as engine:
        assert (await code(engine, "ann", "lunch"))[0] == "FEATURE_DISABLED"
    async with memory_engine(policy={"search_scope": "group"}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "lunch")
        assert await code(engine, "bob", "lunch") == ("VALIDATION_FAILED", "conversation")
        assert await texts(engine, "bob", "lunch", conversation=room) == ["lunch"]


async def test_SRCH_07_what_is_deleted_or_was_left_is_not_found():
    async with memory_engine() as engine:
        room, left = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        first, _ = await say(engine, room, "ann", "lunch one", "lunch two")
        await say(engine, left, "ann", "lunch three")
        await engine.as_user("ann").delete(room, first.id)
        await engine.as_user("bob").leave(left)
        for user, expected in (("bob", ["lunch two"]), ("ann", ["lunch three", "lunch two"])):
            assert sorted(await texts(engine, user, "lunch")) == expected


async def test_SRCH_07_nor_if_the_store_does_not_know_yet():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room, left = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        first, _ = await say(engine, room, "ann", "lunch one", "lunch two")
        await say(engine, left, "ann", "lunch three")
        store.hold()
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        ann.submit("message.delete", {"message_id": first.id}, c=room)
        bob.submit("conversation.leave", {}, c=left)
        await settled()
        answer = await search(engine, "bob", "lunch")
        assert [hit["text"] for hit in answer["hits"]] == ["lunch two"]
        assert answer["total"] == 1
        store.release()


async def test_SRCH_09_history_shows_a_hit_among_its_neighbours():
    async with memory_engine(actors={"ring": 4}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *(f"before {n}" for n in range(5)))
        (sent,) = await say(engine, room, "ann", "lunch")
        await say(engine, room, "ann", *(f"after {n}" for n in range(5)))
        (hit,) = (await search(engine, "bob", "lunch"))["hits"]
        assert (hit["c"], hit["id"], hit["seq"]) == (room, sent.id, sent.seq)
        assert (hit["ts"], hit["by"], hit["text"]) == (sent.at, "ann", "lunch")
        around = {"around": hit["id"], "limit": 1}
        page = (await Device(engine, "bob").ask("message.history", around, c=hit["c"]))["ok"]
        assert [m["text"] for m in page["messages"]] == ["before 4", "lunch", "after 0"]


async def test_SRCH_10_by_whom_and_when():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (first,) = await say(engine, room, "ann", "lunch one")
        await say(engine, room, "bob", "lunch two")
        assert await texts(engine, "ann", "lunch", by="bob") == ["lunch two"]
        assert await texts(engine, "ann", "lunch", before=first.at) == []
        assert await texts(engine, "ann", "lunch", after=first.at - 1, by="ann") == ["lunch one"]


@pytest.mark.parametrize("query", ["'; DROP TABLE log; --", "a' OR '1'='1", "%_%", "$1"])
async def test_SRCH_12_injection_finds_nothing(query: str):
    async with memory_engine() as engine:
        await say(engine, await group(engine, "ann", "bob"), "ann", "lunch")
        assert (await search(engine, "bob", query))["hits"] == []


async def test_a_search_while_the_store_is_away_is_refused():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        store.go_away()
        assert (await code(engine, "ann", "lunch"))[0] == "UNAVAILABLE"
        store.come_back()
