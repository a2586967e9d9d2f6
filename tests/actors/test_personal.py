"""What is a user's own, carried out: stored, pushed to all of their devices, and nobody else's."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio

from palaver.actors.inbox import LOG_PAGE
from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.protocol.features.drafts import DraftSaved
from palaver.tests.support.engines import NOWHERE, Lives, group, say, settled
from palaver.tests.support.stores import Watch

OWN = (
    "preference.changed",
    "draft.saved",
    "draft.cleared",
    "message.hidden",
    "message.starred",
    "message.unstarred",
    "settings.changed",
)


async def ok(device: Device, kind: str, c: str | None = None, **payload: Any) -> dict[str, Any]:
    reply = await device.ask(kind, payload, c=c)
    assert "ok" in reply, reply
    answer: dict[str, Any] = reply["ok"]
    return answer


async def code(device: Device, kind: str, c: str | None = None, **payload: Any) -> str:
    error: str = (await device.ask(kind, payload, c=c))["error"]["code"]
    return error


async def rows(device: Device, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ok(device, "conversation.list", **query))["conversations"]
    return found


async def listed(device: Device, **query: Any) -> list[str]:
    return [row["c"] for row in await rows(device, **query)]


async def texts(device: Device, room: str, **query: Any) -> list[str | None]:
    messages = (await ok(device, "message.history", room, **query))["messages"]
    return [message.get("text") for message in messages]


def own(device: Device) -> list[dict[str, Any]]:
    return device.of_kind(*OWN)


# Preferences.


async def test_CONV_11_all_devices_of_the_user_follow_and_nobody_else():
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        phone, laptop, bob = (Device(engine, user) for user in ("ann", "ann", "bob"))
        until = clock() + 10_000
        assert await ok(phone, "preference.set", room, muted_until=until, pinned=True) == {"n": 1}
        (event,) = own(phone)
        assert own(laptop) == [event]
        assert (event["n"], event["ts"]) == (1, clock())
        assert event["d"]["conversation"] == room
        assert phone.items.index(event) < phone.items.index(phone.reply("ask 1"))
        (mine,) = await rows(laptop)
        assert mine["preference"] == {"muted_until": until, "pinned_at": clock()}
        (others,) = await rows(bob)
        assert "preference" not in others
        assert own(bob) == []
        assert await ok(phone, "preference.set", room, pinned=True) == {}
        pinned_at = clock()
        clock.jump(10)
        (mine,) = await rows(laptop)
        assert mine["preference"] == {"pinned_at": pinned_at}, "muting has ended"


async def test_CONV_11_only_in_conversations_of_one_s_own():
    async with memory_engine() as engine:
        room = await group(engine, "bob", "cid")
        ann = Device(engine, "ann")
        assert await code(ann, "preference.set", room, pinned=True) == "PERMISSION_DENIED"
        assert await code(ann, "preference.set", NOWHERE, pinned=True) == "CONVERSATION_NOT_FOUND"
        assert await code(ann, "preference.set", "room", pinned=True) == "CONVERSATION_NOT_FOUND"
        assert await code(ann, "preference.set", pinned=True) == "VALIDATION_FAILED"
        assert own(ann) == []


@pytest.mark.parametrize("asleep", [False, True])
async def test_CONV_12_a_pinned_old_conversation_is_first(asleep: bool):
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        rooms = []
        for _ in range(4):
            clock.jump(1)
            rooms.append(await group(engine, "ann", "bob"))
        bob = Device(engine, "bob")
        await ok(bob, "preference.set", rooms[0], pinned=True)
        clock.jump(1)
        await ok(bob, "preference.set", rooms[2], pinned=True)
        await say(engine, rooms[1], "ann", "news")
        if asleep:
            await trio.sleep(1000)
        expected = [rooms[2], rooms[0], rooms[1], rooms[3]]
        assert await listed(bob) == expected
        met, cursor = [], None
        while True:
            page = await ok(bob, "conversation.list", limit=1, cursor=cursor)
            met += [row["c"] for row in page["conversations"]]
            if (cursor := page["next"]) is None:
                break
        assert met == expected
        assert await listed(Device(engine, "ann")) == [rooms[1], rooms[3], rooms[2], rooms[0]]


async def test_CONV_10_what_is_archived_is_listed_under_its_filter():
    async with memory_engine() as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await ok(bob, "preference.set", room, archived=True)
        await say(engine, room, "ann", "news")
        assert await listed(bob) == [other]
        assert await listed(bob, filter="archived") == [room]
        assert set(await listed(Device(engine, "ann"))) == {room, other}
        await ok(bob, "preference.set", room, archived=False)
        assert set(await listed(bob)) == {room, other}


@pytest.mark.parametrize("held", [False, True])
async def test_CONV_15_each_filter_returns_exactly_its_set(held: bool):
    """Also of conversations whose last words are not stored yet."""
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        read, news, filed, flagged = [await group(engine, "ann", "bob") for _ in range(4)]
        bob, ann = Device(engine, "bob"), Device(engine, "ann")
        await ok(bob, "preference.set", filed, archived=True)
        await ok(bob, "preference.set", flagged, unread=True)
        if held:
            store.hold()
        for room in (read, news, filed):
            ann.submit("message.send", {"text": "news"}, c=room)
        await settled()
        bob.submit("message.read", c=read)
        await settled()
        assert set(await listed(bob)) == {read, news, flagged}
        assert set(await listed(bob, filter="unread")) == {news, flagged}
        assert await listed(bob, filter="archived") == [filed]
        assert await code(bob, "conversation.list", filter="other") == "VALIDATION_FAILED"
        store.release()


@pytest.mark.parametrize("held", [False, True])
async def test_SRCH_08_a_prefix_of_the_title_or_of_a_member(held: bool):
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        if held:
            store.hold()
        bob, ann = Device(engine, "bob"), Device(engine, "ann")
        for title in ("Summer plans", "Chess"):
            ann.submit("conversation.create", {"kind": "group", "members": ["bob"], "title": title})
        bob.submit("conversation.create", {"kind": "direct", "members": ["planter"]})
        await settled()

        async def hits(text: str) -> set[Any]:
            return {row["title"] for row in await rows(bob, text=text)}

        assert await hits("PLAN") == {"Summer plans"}
        assert await hits("plan") == {"Summer plans", None}
        assert await hits("ann") == {"Summer plans", "Chess"}
        assert await hits("lan") == await hits("%") == await hits("bob") == set()
        store.release()


@pytest.mark.parametrize("by", ["message.read", "message.send"])
async def test_CONV_14_marked_unread_until_one_reads_or_sends(by: str):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "hello")
        phone, laptop = Device(engine, "bob"), Device(engine, "bob")
        await ok(phone, "message.read", room)
        assert await listed(laptop, filter="unread") == []
        await ok(phone, "preference.set", room, unread=True)
        assert await listed(laptop, filter="unread") == [room]
        (row,) = await rows(laptop)
        assert (row["unread"], row["preference"]) == (0, {"unread": True})
        assert (await ok(laptop, "conversation.list"))["unread"] == 0
        await ok(phone, by, room, **({"text": "hi"} if by == "message.send" else {}))
        await settled()
        assert await listed(laptop, filter="unread") == []
        assert own(laptop)[-1]["d"]["unread"] is False


# Deleting a conversation from one's own inbox.


@pytest.mark.parametrize("asleep", [False, True])
async def test_CONV_13_deleted_it_comes_back_with_the_next_message_and_empty(asleep: bool):
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        old, _ = await say(engine, room, "ann", "one", "two")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        assert (await ok(bob, "conversation.list"))["unread"] == 2
        await ok(bob, "conversation.hide", room)
        await trio.sleep(1)
        assert bob.of_kind("unread.changed")[-1]["d"] == {"total": 0, "conversations": {room: 0}}
        await engine.as_user("ann").rename(room, "New")
        if asleep:
            await trio.sleep(1000)
        assert await listed(bob) == []
        assert await listed(ann) == [room]
        assert await texts(bob, room) == []
        assert (await ok(bob, "conversation.get", room))["last"] is None
        assert len(store._disk.shelves[room].log) == 4, "all of it is kept"
        await say(engine, room, "ann", "three")
        if asleep:
            await trio.sleep(1000)
        (row,) = await rows(bob)
        assert (row["unread"], row["last"]["text"]) == (1, "three")
        assert await texts(bob, room) == ["three"]
        assert await code(bob, "message.history", room, around=old.id) == "MESSAGE_NOT_FOUND"
        assert await code(bob, "message.star", room, message_id=old.id) == "MESSAGE_NOT_FOUND"
        assert await texts(ann, room) == ["one", "two", "three"]


async def test_CONV_13_hidden_messages_are_skipped_on_resume_and_leave_no_gap():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", "one", "two")
        bob = Device(engine, "bob")
        await ok(bob, "conversation.hide", room)
        await engine.as_user("ann").edit(room, sent[0].id, "edited")
        await engine.as_user("ann").rename(room, "New")
        await say(engine, room, "ann", "three")
        fresh = Device(engine, "bob")
        await ok(fresh, "conversation.resume", room, epoch=1, seq=1)
        found = [(item["t"], item["seq"]) for item in fresh.events(room)]
        assert found == [("skipped", 4), ("conversation.renamed", 5), ("message.sent", 6)]
        assert fresh.events(room)[0]["d"] == {"from": 2}


# Deleting a message for oneself.


@pytest.mark.parametrize("ring", [1, 256])
async def test_MSG_09_for_me_leaves_the_other_side_intact(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", *"abcdef")
        bob = Device(engine, "bob")
        assert (await ok(bob, "conversation.list"))["unread"] == 6
        for n in (1, 2, 5):
            await ok(bob, "message.hide", room, message_id=sent[n].id)
        assert await texts(bob, room) == ["a", "d", "e"]
        assert await texts(bob, room, limit=2) == ["d", "e"]
        assert await texts(bob, room, after=sent[0].seq, limit=2) == ["d", "e"]
        assert await texts(bob, room, around=sent[3].id, limit=1) == ["a", "d", "e"]
        assert await texts(Device(engine, "ann"), room) == list("abcdef")
        (row,) = await rows(bob)
        assert (row["unread"], row["last"]) == (3, None)
        await trio.sleep(1)
        assert bob.of_kind("unread.changed")[-1]["d"]["total"] == 3
        await engine.as_user("ann").delete(room, sent[1].id)
        await engine.as_user("ann").delete(room, sent[3].id)
        assert (await rows(bob))[0]["unread"] == 2
        assert await code(bob, "message.hide", room, message_id=sent[1].id) == "MESSAGE_NOT_FOUND"
        await trio.sleep(1000)
        assert engine.health()["conversations"] == 0
        assert (await rows(bob))[0]["unread"] == 2
        assert await texts(bob, room) == ["a", None, "e"]
        assert (await rows(bob))[0]["unread"] == 2, "also when it is in memory again"


@pytest.mark.parametrize("ring", [1, 256])
async def test_MSG_09_for_me_it_is_gone_from_every_list(ring: int):
    policy = {"threads": True, "expose_edit_history": True}
    async with memory_engine(policy=policy, actors={"ring": ring}) as engine:
        room, elsewhere = await group(engine, "ann", "bob"), await group(engine, "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        root, other = await say(engine, room, "ann", "root", "other")
        replies = [
            await ok(ann, "message.send", room, text=text, thread=root.id) for text in ("a", "b")
        ]
        for message in (root, other):
            await ok(ann, "message.pin", room, message_id=message.id)

        async def thread() -> list[str]:
            answer = await ok(bob, "thread.list", room, message_id=root.id)
            return [message["text"] for message in answer["messages"]]

        async def pins() -> tuple[list[str], list[str]]:
            """As listed, and as `conversation.get` has them."""
            answer = await ok(bob, "pin.list", room)
            ids = [message["id"] for message in answer["messages"]]
            return ids, list((await ok(bob, "conversation.get", room))["pins"])

        await ok(bob, "message.hide", room, message_id=replies[0]["id"])
        assert await thread() == ["b"]
        assert await pins() == ([root.id, other.id],) * 2
        await ok(bob, "message.hide", room, message_id=root.id)
        assert await pins() == ([other.id],) * 2
        for kind, more in {
            "thread.list": {},
            "message.versions": {},
            "message.forward": {"to": elsewhere},
            "reaction.set": {"emoji": "👍"},
        }.items():
            no = await code(bob, kind, room, message_id=root.id, **more)
            assert no == "MESSAGE_NOT_FOUND", kind
        assert len((await ok(ann, "pin.list", room))["messages"]) == 2
        assert len((await ok(ann, "thread.list", room, message_id=root.id))["messages"]) == 2
        await ok(bob, "conversation.hide", room)
        assert await pins() == ([], [])


@pytest.mark.parametrize("ring", [1, 256])
async def test_MSG_09_deleted_for_everyone_while_one_hides_it(ring: int):
    """The two cross: it must leave the unread count once, also if the ring has forgotten it."""
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        sent, _ = await say(engine, room, "ann", "one", "two")
        bob = Device(engine, "bob")

        async def delete() -> None:
            await engine.as_user("ann").delete(room, sent.id)
            await say(engine, room, "ann", "three", "four")

        watch.before("append", delete)
        await ok(bob, "message.hide", room, message_id=sent.id)
        assert (await rows(bob))[0]["unread"] == 3
        await trio.sleep(1000)
        assert (await rows(bob))[0]["unread"] == 3


@pytest.mark.parametrize("ring", [1, 256])
async def test_CONV_13_messages_that_come_while_one_hides_it_bring_it_back(ring: int):
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "one", "two")
        bob = Device(engine, "bob")

        async def write() -> None:
            three, _ = await say(engine, room, "ann", "three", "four")
            await engine.as_user("ann").delete(room, three.id)

        watch.before("append", write)
        await ok(bob, "conversation.hide", room)
        (row,) = await rows(bob)
        assert (row["unread"], row["last"]["text"]) == (1, "four")
        assert await texts(bob, room) == [None, "four"]


async def test_MSG_09_hidden_while_the_conversation_is_being_loaded():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        sent, _ = await say(engine, room, "ann", "one", "two")
        bob, ann = Device(engine, "bob"), Device(engine, "ann")

        async def load() -> None:
            await trio.sleep(1000)
            assert engine.health()["conversations"] == 0
            watch.hold("load")
            ann.submit("message.history", c=room, id=1)
            await settled()

        watch.before("append", load)
        await ok(bob, "message.hide", room, message_id=sent.id)
        bob.submit("message.history", c=room, id=1)
        await settled()
        watch.release()
        await settled()
        assert [message["text"] for message in bob.reply(1)["ok"]["messages"]] == ["two"]
        assert len(ann.reply(1)["ok"]["messages"]) == 2


@pytest.mark.parametrize("seed", range(4))
async def test_RCPT_07_CONV_20_counts_are_what_counting_the_history_gives(seed: int):
    """After random doings of all kinds, in memory and at rest, and after a crash."""
    chance = random.Random(seed)
    users = ("ann", "bob", "cid")
    policy = {"threads": True, "permissions": {"delete_any_message": "member"}}
    lives = Lives(actors={"ring": 8, "slice": 4}, policy=policy)
    ids: list[str] = []
    roots: list[str] = []
    room = ""
    for _ in range(3):
        async with lives.life() as engine:
            room = room or await group(engine, *users, "dee")
            for _ in range(40):
                device = Device(engine, chance.choice(users))
                # Mostly of late: so that what they do meets.
                message = (
                    {"message_id": chance.choice(ids[-chance.choice((6, 100)) :])} if ids else {}
                )
                match chance.randrange(16):
                    case 0 | 1 | 2 | 3 | 4:
                        roots.append((await ok(device, "message.send", room, text="x"))["id"])
                        ids.append(roots[-1])
                    case 12 | 13 | 14 if roots:
                        reply = {"text": "x", "thread": chance.choice(roots[-3:])}
                        sent = await device.ask("message.send", reply, c=room)
                        ids += [sent["ok"]["id"]] if "ok" in sent else []
                    case 5 | 15:
                        await device.ask("message.delete", message, c=room)
                    case 6 | 7:
                        await device.ask("message.hide", message, c=room)
                    case 8 if chance.random() < 0.4:
                        await ok(device, "conversation.hide", room)
                    case 9:
                        await trio.sleep(1000)
                    case _:
                        await ok(device, "message.read", room, seq=chance.randint(1, len(ids) + 1))
                device.leave()
            for user in users:
                await _counts_right(engine, user, room)
            await _threads_right(engine, room)
            await trio.sleep(1000)
            for user in users:
                await _counts_right(engine, user, room)
            lives.crash()


async def _threads_right(engine: Engine, room: str) -> None:
    """As dee has it, who hides nothing."""
    messages = await engine.as_user("dee").history(room, limit=100)
    there = [message["thread"]["id"] for message in messages if _is_reply(message)]
    for message in messages:
        if "id" not in (thread := message.get("thread", {})):
            assert thread.get("count", 0) == there.count(message["id"])


def _is_reply(message: dict[str, Any]) -> bool:
    return "redacted" not in message and "id" in message.get("thread", {})


async def _counts_right(engine: Engine, user: str, room: str) -> None:
    device = Device(engine, user)
    changes = await ok(device, "sync.changes", cursor="0")
    (row,) = changes["conversations"]
    state = await ok(device, "conversation.get", room)
    mark = state["members"][user]["read"]["seq"]
    left, before = 0, None
    while True:
        query = {"limit": 7} if before is None else {"limit": 7, "before": before}
        page = await ok(device, "message.history", room, **query)
        for message in page["messages"]:
            counts = message["seq"] > mark and message["by"] != user
            left += counts and not message.get("redacted")
        if not page["more"]:
            break
        before = page["messages"][0]["seq"]
    assert row["unread"] == state["unread"] == left
    device.leave()


# Drafts and stars.


async def test_MSG_28_a_draft_is_seen_on_the_other_device_and_cleared_on_send():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        phone, laptop = Device(engine, "ann"), Device(engine, "ann")
        await ok(phone, "draft.save", room, text="hel")
        await ok(phone, "draft.save", room, text="hello")
        assert [item["d"]["text"] for item in own(laptop)] == ["hel", "hello"]
        assert own(Device(engine, "bob")) == []
        lives.restart()
    async with lives.life() as engine:
        phone, laptop = Device(engine, "ann"), Device(engine, "ann")
        (entry,) = (await ok(laptop, "sync.changes"))["log"]
        assert (entry["n"], entry["kind"], entry["data"]["text"]) == (2, "draft.saved", "hello")
        await ok(phone, "message.read", room)
        await settled()
        assert own(laptop) == [], "reading sends nothing"
        await ok(phone, "message.send", room, text="hello there")
        await settled()
        (cleared,) = own(laptop)
        assert (cleared["t"], cleared["n"]) == ("draft.cleared", 3)
        await ok(phone, "message.send", room, text="more")
        await settled()
        assert len(own(laptop)) == 1
        (entry,) = (await ok(laptop, "sync.changes"))["log"]
        assert entry["kind"] == "draft.cleared", "nothing of what was begun is kept"


async def test_MSG_28_forwarding_to_a_conversation_leaves_the_draft_there():
    async with memory_engine() as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "ann")
        (message,) = await say(engine, origin, "bob", "look")
        ann, laptop = Device(engine, "ann"), Device(engine, "ann")
        await ok(ann, "draft.save", target, text="hel")
        await ok(ann, "preference.set", target, unread=True)
        await ok(ann, "message.forward", origin, message_id=message.id, to=target)
        await settled()
        saved, marked, unmarked = own(laptop)
        assert saved["t"] == "draft.saved"
        assert (marked["d"]["unread"], unmarked["d"]["unread"]) == (True, False)


async def test_MSG_19_stars_are_listed_for_oneself_alone():
    async with memory_engine() as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        one, two = await say(engine, room, "ann", "one", "two")
        (three,) = await say(engine, other, "ann", "three")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        for c, sent in ((room, one), (other, three), (room, two), (room, one)):
            await ok(bob, "message.star", c, message_id=sent.id)

        async def starred(**query: Any) -> list[str | None]:
            stars = (await ok(bob, "star.list", **query))["stars"]
            return [star["message"].get("text") for star in stars]

        assert await starred() == ["one", "two", "three"], "each once"
        page = await ok(bob, "star.list", limit=2)
        assert page["stars"][0]["c"] == room
        assert await starred(before=page["next"]) == ["three"]
        assert (await ok(ann, "star.list"))["stars"] == []
        assert own(ann) == []
        await engine.as_user("ann").edit(room, two.id, "edited")
        await engine.as_user("ann").delete(other, three.id)
        await ok(bob, "message.unstar", room, message_id=one.id)
        assert await starred() == ["edited", None]
        assert await code(ann, "message.star", other, message_id=three.id) == "MESSAGE_NOT_FOUND"
        assert await code(ann, "message.star", other, message_id=one.id) == "MESSAGE_NOT_FOUND"
        await trio.sleep(1000)
        assert await starred() == ["edited", None]


async def test_MSG_19_a_star_is_as_the_message_is_though_that_is_not_stored_yet():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await say(engine, room, "ann", "secret")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await ok(bob, "message.star", room, message_id=sent.id)
        for device in (ann, bob):
            await ok(device, "reaction.set", room, message_id=sent.id, emoji="👍")
        (star,) = (await ok(bob, "star.list"))["stars"]
        assert (star["message"]["reactions"], star["message"]["reacted"]) == ({"👍": 2}, ["👍"])
        store.hold()
        ann.submit("message.delete", {"message_id": sent.id}, c=room)
        await settled()
        (star,) = (await ok(bob, "star.list"))["stars"]
        assert "secret" not in str(star)
        store.release()


# The log.


async def test_the_own_log_is_read_in_parts_each_change_once():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        ids = [engine_id(n) for n in range(LOG_PAGE + 20)]
        for id in ids:
            draft = DraftSaved(conversation=id, text="x")
            await store.user_logs.append("ann", draft, 1000)
        ann = Device(engine, "ann")
        first = await ok(ann, "sync.changes")
        assert (len(first["log"]), first["more"]) == (LOG_PAGE, True)
        last = first["log"][-1]["n"]
        second = await ok(ann, "sync.changes", n=last, cursor=first["cursor"])
        assert (len(second["log"]), second["more"]) == (20, False)
        log = first["log"] + second["log"]
        assert [entry["data"]["conversation"] for entry in log] == ids


def engine_id(number: int) -> str:
    return f"00000000-0000-5000-8000-{number:012x}"


async def test_while_the_store_is_away_nothing_is_promised():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        await ok(ann, "preference.set", room, pinned=True)
        store.go_away()
        assert await code(ann, "preference.set", room, archived=True) == "UNAVAILABLE"
        store.come_back()
        assert [row.get("preference", {}).keys() for row in await rows(ann)] == [{"pinned_at"}]
        assert await ok(ann, "preference.set", room, archived=True) == {"n": 2}


async def test_CONV_13_repeated_when_it_was_unknown_whether_it_had_happened():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "one")
        bob = Device(engine, "bob")

        async def lost() -> None:
            raise Rejected("UNAVAILABLE")

        await ok(bob, "preference.set", room, muted=True)
        watch.after("append", lost)
        assert await code(bob, "conversation.hide", room) == "UNAVAILABLE"
        assert len(await texts(bob, room)) == 1, "nobody knows yet"
        laptop = Device(engine, "bob")
        await ok(laptop, "conversation.hide", room)
        assert [item["n"] for item in own(bob)] == [1, 2, 3], "no device misses anything"
        assert await texts(bob, room) == []
        assert await listed(bob) == []


async def test_MSG_09_what_was_stored_without_an_answer_is_found_out_with_the_next_question():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        one, two = await say(engine, room, "ann", "one", "two")
        bob = Device(engine, "bob")
        await ok(bob, "message.hide", room, message_id=one.id)

        async def lost() -> None:
            raise Rejected("UNAVAILABLE")

        watch.after("append", lost)
        assert await code(bob, "message.hide", room, message_id=two.id) == "UNAVAILABLE"
        await ok(bob, "conversation.list")
        assert [item["d"]["message_id"] for item in own(bob)] == [one.id, two.id]
        assert await texts(bob, room) == []


async def test_CONV_16_muted_conversations_count_in_the_total():
    async with memory_engine() as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await ok(bob, "preference.set", room, muted=True)
        await say(engine, room, "ann", "1", "2")
        await say(engine, other, "ann", "3", "4", "5")
        assert (await ok(bob, "conversation.list"))["unread"] == 5
        await ok(bob, "message.read", room)
        await trio.sleep(1)
        assert bob.of_kind("unread.changed")[-1]["d"] == {"total": 3, "conversations": {room: 0}}


async def test_who_has_gone_leaves_nothing_waiting():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        await ok(ann, "draft.save", room, text="x")
        hub = engine._env.hub
        assert hub.waiting == {"ann": {room}}
        ann.leave()
        await trio.sleep(1000)
        assert not hub.waiting
        assert not hub.sessions
