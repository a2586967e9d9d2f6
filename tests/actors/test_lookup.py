"""What a command must know beyond the state; first of all whether it was carried out before."""

from __future__ import annotations

import pytest
import trio

from palaver.actors.effects import Effects
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import Lives, group, refused, say, settled
from palaver.tests.support.stores import Watch


async def log_of(store: MemoryStore, room: str, text: str) -> list[int]:
    """The seqs at which a message of this text stands."""
    events = (await store.conversations.events(room, 0, 10_000)).events
    return [event.seq for event in events if getattr(event.data, "text", None) == text]


# The same command again.


async def test_SEND_06_sent_three_times_there_is_one_message_and_one_answer():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        for n in range(1, 4):
            payload = {"text": "hi", "client_id": "1", "attempt": n}
            ann.submit("message.send", payload, c=room, id=n)
        await settled()
        assert ann.reply(1)["ok"] == ann.reply(2)["ok"] == ann.reply(3)["ok"]
        assert bob.texts() == ["hi"]
        assert await log_of(store, room, "hi") == [2]
        assert watch.calls["find"] == 0, "it is in memory"


async def test_SEND_06_repeated_while_the_first_is_under_way():
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        store.hold()
        payload = {"text": "hi", "client_id": "1"}
        ann.submit("message.send", payload, c=room, id=1)
        await settled()
        ann.submit("message.send", {**payload, "attempt": 2}, c=room, id=2)
        await settled()
        assert not ann.of_kind("reply"), "neither is stored yet"
        store.release()
        await settled()
        assert ann.reply(1)["ok"] == ann.reply(2)["ok"]


async def test_SEND_06_repeated_when_memory_has_forgotten():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        first = await ann.send(room, "hi", client_id="1")
        await say(engine, room, "bob", "and", "so", "on")
        assert await ann.send(room, "hi", client_id="1", attempt=2) == first
        assert watch.calls["find"] == 1
        assert bob.texts().count("hi") == 1, "nobody sees it again, even for a moment"
        assert (await ann.conversation(room))["seq"] == 5


@pytest.mark.parametrize("how", ["restart", "crash"])
@pytest.mark.parametrize("attempt", [1, 2])
async def test_SEND_06_repeated_in_another_life(attempt: int, how: str):
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        first = await engine.as_user("ann").send(room, "hi", client_id="1")
        if how == "crash":
            lives.crash()
    if how == "restart":
        lives.restart()
    async with lives.life() as engine:
        for _ in range(2):
            again = await engine.as_user("ann").send(room, "hi", client_id="1", attempt=attempt)
            assert again == first
        assert await log_of(lives.store, room, "hi") == [2]


async def test_client_ids_are_one_s_own():
    async with memory_engine() as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "bob")
        one = await engine.as_user("ann").send(room, "one", client_id="1")
        two = await engine.as_user("bob").send(room, "two", client_id="1")
        three = await engine.as_user("ann").send(other, "three", client_id="1")
        assert len({one.id, two.id, three.id}) == 3


async def test_every_durable_command_is_idempotent():
    lives = Lives()
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob", "cid")
        (sent,) = await say(engine, room, "ann", "hi")
        ann = Device(engine, "ann")
        commands: list[tuple[str, dict[str, object]]] = [
            ("message.edit", {"message_id": sent.id, "text": "ho"}),
            ("message.pin", {"message_id": sent.id}),
            ("message.unpin", {"message_id": sent.id}),
            ("reaction.set", {"message_id": sent.id, "emoji": "👍"}),
            ("message.delete", {"message_id": sent.id}),
            ("conversation.rename", {"title": "New"}),
            ("member.add", {"users": ["dan"]}),
            ("member.set_role", {"user": "bob", "role": "admin"}),
            ("member.remove", {"user": "cid"}),
            ("conversation.leave", {}),
        ]
        answers = [
            (await ann.ask(kind, {**payload, "client_id": kind}, c=room))["ok"]
            for kind, payload in commands
        ]
        head = (await engine.as_user("bob").conversation(room))["seq"]
        for (kind, payload), answer in zip(commands, answers, strict=True):
            again = await ann.ask(kind, {**payload, "client_id": kind}, c=room)
            assert again["ok"] == answer
    lives.restart()
    async with lives.life() as engine:
        ann = Device(engine, "ann")
        for (kind, payload), answer in zip(commands, answers, strict=True):
            again = await ann.ask(kind, {**payload, "client_id": kind, "attempt": 2}, c=room)
            assert again["ok"] == answer
        assert (await engine.as_user("bob").conversation(room))["seq"] == head


