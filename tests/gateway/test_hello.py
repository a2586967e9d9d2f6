"""Signing in: who gets in, who does not, in which order things happen, and for how long."""

import base64
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import structlog
import trio
from pydantic import SecretStr
from trio.testing import MockClock

from palaver.actors.outbox import Outbox, Parcel, Push
from palaver.engine.sections import Auth
from palaver.gateway.auth import Identity, issue_token
from palaver.gateway.gateway import open_gateway
from palaver.protocol.codec import Codec
from palaver.protocol.errors import Rejected
from palaver.tests.gateway.harness import (
    CODECS,
    PING,
    PONG,
    SECRET,
    House,
    fake,
    house,
    settings,
)

AUTH = Auth(secret=SecretStr(SECRET))


def signed(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def unsigned(claims: dict[str, Any]) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, b""]).decode()


BAD_TOKENS: dict[str, tuple[Callable[[], Any], str]] = {
    "absent": (lambda: None, "AUTH_REQUIRED"),
    "empty": (lambda: "", "AUTH_REQUIRED"),
    "malformed": (lambda: "not.a.token", "AUTH_FAILED"),
    "not a string": (lambda: 5, "AUTH_FAILED"),
    "huge": (lambda: "x" * 20_000, "AUTH_FAILED"),
    "wrongly signed": (lambda: signed({"sub": "ann"}, "t" * 32), "AUTH_FAILED"),
    "expired": (lambda: issue_token(AUTH, "ann", ttl_s=-60), "SESSION_EXPIRED"),
    "not yet valid": (lambda: signed({"sub": "ann", "nbf": time.time() + 60}), "AUTH_FAILED"),
    "alg none": (lambda: unsigned({"sub": "ann"}), "AUTH_FAILED"),
    "alg not listed": (lambda: signed({"sub": "ann"}, "s" * 64, "HS512"), "AUTH_FAILED"),
    "no sub": (lambda: signed({"user": "ann"}), "AUTH_FAILED"),
    "sub is a number": (lambda: signed({"sub": 7}), "AUTH_FAILED"),
    "sub is no user id": (lambda: signed({"sub": " ann"}), "AUTH_FAILED"),
    "sub is too long": (lambda: signed({"sub": "a" * 129}), "AUTH_FAILED"),
    "exp is nonsense": (lambda: signed({"sub": "ann", "exp": "soon"}), "AUTH_FAILED"),
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
async def test_CONN_05_a_bad_token_never_reaches_an_actor(kind: str, codec: Codec) -> None:
    make, code = BAD_TOKENS[kind]
    async with house() as here:
        peer = await here.connected(codec)
        reply = await peer.hello(make())
        assert (reply["t"], reply["id"], reply["error"]["code"]) == ("reply", 1, code)
        assert await peer.closed() == 3500
        assert here.engine.attached == []
        assert here.engine.submitted == []


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
async def test_the_welcome_says_what_a_client_must_know(codec: Codec) -> None:
    async with house(policy={"durability": "relaxed"}) as here:
        peer = await here.connected(codec)
        welcome = await peer.hello(here.token("ann"), id=7, device="ann's phone")
        assert welcome["d"].pop("ttl") in (3604, 3605)  # tolerance included
        assert welcome == {
            "t": "welcome",
            "id": 7,
            "v": 1,
            "ts": 1_700_000_000_000,
            "d": {
                "user": "ann",
                "connection": "id-1",
                "heartbeat": 30,
                "durability": "relaxed",
                "durable": False,
                "max_frame": 1_048_576,
                "server": "palaver/0.1.0",
            },
        }
        eternal = await here.connected(codec)
        assert (await eternal.hello(here.token("ann", None), id=None))["d"]["ttl"] is None


async def test_CONN_05_the_user_is_the_token_s_alone() -> None:
    async with house() as here:
        peer = await here.connected()
        reply = await peer.hello(here.token("ann"), user="bob")
        assert reply["error"]["code"] == "VALIDATION_FAILED"
        assert reply["error"]["details"]["field"] == "user"
        assert await peer.closed() == 3501
        assert here.engine.attached == []


async def test_CONN_10_what_is_pushed_while_signing_in_comes_after_the_welcome() -> None:
    async with house() as here:

        def push(outbox: Outbox) -> None:
            for n in range(3):
                outbox.offer(Parcel([Push({"t": "message.sent", "seq": n})]))

        here.engine.on_attach = push
        peer = await here.connected()
        assert (await peer.hello(here.token("ann")))["t"] == "welcome"
        assert [(await peer.item())["seq"] for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("version", [0, 2, 99])
async def test_another_version_is_not_spoken(version: int) -> None:
    async with house() as here:
        peer = await here.connected()
        await peer.send({"t": "hello", "id": 1, "v": version, "d": {"token": here.token("ann")}})
        error = (await peer.item())["error"]
        assert error["details"] == {"field": "v", "supported": [1]}
        assert await peer.closed() == 3505


@pytest.mark.parametrize("kind", ["message.send", "ping", "refresh", "goodbye"])
async def test_the_first_item_is_hello(kind: str) -> None:
    async with house() as here:
        peer = await here.connected()
        await peer.send({"t": kind, "id": 1})
        assert (await peer.item())["error"]["code"] == "AUTH_REQUIRED"
        assert await peer.closed() == 3500
        assert here.engine.submitted == []


async def test_strangers_get_no_more_memory_than_a_hello_needs() -> None:
    async with house() as here:
        peer = await here.connected()
        await peer.frame(b"x" * 32_769)
        assert (await peer.next()).data[:2] == (1009).to_bytes(2, "big")
        friend = await here.client()
        await friend.send({"t": "ping", "id": 1, "d": {"pad": "x" * 100_000}})
        assert await friend.item() == {"t": "pong", "id": 1}


async def test_hello_is_said_once_and_what_follows_it_in_the_frame_is_heard() -> None:
    async with house() as here:
        peer = await here.connected()
        hello = {"t": "hello", "id": 1, "d": {"token": here.token("ann")}}
        await peer.send(hello, {"t": "message.send", "id": 2}, {**hello, "id": 3})
        assert (await peer.item())["t"] == "welcome"
        assert await peer.item() == {"t": "reply", "id": 2, "ok": {}}
        assert (await peer.item())["error"]["code"] == "VALIDATION_FAILED"
        await peer.send({"t": "ping", "id": 4})
        assert await peer.item() == {"t": "pong", "id": 4}


async def test_after_a_refusal_nothing_of_the_frame_is_heard() -> None:
    async with house() as here:
        peer = await here.connected()
        good = {"t": "hello", "id": 2, "d": {"token": here.token("ann")}}
        await peer.send({"t": "hello", "id": 1}, good, {"t": "message.send", "id": 3})
        assert (await peer.item())["error"]["code"] == "AUTH_REQUIRED"
        assert await peer.closed() == 3500
        assert here.engine.attached == []


async def test_CONN_03_one_connection_too_many() -> None:
    async with house(connections={"max_per_user": 2}) as here:
        first, second = await here.client(), await here.client()
        third = await here.connected()
        assert (await third.hello(here.token("ann")))["error"]["code"] == "CONNECTION_LIMIT"
        assert await third.closed() == 3504
        await here.client("bob")
        for peer in (first, second):
            await peer.send({"t": "ping"})
            assert await peer.item() == {"t": "pong"}
        await first.close()
        await here.engine.until(lambda: len(here.engine.outboxes) == 2)
        await here.client()


async def test_an_engine_that_drains_lets_nobody_in_but_asks_them_back() -> None:
    async with house() as here:

        def refuse(outbox: Outbox) -> None:
            raise Rejected("UNAVAILABLE", retry_after=1.0)

        here.engine.on_attach = refuse
        peer = await here.connected()
        assert (await peer.hello(here.token("ann")))["error"]["retry_after"] == 1.0
        assert await peer.closed() == 3001


async def test_a_hello_that_does_not_come_is_not_waited_for(clock: MockClock) -> None:
    async with house(connections={"hello_timeout_s": 10}) as here:
        began = trio.current_time()
        peer = await here.connected()
        assert await peer.closed() == 3502
        assert trio.current_time() - began == 10


async def lives(here: House, ttl_s: float) -> float:
    """How long a token of `ttl_s` seconds holds by the clock of the process, as this is slower."""
    began = trio.current_time()
    peer = await here.connected()
    await peer.hello(here.token("ann", ttl_s))
    while (frame := await peer.next()).opcode == PING:
        await peer.frame(frame.data, PONG)
    item = peer.codec.decode(frame.data)
    assert (item["t"], item["error"]["code"]) == ("reply", "SESSION_EXPIRED")
    assert await peer.closed() == 3500
    return trio.current_time() - began


async def test_CONN_12_an_expired_token_ends_the_connection(clock: MockClock) -> None:
    async with house() as here:
        assert 63 <= await lives(here, 60) <= 65
        # Sooner than the hello's own deadline would have come:
        assert 6 <= await lives(here, 3) <= 8


async def test_a_refreshed_token_extends_it(clock: MockClock) -> None:
    async with house(connections={"heartbeat_s": 1000}) as here:
        began = trio.current_time()
        peer = await here.connected()
        await peer.hello(here.token("ann", 60))
        await trio.sleep(50)
        await peer.send({"t": "refresh", "id": 2, "d": {"token": here.token("ann", 120)}})
        assert (await peer.item())["ok"]["ttl"] in (124, 125)
        assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
        assert await peer.closed() == 3500
        assert 170 <= trio.current_time() - began <= 176


async def test_a_refresh_that_is_refused_changes_nothing() -> None:
    async with house() as here:
        peer = await here.client("ann")
        for token, code in [
            (here.token("bob"), "AUTH_FAILED"),
            ("nonsense", "AUTH_FAILED"),
            (here.token("ann", -60), "SESSION_EXPIRED"),
            (None, "VALIDATION_FAILED"),
        ]:
            await peer.send({"t": "refresh", "id": 2, "d": {"token": token}})
            assert (await peer.item())["error"]["code"] == code
        await peer.send({"t": "message.send", "id": 3})
        assert "ok" in await peer.item()


async def test_SEC_17_tokens_and_bodies_are_never_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    auth = {"secret": SECRET, "token_sources": ["hello", "query", "header"]}
    with structlog.testing.capture_logs() as entries:
        async with house(auth=auth) as here:

            def explode(outbox: Outbox, item: object) -> None:
                raise RuntimeError(f"failed on {item}")

            token = here.token("ann")
            peer = here.peer()
            await peer.upgrade(f"/v1/ws?token={token}", Authorization=f"Bearer {token}")
            await peer.hello(token)
            await peer.send({"t": "refresh", "id": 2, "d": {"token": token, "x": "body"}})
            await peer.item()
            await peer.send({"t": "message.send", "id": 3, "d": {"text": "body"}})
            await peer.item()
            await peer.frame(b"\xc1 body " + token.encode())
            await peer.item()
            here.engine.submit = explode  # type: ignore[method-assign]
            await peer.send({"t": "message.send", "id": 3, "d": {"text": "body", "y": token}})
            await peer.end()
    output = caplog.text + "".join(capsys.readouterr()) + str(entries)
    assert "connection failed" in output, "the failure itself is logged"
    assert token not in output
    assert "body" not in output


class SessionTable:
    """A host's own verifier: tokens are the names of sessions."""

    def __init__(self, **sessions: tuple[str, bool]) -> None:
        self._sessions = sessions

    async def verify(self, token: str | None) -> Identity:
        await trio.lowlevel.checkpoint()
        if token is None:
            raise Rejected("AUTH_REQUIRED")
        user, expired = self._sessions.get(token, ("", True))
        if expired:
            raise Rejected("SESSION_EXPIRED")
        return Identity(user)


async def test_CONN_07_a_host_may_verify_tokens_itself() -> None:
    table = SessionTable(good=("ann", False), old=("ann", True))
    note, engine = fake(settings())
    async with open_gateway(engine, verifier=table) as gateway, trio.open_nursery() as nursery:
        here = House(note, gateway, nursery)
        for token, answer in (("good", "welcome"), ("old", "reply"), ("unknown", "reply")):
            peer = await here.connected()
            reply = await peer.hello(token)
            assert reply["t"] == answer
            if answer == "reply":
                assert reply["error"]["code"] == "SESSION_EXPIRED"
                assert await peer.closed() == 3500
        assert len(here.engine.attached) == 1
        nursery.cancel_scope.cancel()
