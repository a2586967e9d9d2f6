from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import Lives, group, refused, say, settled
from palaver.tests.support.stores import Watch


async def page(engine: Engine, user: str, room: str, **query: Any) -> dict[str, Any]:
    device = Device(engine, user)
    reply = await device.ask("message.history", query, c=room)
    device.leave()
    answer: dict[str, Any] = reply["ok"]
    return answer


def texts(answer: dict[str, Any]) -> list[str]:
    return [message["text"] for message in answer["messages"]]


async def walk_back(engine: Engine, user: str, room: str, limit: int) -> list[dict[str, Any]]:
    """All messages, newest page first, put together in order."""
    messages: list[dict[str, Any]] = []
    before: dict[str, int] = {}
    while True:
        answer = await page(engine, user, room, limit=limit, **before)
        assert len(answer["messages"]) <= limit
        messages = answer["messages"] + messages
        if not answer["more"]:
            return messages
        before = {"before": answer["messages"][0]["seq"]}


@pytest.mark.parametrize(("ring", "count"), [(1, 500), (25, 3000), (1000, 500)])
async def test_HIST_01_walked_back_without_gap_or_repeat_while_new_ones_arrive(
    ring: int, count: int
):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        for n in range(count):
            ann.submit("message.send", {"text": f"{n}"}, c=room)
            if n % 100 == 0:
                await settled()
        await settled()
        writing = True

        async def go_on() -> None:
            n = count
            while writing:
                await say(engine, room, "ann", f"{n}")
                n += 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(go_on)
            messages = await walk_back(engine, "bob", room, 50)
            writing = False
        seqs = [message["seq"] for message in messages]
        assert seqs == list(range(2, 2 + len(seqs)))
        assert len(seqs) >= count
        assert [m["text"] for m in messages] == [str(n) for n in range(len(seqs))]


@pytest.mark.parametrize("ring", [1, 8, 100])
@pytest.mark.parametrize("limit", [1, 5, 100])
async def test_pages_forward_and_back_agree(ring: int, limit: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(20)))
        whole = await walk_back(engine, "bob", room, limit)
        forward: list[dict[str, Any]] = []
        more = True
        while more:
            after = forward[-1]["seq"] if forward else 0
            answer = await page(engine, "bob", room, limit=limit, after=after)
            forward += answer["messages"]
            more = answer["more"]
        assert forward == whole
        assert [m["text"] for m in whole] == [str(n) for n in range(20)]


async def test_the_newest_page_comes_from_memory():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(60)))
        answer = await page(engine, "bob", room)
        assert texts(answer) == [str(n) for n in range(10, 60)]
        assert answer["more"]
        assert watch.calls["page"] == 0


