"""One contract for all adapters of the sessions port, at the gateway that asks it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import jwt
import pytest
import trio

from palaver.engine.host.callback import signature, signing_key
from palaver.engine.testing import memory_engine
from palaver.gateway import Session, serve
from palaver.gateway.client import Client
from palaver.gateway.gateway import open_gateway
from palaver.gateway.http import make_app
from palaver.tests.gateway import harness
from palaver.tests.gateway.harness import Peer
from palaver.tests.support import hosts
from palaver.tests.support.hosts import SECRET, SessionTable, sessions_by_http, web

every_adapter = pytest.mark.parametrize("adapter", ["python", "http", "claims"])
who_can_be_asked = pytest.mark.parametrize("adapter", ["python", "http"])


class Case(harness.House):
    """A gateway that signs in who is in `table`. By "claims", tokens say what stands there."""

    adapter: str
    table: SessionTable
    http: httpx.AsyncClient

    def token_of(self, session: str) -> str:
        claims: dict[str, Any] = {"sid": session, "exp": time.time() + 600}
        if self.adapter == "claims":
            known = self.table.sessions[session]
            claims |= {"sub": known.user, "role": known.role, "exp": known.expires_at}
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, harness.SECRET, "HS256")

    async def signed_in(self, session: str) -> tuple[Peer, dict[str, Any]]:
        peer = await self.connected()
        return peer, await peer.hello(self.token_of(session))

    async def ended(self, *sessions: str) -> None:
        """The product says so."""
        body = httpx.Request("POST", "http://here", json={"ids": sessions}).content
        headers = signature(signing_key(SECRET), "id", int(time.time()), body)
        told = await self.http.post("/v1/host/sessions/ended", content=body, headers=headers)
        assert told.status_code == 204


@asynccontextmanager
async def opened(adapter: str, table: SessionTable, **host: Any) -> AsyncIterator[Case]:
    async with AsyncExitStack() as stack:
        host = {"secret": SECRET} | host
        if adapter == "http":
            host["url"] = await stack.enter_async_context(web(sessions_by_http(table)))
            host["sessions"] = "callback"
        auth = {"secret": harness.SECRET}
        engine = await stack.enter_async_context(memory_engine(auth=auth, host=host))
        given = table if adapter == "python" else None
        gateway = await stack.enter_async_context(open_gateway(engine, sessions=given))
        nursery = await stack.enter_async_context(trio.open_nursery())
        here = Case(engine, gateway, nursery)  # type: ignore[arg-type]
        here.adapter, here.table = adapter, table
        over = httpx.ASGITransport(make_app(gateway))
        here.http = await stack.enter_async_context(
            httpx.AsyncClient(transport=over, base_url="http://here")
        )
        yield here
        nursery.cancel_scope.cancel()


@every_adapter
async def test_CONN_07_a_session_says_user_role_and_end(adapter: str):
    table = SessionTable(s1=Session("ann", "tutor", time.time() + 100))
    async with opened(adapter, table) as here:
        _, welcome = await here.signed_in("s1")
        assert welcome["d"]["user"] == "ann"
        assert welcome["d"]["ttl"] in range(90, 110)
        (bound,) = here.gateway.engine._env.hub.sessions["ann"].outboxes
        assert (bound.user, bound.role, bound.session) == ("ann", "tutor", "s1")


@every_adapter
async def test_CONN_07_a_session_that_is_over_is_refused(adapter: str):
    table = SessionTable(old=Session("ann", None, time.time() - 60))
    async with opened(adapter, table) as here:
        _, answer = await here.signed_in("old")
        assert answer["error"]["code"] == "SESSION_EXPIRED"


@who_can_be_asked
async def test_CONN_07_a_session_that_there_is_not_is_refused(adapter: str):
    async with opened(adapter, SessionTable()) as here:
        _, answer = await here.signed_in("gone")
        assert answer["error"]["code"] == "SESSION_EXPIRED"


@every_adapter
async def test_CONN_07_CONN_12_one_that_the_product_ends_is_out_at_once_and_stays_out(adapter: str):
    table = SessionTable(s1=Session("ann"), s2=Session("ann"), s3=Session("bob"))
    async with opened(adapter, table) as here:
        (one, _), (two, _), (three, _) = [await here.signed_in(s) for s in ("s1", "s2", "s3")]
        await here.ended("s1", "s3", "never heard of")
        for peer in (one, three):
            assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
            assert await peer.closed() == 3503
        await two.send({"t": "ping"})
        assert await two.item() == {"t": "pong"}
        _, answer = await here.signed_in("s1")
        assert answer["error"]["code"] == "SESSION_EXPIRED", "though the table still has it"
        assert table.asked.count(["s1"]) == (0 if adapter == "claims" else 2), "not from memory"


async def test_CONN_07_a_storm_of_sign_ins_is_few_questions():
    table = SessionTable(**{f"{n}": Session(f"user {n}") for n in range(60)})
    async with opened("http", table) as here:
        welcome: list[str] = []

        async def sign_in(session: str) -> None:
            welcome.append((await here.signed_in(session))[1]["t"])

        for _ in range(2):
            async with trio.open_nursery() as nursery:
                for session in table.sessions:
                    nursery.start_soon(sign_in, session)
        assert welcome == ["welcome"] * 120
        assert sorted(id for question in table.asked for id in question) == sorted(table.sessions)
        assert len(table.asked) < 10


async def test_CONN_07_a_server_of_its_own_asks_where_the_settings_say():
    table = SessionTable(s1=Session("ann", "tutor"))
    async with (
        web(sessions_by_http(table)) as url,
        memory_engine(
            auth={"secret": harness.SECRET},
            host={"sessions": "callback", "url": url, "secret": SECRET},
            listen={"port": 0, "http_port": 0},
        ) as engine,
        trio.open_nursery() as nursery,
    ):
        listening = await nursery.start(serve, engine)
        token = jwt.encode({"sid": "s1"}, harness.SECRET, "HS256")
        async with Client(listening.ws_url, token) as ann:
            await ann.call("message.send", {"to": "bob", "text": "hi"})
            assert ann.user == "ann"
        nursery.cancel_scope.cancel()


@who_can_be_asked
async def test_CONN_07_while_the_product_is_away_one_is_to_come_back(adapter: str):
    table = SessionTable(s1=Session("ann"))
    table.broken = True
    async with opened(adapter, table) as here:
        peer, answer = await here.signed_in("s1")
        assert (answer["error"]["code"], answer["error"]["retryable"]) == ("UNAVAILABLE", True)
        assert await peer.closed() == 3001


@pytest.mark.parametrize(
    "said",
    [
        *(5, [], "ann", {}, {"user": 5}, {"user": " ann"}, {"user": "ann", "role": 5}),
        *({"user": "ann", "expires_at": end} for end in ("soon", True, 10**400, [5])),
    ],
)
async def test_CONN_07_what_is_not_clear_is_no_session_and_keeps_nobody_else_out(said: Any):
    async def answer(asked: dict[str, Any]) -> Any:
        return {"sessions": {"s1": said, "s2": {"user": "bob", "expires_at": 1.5}}}

    found: dict[str, Session | None] = {}
    async with hosts.opened("sessions", "http", None, {"sessions": answer}) as port:

        async def find(session: str) -> None:
            found[session] = await port.find(session)

        async with trio.open_nursery() as nursery:
            for session in ("s1", "s2", "s3"):
                nursery.start_soon(find, session)
    assert found == {"s1": None, "s2": Session("bob", None, 1.5), "s3": None}
