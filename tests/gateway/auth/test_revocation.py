"""Revoking while a user is connected, is signing in, or comes back with the same token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from palaver.engine import Engine
from palaver.engine.testing import memory_engine
from palaver.gateway import Session
from palaver.gateway.auth import issue_token
from palaver.gateway.gateway import Gateway, open_gateway
from palaver.tests.gateway.harness import SECRET, Peer


class House:
    def __init__(self, engine: Engine, gateway: Gateway, nursery: trio.Nursery) -> None:
        self.engine = engine
        self.gateway = gateway
        self._nursery = nursery

    def token(self, user: str, session: str | None = None) -> str:
        return issue_token(self.engine.settings.auth, user, session=session)

    async def upgraded(self, **headers: str) -> Peer:
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self.gateway.serve_stream, ours)
        peer = Peer(theirs, real=True)
        assert (await peer.upgrade(**headers)).status == 101
        return peer

    async def client(self, token: str) -> Peer:
        peer = await self.upgraded()
        assert (await peer.hello(token))["t"] == "welcome"
        return peer

    async def is_refused(self, token: str) -> bool:
        peer = await self.upgraded()
        answer = await peer.hello(token)
        if answer["t"] == "welcome":
            return False
        assert answer["error"]["code"] == "SESSION_EXPIRED"
        assert await peer.closed() == 3500
        return True


@asynccontextmanager
async def house(sessions: Any = None) -> AsyncIterator[House]:
    auth = {"secret": SECRET, "token_sources": ["hello", "header"]}
    async with (
        memory_engine(auth=auth) as engine,
        open_gateway(engine, sessions=sessions) as gateway,
        trio.open_nursery() as nursery,
    ):
        yield House(engine, gateway, nursery)
        nursery.cancel_scope.cancel()


async def is_ended(peer: Peer) -> None:
    assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
    assert await peer.closed() == 3503


async def goes_on(peer: Peer) -> None:
    await peer.send({"t": "ping"})
    assert await peer.item() == {"t": "pong"}


async def test_CONN_12_a_revoked_user_is_out_and_stays_out() -> None:
    async with house() as here:
        token = here.token("ann")
        phone, tab, bob = [await here.client(t) for t in (token, token, here.token("bob"))]
        here.engine.revoke(user="ann")
        await is_ended(phone)
        await is_ended(tab)
        await goes_on(bob)
        assert await here.is_refused(token)
        assert not await here.is_refused(here.token("bob"))
        # Signed in anew, in a later second: leeway lets us say so.
        claims = jwt.decode(token, options={"verify_signature": False})
        later = jwt.encode({**claims, "iat": claims["iat"] + 3}, SECRET)
        assert not await here.is_refused(later)


async def test_CONN_12_a_revoked_session_is_out_and_the_others_stay() -> None:
    async with house() as here:
        phone = await here.client(here.token("ann", "s1"))
        tab = await here.client(here.token("ann", "s2"))
        here.engine.revoke(session="s1")
        await is_ended(phone)
        await goes_on(tab)
        assert await here.is_refused(here.token("ann", "s1"))
        # Neither can the other device change over to it.
        await tab.send({"t": "refresh", "id": 2, "d": {"token": here.token("ann", "s1")}})
        assert (await tab.item())["error"]["code"] == "SESSION_EXPIRED"
        await goes_on(tab)


async def test_CONN_12_a_refreshed_connection_belongs_to_its_new_session() -> None:
    async with house() as here:
        peer = await here.client(here.token("ann", "s1"))
        await peer.send({"t": "refresh", "id": 2, "d": {"token": here.token("ann", "s2")}})
        assert "ok" in await peer.item()
        here.engine.revoke(session="s1")
        await goes_on(peer)
        here.engine.revoke(session="s2")
        await is_ended(peer)


async def test_CONN_12_between_upgrade_and_hello() -> None:
    async with house() as here:
        peer = await here.upgraded(Authorization=f"Bearer {here.token('ann', 's1')}")
        here.engine.revoke(session="s1")
        assert (await peer.hello(None))["error"]["code"] == "SESSION_EXPIRED"
        assert await peer.closed() == 3500


async def test_CONN_12_while_the_session_is_looked_up() -> None:
    """The store had found it; it ended before the answer came."""

    class Slow:
        def __init__(self) -> None:
            self.go = trio.Event()

        async def find(self, session: str) -> Session | None:
            await self.go.wait()
            return Session("ann")

    table = Slow()
    async with house(table) as here:
        peer = await here.upgraded()
        await peer.send({"t": "hello", "id": 1, "d": {"token": here.token("ann", "s1")}})
        await wait_all_tasks_blocked()
        here.engine.revoke(session="s1")
        table.go.set()
        assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
        assert await peer.closed() == 3500
        assert here.engine.health()["connections"] == 0
