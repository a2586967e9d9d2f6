"""What a message said before, and whose edit counts."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.actors.versions import MAX_VERSIONS
from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.commands import Context, ConversationCommand
from palaver.protocol.features.edits import EditMessage, MessageVersions
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.state import ConversationState
from palaver.tests.support.engines import Lives, group, refused, say, settled
from palaver.tests.support.stores import Watch

EXPOSED = {"expose_edit_history": True}


async def versions(engine: Engine, user: str, room: str, message: str) -> list[dict[str, Any]]:
    answer = await engine.as_user(user).do(MessageVersions(message_id=message), room)
    found: list[dict[str, Any]] = answer["versions"]
    return found


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [version["text"] for version in found]


@pytest.mark.parametrize("ring", [1, 3, 100])
async def test_MSG_06_every_version_with_its_time(ring: int):
    clock = TrioClock()
    async with memory_engine(clock=clock, policy=EXPOSED, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent, other = await say(engine, room, "ann", "1", "other")
        times = [sent.at]
        for text in ("2", "3"):
            clock.jump(60)
            await ann.edit(room, other.id, f"other {text}")
            await ann.edit(room, sent.id, text)
            (now,) = [m for m in await ann.history(room) if m["id"] == sent.id]
            times.append(now["edited_at"])
        assert await versions(engine, "bob", room, sent.id) == [
            {"version": n, "text": f"{n}", "ts": at} for n, at in enumerate(times, start=1)
        ]


async def test_MSG_06_C_04_kept_always_but_served_only_where_the_product_exposes_it():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await say(engine, room, "ann", "1")
        await engine.as_user("ann").edit(room, sent.id, "2")
        no = await refused(versions(engine, "ann", room, sent.id))
        assert no.code == "FEATURE_DISABLED"
    lives.restart()
    lives._settings["policy"] = EXPOSED
    async with lives.life() as engine:
        assert texts(await versions(engine, "ann", room, sent.id)) == ["1", "2"]


@pytest.mark.parametrize("ring", [1, 100])
async def test_MSG_06_never_of_what_is_deleted_or_not_to_be_seen(ring: int):
    async with memory_engine(policy=EXPOSED, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        early, deleted = await say(engine, room, "ann", "early", "deleted")
        await ann.edit(room, deleted.id, "secret")
        await ann.delete(room, deleted.id)
        await ann.add_members(room, ["cid"])
        for user, id in [
            ("ann", deleted.id),
            ("cid", early.id),
            ("bob", "00000000-0000-7000-8000-ffffffffffff"),
        ]:
            assert (await refused(versions(engine, user, room, id))).code == "MESSAGE_NOT_FOUND"
        no = await refused(versions(engine, "eve", room, early.id))
        assert no.code == "PERMISSION_DENIED"


async def test_MSG_06_the_newest_of_very_many():
    async with memory_engine(policy=EXPOSED, actors={"ring": 10}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await engine.as_user("ann").send(room, "1")
        for n in range(2, MAX_VERSIONS + 3):
            await engine.as_user("ann").edit(room, sent.id, f"{n}")
        found = await versions(engine, "bob", room, sent.id)
        assert texts(found) == [f"{n}" for n in range(3, MAX_VERSIONS + 3)]
        assert [version["version"] for version in found] == [int(text) for text in texts(found)]


@pytest.mark.parametrize("ring", [1, 100])
async def test_MSG_06_exact_as_of_the_answer(ring: int):
    """What happens while it is read is part of it: an edit, or a deletion."""
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, policy=EXPOSED, actors={"ring": 2}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        sent = await ann.send(room, "1")
        await ann.edit(room, sent.id, "2")
        await say(engine, room, "ann", *map(str, range(5)))

        async def edit() -> None:
            await ann.edit(room, sent.id, "3")
            if ring == 1:  # and the ring forgets it again
                await say(engine, room, "ann", *map(str, range(5)))
            await settled()

        watch.after("edits", edit)
        assert texts(await versions(engine, "bob", room, sent.id)) == ["1", "2", "3"]

        async def delete() -> None:
            await ann.delete(room, sent.id)
            await settled()

        watch.after("edits", delete)
        no = await refused(versions(engine, "bob", room, sent.id))
        assert no.code == "MESSAGE_NOT_FOUND"


async def test_MSG_06_of_a_cold_conversation():
    lives = Lives(policy=EXPOSED)
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        sent = await engine.as_user("ann").send(room, "1")
        await engine.as_user("ann").edit(room, sent.id, "2")
    lives.restart()
    async with lives.life() as engine:
        assert texts(await versions(engine, "bob", room, sent.id)) == ["1", "2"]


class Masking:
    """A guard that masks whatever has a text."""

    def check(
        self, command: ConversationCommand, context: Context, state: ConversationState
    ) -> ConversationCommand:
        if isinstance(command, SendMessage | EditMessage):
            return command.model_copy(update={"text": command.text.replace("@", "*")})
        return command


async def test_MSG_05_an_edit_passes_the_guards_like_a_message():
    async with memory_engine(guards=[Masking()]) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        sent = await ann.send(room, "ann@here")
        await ann.edit(room, sent.id, "now ann@there")
        (edited,) = bob.of_kind("message.edited")
        assert edited["d"]["text"] == "now ann*there"
        assert [m["text"] for m in await ann.history(room)] == ["now ann*there"]


@pytest.mark.parametrize("ring", [1, 100])
async def test_HIST_15_of_two_devices_that_edit_one_version_one_is_told(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        sent = await engine.as_user("ann").send(room, "1")
        phone, laptop, bob = Device(engine, "ann"), Device(engine, "ann"), Device(engine, "bob")
        edit = {"message_id": sent.id, "version": 1}
        phone.submit("message.edit", {**edit, "text": "phone"}, c=room, id=1)
        laptop.submit("message.edit", {**edit, "text": "laptop"}, c=room, id=1)
        await settled()
        assert "ok" in phone.reply(1)
        error = laptop.reply(1)["error"]
        assert (error["code"], error["details"]) == ("VERSION_CONFLICT", {"version": 2})
        for device in (phone, laptop, bob):
            assert [item["d"]["text"] for item in device.of_kind("message.edited")] == ["phone"]
