"""What every product does, whatever its profile."""

import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import structlog
import trio
from prometheus_client import generate_latest

from palaver.engine.host import Account
from palaver.engine.profiles import NAMES
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.codec import JsonCodec
from palaver.tests.gateway.harness import CLOSE, PING
from palaver.tests.scenarios.waiting import waits_for
from palaver.tests.support.engines import NOWHERE, refused
from palaver.tests.support.faults import Trap
from palaver.tests.support.hosts import Directory, person
from palaver.tests.support.product import Product, fault, product, settings_of

UNLIMITED = {"messages_per_min": 0}


class Everybody(Directory):
    """Whoever is named."""

    async def find(self, ids: Sequence[str]) -> dict[str, Account]:
        return {id: person(id) for id in ids}


@pytest.fixture(params=["default", *NAMES])
def profile(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "default" else str(request.param)


@pytest.fixture
async def here(profile: str | None) -> AsyncIterator[Product]:
    async with product(profile, users=Everybody()) as there:
        yield there


async def test_01_who_signs_in_and_how_long_a_connection_lasts(here: Product):
    """CONN-01, 05, 06, 08, 12, 14, SEC-17."""
    stranger = here.peer()
    assert (await stranger.upgrade(Origin="https://elsewhere.example")).status == 403
    liar = here.peer()
    await liar.upgrade()
    assert (await liar.hello("no token"))["error"]["code"] == "AUTH_FAILED"
    assert await liar.closed() == 3500

    token = here.token("ann")
    with structlog.testing.capture_logs() as entries:
        for source in ("header", "query"):
            peer = here.peer()
            if source == "header":
                await peer.upgrade(Authorization=f"Bearer {token}")
            else:
                await peer.upgrade(f"/v1/ws?token={token}")
            answer = await peer.hello(None)
            if source in here.settings.auth.token_sources:
                assert answer["d"]["user"] == "ann"
            else:
                assert answer["error"]["code"] == "AUTH_REQUIRED"
        assert (await here.http("ann", "GET", "/conversations")).status_code == 200
        nobody = {"Authorization": "Bearer no token"}
        response = await here.http("ann", "GET", "/conversations", headers=nobody)
        assert (response.status_code, response.json()["code"]) == (401, "AUTH_FAILED")
    assert token not in str(entries)

    silent, phone = here.peer(), await here.phone("ann")
    await silent.upgrade()
    await silent.hello(here.token("ann"))
    for other in ("bob", "cid"):
        room = await here.room("ann", other)
        await here.engine.post(room, f"for {other}")
    await here.settled()
    assert [each["text"] for each in phone.payloads("message.posted")] == ["for bob", "for cid"]
    pings = 0
    while (frame := await silent.next()).opcode != CLOSE:
        pings += frame.opcode == PING
    assert (pings, int.from_bytes(frame.data[:2], "big")) == (2, 3012)
    here.engine.revoke(user="ann")
    await here.settled()
    assert phone.closed == 3503
    assert (await refused(here.web("ann", "GET", "/conversations"))).code == "SESSION_EXPIRED"


async def test_02_what_is_asked_is_checked_in_order_and_answered_once(profile: str | None):
    """SEND-04, 06, 22, CONN-19, ERR-03, SEC-05."""
    async with product(profile, limits={"messages_per_min": 10}) as here:
        ann, bob, cid = await here.phones("ann", "bob", "cid")
        room = await here.room("ann", "bob")
        first = await ann.send(room, "hello", client_id="k")
        assert await ann.send(room, "hello", client_id="k", attempt=2) == first
        messages = f"/conversations/{room}/messages"
        again = await here.web("ann", "POST", messages, {"text": "hello", "client_id": "k"})
        assert (again["id"], again["seq"]) == (first["id"], first["seq"])
        await here.settled()
        (heard,) = bob.payloads("message.sent")
        assert (heard["text"], heard["by"]) == ("hello", "ann")

        no = await refused(ann.send(room, "x", by="bob"))
        assert fault(no) == ("VALIDATION_FAILED", "by")
        assert (await refused(ann.send(NOWHERE, "x"))).code == "CONVERSATION_NOT_FOUND"
        long = "x" * (here.policy.max_chars + 1)
        assert (await refused(cid.send(room, long))).code == "PERMISSION_DENIED"
        assert (await refused(ann.send(room, long))).code == "MESSAGE_TOO_LONG"
        no = await refused(ann.send(room, " "))
        assert fault(no) == ("VALIDATION_FAILED", "text")

        for n in range(10):
            await bob.send(room, f"{n}")
        no = await refused(bob.send(room, long))
        assert no.code == "RATE_LIMITED"
        assert no.retry_after is not None
        by_http = await here.http("bob", "POST", messages, {"text": "x"})
        assert by_http.status_code == 429
        assert no.retry_after <= int(by_http.headers["retry-after"]) < no.retry_after + 1
        await trio.sleep(no.retry_after)
        await bob.send(room, "the same connection")


async def test_03_conversations_of_each_kind_and_their_list(here: Product):
    """CONV-01, 19, 26, GRP-17."""
    ann, bob, cid = await here.phones("ann", "bob", "cid")
    rooms = [await here.room("ann", "bob")]
    if here.has_groups:
        rooms.append(await here.room("ann", "bob", "cid"))
    for room in rooms:
        await ann.send(room, room)
    await here.settled()
    assert bob.texts() == rooms
    assert cid.texts() == rooms[1:]

    rooms += [await here.room("ann", f"u{n}") for n in range(6)]
    for n, room in enumerate(rooms):
        here.clock.jump(1)
        await ann.send(room, f"{n}")
    walked: list[str] = []
    page: dict[str, Any] = {"next": None}
    while page["next"] is not None or not walked:
        query = {"limit": 3, "cursor": page["next"]} if walked else {"limit": 3}
        page = await ann.ask("conversation.list", query)
        walked += [row["c"] for row in page["conversations"]]
        await ann.send(walked[0], "meanwhile")
        assert page["users"].keys() >= {"ann"}
        for shown in page["users"].values():
            assert tuple(shown) == here.policy.user_fields
    assert walked == rooms[::-1]


async def test_04_system_messages_are_nobody_s_and_metadata_is_the_product_s(here: Product):
    """MSG-26, 29."""
    ann, bob = await here.phones("ann", "bob")
    room = await here.room("ann", "bob")
    posted = await here.engine.post(room, "Welcome", metadata={"kind": "greeting"})
    await here.settled()
    (heard,) = bob.payloads("message.posted")
    assert (heard["text"], heard["metadata"]) == ("Welcome", {"kind": "greeting"})
    assert "by" not in heard
    edit = {"message_id": posted.id, "text": "Go away"}
    no = await refused(ann.ask("message.edit", edit, room))
    assert no.code == ("PERMISSION_DENIED" if here.policy.edit_enabled else "FEATURE_DISABLED")
    no = await refused(ann.ask("message.delete", {"message_id": posted.id}, room))
    deletes = "everyone" in here.policy.delete_scopes
    assert no.code == ("PERMISSION_DENIED" if deletes else "FEATURE_DISABLED")

    metadata = {"list": [1, 2.5, None, True], "map": {"ü": "é"}}
    await ann.send(room, "with data", metadata=metadata)
    assert (await bob.history(room))[-1]["metadata"] == metadata
    no = await refused(ann.send(room, "x", metadata={"x": "y" * 16_384}))
    assert fault(no) == ("VALIDATION_FAILED", "metadata")


async def test_05_counters_are_what_a_recount_gives(profile: str | None):
    """RCPT-07, 10."""
    async with product(profile, limits=UNLIMITED) as here:
        phones = await here.phones("ann", "bob")
        room = await here.room("ann", "bob")
        deletes = "everyone" in here.policy.delete_scopes
        chance = random.Random(5)
        sent: list[dict[str, Any]] = []
        marks = {"ann": 1, "bob": 1}
        for n in range(80):
            phone = chance.choice(phones)
            own = [each for each in sent if each["by"] == phone.user and not each["deleted"]]
            match chance.randrange(4):
                case 0 if sent:
                    seq = chance.choice(sent)["seq"]
                    await phone.ask("message.read", {"seq": seq}, room)
                    marks[phone.user] = max(marks[phone.user], seq)
                case 1 if own and deletes:
                    message = chance.choice(own)
                    await phone.ask("message.delete", {"message_id": message["id"]}, room)
                    message["deleted"] = True
                case _:
                    done = await phone.send(room, f"{n}")
                    sent.append({**done, "by": phone.user, "deleted": False})
                    marks[phone.user] = done["seq"]
        await trio.sleep(here.policy.receipts_batch_s + 1)
        kept = [message for message in sent if not message["deleted"]]
        for phone in phones:
            user = phone.user
            counted = sum(m["by"] != user and m["seq"] > marks[user] for m in kept)
            state = await phone.ask("conversation.get", {}, room)
            assert (state["unread"], state["number"]) == (counted, len(sent))
            assert (await phone.ask("conversation.list"))["unread"] == counted
            assert state["members"][user]["read"]["seq"] == marks[user]
        for message in kept[-10:]:
            query = {"message_id": message["id"]}
            readers = (await phones[0].ask("message.readers", query, room))["readers"]
            assert {reader["user"] for reader in readers} == {
                user
                for user, mark in marks.items()
                if user != message["by"] and mark >= message["seq"]
            }


async def test_06_who_comes_right_back_was_not_away(here: Product):
    """RCPT-20."""
    ann, bob = await here.phones("ann", "bob")
    room = await here.room("ann", "bob")
    if not here.policy.presence_enabled:
        no = await refused(ann.ask("presence.get", {"conversation": room}))
        assert no.code == "FEATURE_DISABLED"
        return
    await ann.ask("conversation.subscribe", {}, room)
    await trio.sleep(60)
    ann.items.clear()
    await bob.drop()
    await trio.sleep(2)
    bob = await here.phone("bob")
    await trio.sleep(60)
    assert ann.payloads("presence.changed") == []
    await bob.drop()
    await trio.sleep(60)
    (told,) = ann.payloads("presence.changed")
    assert (told["user"], told["online"]) == ("bob", False)
    assert told["last_seen"] > 0


async def test_07_a_conversation_that_crashes_is_made_anew(profile: str | None):
    """HIST-13, ERR-06."""
    trap = Trap()
    async with product(profile, guards=[trap]) as here:
        (ann,) = await here.phones("ann")
        room, other = await here.room("ann", "bob"), await here.room("ann", "cid")
        await ann.send(room, "before")

        async def state() -> dict[str, Any]:
            found = await ann.ask("conversation.get", {}, room)
            return {key: found[key] for key in ("epoch", "seq", "number", "members", "unread")}

        before = await state()
        trap.spring("poison")
        no = await refused(ann.send(room, "poison"))
        assert no.code == "INTERNAL"
        assert no.correlation
        await ann.send(other, "not affected")
        assert await state() == before
        assert (await ann.send(room, "after"))["seq"] == before["seq"] + 1


@waits_for("latency")
async def test_08_while_the_database_stalls(profile: str | None):
    """SEND-15, MON-08."""
    durability = settings_of(profile).policy.durability
    store = MemoryStore(durability=durability)
    async with product(profile, store=store) as here:
        ann, bob = await here.phones("ann", "bob")
        room = await here.room("ann", "bob")
        await here.settled()
        store.hold()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.send, room, "now")
            await here.settled()
            assert bob.texts() == (["now"] if durability == "write_behind" else [])
            assert here.engine.health()["writes_pending"] == 1
            assert b"palaver_pending_conversations 1.0" in generate_latest(
                here.engine.metrics.registry
            )
            store.release()
        await here.settled()
        assert bob.texts() == ["now"]
        assert here.engine.health()["writes_pending"] == 0


