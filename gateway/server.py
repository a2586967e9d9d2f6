"""The listeners: WebSocket connections in, HTTP beside them, until cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import trio

from ..engine import Engine, StartupError
from .auth import SessionStore, TokenVerifier, Verifier
from .gateway import open_gateway, token_verifier
from .http_server import serve_http
from .listeners import accept, address, bind, encrypted
from .listening import Listening
from .tls import certificate


async def serve(
    engine: Engine,
    *,
    listeners: Sequence[trio.abc.Listener[Any]] | None = None,
    verifier: Verifier | None = None,
    sessions: SessionStore | None = None,
    task_status: trio.TaskStatus[Listening] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `engine` where its settings say, until cancelled: `await nursery.start(serve, engine)`
    gives the `Listening` once clients can connect.

    Cancellation drains first: nobody is let in any more, clients are told to go and when to come
    back, what is in flight is answered, and after `drain_s` at most everything is closed. HTTP
    answers meanwhile, so that a load balancer can see it.

    `listeners` replace those of the settings for WebSockets; theirs may be TLS. `verifier` and
    `sessions` are as for `open_gateway`. Raises `StartupError`, in words, if an address cannot be
    had or if `settings.auth` or `settings.tls` cannot work.
    """
    settings = engine.settings
    listen = settings.listen
    if verifier is None:
        verifier = token_verifier(engine, sessions)
    own = certificate(settings.tls)
    tls = own.context if own is not None else None
    async with AsyncExitStack() as bound:
        if listeners is None:
            plain = await bind(bound, listen.host, listen.port, listen.backlog)
            listeners = plain if tls is None else encrypted(plain, tls)
        http = await bind(bound, listen.http_host, listen.http_port, listen.backlog)
        listening = Listening(
            *address(listeners[0], listen.host, listen.port),
            *address(http[0], listen.http_host, listen.http_port),
            verifier.issue if isinstance(verifier, TokenVerifier) else _no_tokens,
            own,
            isinstance(listeners[0], trio.SSLListener),
        )
        async with (
            open_gateway(engine, verifier=verifier) as gateway,
            trio.open_nursery() as accepting,
        ):
            gateway.listening = listening
            await gateway.nursery.start(serve_http, gateway, http, tls)
            for listener in listeners:
                accepting.start_soon(accept, listener, gateway.serve_stream, gateway.nursery)
            task_status.started(listening)


def _no_tokens(user: str, *, ttl_s: float | None = None) -> str:
    raise StartupError("this server does not issue tokens: its verifier is the host's own")
