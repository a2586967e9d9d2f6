"""Long polling: nothing lost, nothing doubled, or told what to load (CONN-13)."""

import base64
from contextlib import suppress
from random import Random
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from palaver.engine.testing import Device, numbered_ids
from palaver.gateway.http import make_app
from palaver.gateway.rest.cursor import MAX_POSITIONS, Cursor, Position
from palaver.persistence.memory.disk import Disk
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.tests.support.engines import settled
from palaver.tests.support.web import Web, web


class Poller:
    """A client that has nothing but HTTP."""

    def __init__(self, here: Web, user: str, *watch: str) -> None:
        self.here = here
        self.user = user
        self.watch = watch
        self.cursor: str | None = None
        self.items: list[dict[str, Any]] = []
        self.resync: list[dict[str, Any]] = []
        self.marks: dict[str, list[dict[str, Any]]] = {}

    async def poll(self, wait: int = 0) -> dict[str, Any]:
        params: dict[str, Any] = {"wait": wait, "watch": list(self.watch)}
        if self.cursor is not None:
            params["cursor"] = self.cursor
        told: dict[str, Any]
        told = await self.here.ok("GET", "/sync", user=self.user, params=params)
        self.cursor = told["cursor"]
        self.items += told["items"]
        self.resync += told["resync"]
        self.marks.update(told["marks"])
        return told

    async def all(self) -> None:
        while (await self.poll())["more"]:
            pass

    def kinds(self) -> list[str]:
        return [item["t"] for item in self.items]

    def seqs(self, room: str) -> list[int]:
        return [item["seq"] for item in self.items if "seq" in item and item["c"] == room]


async def test_CONN_13_messages_edits_and_reads_come_in_order_and_none_is_lost_between_polls():
    async with web() as here:
        room = await here.room("bob")
        bob = Poller(here, "bob", room)
        await bob.poll()
        assert bob.resync == [{"reason": "begin"}]
        ids = []
        for n in range(3):
            ids.append((await here.send(room, f"m{n}"))["id"])
            if n == 1:
                await bob.poll()
        await here.ok("PATCH", f"/messages/{ids[0]}", {"text": "edited"})
        mine = await here.send(room, "mine", user="bob")
        await here.ok("POST", f"/messages/{mine['id']}/read", {})
        for _ in range(2):
            await bob.poll()
        assert bob.kinds() == ["message.sent"] * 3 + ["message.edited", "message.sent"]
        assert bob.seqs(room) == [2, 3, 4, 5, 6]
        moved = {each["user"]: each["read"] for each in bob.marks[room]}
        assert moved["ann"] == mine["seq"]
        assert len(bob.resync) == 1


async def test_CONN_13_an_answer_that_was_lost_is_had_again():
    async with web() as here:
        room = await here.room("bob")
        bob = Poller(here, "bob")
        await bob.poll()
        before = bob.cursor
        await here.send(room, "hi")
        await bob.poll()
        bob.cursor = before
        await bob.poll()
        assert bob.seqs(room) == [2, 2], "the same answer, for the same cursor"
        await bob.poll()
        assert bob.seqs(room) == [2, 2]


async def test_CONN_13_who_waits_is_told_at_once(autojump_clock: MockClock):
    async with web(policy={"typing_min_interval_s": 0.0}) as here:
        room = await here.room("bob")
        bob = Poller(here, "bob", room)
        await bob.poll()
        await bob.poll()  # takes the marks as they are

        async def meanwhile(method: str, path: str, body: Any) -> None:
            await trio.sleep(7)
            await here.ok(method, path, body)

        for method, path, body in (
            ("POST", f"/conversations/{room}/messages", {"text": "hi"}),
            ("POST", f"/conversations/{room}/typing", {}),
            ("PATCH", f"/conversations/{room}", {"title": "new"}),
        ):
            began = trio.current_time()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(meanwhile, method, path, body)
                told = await bob.poll(wait=30)
                assert trio.current_time() - began == 7
                assert len(told["items"]) == 1
        assert bob.kinds() == ["message.sent", "typing.started", "conversation.renamed"]
        began = trio.current_time()
        quiet = await Poller(here, "cid").poll()
        assert quiet["items"] == []
        await bob.poll(wait=12)


