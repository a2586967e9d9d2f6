"""What somebody who does not belong to a conversation gets of it: nothing. By every command there
is, be they a stranger, or a member until a while ago (CONV-18, HIST-11, ERR-04)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.protocol.features import COMMANDS
from palaver.tests.support.engines import NOWHERE, settled
from palaver.tests.support.machine import START
from palaver.tests.support.plans import PLANS, POLICY

SECRET = "secret"
"""Said in the conversation while zoe is outside."""


@dataclass(frozen=True)
class Way:
    """How zoe comes to be outside, and what she is told from then on. `goes` is None if she was
    never inside."""

    goes: Callable[[Engine, str], Awaitable[object]] | None
    code: str = "PERMISSION_DENIED"


WAYS = {
    "stranger": Way(None),
    "left": Way(lambda engine, room: engine.as_user("zoe").leave(room)),
    "removed": Way(lambda engine, room: engine.as_host().remove_member(room, "zoe")),
}

Steps = list[tuple[str, dict[str, Any]]]
INSIDE: Steps = [
    ("conversation.subscribe", {}),
    ("conversation.subscribe", {"thread": "THEIRS"}),
    ("conversation.list", {"c": None}),
    ("message.star", {"message_id": "OWN"}),
    ("message.star", {"message_id": "THEIRS"}),
    ("preference.set", {"pinned": True}),
    ("draft.save", {"text": "not finished"}),
    ("message.schedule", {"id": "s", "send_at": START + 50_000, "message": {"text": "too late"}}),
    ("typing.start", {}),
]
"""What zoe does as a member: all that could still have an effect later."""
MEANWHILE: Steps = [
    ("conversation.subscribe", {}),
    ("message.send", {"text": f"{SECRET} @zoe", "reply_to": "OWN"}),
    ("message.send", {"text": SECRET, "thread": "THEIRS"}),
    ("message.send", {"text": SECRET, "expires_in": 5}),
    ("message.edit", {"message_id": "THEIRS", "text": SECRET}),
    ("reaction.set", {"message_id": "OWN", "emoji": "👍"}),
    ("message.pin", {"message_id": "OWN"}),
    ("message.delete", {"message_id": "OWN"}),
    ("conversation.rename", {"title": SECRET}),
    ("conversation.change_settings", {"description": SECRET}),
    ("member.set_role", {"user": "dan", "role": "admin"}),
    ("typing.start", {}),
    ("message.read", {}),
]
"""What bob does when she is outside."""
BESIDES: dict[str, list[dict[str, Any]]] = {
    "message.forward": [{"c": "ELSEWHERE", "message_id": "ELSE", "to": "HERE"}],
    "message.search": [
        {"c": None, "query": SECRET},
        {"c": None, "query": SECRET, "conversation": "HERE"},
        {"c": None, "query": "here"},
    ],
}
"""What is to be tried of it by outsiders alone."""

ACROSS: Steps = [
    ("conversation.list", {}),
    ("sync.changes", {"cursor": "0", "n": 99}),
    ("message.search", {"query": "here"}),
    ("star.list", {}),
    ("presence.list", {}),
]
"""What she may ask of all her conversations at once."""


class World:
    """HERE is a group of bob and dan, at which zoe looks from outside, with two devices; ELSEWHERE
    is a conversation of her own."""

    def __init__(self, engine: Engine, way: Way) -> None:
        self.engine = engine
        self.way = way
        self.phone, self.laptop = Device(engine, "zoe"), Device(engine, "zoe")
        self.bob = Device(engine, "bob")
        self.names: dict[str, str] = {}
        self.left_at = 0

    async def begin(self) -> None:
        """What was before, up to her going."""
        zoe, bob = self.engine.as_user("zoe"), self.engine.as_user("bob")
        other = await zoe.send_to("eve", "elsewhere")
        was_in = self.way.goes is not None
        room = await bob.create_group("Room", ["dan", "zoe"] if was_in else ["dan"])
        own = await (zoe if was_in else bob).send(room, "here, by zoe")
        theirs = await bob.send(room, "here, by bob @zoe")
        self.names = {"HERE": room, "OWN": own.id, "THEIRS": theirs.id}
        self.names |= {"ELSEWHERE": other.conversation, "ELSE": other.id}
        if self.way.goes is not None:
            for kind, plan in INSIDE:
                assert "ok" in await self.ask(self.phone, kind, plan), kind
            await trio.sleep(1)
            await self.way.goes(self.engine, room)
        self.left_at = (await bob.conversation(room))["seq"]
        await trio.sleep(1)

    async def go_on(self) -> None:
        """What becomes of it without her: nothing that she is told, but that what she has scheduled
        there will not be sent."""
        self.phone.items.clear()
        self.laptop.items.clear()
        for kind, plan in MEANWHILE:
            answer = await self.ask(self.bob, kind, plan)
            assert "ok" in answer, (kind, answer)
            if kind == "message.send":
                self.names.setdefault("LATE", answer["ok"]["id"])
        self.names["LAST"] = self.names["LATE"]
        await self.engine.post(self.names["HERE"], SECRET)
        Device(self.engine, "dan").leave()
        await trio.sleep(100)
        assert self.phone.items == self.laptop.items
        assert {item["t"] for item in self.phone.items} <= {"schedule.failed"}
        self.phone.items.clear()
        self.laptop.items.clear()

    async def ask(self, device: Device, kind: str, plan: dict[str, Any]) -> dict[str, Any]:
        payload = {key: self.names.get(str(value), value) for key, value in plan.items()}
        kind, c = payload.pop("do", kind), payload.pop("c", self.names["HERE"])
        if kind != "ack":
            return await device.ask(kind, payload, c=c)
        device.submit(kind, c=c, seq=3, id="ack")
        await settled()
        return device.reply("ack")

    async def try_all(self, kind: str) -> None:
        """She does what she can: it is refused, changes nothing, and tells her nothing."""
        room = self.names["HERE"]
        before = await self.inside()
        for plan in PLANS[kind] + BESIDES.get(kind, []):
            answer = await self.ask(self.phone, kind, plan)
            if "c" not in plan or "HERE" in plan.values():
                assert answer.get("error") == self.refusal(answer), (kind, answer)
        await trio.sleep(30)
        assert await self.inside() == before
        items = self.phone.items + self.laptop.items
        assert SECRET not in str(items)
        assert self.names["LATE"] not in str(items)
        assert all(item.get("seq", 0) <= self.left_at for item in items if item.get("c") == room)
        self.phone.items.clear()
        self.laptop.items.clear()

    def refusal(self, answer: dict[str, Any]) -> dict[str, Any] | None:
        if answer.get("ok", {}).get("reason") == "not_member":  # as one has been told already
            assert answer["ok"]["seq"] == self.left_at
            return None
        return Rejected(self.way.code).payload()

    async def inside(self) -> list[Any]:
        """All that the conversation is, and what its members have been told of it."""
        room = self.names["HERE"]
        bob = self.engine.as_user("bob")
        told = [item for item in self.bob.items if item.get("c") == room and item["t"] != "reply"]
        return [await bob.conversation(room), await bob.history(room), told]


@asynccontextmanager
async def world(way: Way, **options: Any) -> AsyncIterator[World]:
    async with memory_engine(policy=POLICY | {"threads": True}, **options) as engine:
        found = World(engine, way)
        await found.begin()
        yield found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", sorted(COMMANDS))
async def test_CONV_18_HIST_11_who_is_outside_can_do_and_hears_nothing(kind: str, way: str):
    async with world(WAYS[way]) as here:
        await here.go_on()
        await here.try_all(kind)
        here.bob.leave()
        await trio.sleep(1000)  # put away, and opened again
        await here.try_all(kind)


def speaks(plan: dict[str, Any]) -> bool:
    return not {"OWN", "THEIRS", "LATE"}.isdisjoint(map(str, plan.values()))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", sorted(kind for kind in PLANS if any(map(speaks, PLANS[kind]))))
async def test_ERR_04_a_message_from_outside_is_as_one_that_there_is_not(kind: str, way: str):
    """In a conversation of one's own, where it might be named."""
    async with world(WAYS[way]) as here:
        await here.go_on()
        for plan in filter(speaks, PLANS[kind]):
            there = {**plan, "c": here.names["ELSEWHERE"]}
            answer = await here.ask(here.phone, kind, there)
            named = {id: here.names[id] for id in ("OWN", "THEIRS", "LATE")}
            here.names |= dict.fromkeys(named, NOWHERE)
            unknown = await here.ask(here.phone, kind, there)
            here.names |= named
            for id in named.values():
                answer = json.loads(json.dumps(answer).replace(id, NOWHERE))
            assert answer["error"] == unknown["error"], plan


@pytest.mark.parametrize("way", ["left", "removed"])
async def test_HIST_11_outside_begins_when_one_is_told_and_not_when_it_is_stored(way: str):
    store, goes = MemoryStore(), WAYS[way].goes
    assert goes is not None

    async def is_told(engine: Engine, room: str) -> None:
        store.hold()
        nursery.start_soon(goes, engine, room)

    async with trio.open_nursery() as nursery, world(Way(is_told), store=store) as here:
        here.bob.submit("message.edit", {"message_id": here.names["THEIRS"], "text": SECRET})
        for kind, plan in ACROSS:
            answer = await here.ask(here.phone, kind, {**plan, "c": None})
            assert "ok" in answer
            assert here.names["HERE"] not in str(answer), kind
        store.release()
