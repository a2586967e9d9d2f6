from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from palaver.actors.environment import Environment
from palaver.actors.fanout import FanOut
from palaver.actors.hub import Hub
from palaver.actors.outbox import Parcel, Push
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.disconnects import Disconnect
from palaver.protocol.events import Event
from palaver.protocol.features.conversation import ConversationCreated
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.features.reactions import SetReaction
from palaver.protocol.machine import apply
from palaver.protocol.state import ConversationState
from palaver.tests.support.engines import group, say, seqs, settled

ROOM = "c0000000-0000-5000-8000-000000000000"


class Box:
    """An outbox that keeps its parcels apart."""

    role = session = None

    def __init__(self, user: str) -> None:
        self.user = user
        self.limited = False
        self.counted = False
        self.subscriptions: set[str] = set()
        self.parcels: list[Parcel] = []

    def offer(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None: ...

    def close(self, disconnect: Disconnect) -> None: ...

    def items(self) -> list[list[tuple[str, int]]]:
        return [[(push.item["t"], push.item["seq"]) for push in p.pushes] for p in self.parcels]


class Line:
    """A fan-out to one device each of some users, without an engine."""

    def __init__(self, *users: str) -> None:
        self.boxes = {user: Box(user) for user in users}
        hub = Hub()
        for user, box in self.boxes.items():
            hub.sessions[user] = _Session(box)  # type: ignore[assignment]
        self.state = ConversationState(ROOM)
        self.fanout = FanOut(ROOM, hub, lambda: 0)
        roles = dict.fromkeys(users, "member")
        created = ConversationCreated(
            kind="group",
            profile="default",
            roles=roles,  # type: ignore[arg-type]
        )
        apply(self.state, Event(ROOM, 1, "1", created, users[0], 0))
        self.fanout.reset(self.state)

    def send(self, text: str, audience: tuple[str, ...] | None = None) -> None:
        seq = self.state.seq + 1
        event = Event(ROOM, seq, f"{seq}", MessageSent(text=text), "ann", 0, number=seq - 1)
        event = replace(event, audience=audience)
        apply(self.state, event)
        self.fanout.event(Push(event.item(), event))


class _Session:
    counting = False

    def __init__(self, box: Box) -> None:
        self.outboxes = [box]
        self.listeners: list[Box] = []


def test_one_parcel_holds_all_that_one_wake_up_produced():
    line = Line("ann", "bob")
    for n in range(5):
        line.send(f"{n}")
    line.fanout.flush()
    for box in line.boxes.values():
        assert [len(parcel.pushes) for parcel in box.parcels] == [5]
    assert line.boxes["ann"].parcels[0] is line.boxes["bob"].parcels[0], "encoded once for all"


def test_WS_10_whoever_is_outside_the_audience_gets_skipped():
    line = Line("ann", "bob", "cid", "dan")
    line.send("for all")
    line.send("for two", ("ann", "bob"))
    line.send("for one", ("ann",))
    line.fanout.flush()
    sent, skipped = "message.sent", "skipped"
    boxes = line.boxes
    assert boxes["ann"].items() == [[(sent, 2), (sent, 3), (sent, 4)]]
    assert boxes["bob"].items() == [[(sent, 2), (sent, 3), (skipped, 4)]]
    assert boxes["cid"].items() == [[(sent, 2), (skipped, 3), (skipped, 4)]]
    assert boxes["cid"].parcels[0] is boxes["dan"].parcels[0], "one parcel for each kind of reader"
    for push in boxes["cid"].parcels[0].pushes[1:]:
        assert push.item["d"] == {"from": push.item["seq"]}, "nothing of the content"


def test_a_tap_gets_everything():
    line = Line("ann", "bob")
    tap = Box("")
    line.fanout.taps[tap] = None
    line.send("for all")
    line.send("for one", ("ann",))
    line.fanout.flush()
    assert tap.items() == [[("message.sent", 2), ("message.sent", 3)]]


def test_a_parcel_is_encoded_once_per_kind_of_connection():
    class Upper:
        def __init__(self) -> None:
            self.framed = 0

        def frame(self, item: dict[str, Any]) -> bytes:
            self.framed += 1
            return f"{item['seq']};".encode()

    line = Line("ann", "bob")
    line.send("one")
    line.send("two")
    line.fanout.flush()
    (parcel,) = line.boxes["ann"].parcels
    wire, other = Upper(), Upper()
    assert parcel.encoded(wire) == parcel.encoded(wire) == b"2;3;"
    assert parcel.encoded(other) == b"2;3;"
    assert (wire.framed, other.framed) == (2, 2)
    # What is sent again later costs nothing more.
    assert parcel.pushes[0].encoded(wire) == b"2;"
    assert wire.framed == 2


def test_after_a_rebuild_who_is_no_member_subscribes_no_longer():
    line = Line("ann", "bob")
    bob, stranger = line.boxes["bob"], Box("stranger")
    for box in (bob, stranger):
        line.fanout.subscribers[box] = None
        box.subscriptions.add(ROOM)
    line.fanout.reset(line.state)
    assert list(line.fanout.subscribers) == [bob]
    assert stranger.subscriptions == set()


def test_the_environment_keeps_the_least_seq_that_diverged():
    env = Environment(store=None, nursery=None, clock=int, new_id=str)  # type: ignore[arg-type]
    env.diverge(ROOM, 7)
    env.diverge(ROOM, 5)
    env.diverge(ROOM, 9)
    assert env.diverged == {ROOM: 5}


# Two levels, in a running engine.


async def test_CONN_11_signals_are_for_those_who_look_and_events_for_everybody():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann, ann2, bob, bob2, cid = (
            Device(engine, user) for user in ("ann", "ann", "bob", "bob", "cid")
        )
        for device in (ann, ann2, bob):
            await device.ask("conversation.subscribe", c=room)
        await ann.ask("typing.start", c=room)
        (typing,) = bob.of_kind("typing.started")
        assert (typing["c"], typing["d"]) == (room, {"by": "ann"})
        assert not any(d.of_kind("typing.started") for d in (ann, ann2, bob2, cid))
        await say(engine, room, "ann", "hi")
        assert all(d.texts() == ["hi"] for d in (ann, ann2, bob, bob2, cid))
        await bob.ask("conversation.unsubscribe", c=room)
        await ann.ask("typing.start", c=room)
        await cid.ask("message.read", {}, c=room)
        await say(engine, room, "ann", "ho")
        assert len(bob.of_kind("typing.started")) == 1
        assert not bob.of_kind("message.read")
        assert bob.texts() == ["hi", "ho"]
        assert ann.of_kind("message.read"), "the others' receipts come to who looks"


async def test_CONN_11_who_is_no_member_may_not_look():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        eve, ann = Device(engine, "eve"), Device(engine, "ann")
        reply = await eve.ask("conversation.subscribe", c=room)
        assert reply["error"]["code"] == "PERMISSION_DENIED"
        await ann.ask("typing.start", c=room)
        assert len(eve.items) == 1


async def test_a_device_that_has_gone_looks_no_longer():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await bob.ask("conversation.subscribe", c=room)
        bob.leave()
        await ann.ask("typing.start", c=room)
        assert not bob.of_kind("typing.started")


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_GRP_07_HIST_11_WS_10_membership_that_changes_amid_a_batch(durability: str):
    """All of it in one wake-up: everybody sees exactly their own interval."""
    store = MemoryStore(durability="commit" if durability == "commit" else "write_behind")
    async with memory_engine(store=store, policy={"durability": durability}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob, cid = Device(engine, "ann"), Device(engine, "bob"), Device(engine, "cid")
        await cid.ask("conversation.subscribe", c=room)
        cid.items.clear()
        store.hold()
        script: list[tuple[str, dict[str, Any]]] = [
            ("message.send", {"text": "2"}),
            ("member.add", {"users": ["cid"]}),  # 3
            ("message.send", {"text": "4"}),
            ("member.remove", {"user": "bob"}),  # 5
            ("message.send", {"text": "6"}),
            ("member.remove", {"user": "cid"}),  # 7
            ("message.send", {"text": "8"}),
            ("member.add", {"users": ["bob", "cid"]}),  # 9
            ("member.remove", {"user": "cid"}),  # 10
            ("message.send", {"text": "11"}),
        ]
        for kind, payload in script:
            ann.submit(kind, payload, c=room)
        await settled()
        store.release()
        await settled()
        assert seqs(ann, room) == list(range(2, 12))
        assert seqs(bob, room) == [2, 3, 4, 5, 9, 10, 11]
        assert seqs(cid, room) == [3, 4, 5, 6, 7, 9, 10]
        # The same, caught up from the beginning.
        bob.items.clear()
        await bob.ask("conversation.resume", {"epoch": 1, "seq": 0}, c=room)
        kinds = [(item["t"], item["d"].get("from"), item["seq"]) for item in bob.events(room)]
        assert ("skipped", 6, 8) in kinds
        assert [m["text"] for m in await engine.as_user("bob").history(room)] == ["2", "4", "11"]


async def test_head_goes_to_all_devices_of_members_only():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, eve = Device(engine, "ann"), Device(engine, "eve")
        await engine.as_user("ann").remove_member(room, "bob")
        bob = Device(engine, "bob")
        for device in (ann, bob, eve):
            device.items.clear()
        store.refuse(lambda write: True)
        await ann.ask("conversation.rename", {"title": "No"}, c=room)
        await settled()
        assert ann.items[-1]["t"] == "conversation.head"
        assert bob.items == eve.items == []


@pytest.mark.parametrize("durability", ["write_behind", "commit"])
@pytest.mark.parametrize("ring", [1, 100])
async def test_HIST_11_what_becomes_of_a_message_is_told_to_those_who_may_see_it(
    ring: int, durability: str
):
    async with memory_engine(policy={"durability": durability}, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob, cid = (engine.as_user(name) for name in ("ann", "bob", "cid"))
        edited, deleted = await say(engine, room, "ann", "early", "secret")
        await ann.add_members(room, ["cid"])
        devices = [Device(engine, "bob"), Device(engine, "cid")]
        (late,) = await say(engine, room, "ann", "late")
        position = late.seq
        await ann.edit(room, edited.id, "another secret")
        await ann.pin(room, edited.id)
        await bob.do(SetReaction(message_id=deleted.id, emoji="👍"), room)
        await ann.delete(room, deleted.id)
        await ann.edit(room, late.id, "later")
        await ann.pin(room, late.id)
        told = ["message.edited", "message.pinned"]
        told = [*told, "reaction.changed", "message.deleted", *told]
        for device, kinds in zip(devices, [told, ["skipped"] * 4 + told[:2]], strict=True):
            after = [item for item in device.events(room) if item["seq"] > position]
            assert [item["t"] for item in after] == kinds
            assert [item["seq"] for item in after] == list(range(position + 1, position + 7))
        assert "secret" not in repr(devices[1].items)

        resumed = Device(engine, "cid")
        await resumed.ask("conversation.resume", {"epoch": 1, "seq": position}, c=room)
        assert [item["t"] for item in resumed.events(room)] == ["skipped", *told[:2]]
        assert "secret" not in repr(resumed.items)
        assert (await cid.conversation(room))["pins"] == {late.id: late.seq}
        assert (await bob.conversation(room))["pins"].keys() == {edited.id, late.id}


async def test_HIST_11_who_comes_back_is_told_of_what_they_saw_before():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        (first,) = await say(engine, room, "ann", "first")
        await ann.remove_member(room, "bob")
        (between,) = await say(engine, room, "ann", "between")
        await ann.add_members(room, ["bob"])
        bob = Device(engine, "bob")
        await ann.edit(room, between.id, "BETWEEN")
        await ann.edit(room, first.id, "FIRST")
        assert [item["t"] for item in bob.events(room)] == ["skipped", "message.edited"]
        assert bob.of_kind("message.edited")[0]["d"]["text"] == "FIRST"
