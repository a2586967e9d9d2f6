"""Whatever happens in between, in the end everybody agrees, and nothing is lost that was said to
be safe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import structlog
import trio
from hypothesis import given
from hypothesis import strategies as st

from palaver.protocol.events import Event, Void
from palaver.tests.support.engines import Lives, jumping, settled
from palaver.tests.support.replica import Replica
from palaver.tests.support.world import POISON, USERS, Line, World

Step = tuple[str, int]

WEIGHTS = {
    "connect": 6,
    "drop": 3,
    "hear": 8,
    "hear_all": 3,
    "settle": 5,
    "sleep": 1,
    "send": 10,
    "edit": 3,
    "delete": 3,
    "react": 3,
    "pin": 1,
    "unpin": 1,
    "rename": 2,
    "describe": 2,
    "add": 2,
    "remove": 2,
    "role": 1,
    "leave": 1,
    "read": 4,
    "ack": 1,
    "again": 3,
    "anew": 1,
    "hold": 3,
    "release": 4,
    "away": 1,
    "spool": 2,
    "back": 2,
    "linger": 1,
    "arrive": 2,
    "refuse": 1,
    "accept": 2,
    "crash": 2,
    "kill": 1,
    "restart": 1,
}
NAMES = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 99)), max_size=80)
BATCH_S = 2.0
SETTINGS = st.fixed_dictionaries(
    {
        "durability": st.sampled_from(["write_behind", "commit"]),
        "receipts_batch_s": st.sampled_from([0.0, BATCH_S]),
        "ring": st.sampled_from([1, 3, 100]),
        "slice": st.sampled_from([1, 3, 64]),
        "snapshot_every": st.sampled_from([1, 4, 500]),
        "resume_limit": st.sampled_from([4, 1000]),
        "idle_s": st.sampled_from([1.0, 300.0]),
    }
)


@given(SETTINGS, STEPS)
def test_HIST_07_everybody_ends_with_the_same(settings: dict[str, Any], steps: list[Step]):
    with structlog.testing.capture_logs():
        jumping(partial(story, settings, steps))


async def story(settings: dict[str, Any], steps: list[Step]) -> None:
    actors = dict(settings)
    policy = {name: actors.pop(name) for name in ("durability", "receipts_batch_s")}
    world = World(Lives(policy={**policy, "receipts_batch_n": 5}, actors=actors))
    left = iter(steps)
    while (end := await life(world, left)) is not None:
        if end == "restart":
            world.lives.restart()
    async with world.lives.life(guards=[world.trap]) as engine:
        await world.open(engine)
        await come_to_rest(world)
        await agree(world)
        await put_away(world)


async def life(world: World, steps: Iterator[Step]) -> str | None:
    """Steps until the engine goes; how it goes, or None if there are no more."""
    async with world.lives.life(guards=[world.trap]) as engine, trio.open_nursery() as nursery:
        await world.open(engine)
        nursery.start_soon(world.follow)
        for name, which in steps:
            if name == "kill":
                world.lives.crash()
                world.killed = True
            if name in ("kill", "restart"):
                world.close()
                nursery.cancel_scope.cancel()
                return name
            await world.step(name, which)
        world.watch.release()
        world.lives.store.refuse(None)
        world.lives.store.come_back()
        await come_to_rest(world)
        await agree(world)
        await followed_all(world)
        world.close()
        nursery.cancel_scope.cancel()
    world.lives.restart()
    return None


async def come_to_rest(world: World) -> None:
    """Everybody comes back, repeats what has no answer, and listens until nothing is left."""
    await come_back(world)
    while unanswered := [wish for wish in world.wishes if wish.answer is None]:
        for wish in unanswered:
            next(line for line in world.lines if line.user == wish.user).wish(wish)
            await settled()
        await rest(world)
    await trio.sleep(2 * BATCH_S)
    # Who did not look was not told of the marks, and learns of them when they come back.
    await come_back(world)


async def come_back(world: World) -> None:
    for line in world.lines:
        if line.open:
            line.drop()
        await world.connect(line)
    await rest(world)


async def rest(world: World) -> None:
    for _ in range(100):
        await settled()
        for line in world.lines:
            line.hear(1000)
            line.replica.nudge()
            line.speak()
        if all(line.at_rest for line in world.lines):
            return
        await trio.sleep(5)  # a quarantine ends
    raise AssertionError("no rest")


async def agree(world: World) -> None:
    store, room = world.lives.store, world.room
    log = (await store.conversations.events(room, 0, 100_000)).events
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    by_id = {event.id: event for event in log}

    for wish in world.wishes:  # nothing replied to is missing
        if wish.answer and "id" in wish.answer:
            event = by_id[wish.answer["id"]]
            assert (event.seq, event.client_id) == (wish.answer["seq"], wish.payload["client_id"])
            assert event.sender == wish.user
    said = [(event.sender, event.client_id) for event in log if event.client_id is not None]
    assert len(said) == len(set(said)), "nothing is done twice"
    assert POISON not in str(log)

    views: dict[str, dict[str, Any]] = {}
    for user in USERS:
        fresh = await load_fresh(world, user)
        if not fresh.is_member:
            continue
        view = views[user] = await world.engine.as_user(user).conversation(room)
        recount = [
            event
            for event in log
            if event.number is not None
            and not isinstance(event.data, Void)
            and not event.redacted
            and event.seq > view["members"][user]["read"]["seq"]
        ]
        assert view["unread"] == len(recount) == fresh.unread
        (row,) = (await world.engine.as_user(user).inbox())["conversations"]
        assert (row["seq"], row["unread"]) == (len(log), len(recount))
        for wish in world.wishes:  # marks never go back behind what was answered and promised
            if wish.user == user and wish.kind == "message.read" and wish.answer:
                promised = wish.answer.get("durable", True)
                assert view["members"][user]["read"]["seq"] >= wish.answer["seq"] or not promised
        for line in world.lines:
            if line.user == user:
                same(world, line, fresh, by_id)
    for line in world.lines:
        assert line.replica.is_member == (line.user in views)
        if world.lives.durability == "commit":
            assert "diverged" not in line.replica.reloads, "only what was lost diverges"


def same(world: World, line: Line, fresh: Replica, stored: dict[str, Event]) -> None:
    mine = line.replica
    assert (mine.epoch, mine.seq) == (fresh.epoch, fresh.seq)
    assert mine.copy.view() == fresh.copy.view()
    for ours, theirs in (
        (mine.copy.reads, fresh.copy.reads),
        (mine.copy.delivered, fresh.copy.delivered),
    ):
        for user, seq in theirs.items():
            # A kill may lose a mark that a device was told of.
            assert ours[user] == seq or (world.killed and ours[user] > seq)
    seqs = [seq for seq, _ in mine.taken]
    assert seqs == sorted(set(seqs))
    assert all(stored[id].seq == seq for seq, id in mine.taken), "it is still what it was"


async def followed_all(world: World) -> None:
    """A host that follows has got every event once, and what was taken back as such."""
    await trio.sleep(100)  # it may have been told to come back later
    log = (await world.lives.store.conversations.events(world.room, 0, 100_000)).events
    shown = [event for event in world.followed if not isinstance(event.data, Void)]
    taken_back = {event.data.of for event in world.followed if isinstance(event.data, Void)}
    for event in log:
        if isinstance(event.data, Void):
            assert event.data.of in taken_back
    left = [event.id for event in shown if event.id not in taken_back]
    assert left == [event.id for event in log if not isinstance(event.data, Void)]


async def put_away(world: World) -> None:
    """At rest it is what it was, for the inbox and for whoever opens it again."""
    users = [user for user in USERS if any(line.user == user for line in members(world))]
    before = [await world.engine.as_user(user).conversation(world.room) for user in users]
    rows = [await row_of(world, user) for user in users]
    world.close()
    await trio.sleep(1000)
    assert world.engine.health()["conversations"] == 0
    assert [await row_of(world, user) for user in users] == rows
    after = [await world.engine.as_user(user).conversation(world.room) for user in users]
    assert after == before


async def row_of(world: World, user: str) -> dict[str, Any]:
    """But for the time of the last activity: whether a `void` is one depends on who survives it."""
    (row,) = (await world.engine.as_user(user).inbox())["conversations"]
    return {name: value for name, value in row.items() if name != "ts"}


def members(world: World) -> list[Line]:
    return [line for line in world.lines if line.replica.is_member]


async def load_fresh(world: World, user: str) -> Replica:
    """What a new device of `user` gets."""
    line = Line(user)
    line.connect(world.engine, world.room)
    while not line.at_rest:
        await settled()
        line.hear(1000)
    line.drop()
    return line.replica