async def test_CONN_13_if_nothing_happens_it_ends_with_nothing(autojump_clock: MockClock):
    async with web() as here:
        bob = Poller(here, "bob")
        await bob.poll()
        began = trio.current_time()
        told = await bob.poll(wait=30)
        assert trio.current_time() - began == 30
        assert (told["items"], told["resync"], told["marks"]) == ([], [], {})


async def test_CONN_13_reads_wake_who_looks(autojump_clock: MockClock):
    async with web() as here:
        room = await here.room("bob")
        sent = await here.send(room, "hi")
        ann = Poller(here, "ann", room)
        await ann.poll()
        await ann.poll()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.poll, 30)
            await settled()
            await here.ok("POST", f"/conversations/{room}/read", {}, user="bob")
        assert {"user": "bob", "read": sent["seq"], "delivered": sent["seq"]} in ann.marks[room]


async def test_CONN_13_what_is_one_s_own_comes_too():
    async with web() as here:
        room = await here.room("bob")
        bob = Poller(here, "bob")
        await bob.poll()
        await here.ok("PATCH", f"/conversations/{room}", {"muted": True}, user="bob")
        await here.ok("PUT", f"/drafts/{room}", {"text": "lun"}, user="bob")
        await bob.poll()
        await bob.poll()
        assert [(item["t"], item["n"]) for item in bob.items] == [
            ("preference.changed", 1),
            ("draft.saved", 2),
        ]


async def test_CONN_13_a_conversation_that_is_new_or_over_is_to_be_loaded_or_dropped():
    async with web() as here:
        bob = Poller(here, "bob")
        await bob.poll()
        room = await here.room("bob")
        await bob.poll()
        await here.send(room, "hi")
        await bob.poll()
        assert bob.resync[1:] == [{"c": room, "reason": "new", "epoch": 1, "seq": 1}]
        assert bob.kinds() == ["message.sent"]
        await here.ok("DELETE", f"/conversations/{room}/members/bob")
        await here.send(room, "without bob")
        await bob.poll()
        await bob.poll()
        assert bob.resync[2:] == [{"c": room, "reason": "not_member"}]
        assert bob.kinds() == ["message.sent"]


async def test_CONN_13_what_was_lost_in_a_crash_is_told(autojump_clock: MockClock):
    store = MemoryStore(disk=Disk())
    async with web(store=store) as here:
        room = await here.room("bob")
        bob = Poller(here, "bob")
        await bob.poll()
        store.hold()
        async with trio.open_nursery() as nursery:
            path = f"/conversations/{room}/messages"
            nursery.start_soon(here.ask, "POST", path, {"text": "never stored"})
            await settled()
            await bob.poll()
            nursery.cancel_scope.cancel()
        assert bob.seqs(room) == [2]
        crashed = store.crashed()
    async with web(store=crashed) as here:
        bob.here = here
        await here.send(room, "stored")
        await bob.poll()
        (told,) = bob.resync[1:]
        assert told == {"c": room, "reason": "diverged", "reload_after": 1, "epoch": 2, "seq": 2}
        await here.send(room, "goes on")
        await bob.poll()
        assert bob.seqs(room) == [2, 3]


async def test_CONN_13_more_than_fits_comes_in_several_answers():
    async with web(limits={"messages_per_min": 0}) as here:
        rooms = [await here.room("bob") for _ in range(3)]
        bob = Poller(here, "bob")
        await bob.poll()
        for room in rooms:
            for n in range(600):
                await here.engine.as_user("ann").send(room, str(n))
        first = await bob.poll()
        assert first["more"]
        await bob.all()
        for room in rooms:
            assert bob.seqs(room) == list(range(2, 602))
        assert len(bob.resync) == 1


