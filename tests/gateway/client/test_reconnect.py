"""Losing the connection and coming back: when, whether, and what the application is told."""

from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from palaver.gateway.client import (
    Client,
    ReconnectFailed,
    Refused,
    StateChange,
    exponential,
    linear,
)
from palaver.gateway.client.reconnect import delay
from palaver.protocol.disconnects import DISCONNECTS, Disconnect
from palaver.tests.gateway.client.scripted import Server


async def until(client: Client, state: str) -> list[StateChange]:
    """The state changes up to and including the first `state`."""
    seen = []
    async for push in client:
        if isinstance(push, StateChange):
            seen.append(push)
            if push.state == state:
                break
    return seen


async def test_CLI_01_exponential_one_to_thirty_seconds(clock: MockClock, server: Server) -> None:
    server.down = True
    async with server.client():
        await trio.sleep(150)
    waits = [b - a for a, b in zip(server.attempts, server.attempts[1:], strict=False)]
    assert [round(wait, 6) for wait in waits] == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_CLI_01_linear_five_attempts_then_no_more(clock: MockClock, server: Server) -> None:
    server.down = True
    async with server.client(backoff=linear) as client:
        seen = await until(client, "reconnect_failed")
        with pytest.raises(ReconnectFailed, match="connection refused"):
            await client.get("c")
        with pytest.raises(ReconnectFailed):
            await anext(client)
    assert [round(time) for time in server.attempts] == [0, 1, 3, 6, 10, 15]
    assert [change.state for change in seen] == [
        *["connecting", "disconnected"] * 6,
        seen[-1].state,
    ]


async def test_CLI_01_the_count_begins_anew_after_a_connection(
    clock: MockClock, server: Server
) -> None:
    server.down = True
    async with server.client() as client:
        await trio.sleep(6)  # attempts at 0, 1, 3; the next is at 7
        server.down = False
        peer = await server.peer()
        await peer.welcome()
        await peer.drop()
        [*_, lost] = await until(client, "connected") + await until(client, "disconnected")
        assert lost.retry_in == 1


@given(random=st.floats(0, 1, exclude_max=True), advice=st.none() | st.floats(0, 60))
def test_CLI_01_full_jitter_from_the_first_retry_on(random: float, advice: float | None) -> None:
    first = next(exponential())
    assert delay(first, lambda: 0.0, None) == 0
    assert (advice or 0) <= delay(first, lambda: random, advice) <= (advice or 0) + first


