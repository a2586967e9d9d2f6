"""Addresses, and accepting whoever comes."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, NoReturn

import structlog
import trio

from ..engine import StartupError
from ..engine.sections import Listen

_log = structlog.get_logger("palaver.gateway")

RETRY_S: Final = 0.2


async def bind(
    stack: AsyncExitStack, host: str, port: int, backlog: int
) -> list[trio.SocketListener]:
    """Listeners on every address of `host`; `stack` closes them. Or `StartupError`, in words."""
    try:
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=backlog)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartupError(f"cannot listen on {netloc(host, port)}: {reason}") from None
    for listener in listeners:
        stack.push_async_callback(trio.aclose_forcefully, listener)
    return listeners


def encrypted(
    listeners: Sequence[trio.SocketListener], context: ssl.SSLContext
) -> list[trio.SSLListener[trio.SocketStream]]:
    """The same with TLS. They give streams that have not shaken hands: whoever reads first does, so
    that accepting waits for nobody."""
    return [trio.SSLListener(listener, context, https_compatible=True) for listener in listeners]


async def accept(
    listener: trio.abc.Listener[Any],
    handler: Callable[[Any], Awaitable[object]],
    nursery: trio.Nursery,
) -> NoReturn:
    """Start `handler` in `nursery` for every connection, until cancelled; then close `listener`.

    What is short (file descriptors, memory) is waited for: those who are connected are served
    meanwhile. It is logged once, not with every attempt.
    """
    async with listener:
        failing = False
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if not failing:
                    _log.error("cannot accept connections", error=error.strerror)
                failing = True
                await trio.sleep(RETRY_S)
            else:
                failing = False
                nursery.start_soon(handler, stream)


def address(listener: trio.abc.Listener[Any], host: str, port: int) -> tuple[str, int]:
    """`host` and the port that `listener` really has; as given, where it has none."""
    inner = listener.transport_listener if isinstance(listener, trio.SSLListener) else listener
    if isinstance(inner, trio.SocketListener):
        name = inner.socket.getsockname()
        if isinstance(name, tuple):
            return host, name[1]
    return host, port


def on_loopback(listen: Listen) -> bool:
    """Whether only this machine can reach it."""
    return all(_is_loopback(host) for host in (listen.host, listen.http_host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
