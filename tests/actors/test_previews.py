"""A reply shows nothing of the message that it answers to those who may not see that message,
whichever way it comes to them."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.engine.testing import Device, memory_engine
from palaver.tests.support.engines import group

THERE = {"by": "ann", "text": "secret"}
GONE = {"unavailable": True}

pytestmark = pytest.mark.parametrize("ring", [1, 256])


async def ok(device: Device, kind: str, c: str, **payload: Any) -> dict[str, Any]:
    reply = await device.ask(kind, payload, c=c)
    assert "ok" in reply, reply
    answer: dict[str, Any] = reply["ok"]
    return answer


async def say(device: Device, c: str, text: str, **more: Any) -> str:
    return str((await ok(device, "message.send", c, text=text, **more))["id"])


# Why cid may not see what ann has said.


async def came_later(ann: Device, cid: Device, room: str) -> str:
    secret = await say(ann, room, "secret")
    await ok(ann, "member.add", room, users=["cid"])
    return secret


async def was_away(ann: Device, cid: Device, room: str) -> str:
    await ok(ann, "member.add", room, users=["cid"])
    await ok(cid, "conversation.leave", room)
    return await came_later(ann, cid, room)


async def hid_it(ann: Device, cid: Device, room: str) -> str:
    await ok(ann, "member.add", room, users=["cid"])
    secret = await say(ann, room, "secret")
    await ok(cid, "message.hide", room, message_id=secret)
    return secret


async def put_all_away(ann: Device, cid: Device, room: str) -> str:
    await ok(ann, "member.add", room, users=["cid"])
    secret = await say(ann, room, "secret")
    await ok(cid, "conversation.hide", room)
    return secret


REASONS = [came_later, was_away, hid_it, put_all_away]

# How a reply is seen: pushed before the answer to a query, or in it.

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "live": ("conversation.get", {}),
    "resume": ("conversation.resume", {"epoch": 1, "seq": 1}),
    "history": ("message.history", {}),
    "page": ("message.history", {"page": 1}),
    "around": ("message.history", {"around": "reply"}),
    "thread": ("thread.list", {"message_id": "root"}),
    "pins": ("pin.list", {}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reason", REASONS)
async def test_HIST_11_MSG_09_CONV_13_MSG_13_no_preview_of_what_one_may_not_see(
    reason: Any, way: str, ring: int
):
    async with memory_engine(policy={"threads": True}, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob, cid = (Device(engine, user) for user in ("ann", "bob", "cid"))
        secret = await reason(ann, cid, room)
        ids = {"root": await say(ann, room, "root")}
        ids["reply"] = await say(ann, room, "reply", reply_to=secret, thread=ids["root"])
        await ok(ann, "message.pin", room, message_id=ids["reply"])

        async def look(device: Device) -> dict[str, Any]:
            """The reply, as it comes to `device`."""
            if way != "live":
                device = Device(engine, device.user)
            kind, query = WAYS[way]
            query = {name: ids.get(value, value) for name, value in query.items()}
            found = (await ok(device, kind, room, **query)).get("messages", [])
            found += [item["d"] for item in device.of_kind("message.sent")]
            (reply,) = [message for message in found if message["id"] == ids["reply"]]
            assert reply["reply_to"]["id"] == secret
            return dict(reply)

        seen = await look(cid)
        assert seen["preview"] == GONE
        assert (await look(bob))["preview"] == (await look(ann))["preview"] == THERE
        await ok(ann, "message.delete", room, message_id=secret)
        if way != "live":
            assert await look(bob) == seen, "as when it is deleted"


@pytest.mark.parametrize("reason", REASONS)
async def test_HIST_11_MSG_09_CONV_13_nor_is_it_shown_anywhere_else(reason: Any, ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann, cid = Device(engine, "ann"), Device(engine, "cid")
        secret = await reason(ann, cid, room)
        reply = await say(ann, room, "reply", reply_to=secret)
        await ok(cid, "message.star", room, message_id=reply)
        copy = await ok(cid, "message.forward", room, message_id=reply, to=room)
        cid = Device(engine, "cid")
        for kind, payload in {
            "star.list": {},
            "message.search": {"query": "reply"},
            "conversation.list": {},
            "conversation.get": {},
            "message.readers": {"message_id": reply},
        }.items():
            await ok(cid, kind, room, **payload)
        await ok(cid, "message.delete", room, message_id=copy["id"])
        assert "reply" in repr(cid.items)
        assert "secret" not in repr(cid.items)


async def test_MSG_09_CONV_13_what_becomes_of_it_is_told_to_the_others(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann, bob, cid = (Device(engine, user) for user in ("ann", "bob", "cid"))
        one, two, three = [await say(ann, room, text) for text in ("one", "two", "three")]
        await ok(bob, "message.hide", room, message_id=two)
        await ok(cid, "conversation.hide", room)
        for device in (ann, bob, cid):
            device.items.clear()
        for message in (one, two, three):
            await ok(ann, "message.edit", room, message_id=message, text="edited")
        edited, skipped = "message.edited", "skipped"
        assert [item["t"] for item in ann.events()] == [edited, edited, edited]
        assert [item["t"] for item in bob.events()] == [edited, skipped, edited]
        assert [item["t"] for item in cid.events()] == [skipped, skipped, skipped]
        assert [item["seq"] for item in cid.events()] == [5, 6, 7]
