"""The ports: free, or an engine answers there, perhaps of another version."""

from __future__ import annotations

import errno
import json
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import trio

from ...engine.doctor import Finding, ok, problem, warning
from ...engine.settings import Settings
from ..hello import SERVER
from ..listeners import netloc

_TIMEOUT_S = 3.0

Health = dict[str, Any]


async def check_ports(settings: Settings) -> list[Finding]:
    listen = settings.listen
    tls = settings.tls.certificate is not None
    url = f"{'https' if tls else 'http'}://{_reachable(listen.http_host, listen.http_port)}"
    health: Health | None = None
    if listen.http_port:
        health = await trio.to_thread.run_sync(ask, f"{url}/v1/health")
    return [
        *check_port("WebSocket port", listen.host, listen.port, health),
        *check_port("HTTP port", listen.http_host, listen.http_port, health),
        *check_engine(health),
    ]


def check_port(about: str, host: str, port: int, health: Health | None) -> Iterator[Finding]:
    where = netloc(host, port)
    error = taken(host, port)
    if error is None:
        yield ok(about, f"{where} is free")
    elif error.errno == errno.EADDRINUSE and health is not None:
        yield ok(about, f"{where} is in use, and an engine answers")
    elif error.errno == errno.EADDRINUSE:
        yield problem(
            about,
            f"{where} is in use by another program",
            "Stop it, or choose another port (listen.port, listen.http_port).",
        )
    else:
        yield problem(
            about,
            f"{where} cannot be listened on ({error.strerror})",
            "Name an address of this machine and a port that this user may use.",
        )


def check_engine(health: Health | None) -> Iterator[Finding]:
    if health is None:
        return
    server, status = health.get("server"), health.get("status")
    if server != SERVER:
        yield warning(
            "engine",
            f"the one that answers is {server}, this is {SERVER}",
            "Restart it, so that the new version serves.",
        )
    elif status != "ok":
        yield warning(
            "engine", f"the one that answers says {status}", "See its health and its log."
        )
    else:
        yield ok("engine", f"the one that answers is {server}, and well")


def taken(host: str, port: int) -> OSError | None:
    """Why `host` and `port` cannot be had, or None. Nothing listens meanwhile."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(address)
    except OSError as error:
        return error
    return None


def ask(url: str, opened: Callable[..., Any] = urllib.request.urlopen) -> Health | None:
    """The health of who answers at `url`, if that is a palaver. Blocks."""
    # Who it is matters here, not whether its name is in the certificate: it is this machine.
    context = ssl._create_unverified_context() if url.startswith("https") else None
    try:
        with opened(url, timeout=_TIMEOUT_S, context=context) as answer:
            health = json.loads(answer.read(65_536))
    except (OSError, ValueError):
        return None
    if isinstance(health, dict) and str(health.get("server", "")).startswith("palaver/"):
        return health
    return None


def _reachable(host: str, port: int) -> str:
    """How this machine reaches a listener on `host`."""
    return netloc({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104
