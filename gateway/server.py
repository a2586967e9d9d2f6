"""The listeners: WebSocket connections in, HTTP beside them, until cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import trio

from ..engine import Engine, StartupError
from .auth import TokenVerifier, Verifier
from .gateway import open_gateway
from .handshake import PATHS
from .http_server import serve_http
from .listeners import accept, address, bind, netloc


@dataclass(frozen=True, slots=True)
class Listening:
    """Where clients connect now. `issue_token(user, ttl_s=…)` makes a token that is believed here;
    it raises `StartupError` where tokens come from elsewhere."""

    host: str
    port: int
    http_host: str
    http_port: int
    issue_token: Callable[..., str]

    @property
    def ws_url(self) -> str:
        return f"ws://{netloc(self.host, self.port)}{PATHS[0]}"

    @property
    def http_url(self) -> str:
        return f"http://{netloc(self.http_host, self.http_port)}"


async def serve(
    engine: Engine,
    *,
    listeners: Sequence[trio.abc.Listener[Any]] | None = None,
    verifier: Verifier | None = None,
    task_status: trio.TaskStatus[Listening] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `engine` where its settings say, until cancelled: `await nursery.start(serve, engine)`
    gives the `Listening` once clients can connect.

    Cancellation drains first: nobody is let in any more, clients are told to go and when to come
    back, what is in flight is answered, and after `drain_s` at most everything is closed. HTTP
    answers meanwhile, so that a load balancer can see it.

    `listeners` replace those of the settings; theirs may be TLS. Raises `StartupError`, in words,
    if an address cannot be had or if `settings.auth` cannot work.
    """
    settings = engine.settings
    listen = settings.listen
    if verifier is None:
        verifier = TokenVerifier(settings.auth, development=listen.development)
    async with AsyncExitStack() as bound:
        if listeners is None:
            listeners = await bind(bound, listen.host, listen.port, listen.backlog)
        http = await bind(bound, listen.http_host, listen.http_port, listen.backlog)
        listening = Listening(
            *address(listeners[0], listen.host, listen.port),
            *address(http[0], listen.http_host, listen.http_port),
            verifier.issue if isinstance(verifier, TokenVerifier) else _no_tokens,
        )
        async with (
            open_gateway(engine, verifier=verifier) as gateway,
            trio.open_nursery() as accepting,
        ):
            gateway.nursery.start_soon(serve_http, gateway, http)
            for listener in listeners:
                accepting.start_soon(accept, listener, gateway.serve_stream, gateway.nursery)
            task_status.started(listening)


def _no_tokens(user: str, *, ttl_s: float | None = None) -> str:
    raise StartupError("this server does not issue tokens: its verifier is the host's own")
