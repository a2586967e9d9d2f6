"""What one device can count on, whatever it is connected by."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine.testing import Device, memory_engine
from palaver.protocol.errors import ERRORS
from palaver.protocol.features import COMMANDS
from palaver.tests.support.engines import NOWHERE, group, say

MISSING: list[tuple[str, dict[str, Any]]] = [
    ("message.send", {"text": "hi", "reply_to": NOWHERE}),
    ("message.edit", {"message_id": NOWHERE, "text": "hi"}),
    ("message.delete", {"message_id": NOWHERE}),
    ("message.pin", {"message_id": NOWHERE}),
    ("message.history", {"around": NOWHERE}),
]


async def test_CONN_01_one_device_gets_what_happens_in_all_of_its_conversations():
    async with memory_engine() as engine:
        rooms = [await group(engine, "ann", "bob") for _ in range(3)]
        elsewhere = await group(engine, "ann", "cid")
        bob = Device(engine, "bob")
        for room in [*rooms, elsewhere]:
            await say(engine, room, "ann", f"in {room}")
        assert bob.texts() == [f"in {room}" for room in rooms]


async def test_CONV_04_CONV_08_everybody_is_told_of_a_new_group_and_can_read_what_it_is():
    async with memory_engine() as engine:
        users = [f"user {n}" for n in range(5)]
        devices = [Device(engine, user) for user in users]
        room = await engine.as_user("user 0").create_group("Trip", users[1:])
        for device in devices:
            (created,) = device.of_kind("conversation.created")
            assert (created["c"], created["seq"], created["d"]["title"]) == (room, 1, "Trip")
            state = (await device.ask("conversation.get", c=room))["ok"]
            assert (state["title"], state["seq"]) == ("Trip", 1)
            assert {user: member["role"] for user, member in state["members"].items()} == {
                user: "admin" if user == "user 0" else "member" for user in users
            }


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_SEND_24_nothing_on_the_way_waits_for_a_clock(durability: str):
    """Time stands still here unless everybody waits for it: none passes until a message is there.
    What the way costs is measured, not tested."""
    async with memory_engine(policy={"durability": durability}) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        before = trio.current_time()
        for n in range(100):
            await say(engine, room, "ann", f"{n}")
        assert bob.texts() == [f"{n}" for n in range(100)]
        assert trio.current_time() == before


async def test_CONV_16_a_device_that_was_shown_a_count_is_told_when_that_is_over():
    """Also if it is over before the others were told that it was ever different."""
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        one, other = Device(engine, "bob"), Device(engine, "bob")
        await one.ask("conversation.list")
        await say(engine, room, "ann", "hi")
        (row,) = (await other.ask("conversation.list"))["ok"]["conversations"]
        assert row["unread"] == 1
        await one.ask("message.read", c=room)
        await trio.sleep(1)
        (told,) = other.of_kind("unread.changed")
        assert told["d"] == {"total": 0, "conversations": {room: 0}}


@pytest.mark.parametrize(("kind", "payload"), MISSING)
async def test_SEND_21_what_is_missing_is_not_found(kind: str, payload: dict[str, Any]):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        error = (await ann.ask(kind, payload, c=room))["error"]
        assert (error["code"], ERRORS[error["code"]].http) == ("MESSAGE_NOT_FOUND", 404)


@pytest.mark.parametrize("kind", COMMANDS)
async def test_WS_07_every_command_can_be_given_by_a_device(kind: str):
    """With an empty payload some are carried out and most are not valid; all are known."""
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        reply = await Device(engine, "ann").ask(kind, {}, c=room)
        assert reply.get("error", {}).get("code") != "UNSUPPORTED_COMMAND"
