"""The page of the demo and what it is made of; and tokens for whoever one says one is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse

from ...protocol.commands import bad_field
from ...protocol.ids import UserId
from ...protocol.policy import Policy
from ..listening import Listening
from ..rest.problems import problem
from .people import NAMES

TOKEN_S: Final = 3600
_PORT: Final = 'name="palaver-port" content="{}"'
_OFFERS: Final = 'name="palaver-offers" content="{}"'
_TYPES: Final = {
    "index.html": "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
}
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:;"
    " img-src 'self' data: blob: https:; media-src 'self' blob:;"
    " style-src 'self' 'unsafe-inline'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class WhoIAm(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    user: UserId


def add_demo(api: FastAPI, there: Listening, policy: Policy) -> None:
    """Only for development mode: whoever asks is given a token for anybody. The browser's own rule
    keeps pages from elsewhere away, since none of this may be read across origins."""

    offers = _OFFERS.format(" ".join(_offers(policy)))

    async def page() -> Response:
        told = _built("index.html").decode().replace(_PORT.format(8765), _PORT.format(there.port))
        told = told.replace(_OFFERS.format(""), offers)
        return Response(told, media_type=_TYPES["index.html"], headers=_HEADERS)

    def part(name: str) -> Callable[[], Awaitable[Response]]:
        async def serve() -> Response:
            return Response(_built(name), media_type=_TYPES[name], headers=_HEADERS)

        return serve

    async def people() -> Response:
        found = [{"id": id, "name": name} for id, name in NAMES.items()]
        return JSONResponse({"people": found}, headers=_HEADERS)

    async def session(request: Request) -> Response:
        try:
            user = WhoIAm.model_validate_json(await request.body()).user
        except ValidationError as error:
            return problem(bad_field(error))
        token = there.issue_token(user, ttl_s=TOKEN_S)
        return JSONResponse({"token": token}, headers={"Cache-Control": "no-store"})

    def add(method: str, path: str, handler: Callable[..., Awaitable[Response]]) -> None:
        api.add_api_route(path, handler, methods=[method], include_in_schema=False)

    add("GET", "/", page)
    add("GET", "/demo/people", people)
    add("POST", "/demo/session", session)
    for name in ("app.js", "app.css"):
        add("GET", f"/demo/{name}", part(name))


def _offers(policy: Policy) -> list[str]:
    """What some products leave to their users, and others do not: the page shows no more of it."""
    on = {
        "blocks": policy.blocks != "off",
        "message_requests": policy.message_requests,
        "presence_optout": policy.presence_optout,
        "receipts_optout": policy.receipts_optout,
    }
    return [name for name, is_on in on.items() if is_on]


def _built(name: str) -> bytes:
    return (files(__package__.rpartition(".")[0]) / "web" / name).read_bytes()
