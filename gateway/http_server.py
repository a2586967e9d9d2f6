"""Hypercorn, supervised: its failure restarts it and never reaches the sockets."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Sequence
from typing import Final

import hypercorn.config
import hypercorn.trio
import structlog
import trio

from ..actors.logs import stack
from .gateway import Gateway
from .http import App, make_app

_log = structlog.get_logger("palaver.http")

FIRST_DELAY_S: Final = 0.5
MAX_DELAY_S: Final = 30.0
STABLE_S: Final = 60.0
"""Having run for so long, it starts again with the first delay."""


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
    """Run the server again whenever it ends, at growing intervals while it keeps failing. Started
    in a nursery it is waited for until it serves, or has failed for the first time."""
    delay = FIRST_DELAY_S
    started = _Started(task_status)
    while True:
        began = trio.current_time()
        try:
            await hypercorn.trio.serve(
                app,  # type: ignore[arg-type]
                _config(listeners, tls),
                task_status=started,
                mode="asgi",
            )
        except Exception as error:
            started.started()
            _log.error("HTTP server failed", retry_s=delay, stack=stack(_innermost(error)))
        if trio.current_time() - began > STABLE_S:
            delay = FIRST_DELAY_S
        await trio.sleep(delay)
        delay = min(delay * 2, MAX_DELAY_S)


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


class _Started:
    """Tells it once, however often the server is started."""

    def __init__(self, status: trio.TaskStatus[None]) -> None:
        self._status = status
        self._told = False

    def started(self, binds: object = None) -> None:
        if not self._told:
            self._told = True
            self._status.started()


class _Config(hypercorn.config.Config):
    """Takes a context for TLS, where Hypercorn itself would read the files once and for all."""

    tls: ssl.SSLContext | None = None

    @property
    def ssl_enabled(self) -> bool:
        return self.tls is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self.tls


def _config(
    listeners: Sequence[trio.SocketListener], tls: ssl.SSLContext | None
) -> hypercorn.config.Config:
    config = _Config()
    # Of its own, because it closes what it was given; the port stays ours between two attempts.
    config.bind = [f"fd://{os.dup(listener.socket.fileno())}" for listener in listeners]
    config.tls = tls
    config.accesslog = None
    config.errorlog = logging.getLogger("palaver.http")
    config.include_server_header = False
    config.keep_alive_timeout = 30
    config.read_timeout = 60
    config.ssl_handshake_timeout = 10
    config.graceful_timeout = 1
    return config
