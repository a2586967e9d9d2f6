"""The HTTP side, as an ASGI application: what clients ask (`rest/`), the product (`host_calls.py`),
and operators and load balancers (MON-01, DEP-05)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import ClientDisconnect

from .. import __version__
from ..protocol.errors import Rejected
from .demo import add_demo
from .gateway import Gateway
from .handshake import DEVELOPMENT_ORIGINS
from .health import health, is_ready
from .host_calls import add_host_calls
from .rest import EXPOSED, HEADERS, METHODS, add_rest, is_file
from .rest.problems import problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def make_app(gateway: Gateway) -> App:
    """All routes. Handlers are async throughout: none runs in a thread."""
    listen = gateway.settings.listen
    # Its pages of documentation would load scripts from elsewhere.
    api = FastAPI(
        title="palaver",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.add_middleware(Requests, gateway=gateway)
    api.add_middleware(
        CORSMiddleware,
        allow_origins=[origin.rstrip("/") for origin in listen.allowed_origins],
        allow_origin_regex=DEVELOPMENT_ORIGINS if listen.development else None,
        allow_credentials="cookie" in gateway.settings.auth.token_sources,
        allow_methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=EXPOSED,
    )

    @api.head("/health", include_in_schema=False)
    @api.head("/v1/health", include_in_schema=False)
    @api.get("/health", include_in_schema=False)
    @api.get(
        "/v1/health",
        operation_id="health",
        summary="How the engine is, for people and monitors; always 200",
    )
    async def get_health() -> dict[str, Any]:
        return health(gateway)

    @api.head("/v1/ready", include_in_schema=False)
    @api.get("/v1/ready", operation_id="ready", summary="Whether to send clients here: 200 or 503")
    async def get_ready() -> JSONResponse:
        ready = is_ready(gateway)
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)

    @api.get("/v1/metrics", include_in_schema=False, response_class=PlainTextResponse)
    @api.get(
        "/metrics",
        operation_id="metrics",
        summary="Figures for Prometheus",
        response_class=PlainTextResponse,
    )
    async def get_metrics() -> Response:
        figures = generate_latest(gateway.engine.metrics.registry)
        return Response(figures, media_type=CONTENT_TYPE_LATEST)

    add_host_calls(api, gateway)
    add_rest(api, gateway)
    if listen.development and gateway.listening is not None:
        add_demo(api, gateway.listening, gateway.engine.settings.policy)
    return api


class Requests:
    """What holds for each of them: a drain waits for its answer, and its body has at most
    `limits.max_payload_bytes`, however its length is said or not said (CONN-20): 413. Files have
    limits of their own."""

    def __init__(self, app: App, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway
        self._max_bytes = gateway.settings.limits.max_payload_bytes
        self._wording = gateway.settings.policy.error_messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._gateway.answering(), suppress(ClientDisconnect):
            if is_file(scope):
                await self._app(scope, receive, send)
            else:
                await self._bounded(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        too_large = Rejected("PAYLOAD_TOO_LARGE", details={"max_bytes": self._max_bytes})
        taken = 0
        answered = False

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_bytes:
                raise too_large
            return message

        async def sending(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            for name, value in scope["headers"]:
                if name == b"content-length" and int(value) > self._max_bytes:
                    raise too_large
            await self._app(scope, bounded, sending)
        except Rejected as no:
            if not answered:
                await problem(no, wording=self._wording)(scope, receive, send)
