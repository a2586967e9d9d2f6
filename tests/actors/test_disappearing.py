"""Messages that go: by themselves at their time, or deleted and not taken back."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.commands import Command
from palaver.protocol.features.blocks import RestrictUser
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.forwards import ForwardMessage
from palaver.protocol.features.history import Resume
from palaver.protocol.features.inbox import ListConversations
from palaver.protocol.features.media import ListMedia
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.pins import ListPins, PinMessage
from palaver.protocol.features.restores import RestoreMessage
from palaver.protocol.features.search import SearchMessages
from palaver.protocol.features.stars import ListStars, StarMessage
from palaver.tests.support.engines import NOWHERE, Lives, group, refused, settled

DAY = 86_400.0
PHOTO = {"type": "image", "url": "https://a.example/dog.png"}
RECOVERABLE = {"delete_recovery_days": 30}


async def do(engine: Engine, user: str, command: Command, room: str | None) -> dict[str, Any]:
    return await engine.as_user(user).do(command, room)


async def everything(engine: Engine, user: str, room: str) -> str:
    """All that `user` can find of the conversation, as text."""
    device = Device(engine, user)
    found = [
        await engine.as_user(user).history(room),
        await do(engine, user, ListPins(), room),
        await do(engine, user, ListStars(), None),
        await do(engine, user, SearchMessages(query="secret"), None),
        await do(engine, user, ListConversations(), None),
        await engine.as_user(user).conversation(room),
    ]
    await device.ask("conversation.resume", {"epoch": 1, "seq": 0}, c=room)
    device.leave()
    return f"{found} {device.items}"


@pytest.mark.parametrize("ring", [1, 100])
async def test_MSG_24_SRCH_07_at_its_time_a_message_is_gone_everywhere(
    autojump_clock: MockClock, ring: int
):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        sent = await do(engine, "ann", SendMessage(text="secret", expires_in=60), room)
        await do(engine, "bob", SendMessage(text="what?", reply_to=sent["id"]), room)
        await do(engine, "ann", EditMessage(message_id=sent["id"], text="secret again"), room)
        await do(engine, "ann", PinMessage(message_id=sent["id"]), room)
        await do(engine, "bob", StarMessage(message_id=sent["id"]), room)
        await trio.sleep(59)
        assert "secret again" in await everything(engine, "bob", room)
        await trio.sleep(1.01)
        (gone,) = bob.of_kind("message.deleted")
        assert gone["d"]["reason"] == "expired"
        assert (gone["d"]["message_id"], "by" in gone["d"]) == (sent["id"], False)
        assert gone["ts"] == sent["ts"] + 60_000
        found = await everything(engine, "bob", room)
        assert "secret" not in found.replace("'query': 'secret'", "")
        assert [m["text"] for m in await engine.as_user("bob").history(room)] == ["what?"]


async def test_PRIV_11_what_has_expired_is_on_no_disk(autojump_clock: MockClock):
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        sent = await do(engine, "ann", SendMessage(text="secret", expires_in=60), room)
        await do(engine, "ann", EditMessage(message_id=sent["id"], text="secret again"), room)
        await trio.sleep(70)
    assert "secret" not in repr(store._disk)


async def test_MSG_24_what_expires_while_no_engine_runs_goes_with_the_next_start(
    autojump_clock: MockClock,
):
    lives, clock = Lives(), TrioClock()
    async with lives.life(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        await do(engine, "ann", SendMessage(text="secret", expires_in=60), room)
    lives.crash()
    clock.jump(DAY)
    async with lives.life(clock=clock) as engine:
        await settled()
        assert "secret" not in (await everything(engine, "bob", room)).replace("'secret'", "")
    assert "secret" not in repr(lives.store._disk)


async def test_SRCH_07_what_has_expired_is_not_found_even_if_its_job_is_late(
    autojump_clock: MockClock,
):
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        await do(engine, "ann", SendMessage(text="secret", expires_in=60), room)
        found = await do(engine, "bob", SearchMessages(query="secret"), None)
        assert found["total"] == 1
        clock.jump(60)
        found = await do(engine, "bob", SearchMessages(query="secret"), None)
        assert (found["hits"], found["total"]) == ([], 0)


# Deleted, and taken back.


@pytest.mark.parametrize("ring", [1, 100])
async def test_MSG_12_on_day_29_it_comes_back_as_it_was(autojump_clock: MockClock, ring: int):
    async with memory_engine(policy=RECOVERABLE, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        said = {"text": "first @bob", "metadata": {"colour": "red"}, "attachments": [PHOTO]}
        sent = await do(engine, "ann", SendMessage.model_validate(said), room)
        await do(
            engine,
            "ann",
            EditMessage(message_id=sent["id"], text="see https://a.example", mentions=["bob"]),
            room,
        )
        (before,) = await engine.as_user("bob").history(room)
        (row,) = (await do(engine, "bob", ListConversations(), None))["conversations"]
        assert row["last"]["attachments"] == ["image"]
        await engine.as_user("ann").delete(room, sent["id"])
        assert "a.example" not in str(await engine.as_user("bob").history(room))
        await trio.sleep(29 * DAY)
        answer = await do(engine, "ann", RestoreMessage(message_id=sent["id"]), room)
        (restored,) = bob.of_kind("message.restored")
        assert answer["seq"] == restored["seq"]
        assert restored["d"]["text"] == "see https://a.example"
        assert await engine.as_user("bob").history(room) == [before]
        (again,) = (await do(engine, "bob", ListConversations(), None))["conversations"]
        assert (again["last"], again["unread"]) == (row["last"], row["unread"])
        (shown,) = (await do(engine, "bob", ListMedia(), room))["messages"]
        assert shown["attachments"] == [PHOTO]
        found = await do(engine, "bob", SearchMessages(query="a.example"), None)
        assert found["total"] == 1
        resumed = await do(engine, "bob", Resume(epoch=1, seq=0), room)
        assert resumed["recovered"]
        await trio.sleep(5 * DAY)
        assert await engine.as_user("bob").history(room) == [before], "it is not purged then"
        forward = ForwardMessage(message_id=sent["id"], to=await group(engine, "ann"))
        copy = await do(engine, "ann", forward, room)
        (copied,) = await engine.as_user("ann").history(copy["c"])
        assert (copied["text"], copied["attachments"]) == (before["text"], [PHOTO])


@pytest.mark.parametrize("ring", [1, 100])
async def test_MSG_12_REQ_09_each_is_given_back_what_it_said_to_them(
    autojump_clock: MockClock, ring: int
):
    policy = RECOVERABLE | {"blocks": "silent"}
    async with memory_engine(policy=policy, actors={"ring": ring}) as engine:
        sent = await engine.as_user("ann").send_to("bob", "hello")
        room = sent.conversation
        await do(engine, "bob", RestrictUser(user="ann"), None)
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await do(engine, "ann", EditMessage(message_id=sent.id, text="unheard"), room)
        for _ in range(2):
            await engine.as_user("ann").delete(room, sent.id)
            await do(engine, "ann", RestoreMessage(message_id=sent.id), room)
        await settled()
        for user, device, text in (("ann", ann, "unheard"), ("bob", bob, "hello")):
            told = [item["d"] for item in device.of_kind("message.restored")]
            assert [payload["text"] for payload in told] == [text, text]
            assert all("apart" not in payload for payload in told)
            (left,) = await engine.as_user(user).history(room)
            assert left["text"] == text
            await device.ask("conversation.resume", {"epoch": 1, "seq": 0}, c=room)
        assert "unheard" not in str(bob.items)
        (row,) = (await do(engine, "ann", ListConversations(), None))["conversations"]
        assert row["last"]["text"] == "unheard"


async def test_MSG_12_on_day_31_it_is_on_no_disk(autojump_clock: MockClock):
    store = MemoryStore()
    async with memory_engine(store=store, policy=RECOVERABLE) as engine:
        room = await group(engine, "ann", "bob")
        sent = await engine.as_user("ann").send(room, "secret")
        await engine.as_user("ann").delete(room, sent.id)
        await trio.sleep(29 * DAY)
        assert "secret" in repr(store._disk)
        await trio.sleep(2 * DAY)
        assert "secret" not in repr(store._disk)
        no = await refused(do(engine, "ann", RestoreMessage(message_id=sent.id), room))
        assert no.code == "MESSAGE_NOT_FOUND"
        assert len(await engine.as_user("bob").history(room)) == 1, "its tombstone stays"


async def test_MSG_12_deleted_again_it_has_its_whole_time_again(autojump_clock: MockClock):
    store = MemoryStore()
    async with memory_engine(store=store, policy=RECOVERABLE) as engine:
        room = await group(engine, "ann", "bob")
        sent = await engine.as_user("ann").send(room, "secret")
        await engine.as_user("ann").delete(room, sent.id)
        await trio.sleep(20 * DAY)
        await do(engine, "ann", RestoreMessage(message_id=sent.id), room)
        await engine.as_user("ann").delete(room, sent.id)
        await trio.sleep(20 * DAY)
        await do(engine, "ann", RestoreMessage(message_id=sent.id), room)
        assert [m["text"] for m in await engine.as_user("bob").history(room)] == ["secret"]


async def test_MSG_12_it_may_be_asked_for_again(autojump_clock: MockClock):
    async with memory_engine(policy=RECOVERABLE) as engine:
        room = await group(engine, "ann", "bob")
        sent = await engine.as_user("ann").send(room, "x")
        assert await do(engine, "ann", RestoreMessage(message_id=sent.id), room) == {}
        await engine.as_user("ann").delete(room, sent.id)
        answers = [
            await do(
                engine,
                "ann",
                RestoreMessage(message_id=sent.id, client_id="k", attempt=attempt),
                room,
            )
            for attempt in (1, 2)
        ]
        assert answers[0] == answers[1]


async def test_MSG_12_nothing_is_told_to_who_may_not_see_it(autojump_clock: MockClock):
    async with memory_engine(policy=RECOVERABLE) as engine:
        room = await group(engine, "ann", "bob")
        sent = await engine.as_user("ann").send(room, "x")
        await engine.as_user("ann").delete(room, sent.id)
        command = RestoreMessage(message_id=sent.id)
        for user, where, code in (
            ("eve", room, "PERMISSION_DENIED"),
            ("bob", room, "PERMISSION_DENIED"),
            ("ann", NOWHERE, "CONVERSATION_NOT_FOUND"),
            ("ann", None, "VALIDATION_FAILED"),
        ):
            assert (await refused(do(engine, user, command, where))).code == code