async def test_CONN_13_far_too_much_is_to_be_loaded():
    async with web(limits={"messages_per_min": 0}, actors={"resume_limit": 5}) as here:
        room = await here.room("bob")
        bob = Poller(here, "bob")
        await bob.poll()
        for n in range(6):
            await here.send(room, str(n))
        await bob.poll()
        (told,) = bob.resync[1:]
        assert (told["reason"], told["reload_after"], told["seq"]) == ("too_far", 1, 7)


async def test_CONN_13_to_wait_is_not_to_be_online_and_has_an_end():
    async with web(connections={"max_per_user": 2}) as here:
        room = await here.room("bob")
        ann = Device(here.engine, "ann")
        ann.submit("conversation.subscribe", c=room)
        bob = Poller(here, "bob")
        await bob.poll()
        async with trio.open_nursery() as nursery:
            params = {"cursor": bob.cursor, "wait": 30}
            refused: list[str] = []

            async def wait() -> None:
                response = await here.ask("GET", "/sync", user="bob", params=params)
                refused.append(response.json()["code"])

            for _ in range(2):
                nursery.start_soon(wait)
            await settled()
            assert ann.of_kind("presence.changed") == []
            no = await here.no("GET", "/sync", user="bob", params=params)
            assert no["code"] == "CONNECTION_LIMIT"
            here.engine.revoke(user="bob")
        assert refused == ["SESSION_EXPIRED"] * 2
        async with trio.open_nursery() as nursery:
            cursor = (await here.ok("GET", "/sync", user="cid"))["cursor"]
            params, polled = {"cursor": cursor, "wait": 30}, []

            async def once() -> None:
                polled.append(await here.no("GET", "/sync", user="cid", params=params))

            nursery.start_soon(once)
            await settled()
            await here.here.gateway.drain()
        assert polled[0]["code"] == "UNAVAILABLE"


async def test_CONN_13_nobody_begins_to_wait_while_the_server_goes():
    """A poll may have been let in just before."""
    async with web() as here:
        gateway = here.here.gateway
        await gateway.drain()
        with (
            pytest.raises(Rejected, match="UNAVAILABLE"),
            gateway.polling(Device(here.engine, "ann")),
        ):
            raise AssertionError


NO_CURSORS = [
    {"cursor": "nonsense"},
    {"cursor": "A" * 9000},
    {"cursor": "é"},
    {"cursor": "gA"},
    {"wait": "31"},
    {"wait": "-1"},
    {"watch": "x"},
    {"more": "1"},
]


async def test_CONN_13_what_is_no_cursor_is_refused():
    async with web() as here:
        for query in NO_CURSORS:
            no = await here.no("GET", "/sync", params=query)
            assert no["code"] == "VALIDATION_FAILED"
            assert no["details"]["field"].partition(".")[0] == next(iter(query))


async def test_CONN_13_a_cursor_is_its_user_s_alone():
    """One device, on which another user signs in."""
    async with web() as here:
        cursor = (await here.ok("GET", "/sync"))["cursor"]
        no = await here.no("GET", "/sync", user="bob", params={"cursor": cursor})
        assert (no["code"], no["details"]["field"]) == ("VALIDATION_FAILED", "cursor")
        await here.ok("GET", "/sync", params={"cursor": cursor})


async def test_CONN_13_to_watch_what_is_not_one_s_own_is_to_be_told_so():
    async with web() as here:
        eve = Poller(here, "eve", await here.room("bob"))
        for _ in range(2):
            await eve.poll(wait=30)
            assert eve.resync[-1] == {"c": eve.watch[0], "reason": "not_member"}


NUMBERS = st.integers(0, 2**63 - 1)


@given(
    st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
    NUMBERS,
    st.dictionaries(
        st.uuids().map(str), st.builds(Position, NUMBERS, NUMBERS, NUMBERS), max_size=9
    ),
)
def test_a_cursor_comes_back_as_it_was(feed: str | None, n: int, positions: dict[str, Position]):
    cursor = Cursor(feed, n, positions)
    assert Cursor.unpack(cursor.pack("ann"), "ann") == cursor


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_whatever_is_given_as_a_cursor_is_one_or_is_refused(text: str):
    with suppress(Rejected):
        Cursor.unpack(text, "ann")


