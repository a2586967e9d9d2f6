"""What is due while no engine runs is done by the next one, on Postgres."""

from __future__ import annotations

from typing import Any

import trio

from palaver.engine import Engine
from palaver.engine.clock import SystemClock
from palaver.engine.host import Notice
from palaver.engine.settings import Settings
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.preferences import SetPreference
from palaver.protocol.features.restores import RestoreMessage
from palaver.protocol.features.schedule import ListScheduled, ScheduleMessage
from palaver.tests.persistence.contract.twins import execute

HOUR_MS = 3_600_000


async def seen(engine: Engine, room: str, *kinds: str) -> None:
    """Return when events of these kinds have happened."""
    missing = set(kinds)
    with trio.fail_after(30):
        async with engine.subscribe(room) as events:
            async for event in events:
                missing.discard(event.kind)
                if not missing:
                    return


async def purged(dsn: str, secret: str) -> None:
    """Return when the log has `secret` no more."""
    with trio.fail_after(30):
        for _ in range(1000):
            rows = await execute(dsn, "SELECT log::text FROM log")
            if secret not in repr([tuple(row) for row in rows]):
                return
    raise AssertionError("it is still there")


async def listed(engine: Engine) -> dict[str, Any]:
    return await engine.as_user("ann").do(ListScheduled(status="sent"))


async def test_MSG_23_PRIV_11_what_was_due_meanwhile_is_done_at_the_start(fresh_database: str):
    settings = Settings.load(
        storage={"dsn": fresh_database, "spool_bytes": 0}, policy={"delete_recovery_days": 30}
    )
    now = SystemClock()
    async with Engine(settings) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Room", ["bob"])
        restored = await ann.send(room, "restored")
        await ann.do(SendMessage(text="disappears", expires_in=60), room)
        await ann.delete(room, restored.id)
        await ann.do(RestoreMessage(message_id=restored.id), room)
        message = {"text": "later"}
        later = ScheduleMessage(id="k", send_at=now() + HOUR_MS, message=message)
        await ann.do(later, room)
    async with Engine(settings, clock=lambda: now() + 2 * HOUR_MS) as engine:
        await seen(engine, room, "message.sent", "message.restored", "message.deleted")
        await purged(fresh_database, "disappears")
        with trio.fail_after(30):
            while not (sent := await listed(engine))["scheduled"]:
                pass
        texts = [each["text"] for each in await engine.as_user("bob").history(room)]
        assert texts == ["restored", "later"]
        assert [each["id"] for each in sent["scheduled"]] == ["k"]


async def test_SEND_13_who_was_away_is_told_of_by_the_next_engine(fresh_database: str):
    broken = True
    told: list[Notice] = []
    done = trio.Event()

    class Pusher:
        async def deliver(self, notice: Notice) -> None:
            if broken:
                raise RuntimeError("no such device")
            told.append(notice)
            done.set()

    settings = Settings.load(
        storage={"dsn": fresh_database, "spool_bytes": 0},
        policy={"blocks": "silent"},
        jobs={"backoff_s": 0.1},
    )
    async with Engine(settings, delivery=Pusher()) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Room", ["bob", "cid"])
        await engine.as_user("cid").do(SetPreference(muted=True), room)
        sent = await ann.send(room, "hello")
    broken = False
    async with Engine(settings, delivery=Pusher()) as engine:
        with trio.fail_after(30):
            await done.wait()
        (shown,) = await engine.as_user("bob").history(room)
    assert [(notice.user, notice.conversation) for notice in told] == [("bob", room)]
    assert told[0].message == shown
    assert (shown["id"], shown["seq"]) == (sent.id, sent.seq)
    assert await execute(fresh_database, "SELECT FROM job") == []
