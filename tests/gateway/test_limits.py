"""Too much of what is allowed: each bound has an answer, and nobody else feels it."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.actors.outbox import Outbox, Parcel, Push
from palaver.gateway.socket_outbox import PAGES
from palaver.protocol.errors import Rejected
from palaver.protocol.features import COMMANDS
from palaver.protocol.frames import Item
from palaver.tests.gateway.harness import (
    BINARY,
    CLOSE,
    PING,
    FakeEngine,
    House,
    Peer,
    house,
    masked,
    town,
)

PACE = {"commands_per_s": 10, "commands_burst": 5}


def send(id: int | None) -> dict[str, Any]:
    return {"t": "message.send", "id": id, "c": "room", "d": {"text": "x"}}


# All commands of one connection.


async def test_SEC_05_items_over_the_pace_are_told_when_to_come_back(clock: MockClock) -> None:
    async with house(limits=PACE) as here:
        peer, other = await here.client("ann"), await here.client("bob")
        await peer.send(*(send(n) for n in range(8)))
        answers = [await peer.item() for _ in range(8)]
        assert sorted(answer["id"] for answer in answers) == list(range(8))
        refused = {a["id"]: a["error"] for a in answers if "error" in a}
        assert {id: error["code"] for id, error in refused.items()} == dict.fromkeys(
            (5, 6, 7), "RATE_LIMITED"
        )
        assert {error["retry_after"] for error in refused.values()} == {0.1}
        await other.send(send(1))
        assert "ok" in await other.item(), "each connection has its own"
        await trio.sleep(0.1)
        await peer.send(send(9))
        assert "ok" in await peer.item()


async def test_who_goes_on_asking_too_much_is_sent_away_and_may_come_back(clock: MockClock) -> None:
    async with house(limits=PACE) as here:
        peer = await here.client()
        await peer.send(*(send(n) for n in range(20)))
        codes = [("ok" in await peer.item()) for _ in range(11)]
        assert codes == [True] * 5 + [False] * 6
        assert await peer.closed() == 3013
        assert len(here.engine.submitted) == 5
        assert (await (await here.connected()).hello(here.token("ann")))["t"] == "welcome"


@pytest.mark.parametrize("kind", ["refresh", "ping", "hello"])
async def test_the_connection_s_own_items_count_too(kind: str, clock: MockClock) -> None:
    async with house(limits=PACE) as here:
        peer = await here.client()
        token = {"token": here.token("ann")}
        await peer.send(*({"t": kind, "id": n, "d": token} for n in range(6)))
        answers = [await peer.item() for _ in range(6)]
        assert answers[5]["error"]["code"] == "RATE_LIMITED"
        assert not any(a.get("error", {}).get("code") == "RATE_LIMITED" for a in answers[:5])


async def test_acks_over_the_pace_are_passed_over(clock: MockClock) -> None:
    async with house(limits=PACE) as here:
        peer = await here.client()
        await peer.send(*({"t": "ack", "c": "room", "seq": n} for n in range(100)))
        await trio.sleep(1)
        await peer.send(send(1))
        assert "ok" in await peer.item(), "and nobody is sent away for them"
        assert [item.seq for item in here.engine.submitted[:-1]] == list(range(5))


@pytest.mark.parametrize("what", ["pings", "pongs", "fragments"])
@pytest.mark.parametrize("when", ["before hello", "signed in"])
async def test_a_flood_of_frames_that_say_nothing_is_sent_away(what: str, when: str) -> None:
    frame = {"pings": masked(b"", PING), "pongs": masked(b"", 10)}.get(what)
    async with house() as here:
        peer = await (here.client() if when == "signed in" else here.connected())
        if frame is None:
            await peer.frame(b"", BINARY, fin=False)
            frame = masked(b"", 0, fin=False)
        await peer.stream.send_all(frame * 2000)
        while (answer := await peer.next()).opcode != CLOSE:
            pass
        assert answer.data[:2] == (3013).to_bytes(2, "big")


# By an engine that counts.


async def test_SEC_03_the_message_over_the_rate_is_refused_and_the_socket_stays_open(
    clock: MockClock,
) -> None:
    async with town() as here:
        peer = await here.client("ann")
        message = {"t": "message.send", "d": {"text": "x", "to": "bob"}}
        await peer.send(*({**message, "id": n} for n in range(61)))
        errors = {}
        for _ in range(61):
            while (reply := await peer.item())["t"] != "reply":
                pass
            if "error" in reply:
                errors[reply["id"]] = reply["error"]
        assert [(id, error["code"]) for id, error in errors.items()] == [(60, "RATE_LIMITED")]
        await trio.sleep(errors[60]["retry_after"])
        await peer.send({**message, "id": "again"})
        while (reply := await peer.item())["t"] != "reply":
            pass
        assert "ok" in reply


async def test_CONN_04_the_twenty_first_sign_in_within_a_minute_is_refused(
    clock: MockClock,
) -> None:
    async with town() as here:
        for _ in range(20):
            await trio.aclose_forcefully((await here.client("ann")).stream)
        peer = await here.connected()
        error = (await peer.hello(here.token("ann")))["error"]
        assert error["code"] == "RATE_LIMITED"
        assert await peer.closed() == 3013
        await here.client("bob")
        await trio.sleep(error["retry_after"])
        await here.client("ann")


# Signing in.


async def test_CONN_04_who_signs_in_too_often_may_come_back() -> None:
    async with house() as here:
        refuse = Rejected("RATE_LIMITED", retry_after=3.0)

        def full(outbox: Outbox) -> None:
            raise refuse

        here.engine.on_attach = full
        peer = await here.connected()
        answer = await peer.hello(here.token("ann"))
        assert answer["error"]["code"] == "RATE_LIMITED"
        assert answer["error"]["retry_after"] == 3.0
        assert await peer.closed() == 3013


async def test_a_storm_of_handshakes_is_let_in_at_a_steady_rate(clock: MockClock) -> None:
    async with house(limits={"handshakes_per_s": 10}) as here:
        answers = [await here.peer().upgrade() for _ in range(40)]
        assert [answer.status for answer in answers] == [101] * 10 + [503] * 30
        later = [int(answer.headers["retry-after"]) for answer in answers[10:]]
        assert later == [1] * 10 + [2] * 10 + [3] * 10, "as many a second as there is room for"
        elsewhere = await here.peer().upgrade("/elsewhere")
        assert elsewhere.status == 404
        await trio.sleep(1)
        assert [(await here.peer().upgrade()).status for _ in range(11)] == [101] * 10 + [503]


async def test_who_comes_when_the_queue_is_long_is_spread(clock: MockClock) -> None:
    async with house(limits={"handshakes_per_s": 1}) as here:
        answers = [await here.peer().upgrade() for _ in range(100)]
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers[1:])


async def test_strangers_that_only_hold_a_socket_are_dropped_for_newcomers() -> None:
    async with house(connections={"max_strangers": 3}) as here:
        known = [await here.client(f"user {n}") for n in range(5)]
        silent, halfway, ready = here.peer(), here.peer(), await here.connected()
        await wait_all_tasks_blocked()
        await halfway.stream.send_all(b"GET /v1/ws HTTP/1.1\r\n")
        late = [await here.connected() for _ in range(3)]
        for peer in (silent, halfway):
            await peer.end()
        assert await ready.closed() == 3013, "it may come back"
        for n, peer in enumerate(late):
            assert (await peer.hello(here.token(f"late {n}")))["t"] == "welcome"
        here.engine.push({"t": "message.sent", "seq": 1})
        for peer in (*known, *late):
            assert (await peer.item())["seq"] == 1


# Pages, which are large.


def test_pages_are_commands() -> None:
    assert set(COMMANDS) >= PAGES


class Library(FakeEngine):
    """Answers a resume with a page of `size` bytes, when told to."""

    size = 300_000

    def _answer(self, outbox: Outbox, item: Item) -> None:
        if item.kind in PAGES:
            outbox.offer(Parcel([Push({"t": "page", "d": {"pad": "x" * self.size}})]))
        super()._answer(outbox, item)


SMALL = {"outbox_bytes": 65_536, "send_buffer_bytes": 4096}


async def on_socket(here: House) -> Peer:
    peer = here.on_socket()
    await peer.upgrade()
    await peer.hello(here.token("ann"))
    return peer


def resume(id: int | None) -> dict[str, Any]:
    return {"t": "conversation.resume", "id": id, "c": "room", "d": {"epoch": 1, "seq": 0}}


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palaver.tests.gateway.harness.FakeEngine", Library)


async def test_SEND_25_a_client_that_asks_for_many_pages_and_reads_them_is_not_slow(
    libraries: None,
) -> None:
    """Thirty pages in one frame: ten times what may wait for it."""
    async with house(connections=SMALL) as here:
        peer = await on_socket(here)
        await peer.send(*(resume(n) for n in range(30)), send(30))
        replies: list[Any] = []
        while len(replies) < 31:
            item = await peer.item()
            if item["t"] == "reply":
                replies.append(item["id"])
        assert replies == list(range(31))


async def test_SEND_25_pages_are_asked_for_one_at_a_time(libraries: None) -> None:
    async with house(connections=SMALL) as here:
        here.engine.answers = False
        peer = await on_socket(here)
        await peer.send(send(1), resume(2), send(3), resume(4), send(5))
        await wait_all_tasks_blocked()
        assert [item.id for item in here.engine.submitted] == [1, 2, 3]
        here.engine.answer(3)
        await wait_all_tasks_blocked()
        assert [item.id for item in here.engine.submitted] == [1, 2, 3], "until it is written"
        for kind in ("reply", "page", "reply", "reply"):
            assert (await peer.item())["t"] == kind
        await wait_all_tasks_blocked()
        assert [item.id for item in here.engine.submitted] == [1, 2, 3, 4, 5]


async def test_SEND_25_who_asks_for_pages_and_reads_none_gets_one_and_is_closed(
    libraries: None, clock: MockClock
) -> None:
    async with house(connections=SMALL) as here:
        peer = await on_socket(here)
        await peer.send(*(resume(n) for n in range(30)))
        await trio.sleep(29)
        assert len(here.engine.submitted) == 1
        await trio.sleep(2)
        assert not here.engine.outboxes
        assert _closed(here) == {"3008": 1}


async def test_a_page_needs_an_id() -> None:
    async with house() as here:
        peer = await here.client()
        await peer.send(resume(None))
        error = (await peer.item())["error"]
        assert (error["code"], error["details"]) == ("VALIDATION_FAILED", {"field": "id"})
        assert here.engine.submitted == []


def _closed(here: House) -> dict[str, int]:
    return dict(here.gateway.counters.closed)


# What is under way when the client closes.


@pytest.mark.parametrize("count", [1, 64, 65, 200])
async def test_everything_before_a_close_is_carried_out_however_much_it_is(count: int) -> None:
    async with house() as here:
        peer = await here.client()
        data = b"".join(masked(peer.codec.encode(send(n)), BINARY) for n in range(count))
        await peer.stream.send_all(data + masked((1000).to_bytes(2, "big"), CLOSE))
        while (await peer.next()).opcode != CLOSE:
            pass
        await peer.end()
        assert [item.id for item in here.engine.submitted] == list(range(count))
        assert not here.engine.outboxes


async def test_what_cannot_be_carried_out_soon_after_a_close_is_not(clock: MockClock) -> None:
    async with house(connections={"max_in_flight": 2}) as here:
        here.engine.answers = False
        peer = await here.client()
        data = masked(peer.codec.encode([send(n) for n in range(6)]), BINARY)
        await peer.stream.send_all(data + masked((1000).to_bytes(2, "big"), CLOSE))
        assert (await peer.next()).opcode == CLOSE
        await trio.sleep(1)
        here.engine.answer(1)
        await trio.sleep(5)
        assert [item.id for item in here.engine.submitted] == [0, 1, 2]
        assert not here.engine.outboxes