async def test_09_who_does_not_read_is_sent_away_and_nobody_else_feels_it(profile: str | None):
    """SEND-25."""
    bounds = {"outbox_bytes": 65_536, "send_buffer_bytes": 4096}
    async with product(profile, limits=UNLIMITED, connections=bounds) as here:
        slow = here.slow_peer()
        await slow.upgrade()
        await slow.hello(here.token("bob"))
        ann, bob = await here.phones("ann", "bob")
        room = await here.room("ann", "bob")
        sent = 0
        while not here.gateway.counters.closed["3008"]:
            await ann.send(room, "x" * 2000)
            sent += 1
            assert sent < 1000
        await here.settled()
        assert len(bob.texts()) == sent
        await trio.aclose_forcefully(slow.stream)


async def test_10_search_finds_it_within_a_second_and_takes_it_literally(here: Product):
    """SRCH-11, 12."""
    (ann,) = await here.phones("ann")
    room = await here.room("ann", "bob")
    text = "100% of my notes_on [calculus]; 'quoted'"
    await ann.send(room, text)
    await trio.sleep(1)

    async def found(query: str) -> list[str]:
        payload = {"query": query, "conversation": room}
        return [hit["text"] for hit in (await ann.ask("message.search", payload))["hits"]]

    assert await found("calculus") == [text]
    for hostile in ("%%", "__", "'; DROP TABLE log; --", "\\' OR 1=1", "no & such | word"):
        assert await found(hostile) == []