async def test_creating_is_idempotent():
    lives = Lives()
    async with lives.life() as engine:
        ann = Device(engine, "ann")
        payload = {"kind": "group", "title": "Room", "members": ["bob"], "client_id": "1"}
        first = (await ann.ask("conversation.create", payload))["ok"]
        assert (await ann.ask("conversation.create", payload))["ok"] == first
    lives.restart()
    async with lives.life() as engine:
        ann = Device(engine, "ann")
        again = (await ann.ask("conversation.create", {**payload, "attempt": 2}))["ok"]
        assert again == first


async def test_a_repetition_while_the_store_is_away_is_unavailable():
    lives = Lives(actors={"ring": 1})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        first = await engine.as_user("ann").send(room, "hi", client_id="1")
        await say(engine, room, "bob", "and so on")
    lives.restart()
    async with lives.life() as engine:
        ann = engine.as_user("ann")
        await engine.as_user("bob").conversation(room)  # it is open
        lives.store.go_away()
        no = await refused(ann.send(room, "hi", client_id="1", attempt=2))
        assert no.code == "UNAVAILABLE"
        lives.store.come_back()
        assert await ann.send(room, "hi", client_id="1", attempt=2) == first


# Messages and positions.


@pytest.mark.parametrize("ring", [1, 256])
async def test_a_message_is_known_as_it_is_now_wherever_it_is_read(ring: int):
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": ring}) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        (old, *_) = await say(engine, room, "ann", "old", "new", "newer")
        other = Device(engine, "ann")
        store.hold()
        watch.hold("messages")
        # Read while an edit of it is neither stored nor, then, any longer to be found in the log.
        other.submit("message.edit", {"message_id": old.id, "text": "edited"}, c=room, id=1)
        other.submit("message.edit", {"message_id": old.id, "text": "twice", "version": 2}, c=room)
        await settled()
        watch.release()
        await settled()
        store.release()
        await ann.pin(room, old.id)
        await ann.delete(room, old.id)
        for command in (ann.edit(room, old.id, "no"), bob.send(room, "re", reply_to=old.id)):
            assert (await refused(command)).code == "MESSAGE_NOT_FOUND"
        edits = [event["d"]["version"] for event in other.of_kind("message.edited")]
        assert edits == [2, 3]
        assert (watch.calls["messages"] > 0) == (ring == 1)


async def test_a_read_that_the_ring_has_outrun_is_made_again():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        ann = engine.as_user("ann")
        (old, *_) = await say(engine, room, "ann", "old", "new")

        async def outrun() -> None:
            await ann.delete(room, old.id)
            await say(engine, room, "ann", "more", "and more")

        watch.after("messages", outrun)
        no = await refused(engine.as_user("bob").send(room, "re", reply_to=old.id))
        assert no.code == "MESSAGE_NOT_FOUND"
        assert watch.calls["messages"] == 3, "for the reply, for the deletion, for the reply again"


async def test_a_crash_while_there_is_no_room_holds_nobody_up(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
):
    """Whoever waited for room goes on afterwards, and so does what they ask for next."""
    store = MemoryStore()
    async with memory_engine(store=store) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        genuine = Effects.flush

        def crash(effects: Effects) -> None:
            monkeypatch.setattr(Effects, "flush", genuine)
            store.journal.release()
            raise RuntimeError("a mistake of ours")

        store.journal.hold()
        ann.submit("message.send", {"text": "before"}, c=room)
        await settled()
        store.journal.delay()
        monkeypatch.setattr(Effects, "flush", crash)
        ann.submit("message.send", {"text": "waits for room"}, c=room, id=1)
        with trio.fail_after(60):
            assert "ok" in await ann.ask("message.send", {"text": "next"}, c=room)
        assert "ok" in ann.reply(1)
