"""Scheduled messages, from the command to the message in the conversation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.commands import Context, ConversationCommand
from palaver.protocol.errors import Rejected
from palaver.protocol.features.drafts import SaveDraft
from palaver.protocol.features.inbox import SyncChanges
from palaver.protocol.features.lock import LockConversation
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.schedule import CancelScheduled, ListScheduled, ScheduleMessage
from palaver.protocol.ids import scheduled_id
from palaver.protocol.state import ConversationState
from palaver.tests.support.engines import NOWHERE, Lives, group, refused, settled

HOUR = 3600.0


async def schedule(
    engine: Engine, user: str, room: str | None, in_s: float, id: str = "k", **message: Any
) -> dict[str, Any]:
    message = {"text": "later", **message}
    send_at = engine.now() + round(in_s * 1000)
    command = ScheduleMessage(id=id, send_at=send_at, message=message)
    return await engine.as_user(user).do(command, room)


async def listed(engine: Engine, user: str, status: Any = "pending") -> list[dict[str, Any]]:
    answer = await engine.as_user(user).do(ListScheduled(status=status))
    found: list[dict[str, Any]] = answer["scheduled"]
    return found


async def texts(engine: Engine, user: str, room: str) -> list[str]:
    return [message["text"] for message in await engine.as_user(user).history(room)]


async def test_MSG_23_it_is_sent_at_its_time_and_not_before(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        assert await schedule(engine, "ann", room, HOUR) == {"n": 1}
        send_at = engine.now() + 3_600_000
        (pending,) = await listed(engine, "ann")
        client_id = scheduled_id("ann", "k")
        assert pending == {
            "id": "k",
            "c": room,
            "send_at": send_at,
            "status": "pending",
            "client_id": client_id,
            "message": {"text": "later"},
        }
        await trio.sleep(HOUR - 0.01)
        assert bob.texts() == []
        await trio.sleep(0.02)
        assert bob.texts() == ["later"]
        (sent,) = ann.of_kind("message.sent")
        assert (sent["ts"], sent["d"]["by"]) == (send_at, "ann")
        assert sent["d"]["client_id"] == client_id
        assert await listed(engine, "ann") == []
        (done,) = await listed(engine, "ann", "sent")
        assert (done["status"], done["client_id"], "message" in done) == ("sent", client_id, False)


async def test_MSG_23_all_of_one_s_devices_follow_it_and_nobody_else(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await schedule(engine, "ann", room, 60, text="a secret")
        await engine.as_user("ann").do(CancelScheduled(id="k"))
        assert [item["t"] for item in ann.items] == ["message.scheduled", "schedule.cancelled"]
        assert bob.items == []
        assert await listed(engine, "bob") == []
        no = await refused(engine.as_user("bob").do(CancelScheduled(id="k")))
        assert no.code == "MESSAGE_NOT_FOUND"
        changes = await engine.as_user("ann").do(SyncChanges(n=0))
        assert [entry["kind"] for entry in changes["log"]] == ["schedule.cancelled"]


async def test_MSG_23_what_is_cancelled_is_never_sent(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await schedule(engine, "ann", room, 60)
        await schedule(engine, "ann", room, 60, id="other", text="other")
        await engine.as_user("ann").do(CancelScheduled(id="k"))
        await trio.sleep(HOUR)
        assert await texts(engine, "bob", room) == ["other"]
        assert [each["id"] for each in await listed(engine, "ann", "cancelled")] == ["k"]
        no = await refused(engine.as_user("ann").do(CancelScheduled(id="other")))
        assert no.code == "VERSION_CONFLICT"


async def test_MSG_23_said_again_it_is_another_message_at_another_time(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await schedule(engine, "ann", room, 60)
        await schedule(engine, "ann", room, 120, text="changed")
        await trio.sleep(90)
        assert await texts(engine, "bob", room) == []
        await schedule(engine, "ann", room, 10, text="sooner")
        await trio.sleep(15)
        assert await texts(engine, "bob", room) == ["sooner"]
        no = await refused(schedule(engine, "ann", room, 10))
        assert no.code == "VERSION_CONFLICT"


async def test_MSG_23_the_list_comes_in_pages(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        for number in range(5):
            await schedule(engine, "ann", room, 100 - number // 2, id=f"{number}")
        seen, after = [], None
        while True:
            answer = await engine.as_user("ann").do(ListScheduled(limit=2, after=after))
            seen += [(each["send_at"], each["id"]) for each in answer["scheduled"]]
            if (after := answer["next"]) is None:
                break
        assert sorted(id for _, id in seen) == ["0", "1", "2", "3", "4"]
        assert [at for at, _ in seen] == sorted(at for at, _ in seen)


async def test_MSG_23_what_would_be_refused_now_is_refused_now(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        for user, c, code in (
            ("eve", room, "PERMISSION_DENIED"),
            ("ann", NOWHERE, "CONVERSATION_NOT_FOUND"),
            ("ann", None, "VALIDATION_FAILED"),
        ):
            assert (await refused(schedule(engine, user, c, 60))).code == code
        no = await refused(schedule(engine, "ann", room, 60, text="x" * 5000))
        assert no.code == "MESSAGE_TOO_LONG"
        no = await refused(schedule(engine, "ann", room, 60, reply_to=NOWHERE))
        assert no.code == "MESSAGE_NOT_FOUND"
        assert await listed(engine, "ann") == []


async def test_MSG_23_membership_is_looked_at_again_when_it_is_sent(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await schedule(engine, "bob", room, 60)
        await engine.as_user("ann").remove_member(room, "bob")
        await trio.sleep(120)
        assert await texts(engine, "ann", room) == []
        (failed,) = await listed(engine, "bob", "failed")
        assert (failed["status"], failed["error"]) == ("failed", "PERMISSION_DENIED")
        assert failed["message"] == {"text": "later"}, "its author may send it elsewhere"


class Forbid:
    """A guard that lets no message through that says `word`, once it is `on`."""

    on = False

    def check(
        self, command: ConversationCommand, context: Context, state: ConversationState
    ) -> ConversationCommand:
        if self.on and isinstance(command, SendMessage) and "later" in command.text:
            raise Rejected("PERMISSION_DENIED")
        return command


async def test_MSG_23_the_guards_run_again_when_it_is_sent(autojump_clock: MockClock):
    forbid = Forbid()
    async with memory_engine(guards=[forbid]) as engine:
        room = await group(engine, "ann", "bob")
        await schedule(engine, "ann", room, 60)
        forbid.on = True
        await trio.sleep(120)
        assert await texts(engine, "bob", room) == []
        assert len(await listed(engine, "ann", "failed")) == 1


async def test_CONV_21_MSG_23_into_a_locked_conversation_nothing_is_sent(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await schedule(engine, "ann", room, 60)
        await engine.as_user("ann").do(LockConversation(until=engine.now() + 90_000), room)
        await trio.sleep(120)
        assert await texts(engine, "bob", room) == []
        assert [each["error"] for each in await listed(engine, "ann", "failed")] == [
            "CONVERSATION_LOCKED"
        ]


async def test_MSG_23_its_author_is_told_on_all_devices_that_it_failed(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        bobs = [Device(engine, "bob") for _ in range(2)]
        await schedule(engine, "bob", room, 60)
        await schedule(engine, "ann", room, 60)
        await engine.as_user("ann").remove_member(room, "bob")
        await trio.sleep(59)
        assert [each.of_kind("schedule.failed") for each in bobs] == [[], []]
        await trio.sleep(2)
        said = {"id": "k", "job": scheduled_id("bob", "k"), "conversation": room}
        for bob in bobs:
            (failed,) = bob.of_kind("schedule.failed")
            assert failed["d"] == {**said, "error": "PERMISSION_DENIED"}
        changes = await engine.as_user("bob").do(SyncChanges(n=0))
        assert [entry["kind"] for entry in changes["log"]] == ["schedule.failed"]
        changes = await engine.as_user("ann").do(SyncChanges(n=0))
        assert [entry["kind"] for entry in changes["log"]] == ["message.scheduled"]


async def test_MSG_23_who_was_away_then_learns_it_from_the_log(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        await schedule(engine, "bob", room, 60)
        await engine.as_user("ann").remove_member(room, "bob")
        await trio.sleep(600)
        assert not engine._env.hub.sessions
        changes = await engine.as_user("bob").do(SyncChanges(n=0))
        assert [entry["kind"] for entry in changes["log"]] == ["schedule.failed"]


async def test_MSG_23_no_more_than_so_many_at_a_time(autojump_clock: MockClock):
    async with memory_engine(policy={"max_scheduled": 2}) as engine:
        room = await group(engine, "ann", "bob")
        for id in ("1", "2"):
            await schedule(engine, "ann", room, 60, id=id)
        no = await refused(schedule(engine, "ann", room, 60, id="3"))
        assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "id", "max_scheduled": 2})
        await schedule(engine, "ann", room, 90, id="2", text="instead")
        await schedule(engine, "bob", room, 60)
        await engine.as_user("ann").do(CancelScheduled(id="1"))
        await schedule(engine, "ann", room, 120, id="3")
        await trio.sleep(91)
        await schedule(engine, "ann", room, 60, id="4")


async def test_MSG_23_the_draft_one_is_writing_stays(autojump_clock: MockClock):
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann")
        await schedule(engine, "ann", room, 60)
        await engine.as_user("ann").do(SaveDraft(text="something else"), room)
        await trio.sleep(120)
        assert ann.of_kind("draft.cleared") == []


async def test_SEC_03_to_schedule_counts_as_sending(autojump_clock: MockClock):
    async with memory_engine(limits={"messages_per_min": 2}) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann", limited=True)
        for number in range(3):
            payload = {"id": f"{number}", "send_at": engine.now() + 5000, "message": {"text": "x"}}
            ann.submit("message.schedule", payload, c=room, id=number)
        await settled()
        assert [ann.reply(number).get("error", {}).get("code") for number in range(3)] == [
            None,
            None,
            "RATE_LIMITED",
        ]


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_MSG_23_AUTO_07_it_is_sent_once_though_the_engine_is_killed_twice(
    autojump_clock: MockClock, durability: str
):
    lives = Lives(policy={"durability": durability}, jobs={"lease_s": 5, "poll_s": 1})
    clock = TrioClock()
    async with lives.life(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        for number in range(30):
            await schedule(engine, "ann", room, 60, id=f"{number}", text=f"{number}")
    lives.restart()
    # Twice it gets some of them stored, and dies over the rest.
    for seconds, count in ((61, 7), (5.5, 12)):
        async with lives.life(clock=clock):
            lives.store.hold()
            await trio.sleep(seconds)
            lives.store.release(count)
            await settled()
        lives.crash()
    async with lives.life(clock=clock) as engine:
        await trio.sleep(30)
        sent = await engine.as_user("bob").history(room, limit=100)
        assert sorted(message["text"] for message in sent) == sorted(str(n) for n in range(30))
        assert len(await listed(engine, "ann", "sent")) == 30


async def test_AUTO_07_a_message_that_was_sent_by_who_died_is_found_in_the_log(
    autojump_clock: MockClock,
):
    """The job is not settled, so it is tried again: by its client id it shows once."""
    store, clock = MemoryStore(), TrioClock()
    calls = 0

    def lose_the_first(settle: Callable[..., Any]) -> Callable[..., Any]:
        async def lost(results: Any) -> None:
            nonlocal calls
            calls += 1
            if calls > 1:
                await settle(results)

        return lost

    store.jobs.settle = lose_the_first(store.jobs.settle)  # type: ignore[method-assign]
    often = {"poll_s": 1}
    async with memory_engine(store=store, clock=clock, actors={"ring": 1}, jobs=often) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await schedule(engine, "ann", room, 60)
        await trio.sleep(61)
        for number in range(5):
            await engine.as_user("ann").send(room, f"{number}")
        await trio.sleep(120)
        assert calls == 2
        assert bob.texts() == ["later", "0", "1", "2", "3", "4"]
        assert len(await listed(engine, "ann", "sent")) == 1
