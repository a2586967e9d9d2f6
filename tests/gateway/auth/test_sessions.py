"""Sessions that are looked up: who gets in, how long that may take, and who sees role and id."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from palaver.engine.testing import memory_engine
from palaver.gateway import Session
from palaver.gateway.auth import issue_token
from palaver.gateway.client import Client
from palaver.gateway.gateway import open_gateway
from palaver.tests.gateway.harness import SECRET, House, Peer, fake, settings


class Table:
    """A host's sessions. `delay_s`: how long a lookup takes."""

    def __init__(self, **sessions: Session) -> None:
        self.sessions = sessions
        self.delay_s = 0.0
        self.broken = False
        self.asked: list[str] = []
        self.busy = self.most = 0

    async def find(self, session: str) -> Session | None:
        self.asked.append(session)
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await trio.sleep(self.delay_s)
        finally:
            self.busy -= 1
        if self.broken:
            raise RuntimeError(f"no such table: {session}")
        return self.sessions.get(session)


@asynccontextmanager
async def house(table: Table, **sections: Any) -> AsyncIterator[House]:
    note, engine = fake(settings(**sections))
    async with open_gateway(engine, sessions=table) as gateway, trio.open_nursery() as nursery:
        yield House(note, gateway, nursery)
        nursery.cancel_scope.cancel()


def token(here: House, session: str | None, user: str = "ann", ttl_s: float | None = 3600) -> str:
    return issue_token(here.engine.settings.auth, user, session=session, ttl_s=ttl_s)


async def signing_in(here: House, token: str) -> Peer:
    """One that has said hello under a clock of its own, and has no answer yet."""
    peer = await here.connected()
    await peer.send({"t": "hello", "id": 1, "d": {"token": token}})
    return peer


async def test_CONN_07_a_session_says_role_and_end() -> None:
    table = Table(s1=Session("ann", role="tutor", expires_at=time.time() + 100))
    async with house(table) as here:
        peer = await here.connected()
        welcome = await peer.hello(token(here, "s1"))
        assert welcome["d"]["user"] == "ann"
        assert welcome["d"]["ttl"] in (99, 100)
        [outbox] = here.engine.outboxes
        assert (outbox.user, outbox.role, outbox.session) == ("ann", "tutor", "s1")


@pytest.mark.parametrize(
    ("session", "user", "code"),
    [
        ("gone", "ann", "SESSION_EXPIRED"),
        ("old", "ann", "SESSION_EXPIRED"),
        ("s1", "bob", "AUTH_FAILED"),
        (None, "ann", "AUTH_FAILED"),
    ],
)
async def test_CONN_07_a_session_that_is_missing_or_over_is_refused(
    session: str | None, user: str, code: str
) -> None:
    table = Table(s1=Session("ann"), old=Session("ann", expires_at=time.time() - 1))
    async with house(table) as here:
        peer = await here.connected()
        assert (await peer.hello(token(here, session, user)))["error"]["code"] == code
        assert await peer.closed() == 3500
        assert here.engine.attached == []


async def test_CONN_07_a_token_that_is_not_good_costs_no_lookup() -> None:
    table = Table(s1=Session("ann"))
    async with house(table) as here:
        peer = await here.connected()
        assert (await peer.hello("nonsense"))["error"]["code"] == "AUTH_FAILED"
        peer = await here.connected()
        expired = token(here, "s1", ttl_s=-60)
        assert (await peer.hello(expired))["error"]["code"] == "SESSION_EXPIRED"
        assert table.asked == []


async def test_CONN_12_a_session_that_runs_out_ends_the_connection(clock: MockClock) -> None:
    table = Table(s1=Session("ann", expires_at=time.time() + 20))
    async with house(table) as here:
        began = trio.current_time()
        peer = await here.connected()
        await peer.hello(token(here, "s1"))
        assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
        assert await peer.closed() == 3500
        assert 10 < trio.current_time() - began <= 20


async def test_a_refresh_takes_over_session_role_and_end(clock: MockClock) -> None:
    table = Table(s1=Session("ann", "guest", time.time() + 20))
    async with house(table) as here:
        began = trio.current_time()
        peer = await here.connected()
        await peer.hello(token(here, "s1"))
        await trio.sleep(10)
        table.sessions["s2"] = Session("ann", "host", time.time() + 300)
        refresh = {"t": "refresh", "id": 2, "d": {"token": token(here, "s2")}}
        await peer.send(refresh, {"t": "message.send", "id": 3})
        assert 200 < (await peer.item())["ok"]["ttl"] <= 300
        assert (await peer.item())["id"] == 3
        [outbox] = here.engine.outboxes
        assert (outbox.role, outbox.session) == ("host", "s2")

        table.sessions.clear()
        await peer.send(refresh)
        assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
        await peer.send({"t": "ping"})
        assert await peer.item() == {"t": "pong"}
        assert trio.current_time() - began < 20


async def test_what_follows_a_slow_hello_or_refresh_waits_in_order(clock: MockClock) -> None:
    table = Table(s1=Session("ann"))
    table.delay_s = 3
    async with house(table) as here:
        peer = await here.connected()
        hello = {"t": "hello", "id": 1, "d": {"token": token(here, "s1")}}
        await peer.send(hello, {"t": "message.send", "id": 2})
        await wait_all_tasks_blocked()
        assert here.engine.attached == []
        assert (await peer.item())["t"] == "welcome"
        assert (await peer.item())["id"] == 2
        refresh = {"t": "refresh", "id": 3, "d": {"token": token(here, "s1")}}
        await peer.send({"t": "message.send", "id": 4}, refresh, {"t": "message.send", "id": 5})
        await peer.send({"t": "message.send", "id": 6})
        assert [(await peer.item())["id"] for _ in range(4)] == [4, 3, 5, 6]