@pytest.mark.parametrize("ring", [1, 100])
async def test_HIST_03_before_a_time(ring: int):
    clock = TrioClock()
    async with memory_engine(clock=clock, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        sent = []
        for n in range(10):
            clock.jump(60)
            sent += await say(engine, room, "ann", f"{n}")
        answer = await page(engine, "bob", room, before_time=sent[5].at)
        assert texts(answer) == ["0", "1", "2", "3", "4"]
        assert texts(await page(engine, "bob", room, before_time=sent[5].at + 1))[-1] == "5"
        assert texts(await page(engine, "bob", room, before_time=sent[0].at)) == []
        assert texts(await page(engine, "bob", room, before_time=sent[5].at, limit=2)) == ["3", "4"]


@pytest.mark.parametrize("ring", [1, 100])
async def test_HIST_06_C_06_a_deleted_message_leaves_a_tombstone(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        one, two, three = await say(engine, room, "ann", "one", "two", "three")
        await ann.edit(room, two.id, "secret")
        await ann.delete(room, two.id)
        messages = (await page(engine, "bob", room))["messages"]
        assert [message["seq"] for message in messages] == [one.seq, two.seq, three.seq]
        grave = messages[1]
        assert grave["redacted"] is True
        assert grave["deleted_at"] >= two.at
        assert not {"text", "version", "edited_at"} & grave.keys()


@pytest.mark.parametrize("ring", [1, 4, 100])
async def test_HIST_06_C_06_or_nothing_at_all_where_the_product_says_so(ring: int):
    policy = {"show_tombstones": False}
    async with memory_engine(policy=policy, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", *map(str, range(20)))
        for n in (0, 3, 4, 10, 18, 19):
            await engine.as_user("ann").delete(room, sent[n].id)
        left = [str(n) for n in range(20) if n not in (0, 3, 4, 10, 18, 19)]
        assert [m["text"] for m in await walk_back(engine, "bob", room, 3)] == left


@pytest.mark.parametrize("ring", [1, 12, 100])
async def test_HIST_08_around_a_message(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", *map(str, range(60)))
        answer = await page(engine, "bob", room, around=sent[30].id, limit=25)
        assert texts(answer) == [str(n) for n in range(5, 56)], "25 on either side"
        assert answer["more"]
        answer = await page(engine, "bob", room, around=sent[0].id, limit=3)
        assert texts(answer) == ["0", "1", "2", "3"]
        answer = await page(engine, "bob", room, around=sent[59].id, limit=3)
        assert texts(answer) == ["56", "57", "58", "59"]


@pytest.mark.parametrize("ring", [1, 100])
async def test_around_what_one_may_not_see_is_not_found(ring: int):
    policy = {"show_tombstones": False}
    async with memory_engine(policy=policy, actors={"ring": ring}) as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        early, deleted = await say(engine, room, "ann", "early", "deleted")
        (elsewhere,) = await say(engine, other, "ann", "elsewhere")
        await ann.delete(room, deleted.id)
        await ann.add_members(room, ["cid"])
        await say(engine, room, "ann", "late", "later")
        for user, id in [
            ("cid", early.id),
            ("bob", deleted.id),
            ("bob", elsewhere.id),
            ("bob", "00000000-0000-7000-8000-ffffffffffff"),
        ]:
            reply = await Device(engine, user).ask("message.history", {"around": id}, c=room)
            assert reply["error"]["code"] == "MESSAGE_NOT_FOUND"


@pytest.mark.parametrize("ring", [1, 3, 100])
async def test_HIST_11_a_member_reads_only_their_own_times(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        await say(engine, room, "ann", "before")
        await ann.add_members(room, ["cid"])
        await say(engine, room, "ann", "during")
        await ann.remove_member(room, "cid")
        await say(engine, room, "ann", "between")
        await ann.add_members(room, ["cid"])
        await say(engine, room, "ann", "again")
        for query in [{}, {"after": 0}, {"before": 100}]:
            answer = await page(engine, "cid", room, **query)
            assert texts(answer) == ["during", "again"]
            assert not answer["more"]
        assert len(texts(await page(engine, "bob", room))) == 4


@pytest.mark.parametrize("ring", [1, 2, 100])
async def test_MSG_13_a_reply_comes_with_a_preview_of_what_it_answers_now(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await ann.send(room, "quoted")
        await say(engine, room, "bob", "in between")
        await ann.send(room, "answer", reply_to=sent.id)

        async def preview() -> object:
            answer = await page(engine, "bob", room, limit=1)
            assert answer["messages"][0]["reply_to"] == {"id": sent.id, "seq": sent.seq}
            return answer["messages"][0]["preview"]

        assert await preview() == {"by": "ann", "text": "quoted"}
        await ann.edit(room, sent.id, "edited " + "x" * 200)
        assert await preview() == {"by": "ann", "text": ("edited " + "x" * 200)[:140]}
        await ann.delete(room, sent.id)
        assert await preview() == {"unavailable": True}


async def test_quotes_that_the_ring_has_outrun_are_read_again():
    """Also where the page itself must then be read again."""
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 2}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await ann.send(room, "quoted")
        await say(engine, room, "ann", *map(str, range(5)))
        await ann.send(room, "answer", reply_to=sent.id)
        bob = Device(engine, "bob")
        watch.hold("messages")
        bob.submit("message.history", {"limit": 1}, c=room, id=1)
        await settled()
        assert watch.calls["messages"] > 0
        await say(engine, room, "ann", *map(str, range(5)))
        watch.release()
        await settled()
        # Meanwhile five more have come: it is the newest page of now.
        assert texts(bob.reply(1)["ok"]) == ["4"]


async def test_a_page_is_exact_as_of_its_answer():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 4}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await say(engine, room, "ann", *map(str, range(10)))
        bob = Device(engine, "bob")
        watch.hold("page")
        bob.submit("message.history", {"before": sent[3].seq}, c=room, id=1)
        await settled()
        await ann.edit(room, sent[0].id, "edited")
        await ann.delete(room, sent[1].id)
        watch.release()
        await settled()
        first, second, third = bob.reply(1)["ok"]["messages"]
        assert (first["text"], first["version"]) == ("edited", 2)
        assert second["redacted"] is True
        assert third["text"] == "2"


async def test_what_is_not_stored_yet_is_part_of_history():
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", "one", "two")
        store.hold()
        ann = Device(engine, "ann")
        ann.submit("message.send", {"text": "three"}, c=room)
        ann.submit("message.edit", {"message_id": sent[0].id, "text": "ONE"}, c=room)
        await settled()
        assert texts(await page(engine, "bob", room)) == ["ONE", "two", "three"]
        store.release()


async def test_history_of_a_cold_conversation():
    lives = Lives(actors={"ring": 5})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", *map(str, range(10)))
    lives.restart()
    async with lives.life() as engine:
        assert texts(await page(engine, "bob", room)) == [str(n) for n in range(10)]
        lives.store.go_away()
        no = await refused(engine.as_user("bob").history(room, limit=5, cursor=("before", 5)))
        assert no.code == "UNAVAILABLE"


async def test_more_than_one_cursor_is_one_too_many():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        reply = await Device(engine, "bob").ask(
            "message.history", {"before": 2, "after": 1}, c=room
        )
        assert reply["error"]["code"] == "VALIDATION_FAILED"
