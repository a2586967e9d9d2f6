"""What somebody who is kept out sees of it: nothing. Of every command there is (REQ-09, ERR-04)."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.actors.relations import Follows
from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.blocks import BlockUser, RestrictUser
from palaver.protocol.features.marks import Acknowledge, ReadMessages
from palaver.protocol.features.requests import DeclineRequest
from palaver.protocol.features.typing import StartTyping
from palaver.tests.support.engines import settled
from palaver.tests.support.machine import START

POLICY = {
    "blocks": "silent",
    "message_requests": True,
    "message_types": ["text", "poll"],
    "expose_edit_history": True,
    "mentions_in_text": True,
    "max_forwards": 2,
    "delete_recovery_days": 30,
    "templates": {"hello": "hello {name}"},
}
SCHEDULED = {"id": "k", "send_at": START + 15_000, "message": {"text": "later"}}

# What ann does, in the direct conversation unless it says otherwise. OWN and THEIRS stand for a
# message of hers and of bob's, from before; LATE for one that she has sent since, LAST for what
# she has just sent. `do` is another command, which shows what became of the first.
PLANS: dict[str, list[dict[str, Any]]] = {
    "ack": [{}],
    "attachment.list": [{"message_id": "THEIRS"}, {"message_id": "LATE"}],
    "block.list": [{"c": None}],
    "conversation.change_settings": [{"description": "x"}],
    "conversation.create": [{"c": None, "kind": "direct", "members": ["bob"]}],
    "conversation.get": [{}],
    "conversation.hide": [{}],
    "conversation.leave": [{}],
    "conversation.list": [{"c": None}, {"c": None, "filter": "unread"}],
    "conversation.lock": [{}],
    "conversation.rename": [{"title": "x"}],
    "conversation.resume": [{"epoch": 1, "seq": 0}],
    "conversation.subscribe": [{}],
    "conversation.unlock": [{}],
    "conversation.unsubscribe": [{}],
    "draft.save": [{"text": "x"}],
    "media.list": [{}],
    "member.add": [{"users": ["cid"]}],
    "member.list": [{}],
    "member.remove": [{"user": "bob"}],
    "member.set_role": [{"user": "bob", "role": "admin"}],
    "message.delete": [{"message_id": "OWN"}, {"message_id": "THEIRS"}, {"message_id": "LATE"}],
    "message.edit": [
        {"message_id": "OWN", "text": "once @bob"},
        {"message_id": "OWN", "text": "twice", "version": 2},
        {"message_id": "LATE", "text": "again"},
        {"do": "message.send", "text": "as I said", "reply_to": "OWN"},
        {"do": "message.forward", "message_id": "OWN", "to": "HERE"},
    ],
    "message.forward": [
        {"message_id": "THEIRS", "to": "HERE"},
        {"message_id": "LATE", "to": "HERE"},
    ],
    "message.hide": [{"message_id": "THEIRS"}, {"message_id": "LATE"}],
    "message.history": [{}, {"page": 1}, {"around": "LATE"}],
    "message.pin": [{"message_id": "OWN"}, {"message_id": "LATE"}],
    "message.read": [{}, {"seq": 2}],
    "message.readers": [{"message_id": "OWN"}, {"message_id": "LATE"}],
    "message.restore": [
        {"do": "message.edit", "message_id": "OWN", "text": "once @bob"},
        {"do": "message.delete", "message_id": "OWN"},
        {"message_id": "OWN"},
        {"do": "message.edit", "message_id": "OWN", "text": "twice"},
        {"do": "message.delete", "message_id": "LATE"},
        {"message_id": "LATE"},
        {"message_id": "THEIRS"},
    ],
    "message.schedule": [SCHEDULED, SCHEDULED | {"message": {"text": ""}}],
    "message.search": [{"c": None, "query": "hello"}],
    "message.send": [
        {"text": "hello @bob", "mentions": ["bob"]},
        {"text": "you there?", "reply_to": "THEIRS"},
        {"c": None, "to": "bob", "text": "by name"},
        {"text": "the same", "client_id": "1"},
        {"text": "the same", "client_id": "1", "attempt": 2},
        {"text": ""},
    ],
    "message.star": [{"message_id": "THEIRS"}, {"message_id": "LATE"}],
    "message.unpin": [{"message_id": "OWN"}],
    "message.unstar": [{"message_id": "THEIRS"}],
    "message.versions": [{"message_id": "OWN"}, {"message_id": "LATE"}],
    "pin.list": [{}],
    "poll.vote": [
        {"do": "message.send", "text": "?", "type": "poll", "metadata": {"options": ["a", "b"]}},
        {"message_id": "LAST", "option": 0},
        {"message_id": "LAST", "option": 1},
        {"message_id": "THEIRS", "option": 0},
    ],
    "preference.set": [{"pinned": True}],
    "presence.get": [{"c": None, "conversation": "HERE"}],
    "presence.list": [{"c": None}],
    "reaction.set": [
        {"message_id": "THEIRS", "emoji": "👍"},
        {"message_id": "THEIRS", "emoji": "👍"},
        {"message_id": "THEIRS", "emoji": "👍", "on": False},
        {"message_id": "OWN", "emoji": "🔥"},
        {"message_id": "LATE", "emoji": "🔥"},
    ],
    "request.accept": [{}],
    "request.decline": [{}],
    "schedule.cancel": [SCHEDULED | {"do": "message.schedule"}, {"c": None, "id": "k"}],
    "schedule.list": [SCHEDULED | {"do": "message.schedule"}, {"c": None}],
    "settings.get": [{"c": None}],
    "settings.set": [{"c": None, "messages_from": "friends"}],
    "star.list": [{"c": None}],
    "sync.changes": [{"c": None}, {"c": None, "cursor": "0"}],
    "template.list": [{"c": None}],
    "template.send": [{"template": "hello", "variables": {"name": "bob"}}, {"template": "hello"}],
    "thread.list": [{"message_id": "OWN"}],
    "typing.start": [{}, {}],
    "typing.stop": [{}],
    "user.block": [{"c": None, "user": "bob"}],
    "user.get": [{"c": None, "users": ["bob"]}],
    "user.restrict": [{"c": None, "user": "bob"}],
    "user.search": [{"c": None, "text": "bob"}],
    "user.unblock": [{"c": None, "user": "bob"}],
}
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
    """All that her devices are given while she does `kind` and looks round; and bob's devices."""
    relations = Follows()
    asked = world not in ("idle", "blocked", "restricted")
    relations.set("ann", "bob", not asked or world.startswith("fan"))
    async with memory_engine(relations=relations, policy=POLICY | policy) as engine:
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
        await trio.sleep(1000)  # put away, and opened again
        for look, plan in LOOKS:
            await do(look, plan)
        for item in phone.items:  # a cursor counts what the whole database does
            item.get("ok", {}).pop("cursor", None)
        return [phone.items, laptop.items], bob


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