@pytest.mark.parametrize("disconnect", DISCONNECTS, ids=lambda d: str(d.code))
async def test_CONN_21_the_close_code_decides_whether_to_come_back(
    clock: MockClock, server: Server, disconnect: Disconnect
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.close(disconnect.code, disconnect.reason)
        if disconnect.reconnect:
            await server.peer()
            return
        await until(client, "reconnect_failed")
        with pytest.raises(Refused, match=disconnect.reason) as caught:
            await client.connected()
        assert caught.value.code == disconnect.code
    assert len(server.attempts) == 1


async def test_CONN_21_a_refused_token_says_why(clock: MockClock, server: Server) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:

        async def refuse() -> None:
            peer = await server.peer()
            await peer.refuse(await peer.expect("hello"), "AUTH_FAILED", message="bad signature")
            await peer.close(3500, "token refused")

        nursery.start_soon(refuse)
        with pytest.raises(Refused, match="bad signature"):
            await client.connected()


@pytest.mark.parametrize(("status", "final"), [(401, True), (403, True), (404, True), (503, False)])
async def test_an_http_refusal_counts_like_a_close_code(
    clock: MockClock, server: Server, status: int, final: bool
) -> None:
    server.reject = (status, [(b"Retry-After", b"7")])
    async with server.client() as client:
        seen = await until(client, "reconnect_failed" if final else "disconnected")
        assert seen[1].reason == f"HTTP {status}"
        assert seen[1].retry_in == (None if final else 8)


async def test_a_server_that_hangs_up_at_once_is_not_waited_for(
    clock: MockClock, server: Server
) -> None:
    server.mute = True
    async with server.client() as client:
        start = trio.current_time()
        assert (await until(client, "disconnected"))[-1].reason == "the connection broke"
        assert trio.current_time() == start
        server.mute = False
        await (await server.peer()).welcome()


async def test_advice_at_leave_taking_is_obeyed(clock: MockClock, server: Server) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def send() -> None:
            assert (await client.send("c", "before"))["seq"] == 1

        nursery.start_soon(send)
        item = await peer.expect("message.send")
        await peer.say({"t": "goodbye", "d": {"reconnect_after": 3.0}})
        await peer.reply(item, seq=1)
        # Once nothing is in flight it goes by itself, so that draining need not wait for it.
        assert await peer.closed() == 1000
        [*_, lost] = await until(client, "disconnected")
        assert lost.retry_in == 4


async def test_CLI_13_the_states_in_their_order(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        assert client.state in ("disconnected", "connecting")
        peer = await server.peer()
        await peer.welcome()
        assert (await client.connected())["user"] == "ann" == client.user
        await peer.drop()
        peer = await server.peer()
        await peer.welcome()
        await peer.close(3503, "session revoked or expired")
        seen = await until(client, "reconnect_failed")
    assert [change.state for change in seen] == [
        *("connecting", "connected", "disconnected"),
        *("connecting", "connected", "disconnected", "reconnect_failed"),
    ]
    assert seen[2] == StateChange("disconnected", "the connection broke", 1.0)


async def test_a_silent_server_is_asked_once_then_given_up(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome(heartbeat=10)
        start = trio.current_time()
        await peer.expect("ping")
        assert trio.current_time() - start == 15
        await peer.say({"t": "pong"})
        await peer.expect("ping")
        await server.peer()
        assert trio.current_time() - start == 30 + 10 + 1
        assert (await until(client, "disconnected"))[-1].reason == "no sign of life from the server"


async def test_a_server_that_never_welcomes_is_left(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        await server.peer()
        assert (await until(client, "disconnected"))[-1].reason == "no welcome in time"


async def test_a_ping_is_answered(clock: MockClock, server: Server) -> None:
    async with server.client():
        peer = await server.peer()
        await peer.welcome()
        await peer.say({"t": "ping", "id": 4})
        assert await peer.item() == {"t": "pong", "id": 4}


async def test_a_fresh_token_for_each_connection_and_before_one_runs_out(
    clock: MockClock, server: Server
) -> None:
    given = 0

    async def token() -> str:
        nonlocal given
        given += 1
        if given == 2:
            raise OSError("the issuer is away")
        return f"token {given}"

    async with server.client(token=token):
        peer = await server.peer()
        assert (await hello(peer))["token"] == "token 1"
        await peer.drop()
        peer = await server.peer()  # the second one was not to be had
        assert (await hello(peer, ttl=100, heartbeat=100))["token"] == "token 3"
        start = trio.current_time()
        refresh = await next_of(peer, "refresh")
        assert refresh["d"] == {"token": "token 4"}
        assert trio.current_time() - start == 80


async def hello(peer: Any, **extra: Any) -> Any:
    item = await peer.expect("hello")
    await peer.say({"t": "welcome", "id": item["id"], "d": {"user": "ann", **extra}})
    return item["d"]


async def next_of(peer: Any, kind: str) -> Any:
    while (item := await peer.item())["t"] != kind:
        pass
    return item


async def test_CONN_12_who_can_have_a_fresh_token_comes_back_after_one_has_run_out(
    clock: MockClock, server: Server
) -> None:
    async def token() -> str:
        return "fresh"

    async with server.client(token=token) as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.close(3500, "token refused or expired")
        await until(client, "disconnected")
        peer = await server.peer()
        await peer.close(3500, "token refused or expired")  # a fresh one that was refused
        assert (await until(client, "reconnect_failed"))[-1].reason == "token refused or expired"


@pytest.mark.parametrize("url", ["http://host", "host:8765", "ws://", "ws:///v1/ws"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="not a WebSocket URL"):
        Client(url, "token")


@pytest.mark.parametrize("item", [7, {"id": 1}, {"t": 3}, ["x"]])
async def test_what_is_no_item_ends_the_connection_and_not_the_client(
    clock: MockClock, server: Server, item: Any
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.say(item)
        peer = await server.peer()
        await peer.welcome()
        assert (await client.connected())["user"] == "ann"
