"""What happens in the product is told in the conversations that it is about."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine, Settings
from palaver.engine.testing import Device, memory_engine, numbered_ids
from palaver.engine.user import Sent
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.business_events import TellEvent
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.lock import LockConversation
from palaver.protocol.features.references import DropReference
from palaver.protocol.policy import Durability
from palaver.tests.support.engines import refused, settled

FLAT = {"listing": "5", "application": "a7"}
WORDS = {
    "seeker": "Ann",
    "listing": "Elm Street 5",
    "status": "shortlisted",
    "time": "Monday, 10:00",
    "change": "a new price",
    "user": "Ann",
}
EVENTS = {
    "application_submitted": "Ann has applied for Elm Street 5.",
    "application_status_changed": "The application for Elm Street 5 is now: shortlisted.",
    "application_completed": "The application for Elm Street 5 is complete.",
    "viewing_scheduled": (
        "A viewing of Elm Street 5 is planned for Monday, 10:00. Please confirm it."
    ),
    "viewing_confirmed": "The viewing of Elm Street 5 at Monday, 10:00 is confirmed.",
    "listing_filled": "Elm Street 5 has been let.",
    "listing_updated": "Elm Street 5 has been changed: a new price.",
    "profile_updated": "Ann has changed their profile.",
}


async def tell(engine: Engine, event: str, id: str = "e1", **more: Any) -> list[Sent]:
    return await engine.happened(event, **{"id": id, "variables": WORDS, "context": FLAT, **more})


async def submit(engine: Engine, **more: Any) -> str:
    """The thread in which it is told that ann has applied for what bob lets."""
    (sent,) = await tell(engine, "application_submitted", users=["ann", "bob"], **more)
    return sent.conversation


async def thread(engine: Engine, *users: str, **context: str) -> str:
    """One that the first of `users` opens."""
    command = CreateConversation(kind="thread", members=list(users[1:]), context=context or None)
    return str((await engine.as_user(users[0]).do(command))["c"])


async def texts(engine: Engine, user: str, room: str) -> list[str]:
    return [message["text"] for message in await engine.as_user(user).history(room)]


async def test_CONV_27_AUTO_02_an_application_opens_a_thread_about_it():
    async with memory_engine(profile="rental") as engine:
        bob = Device(engine, "bob")
        room = await submit(engine)
        created, posted = bob.events()
        assert (created["t"], created["c"], created["d"]["context"]) == (
            "conversation.created",
            room,
            FLAT,
        )
        assert (created["d"]["kind"], created["d"]["title"]) == ("thread", "Elm Street 5")
        assert created["d"]["roles"] == {"ann": "member", "bob": "member"}
        assert (posted["t"], posted["d"]["text"]) == (
            "message.posted",
            EVENTS["application_submitted"],
        )
        assert posted["d"]["metadata"] == {"event": "application_submitted"}
        assert "by" not in posted["d"]


@pytest.mark.parametrize("event", EVENTS)
async def test_AUTO_01_AUTO_03_each_event_is_one_message_from_its_template(event: str):
    async with memory_engine(profile="rental") as engine:
        room = await thread(engine, "ann", "bob", **FLAT)
        (sent,) = await tell(engine, event)
        assert sent.conversation == room
        assert await texts(engine, "bob", room) == [EVENTS[event]]
        (shown,) = await engine.as_user("ann").history(room)
        assert (shown["kind"], shown["id"]) == ("message.posted", sent.id)


def test_AUTO_01_the_product_has_all_its_events():
    assert Settings(profile="rental").policy.events.keys() == EVENTS.keys()


async def test_AUTO_02_from_submission_by_status_to_completion_in_one_thread():
    flow = ("application_submitted", "application_status_changed", "application_completed")
    async with memory_engine(profile="rental") as engine:
        for n, event in enumerate(flow):
            assert len(await tell(engine, event, f"e{n}", users=["ann", "bob"])) == 1
        (row,) = (await engine.as_user("ann").inbox())["conversations"]
        assert await texts(engine, "ann", row["c"]) == [EVENTS[event] for event in flow]
        assert len((await engine.as_user("bob").inbox())["conversations"]) == 1


async def test_AUTO_02_what_seeker_and_landlord_talk_about_already_is_told_there():
    async with memory_engine(profile="rental") as engine:
        room = await thread(engine, "ann", "bob", **FLAT)
        assert await submit(engine) == room


async def test_AUTO_01_told_in_every_thread_that_is_about_it_and_in_no_other():
    async with memory_engine(profile="rental") as engine:
        about = [
            await thread(engine, "ann", "bob", **FLAT),
            await thread(engine, "cid", "bob", listing="5", application="a8"),
            await thread(engine, "dan", "bob", listing="5"),
        ]
        for other in ({"listing": "6"}, {"application": "5"}, {}):
            await thread(engine, "eve", "bob", **other)
        sent = await tell(engine, "listing_filled", context={"listing": "5"})
        assert {each.conversation for each in sent} == {*about}
        # All of the context, and all of the users.
        (only,) = await tell(engine, "listing_filled", "e2", context=FLAT)
        assert only.conversation == about[0]
        (only,) = await tell(
            engine, "listing_filled", "e3", context={"listing": "5"}, users=["cid", "bob"]
        )
        assert only.conversation == about[1]
        assert await tell(engine, "listing_filled", "e4", users=["eve"]) == []
        (eves, *_) = (await engine.as_user("eve").inbox())["conversations"]
        assert await texts(engine, "eve", eves["c"]) == []


async def test_AUTO_01_without_a_context_it_is_told_wherever_these_users_are():
    async with memory_engine(profile="rental") as engine:
        rooms = {await thread(engine, "ann", "bob", **FLAT), await thread(engine, "cid", "ann")}
        await thread(engine, "bob", "cid")
        left = await thread(engine, "dan", "ann", "bob")
        await engine.as_user("ann").leave(left)
        sent = await tell(engine, "profile_updated", context={}, users=["ann"])
        assert {each.conversation for each in sent} == rooms


@pytest.mark.parametrize("user_opened", [False, True])
async def test_AUTO_01_the_same_event_again_is_told_once_and_answered_the_same(user_opened: bool):
    store, new_id = MemoryStore(durability="commit"), numbered_ids()
    async with memory_engine(profile="rental", store=store, new_id=new_id) as engine:
        if user_opened:
            await thread(engine, "ann", "bob", **FLAT)
        event, users = "application_submitted", ["ann", "bob"]
        first = await tell(engine, event, users=users)
        assert await tell(engine, event, users=users) == first
        for n in range(300):
            await engine.as_user("ann").send(first[0].conversation, f"{n}")
        assert await tell(engine, event, users=users) == first, "also long after"
    async with memory_engine(profile="rental", store=store.restarted(), new_id=new_id) as engine:
        assert await tell(engine, event, users=users) == first
        (other,) = await tell(engine, event, "e2", users=users)
        assert other.conversation == first[0].conversation
        history = await texts(engine, "ann", other.conversation)
        assert history[-1] == EVENTS[event]
        assert len((await engine.as_user("ann").inbox())["conversations"]) == 1


async def test_AUTO_01_repeated_it_goes_on_where_it_failed():
    store = MemoryStore(durability="commit")
    async with memory_engine(profile="rental", store=store) as engine:
        rooms = sorted([await thread(engine, "ann", "bob", **FLAT) for _ in range(3)])
        store.refuse(lambda write: write.conversation == rooms[1])
        assert (await refused(tell(engine, "listing_filled"))).code == "PERSIST_FAILED"
        assert [len(await texts(engine, "bob", room)) for room in rooms] == [1, 0, 0]
        store.refuse(None)
        assert [each.conversation for each in await tell(engine, "listing_filled")] == rooms
        for room in rooms:
            assert await texts(engine, "bob", room) == [EVENTS["listing_filled"]]


async def test_CONV_27_two_events_at_once_open_one_thread():
    async with memory_engine(profile="rental") as engine:
        rooms: list[str] = []

        async def apply(id: str) -> None:
            rooms.append(await submit(engine, id=id))

        async with trio.open_nursery() as nursery:
            for n in range(5):
                nursery.start_soon(apply, f"e{n}")
        assert len({*rooms}) == 1
        assert len(await texts(engine, "ann", rooms[0])) == 5


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_AUTO_01_also_in_a_thread_that_is_not_stored_yet(durability: Durability):
    store = MemoryStore(durability=durability)
    policy = {"durability": durability}
    async with memory_engine(profile="rental", store=store, policy=policy) as engine:
        store.hold()
        rooms, told = [], []

        async def open() -> None:
            rooms.append(await thread(engine, "ann", "bob", **FLAT))

        async def tell_it() -> None:
            told.extend(await tell(engine, "listing_filled"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(open)
            await settled()
            nursery.start_soon(tell_it)
            await settled()
            store.release()
        assert [each.conversation for each in told] == rooms


async def test_AUTO_01_what_is_gone_is_told_nowhere_and_a_locked_thread_is_told_all_the_same():
    async with memory_engine(profile="rental") as engine:
        room = await thread(engine, "ann", "bob", **FLAT)
        await engine.as_host().do(LockConversation(), room)
        assert len(await tell(engine, "listing_filled")) == 1
        await engine.as_host().do(DropReference(context={"listing": "5"}))
        assert await tell(engine, "listing_filled", "e2", context={"listing": "5"}) == []


@pytest.mark.parametrize(
    ("event", "more", "field"),
    [
        ("listing_burnt", {}, "event"),
        ("listing_filled", {"variables": {}}, "variables.listing"),
        ("listing_filled", {"context": {}}, "context"),
        ("application_submitted", {"variables": {"listing": "x"}}, "variables.seeker"),
    ],
)
async def test_AUTO_01_what_cannot_be_told_is_refused_and_nothing_comes_of_it(
    event: str, more: dict[str, Any], field: str
):
    async with memory_engine(profile="rental") as engine:
        room = await thread(engine, "ann", "bob", **FLAT)
        no = await refused(tell(engine, event, **more))
        assert (no.code, (no.details or {})["field"]) == ("VALIDATION_FAILED", field)
        assert await texts(engine, "ann", room) == []


async def test_AUTO_01_for_nobody_no_thread_is_opened():
    async with memory_engine(profile="rental") as engine:
        assert await tell(engine, "application_submitted") == []


async def test_AUTO_01_no_device_can_tell_one():
    assert TellEvent.name not in COMMANDS
