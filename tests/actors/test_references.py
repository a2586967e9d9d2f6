"""What conversations and messages are about, with actors, stores and devices round it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.history import MessageHistory
from palaver.protocol.features.inbox import ListConversations
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.references import DropReference
from palaver.tests.support.engines import Lives, group, refused, say, settled
from palaver.tests.support.stores import Watch

TUTORING: dict[str, Any] = {
    "kinds": ("direct",),
    "direct_key": "pair_context",
    "conversation_context": ("booking",),
    "message_context": ("booking",),
}
BOTH: dict[str, Any] = {
    "kinds": ("group", "thread", "direct"),
    "conversation_context": ("listing",),
    "message_context": ("property",),
}
MANY = {"messages_per_min": 0}


async def about(engine: Engine, room: str, user: str, text: str, **context: str) -> str:
    """The id of a message of `user` that refers to what `context` says."""
    command = SendMessage(text=text, context=context or None)
    return (await engine.as_user(user).ask(command, room)).id


async def create(engine: Engine, kind: Any, *users: str, **context: str) -> str:
    command = CreateConversation(kind=kind, members=list(users[1:]), context=context or None)
    return str((await engine.as_user(users[0]).do(command))["c"])


async def page(engine: Engine, user: str, room: str, **query: Any) -> dict[str, Any]:
    return await engine.as_user(user).do(MessageHistory(**query), room)


def texts(answer: dict[str, Any]) -> list[str]:
    return [message["text"] for message in answer["messages"]]


async def inbox(engine: Engine, user: str, **query: Any) -> dict[str, dict[str, Any]]:
    """The context of each conversation that is listed."""
    rows = (await engine.as_user(user).do(ListConversations(**query)))["conversations"]
    return {row["c"]: row["context"] for row in rows}


async def drop(engine: Engine, **thing: str) -> None:
    await engine.as_host().do(DropReference(context=thing))


# CONV-03, C-13: which direct conversation it is.


async def test_CONV_03_50_concurrent_first_messages_make_one_conversation_of_each_booking():
    async with memory_engine(policy=TUTORING) as engine:
        found: dict[str | None, set[str]] = {"100": set(), "101": set(), None: set()}

        async def send(one: str, other: str, booking: str | None) -> None:
            context = None if booking is None else {"booking": booking}
            command = SendMessage(to=other, text="hi", context=context)
            found[booking].add((await engine.as_user(one).ask(command, None)).conversation)

        async with trio.open_nursery() as nursery:
            for booking in found:
                for _ in range(25):
                    nursery.start_soon(send, "ann", "bob", booking)
                    nursery.start_soon(send, "bob", "ann", booking)
        assert [len(ids) for ids in found.values()] == [1, 1, 1]
        assert len(set.union(*found.values())) == 3
        for booking, (room,) in found.items():
            context = {} if booking is None else {"booking": booking}
            assert (await inbox(engine, "bob"))[room] == context
            assert len(await engine.as_user("ann").history(room)) == 50
            assert await create(engine, "direct", "ann", "bob", **context) == room


async def test_C_13_a_pair_has_one_conversation_whatever_it_is_about():
    async with memory_engine(policy={"conversation_context": ("listing",)}) as engine:
        room = await create(engine, "direct", "ann", "bob", listing="5")
        assert await create(engine, "direct", "bob", "ann", listing="7") == room
        assert (await engine.as_user("bob").send_to("ann", "hi")).conversation == room
        assert await inbox(engine, "ann") == {room: {"listing": "5"}}


async def test_C_13_without_a_key_a_pair_has_as_many_as_it_creates():
    async with memory_engine(policy={"direct_key": "none"}) as engine:
        rooms = {await create(engine, "direct", "ann", "bob") for _ in range(3)}
        assert len(rooms) == 3
        command = CreateConversation(kind="direct", members=["bob"], client_id="k")
        twice = [await engine.as_user("ann").do(command) for _ in range(2)]
        assert twice[0]["c"] == twice[1]["c"]
        no = await refused(engine.as_user("ann").send_to("bob", "in which?"))
        assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "to"})
        await say(engine, rooms.pop(), "bob", "in this one")


# CONV-01: each product's own kinds.

PROFILES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "rental": (
        {"kinds": ("thread",), "conversation_context": ("listing", "application")},
        {"listing": "5", "application": "a7"},
    ),
    "tutoring": (TUTORING, {"booking": "100"}),
    "petsocial": ({"kinds": ("direct", "group")}, {}),
    "stayeasy": ({"kinds": ("direct",), "message_context": ("property",)}, {"property": "p9"}),
    "tuggroups": ({"kinds": (), "threads": True}, {}),
}
KINDS = [
    ("rental", "thread"),
    ("tutoring", "direct"),
    ("petsocial", "direct"),
    ("petsocial", "group"),
    ("stayeasy", "direct"),
    ("tuggroups", "external_group"),
]


@pytest.mark.parametrize(("profile", "kind"), KINDS)
async def test_CONV_01_CONV_04_each_product_s_kind_is_created_and_messaged(profile: str, kind: Any):
    policy, context = PROFILES[profile]
    types = policy.get("conversation_context", ())
    async with memory_engine(policy={"profile": profile, **policy}) as engine:
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        by_host = kind == "external_group"
        command = CreateConversation(
            kind=kind,
            members=["ann", "bob"] if by_host or kind != "direct" else ["bob"],
            context={type: id for type, id in context.items() if type in types},
        )
        creator = engine.as_host() if by_host else engine.as_user("ann")
        room = (await creator.do(command))["c"]
        for device in (ann, bob):
            (created,) = device.of_kind("conversation.created")
            assert (created["c"], created["d"]["kind"]) == (room, kind)
            assert created["d"].get("context", {}) == command.context
        types = policy.get("message_context", ())
        own = {type: id for type, id in context.items() if type in types}
        sent = await about(engine, room, "ann", "hello", **own)
        (message,) = await engine.as_user("bob").history(room)
        assert (message["id"], message.get("context", {})) == (sent, own)
        others = {"direct", "group", "thread", "external_group"} - set(policy["kinds"])
        for other in others:
            no = await refused(create(engine, other, "ann", "cid"))
            assert no.code == "FEATURE_DISABLED"


# CONV-07, CONV-05: the inbox.


@pytest.mark.parametrize("how", ["in memory", "at rest", "not stored yet"])
async def test_CONV_07_CONV_05_the_inbox_shows_and_finds_what_conversations_are_about(how: str):
    store = MemoryStore()
    async with memory_engine(policy=BOTH, store=store) as engine:
        if how == "not stored yet":
            store.hold()
        device = Device(engine, "ann")
        five, seven = {"listing": "5"}, {"listing": "7"}
        for n, context in enumerate((five, seven, five, {})):
            payload = {"kind": "thread", "members": ["bob"], "context": context}
            device.submit("conversation.create", payload, id=n)
        await settled()
        created = device.of_kind("conversation.created")
        rooms = {item["c"]: item["d"].get("context", {}) for item in created}
        if how == "at rest":
            await trio.sleep(1000)
            assert engine.health()["conversations"] == 0
        assert len(rooms) == 4
        assert await inbox(engine, "bob") == rooms
        found = await inbox(engine, "bob", context=five)
        assert found == {room: five for room, context in rooms.items() if context == five}
        assert await inbox(engine, "bob", context={"listing": "6"}) == {}
        assert await inbox(engine, "bob", context={"flat": "5"}) == {}
        assert await inbox(engine, "cid", context=five) == {}
        store.release()


async def test_CONV_05_conversation_get_and_the_feed_of_changes_tell_it():
    async with memory_engine(policy=BOTH) as engine:
        bob = Device(engine, "bob")
        cursor = (await bob.ask("sync.changes"))["ok"]["cursor"]
        room = await create(engine, "thread", "ann", "bob", listing="5")
        (row,) = (await bob.ask("sync.changes", {"cursor": cursor}))["ok"]["conversations"]
        assert row["context"] == {"listing": "5"}
        assert (await engine.as_user("bob").conversation(room))["context"] == {"listing": "5"}


# HIST-04: history.


@pytest.mark.parametrize("ring", [1, 30, 500])
@pytest.mark.parametrize("asleep", [False, True])
async def test_HIST_04_other_bookings_messages_are_absent(ring: int, asleep: bool):
    policy = {"message_context": ("booking",), "threads": True}
    actors = {"ring": ring}
    async with memory_engine(policy=policy, actors=actors, limits=MANY) as engine:
        room = await group(engine, "ann", "bob")
        for n in range(60):
            context = {} if n % 3 == 0 else {"booking": str(100 + n % 3)}
            await about(engine, room, "ann", f"{n}", **context)
        if asleep:
            await trio.sleep(1000)
        query: dict[str, Any] = {"context": {"booking": "101"}, "limit": 7}
        expected = [f"{n}" for n in range(60) if n % 3 == 1]
        newest = await page(engine, "bob", room, **query)
        walked = [newest]
        while walked[0]["more"]:
            before = walked[0]["messages"][0]["seq"]
            walked.insert(0, await page(engine, "bob", room, before=before, **query))
        assert [text for each in walked for text in texts(each)] == expected
        forward, after = [], 0
        while True:
            answer = await page(engine, "bob", room, after=after, **query)
            forward += texts(answer)
            if not answer["more"]:
                break
            after = answer["messages"][-1]["seq"]
        assert forward == expected
        middle = walked[0]["messages"][3]
        around = await page(engine, "bob", room, around=middle["id"], **{**query, "limit": 2})
        assert texts(around) == expected[expected.index(middle["text"]) - 2 :][:5]
        nothing = await page(engine, "bob", room, context={"booking": "999"})
        assert (nothing["messages"], nothing["more"]) == ([], False)
        nothing = await page(engine, "bob", room, context={"flat": "101"}, system=True)
        assert nothing["messages"] == []
        foreign = (await page(engine, "bob", room, limit=1))["messages"][0]["id"]
        assert (await refused(page(engine, "bob", room, around=foreign, **query))).code == (
            "MESSAGE_NOT_FOUND"
        )


@pytest.mark.parametrize("order", ["ascending", "newest_page_ascending"])
async def test_HIST_04_HIST_02_pages_by_number_count_one_booking_only(order: str):
    policy = {"message_context": ("booking",), "history_order": order}
    async with memory_engine(policy=policy, limits=MANY) as engine:
        room = await group(engine, "ann", "bob")
        for n in range(40):
            await about(engine, room, "ann", f"{n}", booking=str(100 + n % 2))
        query: dict[str, Any] = {"context": {"booking": "101"}, "limit": 6}
        pages = [await page(engine, "bob", room, page=n, **query) for n in (1, 2, 3, 4)]
        if order == "newest_page_ascending":
            pages.reverse()
        found = [text for each in pages for text in texts(each)]
        assert found == [f"{n}" for n in range(40) if n % 2]
        assert {(each["total"], each["total_pages"]) for each in pages} == {(20, 4)}


async def test_HIST_04_the_time_of_membership_holds_for_a_filtered_page_too():
    async with memory_engine(policy=BOTH, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        await about(engine, room, "ann", "before", property="p9")
        await engine.as_user("ann").add_members(room, ["cid"])
        await about(engine, room, "ann", "after", property="p9")
        for user, seen in (("bob", ["before", "after"]), ("cid", ["after"])):
            assert texts(await page(engine, user, room, context={"property": "p9"})) == seen


async def test_HIST_09_wherever_a_message_is_served_it_says_what_it_is_about():
    async with memory_engine(policy=BOTH) as engine:
        room = await group(engine, "ann", "bob")
        id = await about(engine, room, "ann", "zebra", property="p9")
        bob = Device(engine, "bob")
        await bob.ask("message.star", {"message_id": id}, c=room)
        await engine.as_user("ann").pin(room, id)
        (starred,) = (await bob.ask("star.list"))["ok"]["stars"]
        (hit,) = (await bob.ask("message.search", {"query": "zebra"}))["ok"]["hits"]
        (pinned,) = (await bob.ask("pin.list", c=room))["ok"]["messages"]
        (said,) = (await page(engine, "bob", room))["messages"]
        for message in (starred["message"], hit, pinned, said):
            assert message["context"] == {"property": "p9"}


# CONV-05: the thing is gone.


@pytest.mark.parametrize("ring", [1, 500])
@pytest.mark.parametrize("asleep", [False, True])
async def test_CONV_05_everything_lets_go_of_a_thing_that_is_gone(ring: int, asleep: bool):
    lives = Lives(policy=BOTH, actors={"ring": ring}, limits=MANY)
    async with lives.life() as engine:
        bob = Device(engine, "bob")
        rooms = [await create(engine, "thread", "ann", "bob", listing=n) for n in "557"]
        for n in range(130):
            await about(engine, rooms[n % 3], "ann", f"{n}", property=f"p{n % 2}")
        if asleep:
            await trio.sleep(1000)
            assert engine.health()["conversations"] == 0
        await drop(engine, property="p1")
        await drop(engine, listing="5")
        told = bob.of_kind("reference.dropped")
        assert len(told) == 65 + 2
        assert all("by" not in item["d"] for item in told)
        heads = [(await engine.as_user("bob").conversation(room))["seq"] for room in rooms]
        await drop(engine, property="p1")
        await drop(engine, listing="5")
        await drop(engine, listing="unheard of")
        assert len(bob.of_kind("reference.dropped")) == len(told), "once is enough"

        async def check(engine: Engine) -> None:
            contexts = [{"listing": None}, {"listing": None}, {"listing": "7"}]
            assert await inbox(engine, "bob") == dict(zip(rooms, contexts, strict=True))
            assert await inbox(engine, "bob", context={"listing": "5"}) == {}
            for room in rooms:
                for message in (await page(engine, "bob", room, limit=100))["messages"]:
                    gone = int(message["text"]) % 2
                    assert message["context"] == {"property": None if gone else "p0"}
                assert texts(await page(engine, "bob", room, context={"property": "p1"})) == []
                assert texts(await page(engine, "bob", room, context={"property": "p0"})) != []

        await check(engine)
    lives.restart()
    async with lives.life() as engine:
        await check(engine)
        again = [(await engine.as_user("bob").conversation(room))["seq"] for room in rooms]
        assert again == heads


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_CONV_05_also_what_is_not_stored_yet(durability: str):
    store = MemoryStore(durability=durability)  # type: ignore[arg-type]
    policy = {**BOTH, "durability": durability}
    async with memory_engine(policy=policy, store=store) as engine:
        room = await create(engine, "thread", "ann", "bob", listing="5")
        await about(engine, room, "ann", "stored", property="p9")
        store.hold()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(about, engine, room, "ann", "on its way", property="p9"))
            await settled()
            nursery.start_soon(partial(drop, engine, property="p9"))
            await settled()
            store.release()
        answer = await page(engine, "bob", room)
        assert texts(answer) == ["stored", "on its way"]
        assert [m["context"] for m in answer["messages"]] == [{"property": None}] * 2


async def test_CONV_05_a_page_that_is_read_meanwhile_knows_of_it():
    store = MemoryStore()
    async with memory_engine(policy=BOTH, store=store, actors={"ring": 3}) as engine:
        room = await group(engine, "ann", "bob")
        for n in range(6):
            await about(engine, room, "ann", f"{n}", property=f"p{n % 2}")
        for query in ({}, {"page": 1}):
            gone = {"property": f"p{len(query)}"}
            read = "numbered_page" if query else "page"
            Watch(store).after(read, partial(drop, engine, **gone))
            answer = await page(engine, "bob", room, context=gone, **query)
            assert texts(answer) == []


async def test_CONV_05_a_deleted_message_lets_go_of_it_too():
    async with memory_engine(policy=BOTH, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        id = await about(engine, room, "ann", "secret", property="p9")
        await engine.as_user("ann").do(DeleteMessage(message_id=id), room)
        await say(engine, room, "ann", "more", "and more")
        (found,) = (await page(engine, "bob", room, context={"property": "p9"}))["messages"]
        assert (found["redacted"], found["context"]) == (True, {"property": "p9"})
        await drop(engine, property="p9")
        (message, *_) = (await page(engine, "bob", room))["messages"]
        assert (message["redacted"], message["context"]) == (True, {"property": None})
        assert "text" not in message


async def test_CONV_05_who_was_no_member_then_is_not_told_of_it():
    async with memory_engine(policy=BOTH) as engine:
        room = await group(engine, "ann", "bob")
        await about(engine, room, "ann", "before", property="p9")
        await engine.as_user("ann").add_members(room, ["cid"])
        cid = Device(engine, "cid")
        await drop(engine, property="p9")
        assert [item["t"] for item in cid.events()] == ["skipped"]


async def test_CONV_05_while_the_store_is_away_it_is_not_done_and_may_be_repeated():
    clock, store = TrioClock(), MemoryStore()
    async with memory_engine(policy=BOTH, store=store, clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        await about(engine, room, "ann", "hi", property="p9")
        store.go_away()
        assert (await refused(drop(engine, property="p9"))).code == "UNAVAILABLE"
        store.come_back()
        await drop(engine, property="p9")
        (message,) = (await page(engine, "bob", room))["messages"]
        assert message["context"] == {"property": None}


async def test_CONV_05_no_device_may_say_that_a_thing_is_gone():
    async with memory_engine(policy=BOTH) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        for kind in ("reference.drop", "reference.drop_here"):
            reply = await ann.ask(kind, {"context": {"property": "p9"}}, c=room)
            assert reply["error"]["code"] == "UNSUPPORTED_COMMAND"
