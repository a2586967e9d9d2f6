"""What somebody who is kept out sees of it: nothing. Of every command there is (REQ-09, ERR-04)."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, Follows, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.blocks import BlockUser, RestrictUser
from palaver.protocol.features.marks import Acknowledge, ReadMessages
from palaver.protocol.features.requests import DeclineRequest
from palaver.protocol.features.typing import StartTyping
from palaver.tests.support.engines import settled
from palaver.tests.support.plans import PLANS, POLICY
from palaver.tests.support.stores import Watch

LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("conversation.get", {}),
    ("message.history", {}),
    ("conversation.resume", {"epoch": 1, "seq": 0}),
    ("conversation.list", {"c": None}),
    ("sync.changes", {"c": None, "cursor": "0"}),
    ("presence.get", {"c": None, "conversation": "HERE"}),
    ("presence.list", {"c": None}),
    ("member.list", {}),
]
"""By which she would find out afterwards."""


def test_every_command_is_thought_of():
    assert PLANS.keys() == COMMANDS.keys()


async def keep_out(engine: Engine, world: str, room: str) -> list[Device]:
    """Bob keeps ann out, and is as busy as can be; or he is idle. His devices."""
    bob, devices = engine.as_user("bob"), []
    if world == "blocked":
        await bob.do(BlockUser(user="ann"))
    elif world == "restricted":
        await bob.do(RestrictUser(user="ann"))
    elif world == "declined":
        await bob.do(DeclineRequest(), room)
    if world in ("blocked", "restricted"):
        devices = [Device(engine, "bob")]
        assert "ok" in await devices[0].ask("conversation.subscribe", c=room)
    if not world.endswith("idle"):
        for command in (ReadMessages(), ReadMessages(seq=2), StartTyping()):
            await bob.do(command, room)
        engine._dispatch.carry_out(bob._asker, Acknowledge(seq=2), None, room)
    await settled()
    return devices


async def lives_of_ann(kind: str, world: str, **policy: Any) -> tuple[list[Any], list[Device]]:
    """All that her devices are given while she does `kind` and looks round, and what was read for
    it, which takes time; and bob's devices."""
    relations = Follows()
    store = MemoryStore(durability=policy.get("durability", "write_behind"))
    watch = Watch(store)
    asked = world not in ("idle", "blocked", "restricted")
    relations.set("ann", "bob", not asked or world.startswith("fan"))
    async with memory_engine(store=store, relations=relations, policy=POLICY | policy) as engine:
        ann = engine.as_user("ann")
        if world in ("blocked first", "fan blocked first"):
            await engine.as_user("bob").do(BlockUser(user="ann"))
        elif world == "restricted first":
            await engine.as_user("bob").do(RestrictUser(user="ann"))
        own = await ann.send_to("bob", "hello")
        room = own.conversation
        theirs = own
        if not asked:  # otherwise he would have accepted
            theirs = await engine.as_user("bob").send(room, "hi")
            await ann.read(room)
        else:
            theirs = await ann.send(room, "hi")
        phone, laptop = Device(engine, "ann"), Device(engine, "ann")
        await phone.ask("conversation.subscribe", c=room)
        await phone.ask("conversation.list")
        bob = await keep_out(engine, world, room)
        names = {"OWN": own.id, "THEIRS": theirs.id, "HERE": room}
        watch.calls.clear()

        async def do(kind: str, plan: dict[str, Any]) -> None:
            payload = {key: names.get(str(value), value) for key, value in plan.items()}
            kind, c = payload.pop("do", kind), payload.pop("c", room)
            if kind == "ack":
                phone.submit(kind, c=c, seq=3)
            else:
                names["LAST"] = (await phone.ask(kind, payload, c=c)).get("ok", {}).get("id")
            await trio.sleep(1)

        await do("message.send", {"text": "hello again"})
        names["LATE"] = names["LAST"]
        for plan in PLANS[kind]:
            await do(kind, plan)
        await trio.sleep(20)  # what ends of itself has ended
        for look, plan in LOOKS:
            await do(look, plan)
        await do("message.read", {})
        read = +watch.calls
        await trio.sleep(1000)  # put away, and opened again
        for look, plan in LOOKS:
            await do(look, plan)
        for item in phone.items:  # a cursor counts what the whole database does
            item.get("ok", {}).pop("cursor", None)
        return [phone.items, laptop.items, read], bob


@pytest.mark.parametrize("kind", sorted(COMMANDS))
async def test_REQ_09_whatever_one_does_all_is_as_if_the_other_were_idle(kind: str):
    idle, _ = await lives_of_ann(kind, "idle")
    for world in ("blocked", "restricted"):
        seen, bobs = await lives_of_ann(kind, world)
        assert seen == idle, world
        # Nothing passes (REQ-08), but that what is deleted is gone, or there again.
        arrived = {item["t"] for device in bobs for item in device.items}
        told = {"presence.changed"} if world == "restricted" else set()
        assert arrived - told <= {"reply", "skipped", "message.deleted", "message.restored"}
        assert ("message.deleted" in arrived) is (kind in ("message.delete", "message.restore"))
        assert ("message.restored" in arrived) is (kind == "message.restore")


@pytest.mark.parametrize("kind", sorted(COMMANDS))
async def test_ERR_04_whoever_has_asked_cannot_tell_what_became_of_it(kind: str):
    pending, _ = await lives_of_ann(kind, "pending")
    for world in ("declined", "blocked first", "restricted first"):
        assert (await lives_of_ann(kind, world))[0] == pending, world
    fan, _ = await lives_of_ann(kind, "fan idle")
    assert (await lives_of_ann(kind, "fan blocked first"))[0] == fan


async def test_REQ_09_the_same_where_receipts_are_batched():
    batched = {"receipts_batch_s": 2, "receipts_batch_n": 10}
    for kind in ("message.read", "message.send", "ack"):
        idle, _ = await lives_of_ann(kind, "idle", **batched)
        for world in ("blocked", "restricted"):
            assert (await lives_of_ann(kind, world, **batched))[0] == idle


async def test_REQ_09_the_same_where_all_is_stored_before_it_is_told():
    for kind in ("message.send", "message.edit"):
        idle, _ = await lives_of_ann(kind, "idle", durability="commit")
        for world in ("blocked", "restricted"):
            assert (await lives_of_ann(kind, world, durability="commit"))[0] == idle
