"""The endpoints, put on the HTTP side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from ...protocol.errors import Rejected
from ..gateway import Gateway
from .desk import Desk, Respond
from .export import Export
from .files import FILE, FileEndpoints
from .handler import Handler
from .openapi import describe
from .routes import ENDPOINTS
from .service import add_operations, add_service
from .single import Single
from .sync import MAX_WAIT_S, Sync

METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
HEADERS: Final = ["Authorization", "Content-Type", "Idempotency-Key"]
EXPOSED: Final = ["Location", "Retry-After"]


def add_rest(api: FastAPI, gateway: Gateway) -> None:
    desk = Desk(gateway)

    def add(method: str, path: str, respond: Respond, waits_s: float | None = None) -> None:
        # Plain routes: what an endpoint takes and answers is said by the table, not by a signature.
        api.add_route(f"/v1{path}", desk.handling(respond, waits_s=waits_s), methods=[method])

    single, sync, export = Single(desk), Sync(desk), Export(desk)
    add("GET", "/sync", sync.respond, MAX_WAIT_S)
    add("GET", "/export", export.everything)
    add("GET", "/conversations/{conversation}/export", export.conversation)
    add("GET", "/messages/{message_id}", single.message)
    add("GET", "/drafts/{conversation}", single.draft)
    files = FileEndpoints(gateway.engine)
    add("POST", "/attachments", files.announce)
    add("PUT", "/attachments/{upload}", files.fill, math.inf)
    add("POST", "/attachments/{upload}/complete", files.complete)
    add("GET", "/attachments/{upload}", files.show)
    load = desk.answering(files.load)
    for path in (FILE, FILE + "/{thumbnail}"):
        api.add_route(path, load, methods=["GET"])
    for endpoint in ENDPOINTS:
        add(endpoint.method, endpoint.path, Handler(desk, endpoint).respond)
    api.add_exception_handler(HTTPException, partial(_no_route, desk, api.routes))
    service = [add_operations] if add_service(api, desk) else []
    api.openapi = lambda: describe(api, *service)  # type: ignore[method-assign]


async def _no_route(
    desk: Desk, routes: Sequence[BaseRoute], request: Request, error: Exception
) -> Response:
    """Where nothing is, or nothing by this method."""
    assert isinstance(error, HTTPException)
    if error.status_code not in (404, 405):
        return desk.refusal(Rejected("BAD_FRAME", str(error.detail)), error.status_code)
    response = desk.refusal(Rejected("UNSUPPORTED_COMMAND", "Nothing here."), error.status_code)
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(_allowed(routes, request))
    return response


def _allowed(routes: Sequence[BaseRoute], request: Request) -> list[str]:
    methods: set[str] = set()
    for route in routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods)