def test_a_cursor_goes_into_a_url():
    cursor = Cursor("9" * 20)
    for n in range(MAX_POSITIONS + 50):
        cursor.know(f"00000000-0000-7000-8000-{n:012x}", Position(1, 2**31, 2**31))
    cursor.trim(["00000000-0000-7000-8000-000000000000"])
    assert len(cursor.positions) == MAX_POSITIONS
    assert "00000000-0000-7000-8000-000000000000" in cursor.positions, "since it is looked at"
    assert len(cursor.pack("ann")) < 6000


async def test_CONN_13_who_goes_away_waits_no_longer():
    async with web(connections={"max_per_user": 1}) as here:
        cursor = (await here.ok("GET", "/sync"))["cursor"]
        gone = trio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(_: Any) -> None: ...

        token = here.here.token("ann")
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/sync",
            "query_string": f"cursor={cursor}&wait=30".encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        async with trio.open_nursery() as nursery:
            nursery.start_soon(make_app(here.here.gateway), scope, receive, send)
            await settled()
            params = {"cursor": cursor, "wait": 30}
            assert (await here.no("GET", "/sync", params=params))["code"] == "CONNECTION_LIMIT"
            gone.set()
        params["wait"] = 0
        assert await here.ok("GET", "/sync", params=params)


@pytest.mark.parametrize("seed", range(4))
async def test_CONN_13_whatever_happens_between_polls_each_event_comes_once(
    seed: int, autojump_clock: MockClock
):
    """Messages, edits and new rooms while polls wait, end early, and lose their answers; and the
    engine begins anew."""
    random = Random(seed)
    limits = {"messages_per_min": 0, "requests_per_min": 0, "connects_per_min": 0}
    store, new_id = MemoryStore(durability="commit"), numbered_ids()
    bob: Poller | None = None
    rooms: list[str] = []
    for _ in range(3):
        async with web(store=store, new_id=new_id, limits=limits) as here:
            if bob is None:
                bob = Poller(here, "bob")
                await bob.poll()
            bob.here = here
            for _ in range(30):
                match random.choice(["send", "send", "edit", "room", "poll", "wait", "lose"]):
                    case "room" if len(rooms) < 4:
                        rooms.append(await here.room("bob"))
                    case "send" if rooms:
                        await here.send(random.choice(rooms), "hi")
                    case "edit" if rooms:
                        room = random.choice(rooms)
                        page = await here.ok("GET", f"/conversations/{room}/messages")
                        for message in page["messages"][-1:]:
                            path = f"/messages/{message['id']}"
                            await here.ok("PATCH", path, {"text": f"{random.random()}"})
                    case "poll":
                        await bob.poll()
                    case "wait" if rooms:
                        async with trio.open_nursery() as nursery:
                            nursery.start_soon(bob.poll, random.randint(1, 30))
                            await trio.sleep(random.choice([0, 0.1]))
                            for _ in range(random.randint(0, 3)):
                                await here.send(random.choice(rooms), "hi")
                    case "lose":
                        lost = Poller(here, "bob")
                        lost.cursor = bob.cursor
                        await lost.poll()
            store = store.restarted() if random.random() < 0.5 else store.crashed()
    assert bob is not None
    async with web(store=store, new_id=new_id, limits=limits) as here:
        bob.here = here
        await bob.all()
        await bob.all()
        loaded = {told["c"]: told["seq"] for told in bob.resync if told["reason"] == "new"}
        assert {told["reason"] for told in bob.resync} <= {"begin", "new"}
        for room in rooms:
            head = (await here.ok("GET", f"/conversations/{room}"))["seq"]
            assert bob.seqs(room) == list(range(loaded.pop(room) + 1, head + 1))
        assert loaded == {}
