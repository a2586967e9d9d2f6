"""The HTTP request: path, room, origin, subprotocol, and tokens that come with it."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.protocol.codec import JsonCodec, MsgpackCodec
from palaver.tests.gateway.harness import BINARY, TEXT, house, masked, request

BOTH = "palaver.v1.json, palaver.v1.msgpack"


@pytest.mark.parametrize("path", ["/v1/ws", "/", "/v1/ws?x=1"])
async def test_a_socket_opens_at_both_paths(path: str) -> None:
    async with house() as here:
        response = await here.peer().upgrade(path)
        assert response.status == 101
        # RFC 6455 §1.3 has this very pair.
        assert response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


async def test_no_extension_is_negotiated_however_much_the_client_asks() -> None:
    async with house() as here:
        response = await here.peer().upgrade()
        assert "sec-websocket-extensions" not in response.headers


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, None),
        ("palaver.v1.msgpack", "palaver.v1.msgpack"),
        ("palaver.v1.json", "palaver.v1.json"),
        ("graphql-ws, palaver.v1.json", "palaver.v1.json"),
        (BOTH, "palaver.v1.msgpack"),
    ],
)
async def test_WS_02_the_subprotocol_is_chosen(asked: str | None, given: str | None) -> None:
    async with house() as here:
        peer = here.peer(JsonCodec() if given == "palaver.v1.json" else MsgpackCodec())
        response = await peer.upgrade(subprotocols=asked)
        assert response.status == 101
        assert response.headers.get("sec-websocket-protocol") == given
        await peer.send({"t": "ping"})
        frame = await peer.next()
        assert frame.opcode == (TEXT if given == "palaver.v1.json" else BINARY)


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        (400, {"subprotocols": "graphql-ws"}),
        (400, {"Sec_WebSocket_Version": "12"}),
        (400, {"Sec_WebSocket_Key": "short"}),
        (404, {"path": "/v1/health"}),
        (404, {"path": "/v1/ws/x"}),
        (405, {"method": "POST"}),
        (426, {"Upgrade": "h2c"}),
        (431, {"Cookie": "c" * 20_000}),
    ],
)
async def test_what_is_no_handshake_of_ours_is_refused(
    status: int, changes: dict[str, str]
) -> None:
    async with house() as here:
        peer = here.peer()
        response = await peer.upgrade(**changes)
        assert response.status == status
        await peer.end()


async def test_a_request_without_end_is_refused() -> None:
    async with house() as here:
        peer = here.peer()
        for _ in range(5):
            await peer.stream.send_all(b"GET /v1/ws HTTP/1.1\r\n" + b"X: x\r\n" * 700)
        assert (await peer.response()).status == 431
        await peer.end()


async def test_what_is_no_http_is_cut() -> None:
    async with house() as here:
        peer = here.peer()
        await peer.stream.send_all(b"\x16\x03\x01 hello, do you speak TLS?\r\n\r\n")
        await peer.end()


@pytest.mark.parametrize(
    ("origin", "status", "listen"),
    [
        ("https://evil.example", 403, {"allowed_origins": ["https://chat.example"]}),
        ("https://chat.example.evil.example", 403, {"allowed_origins": ["https://chat.example"]}),
        ("https://chat.example", 101, {"allowed_origins": ["https://chat.example/"]}),
        ("http://localhost:3000", 403, {}),
        ("null", 403, {}),
        ("http://localhost:3000", 101, {"development": True}),
        ("https://127.0.0.1", 101, {"development": True}),
        ("http://[::1]:5173", 101, {"development": True}),
        ("http://localhost.evil.example", 403, {"development": True}),
    ],
)
async def test_CONN_14_only_configured_origins(
    origin: str, status: int, listen: dict[str, object]
) -> None:
    async with house(listen=listen) as here:
        response = await here.peer().upgrade(Origin=origin)
        assert response.status == status


async def test_CONN_14_a_program_sends_no_origin_and_may_connect() -> None:
    async with house(listen={"allowed_origins": ["https://chat.example"]}) as here:
        assert (await here.peer().upgrade()).status == 101


async def test_a_full_server_says_when_to_come_back() -> None:
    async with house(connections={"max_total": 1}) as here:
        first = await here.client()
        second = here.peer()
        response = await second.upgrade()
        assert response.status == 503
        assert int(response.headers["retry-after"]) > 0
        await second.end()
        await trio.aclose_forcefully(second.stream)
        await first.close()
        await first.next()
        await trio.aclose_forcefully(first.stream)
        await wait_all_tasks_blocked()
        assert (await here.peer().upgrade()).status == 101


@pytest.mark.parametrize("source", ["header", "query", "cookie"])
async def test_CONN_06_a_token_may_come_with_the_request_where_that_is_set(source: str) -> None:
    auth = {"secret": "s" * 32, "token_sources": [source]}
    async with house(auth=auth) as here:

        async def upgrade(token: str) -> tuple[int, dict[str, str]]:
            peer = here.peer()
            if source == "query":
                response = await peer.upgrade(f"/v1/ws?a=b&token={token}")
            elif source == "cookie":
                response = await peer.upgrade(Cookie=f"a=b; palaver={token}")
            else:
                response = await peer.upgrade(Authorization=f"Bearer {token}")
            if response.status == 101:
                assert (await peer.hello(None))["d"]["user"] == "ann"
            return response.status, response.headers

        assert (await upgrade(here.token("ann")))[0] == 101
        assert (await upgrade("nonsense"))[0] == 401
        status, headers = await upgrade("")
        assert status == 401
        assert headers["www-authenticate"] == "Bearer"
        # hello is not listed, so a token there is not looked at.
        assert (await here.peer().upgrade()).status == 401
        assert here.engine.attached == ["ann"]


@pytest.mark.parametrize("where", ["header", "query", "cookie"])
async def test_CONN_06_elsewhere_a_token_is_not_looked_at(where: str) -> None:
    async with house() as here:
        peer = here.peer()
        token = here.token("ann")
        if where == "query":
            response = await peer.upgrade(f"/v1/ws?token={token}")
        elif where == "cookie":
            response = await peer.upgrade(Cookie=f"palaver={token}")
        else:
            response = await peer.upgrade(Authorization=f"Bearer {token}")
        assert response.status == 101
        assert (await peer.hello(None))["error"]["code"] == "AUTH_REQUIRED"
        assert await peer.closed() == 3500
        assert here.engine.attached == []


async def test_a_request_in_single_bytes_and_a_hello_right_behind_it() -> None:
    async with house() as here:
        peer = here.peer()
        for byte in request():
            await peer.stream.send_all(bytes([byte]))
        assert (await peer.response()).status == 101

        eager = here.peer()
        hello = {"t": "hello", "id": 1, "d": {"token": here.token("ann")}}
        await eager.stream.send_all(request() + masked(eager.codec.encode(hello), BINARY))
        assert (await eager.response()).status == 101
        assert (await eager.item())["t"] == "welcome"


async def test_a_request_that_does_not_come_is_not_waited_for(clock: MockClock) -> None:
    async with house(connections={"hello_timeout_s": 10}) as here:
        peer = here.peer()
        await peer.stream.send_all(b"GET /v1/ws HTTP/1.1\r\n")
        began = trio.current_time()
        await peer.end()
        assert trio.current_time() - began == 10
        assert here.gateway.counters.closed == {"3502": 1}