async def test_a_lookup_outlasts_a_heartbeat(clock: MockClock) -> None:
    """The deadline that comes meanwhile is not the client's fault, and loses nothing."""
    table = Table(s1=Session("ann"))
    async with house(table, connections={"heartbeat_s": 30}) as here:
        peer = await here.connected()
        await peer.hello(token(here, "s1"))
        await trio.sleep(28)
        table.delay_s = 4
        await peer.send({"t": "refresh", "id": 2, "d": {"token": token(here, "s1")}})
        assert (await peer.item())["id"] == 2
        assert len(table.asked) == 3, "it was interrupted once, and begun again"


async def test_a_slow_lookup_is_given_up(clock: MockClock) -> None:
    table = Table(s1=Session("ann"))
    table.delay_s = 60
    async with house(table, auth={"secret": SECRET, "lookup_timeout_s": 5}) as here:
        began = trio.current_time()
        peer = await here.connected()
        error = (await peer.hello(token(here, "s1")))["error"]
        assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)
        assert await peer.closed() == 3001
        assert trio.current_time() - began == 5
        assert here.engine.attached == []
        assert table.busy == 0


@pytest.mark.parametrize("source", ["hello", "header"])
async def test_a_slow_lookup_counts_in_the_time_for_hello(source: str, clock: MockClock) -> None:
    table = Table(s1=Session("ann"))
    table.delay_s = 60
    auth = {"secret": SECRET, "lookup_timeout_s": 30, "token_sources": [source]}
    async with house(table, auth=auth, connections={"hello_timeout_s": 10}) as here:
        began = trio.current_time()
        if source == "hello":
            peer = await signing_in(here, token(here, "s1"))
            assert await peer.closed() == 3502
        else:
            peer = here.peer()
            with trio.move_on_after(20), pytest.raises(AssertionError, match="the stream ended"):
                await peer.upgrade(Authorization=f"Bearer {token(here, 's1')}")
        assert trio.current_time() - began == 10
        assert here.engine.attached == []


async def test_a_token_in_the_request_that_cannot_be_looked_up_is_asked_back(
    clock: MockClock,
) -> None:
    table = Table(s1=Session("ann"))
    table.delay_s = 60
    async with house(table, auth={"secret": SECRET, "token_sources": ["header"]}) as here:
        peer = here.peer()
        response = await peer.upgrade(Authorization=f"Bearer {token(here, 's1')}")
        assert (response.status, response.headers["retry-after"]) == (503, "1")
        table.delay_s = 0
        peer = here.peer()
        assert (await peer.upgrade(Authorization=f"Bearer {token(here, 'x')}")).status == 401


async def test_SEC_17_a_store_that_fails_is_logged_without_its_words() -> None:
    table = Table()
    table.broken = True
    with structlog.testing.capture_logs() as entries:
        async with house(table) as here:
            said = token(here, "a-secret-id")
            peer = await here.connected()
            assert (await peer.hello(said))["error"]["code"] == "UNAVAILABLE"
            assert await peer.closed() == 3001
    [entry] = entries
    assert (entry["event"], entry["log_level"]) == ("verifying a token failed", "error")
    assert "RuntimeError" in entry["stack"]
    assert "a-secret-id" not in str(entry)
    assert said not in str(entry)


async def test_lookups_are_bounded(clock: MockClock) -> None:
    table = Table(s1=Session("ann"))
    table.delay_s = 1
    async with house(
        table,
        auth={"secret": SECRET, "max_lookups": 3},
        connections={"max_per_user": 12},
    ) as here:
        peers = [await signing_in(here, token(here, "s1")) for _ in range(12)]
        for peer in peers:
            assert (await peer.item())["t"] == "welcome"
        assert table.most == 3


async def test_a_drain_does_not_wait_for_a_lookup(clock: MockClock) -> None:
    table = Table(s1=Session("ann"))
    table.delay_s = 4
    async with house(table) as here:
        peer = await signing_in(here, token(here, "s1"))
        await wait_all_tasks_blocked()
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.gateway.drain)
            assert await peer.closed() == 3001
        assert trio.current_time() == began
        assert here.engine.attached == []


async def test_without_a_store_the_token_says_role_and_session() -> None:
    note, engine = fake(settings())
    async with open_gateway(engine) as gateway, trio.open_nursery() as nursery:
        here = House(note, gateway, nursery)
        peer = await here.connected()
        await peer.hello(issue_token(gateway.settings.auth, "ann", role="host", session="s1"))
        [outbox] = note.outboxes
        assert (outbox.role, outbox.session) == ("host", "s1")
        nursery.cancel_scope.cancel()


async def test_CONN_07_guards_see_role_and_session() -> None:
    seen = []

    class Watcher:
        def check(self, command: Any, context: Any, state: Any) -> Any:
            seen.append((context.user, context.role, context.session))
            return command

    auth = {"secret": SECRET}
    async with memory_engine(guards=[Watcher()], auth=auth) as engine:
        table = Table(s1=Session("ann", role="host"))
        async with open_gateway(engine, sessions=table) as gateway, trio.open_nursery() as nursery:

            async def connect(address: object) -> trio.abc.Stream:
                await trio.lowlevel.checkpoint()
                ours, theirs = memory_stream_pair()
                nursery.start_soon(gateway.serve_stream, ours)
                return theirs

            said = issue_token(engine.settings.auth, "ann", session="s1")
            async with Client("ws://palaver", said, connector=connect) as ann:
                await ann.call("message.send", {"to": "bob", "text": "hi"})
            await engine.as_user("ann").send_to("bob", "hi")
            nursery.cancel_scope.cancel()
    assert seen == [("ann", "host", "s1"), ("ann", None, None)]
