"""What a conversation has to show, listed by its actor: exact, and only what one may see."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.engine.user import Sent
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.forwards import ForwardMessage
from palaver.protocol.features.hides import HideMessage
from palaver.protocol.features.media import ListMedia
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.preferences import HideConversation
from palaver.tests.support.engines import group, refused, say, settled
from palaver.tests.support.stores import Watch

PHOTO = {"type": "image", "url": "https://example.org/a.jpg"}
RINGS = pytest.mark.parametrize("ring", [1, 6, 1000])


async def show(engine: Engine, room: str, user: str, *texts: str) -> list[Sent]:
    """Messages of `user` with a photo, one after another."""
    sender = engine.as_user(user)
    payloads = [{"text": text, "attachments": [PHOTO]} for text in texts]
    return [await sender.ask(SendMessage.model_validate(each), room) for each in payloads]


async def listed(engine: Engine, user: str, room: str, **query: Any) -> dict[str, Any]:
    return await engine.as_user(user).do(ListMedia(**query), room)


async def texts(engine: Engine, user: str, room: str, **query: Any) -> list[str]:
    return [message["text"] for message in (await listed(engine, user, room, **query))["messages"]]


@RINGS
async def test_GRP_12_newest_first_page_by_page_without_what_was_deleted(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        await show(engine, other, "ann", "elsewhere")
        sent = []
        for n in range(9):
            sent += await show(engine, room, "ann", f"{n}")
            await say(engine, room, "bob", "words alone")
        ann = engine.as_user("ann")
        await ann.edit(room, sent[6].id, "edited")
        for n in (0, 4, 8):
            await ann.delete(room, sent[n].id)
        whole = await listed(engine, "bob", room)
        found = [message["text"] for message in whole["messages"]]
        assert found == ["7", "edited", "5", "3", "2", "1"]
        assert all(message["attachments"] == [PHOTO] for message in whole["messages"])
        assert whole["more"] is False
        paged: list[dict[str, Any]] = []
        more, before = True, None
        while more:
            page = await listed(engine, "bob", room, limit=2, before=before)
            paged += page["messages"]
            more, before = page["more"], paged[-1]["seq"]
        assert paged == whole["messages"]


@RINGS
async def test_GRP_12_HIST_11_only_what_one_may_see(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        await show(engine, room, "ann", "before")
        await ann.add_members(room, ["cid"])
        _, two, _ = await show(engine, room, "ann", "1", "2", "3")
        await bob.do(HideMessage(message_id=two.id), room)
        assert await texts(engine, "ann", room) == ["3", "2", "1", "before"]
        assert await texts(engine, "cid", room) == ["3", "2", "1"]
        assert await texts(engine, "bob", room) == ["3", "1", "before"]
        await bob.do(HideConversation(), room)
        await show(engine, room, "ann", "4")
        assert await texts(engine, "bob", room) == ["4"]
        await ann.remove_member(room, "cid")
        assert (await refused(texts(engine, "cid", room))).code == "PERMISSION_DENIED"


@RINGS
async def test_GRP_12_what_is_not_stored_yet_is_listed_too(ring: int):
    store = MemoryStore()
    async with memory_engine(store=store, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        await show(engine, room, "ann", "stored")
        await say(engine, room, "ann", "1", "2", "3")
        store.hold()
        bob = Device(engine, "bob")
        payload = {"text": "on its way", "attachments": [PHOTO]}
        bob.submit("message.send", payload, c=room, id=1)
        await settled()
        assert await texts(engine, "ann", room) == ["on its way", "stored"]
        store.release()


async def test_GRP_12_what_is_deleted_while_the_page_is_read_is_not_in_it():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 2}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await show(engine, room, "ann", "1", "2", "3")
        await say(engine, room, "ann", "a", "b")
        watch.hold("media")
        bob = Device(engine, "bob")
        bob.submit("media.list", {}, c=room, id=1)
        await settled()
        assert watch.calls["media"] == 1
        await engine.as_user("ann").delete(room, sent[1].id)
        watch.release()
        await settled()
        found = bob.reply(1)["ok"]["messages"]
        assert [message["text"] for message in found] == ["3", "1"]


async def test_GRP_12_the_newest_page_comes_from_memory():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        await show(engine, room, "ann", *map(str, range(5)))
        assert await texts(engine, "bob", room, limit=4) == ["4", "3", "2", "1"]
        assert watch.calls["media"] == 0


async def test_C_24_GRP_12_its_pages_are_as_large_as_those_of_history():
    async with memory_engine(policy={"messages_page": 1, "max_messages_page": 2}) as engine:
        room = await group(engine, "ann", "bob")
        await show(engine, room, "ann", "1", "2", "3")
        assert await texts(engine, "bob", room) == ["3"]
        assert await texts(engine, "bob", room, limit=2) == ["3", "2"]
        assert (await refused(texts(engine, "bob", room, limit=3))).details == {"field": "limit"}


async def test_MSG_17_GRP_12_a_forwarded_message_brings_its_attachments():
    async with memory_engine() as engine:
        origin, target = await group(engine, "ann", "bob"), await group(engine, "bob", "cid")
        (sent,) = await show(engine, origin, "ann", "")
        bob = engine.as_user("bob")
        await bob.do(ForwardMessage(message_id=sent.id, to=target), origin)
        (copy,) = (await listed(engine, "cid", target))["messages"]
        assert (copy["by"], copy["text"], copy["attachments"]) == ("bob", "", [PHOTO])
        assert sent.id not in str(copy)


@pytest.mark.parametrize("asleep", [False, True])
async def test_CONV_07_the_inbox_tells_what_the_last_message_shows(asleep: bool):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await show(engine, room, "ann", "")
        (row,) = (await engine.as_user("bob").inbox())["conversations"]
        assert (row["last"]["text"], row["last"]["attachments"]) == ("", ["image"])
        await engine.as_user("ann").delete(room, sent.id)
        if asleep:
            await trio.sleep(1000)
        (row,) = (await engine.as_user("bob").inbox())["conversations"]
        assert "attachments" not in row["last"]
