"""Hypercorn, on connections that are ours: if one fails, stalls or hangs, that is all that does."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Sequence
from typing import Final

import hypercorn.config
import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from ..actors.logs import stack
from .gateway import Gateway
from .http import App, make_app
from .listeners import accept, encrypted

_log = structlog.get_logger("palaver.http")

STALLED_MS: Final = 30_000
"""A connection is dropped if for so long nothing that was sent is taken. The system looks to it."""

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


async def serve_http(
    gateway: Gateway,
    listeners: Sequence[trio.SocketListener],
    tls: ssl.SSLContext | None = None,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer HTTP on `listeners`, or HTTPS with `tls`, until cancelled. Installs no signal handlers
    and writes no access log, since URLs may hold what must not be logged (SEC-17)."""
    await supervise(make_app(gateway), listeners, tls, task_status=task_status)


async def supervise(
    app: App,
    listeners: Sequence[trio.SocketListener],
    tls: ssl.SSLContext | None = None,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Have `app` answer whoever connects to `listeners`, until cancelled: then all connections end
    and `listeners` are closed. A connection that fails is logged and ends alone."""
    connections = _Connections(app)
    async with trio.open_nursery() as nursery:
        for listener in listeners if tls is None else encrypted(listeners, tls):
            nursery.start_soon(accept, listener, connections.serve, nursery)
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            connections.drop()


class _Connections:
    def __init__(self, app: App) -> None:
        self._app = ASGIWrapper(app)  # type: ignore[arg-type]
        self._config = _config()
        self._context = WorkerContext(None)
        self._sockets: set[trio.socket.SocketType] = set()

    async def serve(self, stream: Stream) -> None:
        """Raises nothing of its own."""
        plain = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
        self._sockets.add(plain.socket)
        try:
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
            state = ConnectionState({})
            await TCPServer(self._app, self._config, self._context, state, stream)  # type: ignore[arg-type]
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has gone
        except* Exception as error:
            _log.error("HTTP connection failed", stack=stack(_innermost(error)))
        finally:
            self._sockets.discard(plain.socket)
            plain.socket.close()

    def drop(self) -> None:
        """End them all. Hypercorn's own writing cannot be cancelled: a client that does not read
        would keep it for as long as it likes."""
        for each in list(self._sockets):
            each.close()


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _config() -> hypercorn.config.Config:
    config = hypercorn.config.Config()
    config.accesslog = None
    config.errorlog = logging.getLogger("palaver.http")
    config.include_server_header = False
    config.keep_alive_timeout = 30  # also for a request to begin: its line and its headers
    # Who takes long to read an answer says nothing meanwhile; who says nothing for a day has gone.
    config.read_timeout = 86_400
    config.ssl_handshake_timeout = 10
    return config