@waits_for("REST", "vocabularies")
async def test_11_one_protocol_in_two_encodings(here: Product):
    """REST-06, REST-10, WS-02."""
    assert (await here.peer().upgrade("/")).status == 101
    assert (await here.peer().upgrade("/elsewhere")).status == 404
    packed, plain = await here.phone("ann"), await here.phone("ann", JsonCodec())
    room = await here.room("ann", "bob")
    await plain.send(room, "ein Schälchen Tee")
    await here.settled()
    assert packed.items == plain.items
    too_many = {"limit": here.policy.max_messages_page + 1}
    no = await refused(plain.ask("message.history", too_many, room))
    assert fault(no) == ("VALIDATION_FAILED", "limit")


@waits_for("vocabularies")
async def test_12_whatever_is_sent_is_answered_and_gaps_are_filled(here: Product):
    """WS-07, 08, 09, 10."""
    ann, bob = await here.phones("ann", "bob")
    room = await here.room("ann", "bob")
    assert (await refused(ann.ask("message.dream", {}, room))).code == "UNSUPPORTED_COMMAND"
    if not here.policy.typing_enabled:
        assert (await refused(ann.ask("typing.start", {}, room))).code == "FEATURE_DISABLED"
    await ann.peer.frame(b"\xc1")
    await here.settled()
    assert ann.items[-1]["error"]["code"] == "BAD_FRAME"

    state = await bob.ask("conversation.get", {}, room)
    position = {"epoch": state["epoch"], "seq": state["seq"]}
    await bob.drop()
    for n in range(5):
        await ann.send(room, f"{n}")
    bob = await here.phone("bob")
    assert (await bob.ask("conversation.resume", position, room))["recovered"]
    assert bob.texts() == ["0", "1", "2", "3", "4"]
    await ann.send(room, "and on")
    await here.settled()
    seqs = bob.seqs(room)
    assert seqs == list(range(position["seq"] + 1, position["seq"] + 7))
    if here.has_groups:
        group = await here.room("ann", "bob", "cid")
        await here.engine.as_host().remove_member(group, "bob")
        await ann.send(group, "without bob")
        await here.settled()
        assert "without bob" not in bob.texts()
        assert (await refused(bob.send(group, "still here?"))).code == "PERMISSION_DENIED"


