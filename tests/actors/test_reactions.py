"""Reactions, live, in history and at rest."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.reactions import SetReaction
from palaver.tests.support.engines import Lives, group, say, settled

EMOJI = ["👍", "❤️", "🔥"]


async def react(
    engine: Engine, user: str, room: str, message: str, emoji: str = "👍", on: bool = True
) -> dict[str, Any]:
    command = SetReaction(message_id=message, emoji=emoji, on=on)
    return await engine.as_user(user).do(command, room)


async def test_MSG_14_a_reaction_is_pushed_to_every_device_of_every_member():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await say(engine, room, "ann", "hi")
        devices = [Device(engine, "ann"), Device(engine, "bob"), Device(engine, "bob")]
        await react(engine, "bob", room, sent.id)
        assert await react(engine, "bob", room, sent.id) == {}
        await react(engine, "bob", room, sent.id, on=False)
        for device in devices:
            changes = [item["d"] for item in device.of_kind("reaction.changed")]
            assert [(each["by"], each["on"], each["count"]) for each in changes] == [
                ("bob", True, 1),
                ("bob", False, 0),
            ]


@pytest.mark.parametrize("ring", [1, 4, 100])
async def test_MSG_16_counts_are_part_of_the_message_wherever_it_is_read(ring: int):
    """Of random changes to old and new messages, and across a restart."""
    users, dice = ["ann", "bob", "cid"], random.Random(ring)
    lives = Lives(actors={"ring": ring})
    there: set[tuple[str, str, str]] = set()

    async def check(engine: Engine) -> None:
        for user in users:
            for message in await engine.as_user(user).history(room):
                on = [(emoji, by) for id, emoji, by in there if id == message["id"]]
                assert message.get("reactions", {}) == Counter(emoji for emoji, _ in on)
                assert set(message.get("reacted", ())) == {e for e, by in on if by == user}

    async with lives.life() as engine:
        room = await group(engine, *users)
        sent = await say(engine, room, "ann", *"1234")
        for n in range(200):
            user, id, emoji = dice.choice(users), dice.choice(sent).id, dice.choice(EMOJI)
            on = dice.random() < 0.6
            await react(engine, user, room, id, emoji, on)
            (there.add if on else there.discard)((id, emoji, user))
            if n % 40 == 0:
                await check(engine)
        await check(engine)
    lives.restart()
    async with lives.life() as engine:
        await check(engine)


async def test_what_is_on_its_way_to_the_store_is_not_changed_by_what_comes_next():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await say(engine, room, "ann", "hi")
        store.hold()
        for user in ("ann", "bob"):
            Device(engine, user).submit(
                "reaction.set", {"message_id": sent.id, "emoji": "👍"}, c=room
            )
            await settled()
        store.release(1)
        (stored,) = (await store.conversations.messages(room, [sent.id])).messages
        assert stored.reactions == {"👍": ["ann"]}
        store.release()
        (stored,) = (await store.conversations.messages(room, [sent.id])).messages
        assert stored.reactions == {"👍": ["ann", "bob"]}


async def test_reactions_leave_unread_counts_and_the_inbox_alone():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        (sent,) = await say(engine, room, "ann", "hi")
        await react(engine, "bob", room, sent.id)
        (row,) = (await engine.as_user("bob").inbox())["conversations"]
        assert (row["unread"], row["last"]["id"]) == (1, sent.id)
