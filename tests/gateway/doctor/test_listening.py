"""Ports: free, taken by somebody else, or by an engine that can be asked."""

import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from palaver.gateway.doctor.listening import ask, check_engine, check_port, check_ports
from palaver.gateway.hello import SERVER
from palaver.gateway.server import serve
from palaver.tests.gateway.harness import FakeEngine, settings


@pytest.fixture
def port() -> Iterator[int]:
    """Taken, by somebody who says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server.getsockname()[1]


def level_of(host: str, port: int, health: dict[str, Any] | None) -> str:
    (finding,) = check_port("HTTP port", host, port, health)
    return finding.level


def test_a_port_is_free_or_taken_by_an_engine_or_by_another(port: int):
    assert level_of("127.0.0.1", 0, None) == "ok"
    assert level_of("127.0.0.1", port, {"server": SERVER}) == "ok"
    assert level_of("127.0.0.1", port, None) == "problem"


def test_an_address_of_another_machine_is_a_problem():
    assert level_of("192.0.2.1", 0, None) == "problem"


@pytest.mark.parametrize(
    ("health", "level"),
    [
        ({"server": SERVER, "status": "ok"}, "ok"),
        ({"server": SERVER, "status": "degraded"}, "warning"),
        ({"server": "palaver/0.0.1", "status": "ok"}, "warning"),
    ],
)
def test_the_engine_that_answers_may_be_another(health: dict[str, Any], level: str):
    (finding,) = check_engine(health)
    assert finding.level == level


@pytest.mark.parametrize("said", [b"", b"hello", b"[]", b"{}", b'{"server": "nginx"}'])
def test_whoever_else_answers_is_no_engine(said: bytes):
    assert ask("http://host/", lambda *_, **__: io.BytesIO(said)) is None


def test_an_engine_is_known_by_its_health():
    health = {"server": "palaver/9", "status": "ok"}
    assert ask("http://host/", lambda *_, **__: io.BytesIO(json.dumps(health).encode())) == health


@pytest.mark.parametrize(("status", "level"), [("ok", "ok"), ("degraded", "warning")])
async def test_an_engine_that_runs_is_asked_how_it_is(status: str, level: str):
    engine = FakeEngine(settings())
    engine.status = status
    async with trio.open_nursery() as nursery:
        listening = await nursery.start(serve, engine)
        ports = {"port": listening.port, "http_port": listening.http_port}
        findings = {
            finding.about: finding.level for finding in await check_ports(settings(listen=ports))
        }
        nursery.cancel_scope.cancel()
    assert findings == {"WebSocket port": "ok", "HTTP port": "ok", "engine": level}