@waits_for("calls", "moderation")
def test_13_the_schema():
    """DB-01, 06, 10, 11, 12, ATT-27. It is no profile's: what there is of it is held by
    tests/persistence."""


def test_14_two_workers_never_do_the_same():
    """AUTO-07. They are no profile's: tests/persistence/contract/test_jobs.py, tests/journeys."""


async def test_15_what_was_answered_is_there_after_a_stop(profile: str | None):
    """CONN-17, 18, DEP-11. Signals and processes: tests/gateway/cli, tests/journeys."""
    store = MemoryStore(durability=settings_of(profile).policy.durability)
    async with product(profile, store=store) as here:
        (ann,) = await here.phones("ann")
        room = await here.room("ann", "bob")
        for n in range(5):
            await ann.send(room, f"{n}")
    async with product(profile, store=store.restarted()) as here:
        (bob,) = await here.phones("bob")
        assert [each["text"] for each in await bob.history(room)] == ["0", "1", "2", "3", "4"]


async def test_16_badges_and_read_marks_come_by_themselves(here: Product):
    """UI-08."""
    ann, bob = await here.phones("ann", "bob")
    room = await here.room("ann", "bob")
    await ann.ask("conversation.subscribe", {}, room)
    await bob.ask("conversation.list")
    sent = await ann.send(room, "hello")
    await trio.sleep(1)
    told = bob.payloads("unread.changed")[-1]
    assert (told["total"], told["conversations"]) == (1, {room: 1})
    await bob.ask("message.read", {}, room)
    await trio.sleep(here.policy.receipts_batch_s + 1)
    assert bob.payloads("unread.changed")[-1]["total"] == 0
    (told,) = ann.payloads("message.read")
    assert (told["by"], told["seq"]) == ("bob", sent["seq"])
