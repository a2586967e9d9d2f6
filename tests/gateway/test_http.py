"""Health, readiness and metrics, on a server that may fail without anybody noticing."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
import structlog
import trio
from hypercorn.trio.tcp_server import TCPServer
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.gateway.health import process
from palaver.gateway.http import Requests, make_app
from palaver.gateway.http_server import supervise
from palaver.gateway.server import serve
from palaver.tests.gateway.harness import House, fake, house, settings


@asynccontextmanager
async def application(**sections: Any) -> AsyncIterator[tuple[House, httpx.AsyncClient]]:
    """Without a network."""
    async with house(**sections) as here:
        transport = httpx.ASGITransport(make_app(here.gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            yield here, http


@pytest.mark.parametrize("path", ["/v1/health", "/health"])
async def test_MON_01_health_tells_of_sockets_errors_and_resources(path: str) -> None:
    async with application() as (here, http):
        peer = await here.client()
        await peer.send({"t": "fail", "id": 2}, {"t": "message.send", "id": 3})
        for _ in range(2):
            await peer.item()
        response = await http.get(path)
        assert response.status_code == 200
        report = response.json()
        assert report["status"] == "ok"
        assert report["checks"] == {"storage": "ok", "sockets": "ok", "keys": "ok"}
        assert report["sockets"] == {"open": 1, "opened": 1, "max": 50_000}
        assert report["rates"].keys() == {"seconds", "replies", "errors", "error_rate"}
        assert (report["rates"]["replies"], report["rates"]["error_rate"]) == (2, 0.5)
        assert report["process"]["memory_bytes"] > 1_000_000
        assert report["process"]["memory_peak_bytes"] > 1_000_000
        assert report["process"]["cpu_s"] > 0


@pytest.mark.parametrize("status", ["starting", "draining", "degraded"])
async def test_DEP_05_only_an_engine_in_order_is_ready(status: str) -> None:
    async with application() as (here, http):
        assert (await http.get("/v1/ready")).status_code == 200
        here.engine.status = status
        here.engine.storage = "unavailable"
        assert (await http.get("/v1/ready")).status_code == 503
        response = await http.get("/v1/health")
        assert (response.status_code, response.json()["status"]) == (200, status)


async def test_DEP_05_while_the_spool_takes_what_is_written_clients_may_come() -> None:
    async with application() as (here, http):
        here.engine.status = "degraded"
        here.engine.storage = "spooling"
        assert (await http.get("/v1/ready")).status_code == 200


async def test_DEP_05_a_gateway_that_drains_is_not_ready() -> None:
    async with application() as (here, http):
        await here.gateway.drain()
        assert (await http.get("/v1/ready")).status_code == 503
        report = (await http.get("/v1/health")).json()
        assert (report["status"], report["checks"]["sockets"]) == ("draining", "draining")


async def test_MON_02_metrics_move() -> None:
    async with application() as (here, http):
        peer = await here.client()
        assert (await here.peer().upgrade("/elsewhere")).status == 404
        await peer.send({"t": "fail", "id": 2})
        await peer.item()
        text = (await http.get("/metrics")).text
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert samples["palaver_connections",] >= 1
        assert samples["palaver_connections_opened_total",] == 1
        assert samples["palaver_messages_received_total",] == 2
        assert samples["palaver_replies_total",] == 1
        assert samples["palaver_errors_total", "MESSAGE_NOT_FOUND"] == 1
        assert samples["palaver_handshakes_refused_total", "404"] == 1


async def test_error_rates_are_those_of_the_last_minute(
    autojump_clock: MockClock,
) -> None:
    async with application() as (here, http):
        counters = here.gateway.counters

        async def rate() -> tuple[int, int]:
            rates = (await http.get("/v1/health")).json()["rates"]
            return rates["replies"], rates["errors"]

        counters.replies, counters.errors["INTERNAL"] = 100, 50
        await trio.sleep(30)
        assert await rate() == (100, 50)
        await trio.sleep(60)
        counters.replies += 10
        assert await rate() == (10, 0)
        await trio.sleep(600)
        assert await rate() == (0, 0)


@pytest.mark.parametrize("path", ["/v1/health", "/health", "/v1/ready"])
async def test_DEP_05_monitors_that_want_no_body_are_answered_as_well(path: str) -> None:
    async with application() as (_, http):
        assert (await http.head(path)).status_code == 200


async def test_CONN_14_preflight_of_a_foreign_origin_is_refused() -> None:
    async with application(listen={"allowed_origins": ["https://chat.example"]}) as (_, http):
        ask = {"Access-Control-Request-Method": "POST"}
        good = await http.options("/v1/health", headers={"Origin": "https://chat.example", **ask})
        assert good.headers["access-control-allow-origin"] == "https://chat.example"
        bad = await http.options("/v1/health", headers={"Origin": "https://evil.example", **ask})
        assert bad.status_code == 400
        assert "access-control-allow-origin" not in bad.headers


async def test_CONN_14_a_page_of_ours_may_read_that_its_body_is_too_large() -> None:
    async with application(listen={"allowed_origins": ["https://chat.example"]}) as (_, http):
        origin = {"Origin": "https://chat.example"}
        no = await http.post("/v1/messages", content=bytes(10_000_001), headers=origin)
        assert (no.status_code, no.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert no.headers["access-control-allow-origin"] == origin["Origin"]


@pytest.mark.parametrize("size", [10_000_000, 10_000_001])
@pytest.mark.parametrize("said", [True, False], ids=["said", "in chunks"])
async def test_CONN_20_a_body_of_10_MB_is_taken_and_one_more_byte_is_refused(
    said: bool, size: int
) -> None:
    async with house() as here:
        sent: list[Any] = []
        left = size

        async def receive() -> dict[str, Any]:
            nonlocal left
            await trio.lowlevel.checkpoint()
            chunk = min(left, 600_000)
            left -= chunk
            return {"type": "http.request", "body": b"x" * chunk, "more_body": left > 0}

        async def send(message: Any) -> None:
            await trio.lowlevel.checkpoint()
            sent.append(message)

        async def reading(scope: Any, receive: Any, send: Any) -> None:
            while (await receive())["more_body"]:
                pass
            await send({"type": "http.response.start", "status": 204})

        length = [(b"content-length", str(size).encode())] if said else []
        scope = {"type": "http", "method": "POST", "headers": length}
        await Requests(reading, here.gateway)(scope, receive, send)
        assert sent[0]["status"] == (204 if size == 10_000_000 else 413)
        if size > 10_000_000:
            assert b"PAYLOAD_TOO_LARGE" in sent[1]["body"]
            assert left == (size if said else 0), "refused before it is read, where it is said"


async def test_it_is_served_on_its_own_port_and_outlives_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really = TCPServer.run
    failures = 0

    async def sometimes(self: TCPServer) -> None:
        nonlocal failures
        if failures < 2:
            failures += 1
            raise ExceptionGroup("several", [RuntimeError("secret")])
        await really(self)

    monkeypatch.setattr(TCPServer, "run", sometimes)
    _, engine = fake(settings())
    with structlog.testing.capture_logs() as entries:
        async with trio.open_nursery() as nursery:
            listening = await nursery.start(serve, engine)
            async with httpx.AsyncClient() as http:
                for _ in range(2):
                    with pytest.raises(httpx.TransportError):
                        await http.get(f"{listening.http_url}/v1/health")
                response = await http.get(f"{listening.http_url}/v1/health?token=secret")
                assert response.json()["status"] == "ok"
                assert "server" not in response.headers
            nursery.cancel_scope.cancel()
    assert [entry["event"] for entry in entries] == ["HTTP connection failed"] * 2
    assert "secret" not in str(entries)


LARGE = 50_000_000
"""More than is ever under way."""


@asynccontextmanager
async def downloading(over: trio.Event | None = None) -> AsyncIterator[trio.SocketStream]:
    """A client that has asked for much, from a server that goes on sending, and reads nothing."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        for _ in range(LARGE // 1_000_000):
            await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
        await send({"type": "http.response.body"})
        if over is not None:
            over.set()

    async with AsyncExitStack() as client, trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(supervise, app, listeners)
        stream = await trio.open_tcp_stream("127.0.0.1", listeners[0].socket.getsockname()[1])
        await client.enter_async_context(stream)
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        yield stream
        nursery.cancel_scope.cancel()


async def test_who_reads_nothing_does_not_keep_the_server_from_ending() -> None:
    with trio.fail_after(30):
        async with downloading() as stream:
            await stream.receive_some(1)
            await wait_all_tasks_blocked(0.05)


async def test_who_reads_slowly_gets_it_all(autojump_clock: MockClock) -> None:
    """However long it takes: whoever reads an answer has nothing to say meanwhile."""
    taken = 0
    async with downloading() as stream:
        while taken < LARGE:
            data = await stream.receive_some(2**26)
            assert data, f"cut off after {taken} bytes"
            taken += len(data)
            await trio.sleep(20)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system cannot tell")
async def test_who_takes_nothing_for_a_while_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palaver.gateway.http_server.STALLED_MS", 200)
    over = trio.Event()
    async with downloading(over):
        with trio.fail_after(30):
            await over.wait()


def test_the_process_is_measured_without_help() -> None:
    before = process()
    assert before["uptime_s"] is not None
    assert all(value is None or value >= 0 for value in before.values())
