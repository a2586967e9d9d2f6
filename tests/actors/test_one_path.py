"""GRP-17, CONV-01: what is said goes the same way in every kind of conversation.

The tests below know nothing of kinds; each of them runs in all.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.ids import HOST
from palaver.protocol.state import Kind
from palaver.tests.support.engines import refused, settled

pytestmark = pytest.mark.parametrize("kind", ["direct", "group", "thread", "external_group"])


@dataclass
class Room:
    """A conversation of ann and bob, both of whom are looking at it, and nothing in it yet."""

    id: str
    engine: Engine
    ann: Device
    bob: Device

    async def ok(self, device: Device, kind: str, **payload: Any) -> dict[str, Any]:
        reply = await device.ask(kind, payload, c=self.id)
        assert "ok" in reply, reply
        result: dict[str, Any] = reply["ok"]
        return result

    async def no(self, device: Device, kind: str, **payload: Any) -> str:
        return str((await device.ask(kind, payload, c=self.id))["error"]["code"])


@asynccontextmanager
async def room(kind: Kind) -> AsyncGenerator[Room]:
    async with memory_engine(
        policy={"kinds": ["direct", "group", "thread"]}, actors={"ring": 4}
    ) as engine:
        creator, members = ("ann", ["bob"])
        if kind == "external_group":
            creator, members = HOST, ["ann", "bob"]
        created = await engine.as_user(creator).do(CreateConversation(kind=kind, members=members))
        here = Room(created["c"], engine, Device(engine, "ann"), Device(engine, "bob"))
        for device in (here.ann, here.bob):
            await here.ok(device, "conversation.subscribe")
            device.items.clear()
        assert (await engine.as_user("bob").conversation(here.id))["kind"] == kind
        yield here


async def test_GRP_17_sending_and_replying(kind: Kind):
    async with room(kind) as here:
        first = await here.ok(here.ann, "message.send", text="hello", client_id="1")
        assert await here.ok(here.ann, "message.send", text="hello", client_id="1") == first
        await here.ok(here.bob, "message.send", text="hi", reply_to=first["id"])
        for device in (here.ann, here.bob):
            hello, hi = (item["d"] for item in device.of_kind("message.sent"))
            assert (hello["text"], hello["by"], hello["number"]) == ("hello", "ann", 1)
            assert (hi["text"], hi["preview"]) == ("hi", {"by": "ann", "text": "hello"})
        assert await here.no(here.ann, "message.send", text="x" * 4001) == "MESSAGE_TOO_LONG"


async def test_GRP_17_editing_and_deleting(kind: Kind):
    async with room(kind) as here:
        id = (await here.ok(here.ann, "message.send", text="hello"))["id"]
        await here.ok(here.ann, "message.edit", message_id=id, text="Hello!")
        assert await here.no(here.bob, "message.edit", message_id=id, text="x") == (
            "PERMISSION_DENIED"
        )
        assert await here.no(here.bob, "message.delete", message_id=id) == "PERMISSION_DENIED"
        await here.ok(here.ann, "message.delete", message_id=id)
        assert await here.no(here.ann, "message.edit", message_id=id, text="x") == (
            "MESSAGE_NOT_FOUND"
        )
        assert [item["t"] for item in here.bob.events()] == [
            "message.sent",
            "message.edited",
            "message.deleted",
        ]
        (message,) = (await here.ok(here.bob, "message.history"))["messages"]
        assert message["redacted"]


async def test_GRP_17_reading_and_typing(kind: Kind):
    async with room(kind) as here:
        await here.ok(here.ann, "message.send", text="hello")
        assert (await here.ok(here.bob, "conversation.get"))["unread"] == 1
        await here.ok(here.bob, "typing.start")
        await here.ok(here.bob, "typing.stop")
        assert (await here.ok(here.bob, "message.read"))["unread"] == 0
        await settled()
        signals = here.ann.of_kind("typing.started", "typing.stopped", "message.read")
        assert [(item["t"], item["d"]["by"]) for item in signals] == [
            ("typing.started", "bob"),
            ("typing.stopped", "bob"),
            ("message.read", "bob"),
        ]
        assert here.bob.of_kind("typing.started", "typing.stopped") == []
        assert len(here.bob.of_kind("message.read")) == 1, "also for their other devices"


async def test_GRP_17_history_and_resume(kind: Kind):
    async with room(kind) as here:
        for number in range(10):
            await here.ok(here.ann, "message.send", text=f"{number}")
        page = await here.ok(here.bob, "message.history", limit=4, before=8)
        assert [message["text"] for message in page["messages"]] == ["2", "3", "4", "5"]
        again = Device(here.engine, "bob")
        reply = await again.ask("conversation.resume", {"epoch": 1, "seq": 3}, c=here.id)
        assert reply["ok"]["recovered"]
        assert again.texts() == [f"{number}" for number in range(2, 10)]
        assert again.events() == here.bob.events()[2:]


async def test_GRP_17_CONV_18_nobody_else(kind: Kind):
    async with room(kind) as here:
        await here.ok(here.ann, "message.send", text="hello")
        eve = Device(here.engine, "eve")
        for command in ("conversation.get", "message.history", "conversation.subscribe"):
            assert await here.no(eve, command) == "PERMISSION_DENIED"
        assert (await refused(here.engine.as_user("eve").send(here.id, "x"))).code == (
            "PERMISSION_DENIED"
        )
        assert eve.events() == []
