"""Who has no subscription is not let in, and sent away when it lapses (GRP-14, SEC-12)."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager

import httpx
import jwt
import pytest
import trio
from trio.testing import MockClock

from palaver.engine import Engine
from palaver.engine.host import Subscription
from palaver.engine.host.callback import signature, signing_key
from palaver.engine.testing import memory_engine
from palaver.gateway import serve
from palaver.gateway.client import Client, Refused
from palaver.gateway.gateway import open_gateway
from palaver.gateway.http import make_app
from palaver.protocol.errors import Rejected
from palaver.tests.gateway.harness import SECRET as TOKENS
from palaver.tests.gateway.harness import Peer, settings
from palaver.tests.support.engines import settled
from palaver.tests.support.hosts import SECRET, Subscribers
from palaver.tests.support.product import Product, product
from palaver.tests.support.web import web

REQUIRED = {"premium_required": True}


def a_house(premium: Subscribers, **host: object) -> AbstractAsyncContextManager[Product]:
    return product(None, premium=premium, policy=REQUIRED, host=host)


async def said_hello(here: Product, user: str) -> tuple[Peer, dict[str, object]]:
    peer = here.peer()
    await peer.upgrade()
    return peer, await peer.hello(here.token(user))


async def test_GRP_14_who_has_no_subscription_is_not_let_in():
    async with a_house(Subscribers("ann")) as here:
        await here.phone("ann")
        peer, answer = await said_hello(here, "bob")
        error = answer["error"]
        assert isinstance(error, dict)
        assert (error["code"], error["retryable"]) == ("PREMIUM_REQUIRED", False)
        assert await peer.closed() == 3506
        assert here.engine.health()["connections"] == 1


async def test_SEC_12_without_a_subscription_files_are_refused_as_well():
    async with web(premium=Subscribers("ann"), policy=REQUIRED) as here:
        png = {"name": "a.png", "mime": "image/png", "size": 10}
        id = (await here.ok("POST", "/attachments", png))["id"]
        for method, path, body in (
            ("POST", "/attachments", png),
            ("PUT", f"/attachments/{id}", None),
            ("POST", f"/attachments/{id}/complete", None),
            ("GET", f"/attachments/{id}", None),
        ):
            no = await here.no(method, path, body, user="bob")
            assert (no["status"], no["code"]) == (403, "PREMIUM_REQUIRED")


async def test_GRP_14_the_next_command_is_refused_and_the_connections_end(
    autojump_clock: MockClock,
):
    premium = Subscribers("ann")
    async with a_house(premium) as here:
        until = here.clock() + 10_000_000
        premium.subscriptions["bob"] = Subscription(until)
        ann, phone, laptop = await here.phones("ann", "bob", "bob")
        room = await here.room("ann", "bob")
        here.clock.jump(10_001)  # before anything looks at the time
        with pytest.raises(Rejected, match="PREMIUM_REQUIRED"):
            await phone.send(room, "hi")
        await trio.sleep(1)
        assert (phone.closed, laptop.closed, ann.closed) == (3506, 3506, None)


async def test_GRP_14_who_only_listens_hears_no_more(autojump_clock: MockClock):
    premium = Subscribers("ann", "bob")
    async with a_house(premium) as here:
        ann, phone, laptop = await here.phones("ann", "bob", "bob")
        room = await here.room("ann", "bob")
        await settled()
        del premium.subscriptions["bob"]
        here.engine.premium_changed("bob")
        await trio.sleep(1)
        assert (phone.closed, laptop.closed, ann.closed) == (3506, 3506, None)
        await ann.send(room, "alone")
        await settled()
        assert phone.texts() == laptop.texts() == []
        _, answer = await said_hello(here, "bob")
        assert answer["error"]["code"] == "PREMIUM_REQUIRED"  # type: ignore[index]


async def test_SEC_12_a_new_token_does_not_get_round_it():
    def token(**claims: object) -> str:
        return jwt.encode({"sub": "ann", "exp": time.time() + 600, **claims}, TOKENS, "HS256")

    policy, host = REQUIRED, {"premium": "claims"}
    async with product(None, policy=policy, host=host) as here:
        peer = here.peer()
        await peer.upgrade()
        assert (await peer.hello(token(premium=True)))["t"] == "welcome"
        await peer.send({"t": "refresh", "id": 1, "d": {"token": token(premium=True)}})
        assert "ok" in await peer.item()
        await peer.send({"t": "refresh", "id": 2, "d": {"token": token()}})
        assert await peer.closed() == 3506
        again = here.peer()
        await again.upgrade()
        assert (await again.hello(token()))["error"]["code"] == "PREMIUM_REQUIRED"


async def test_SEC_12_a_slow_host_keeps_only_the_user_waiting_who_signs_in(
    autojump_clock: MockClock,
):
    premium = Subscribers("ann", "bob")
    async with a_house(premium, timeout_s=3) as here:
        ann = await here.phone("ann")
        premium.delay_s, began = 2.0, trio.current_time()
        peer = here.peer()
        await peer.upgrade()
        hello = {"t": "hello", "id": 1, "v": 1, "d": {"token": here.token("bob")}}
        await peer.send(hello, {"t": "settings.get", "id": 2})
        room = await here.room("ann")
        await ann.send(room, "at once")
        assert trio.current_time() == began
        assert (await peer.item())["t"] == "welcome"
        assert (await peer.item())["id"] == 2
        assert trio.current_time() == began + 2


async def test_SEC_12_while_the_host_is_away_one_may_come_back_later(
    autojump_clock: MockClock,
):
    premium = Subscribers("ann")
    async with a_house(premium) as here:
        premium.broken = True
        peer, answer = await said_hello(here, "ann")
        assert answer["error"]["code"] == "UNAVAILABLE"  # type: ignore[index]
        assert await peer.closed() == 3001
        premium.broken = False
        await here.phone("ann")


async def test_CONN_12_who_is_revoked_while_the_host_is_asked_is_not_let_in(
    autojump_clock: MockClock,
):
    premium = Subscribers("ann")
    async with a_house(premium) as here:
        premium.delay_s = 1.0
        peer = here.peer()
        await peer.upgrade()
        await peer.send({"t": "hello", "id": 1, "v": 1, "d": {"token": here.token("ann")}})
        await trio.sleep(0.5)
        here.engine.revoke(user="ann")
        assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
        assert await peer.closed() == 3500


@pytest.mark.parametrize("body", [b'{"users": ["ann"]}', b"{}"])
async def test_GRP_14_the_host_says_by_http_that_something_has_changed(body: bytes):
    premium = Subscribers("ann")
    async with (
        memory_engine(
            premium=premium, policy=REQUIRED, host={"secret": SECRET}, auth={"secret": TOKENS}
        ) as engine,
        open_gateway(engine) as gateway,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app(gateway)), base_url="http://here"
        ) as http,
        engine.as_user("ann").pushes(),
    ):
        premium.subscriptions.clear()
        path = "/v1/host/premium/changed"
        headers = signature(signing_key(SECRET), "id", int(time.time()), body)
        answer = await http.post(path, content=body, headers=headers)
        assert answer.status_code == 204
        with pytest.raises(Rejected, match="PREMIUM_REQUIRED"):
            await engine.as_user("ann").inbox()


async def test_GRP_14_over_real_sockets():
    premium = Subscribers("ann", "bob")
    chosen = settings(policy=REQUIRED, storage={"memory": True})
    async with Engine(chosen, premium=premium) as engine, trio.open_nursery() as nursery:
        listening = await nursery.start(serve, engine)
        url = f"ws://{listening.host}:{listening.port}"

        def client(user: str) -> Client:
            return Client(url, listening.issue_token(user))

        async with client("ann") as ann, client("bob") as bob:
            room = await ann.create_group(["bob"])
            await bob.send(room, "hi")
            del premium.subscriptions["bob"]
            engine.premium_changed("bob")
            with trio.fail_after(5):
                with pytest.raises(Refused) as end:
                    async for _ in bob:
                        pass
                assert end.value.code == 3506
                async with client("bob") as again:
                    with pytest.raises(Refused) as no:
                        await again.connected()
                assert no.value.code == 3506
        nursery.cancel_scope.cancel()
