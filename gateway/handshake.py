"""The HTTP request with which every connection begins, and the answer to it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request, Response
from websockets.typing import Origin

from ..engine.sections import Listen
from ..engine.settings import Settings
from ..protocol.errors import ERRORS, Rejected
from .auth import Authenticator, Identity
from .websocket import Opening, Origins

PATHS = ("/v1/ws", "/")
DEVELOPMENT_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"


class Handshake:
    """Decides, in this order: path, room, method and headers, origin, subprotocol, token.

    A token in the request is verified here, so that a bad one is refused before there is a
    WebSocket (CONN-05). Where the settings do not list a place, a token there is not looked at.
    """

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._sources = settings.auth.token_sources
        self._cookie = settings.auth.cookie
        self._origins = origins(settings.listen)

    def opening(self) -> Opening:
        return Opening(self._origins)

    async def answer(
        self, core: Opening, request: Request, retry_after: Callable[[], int | None]
    ) -> tuple[Response, Identity | None]:
        """The response, not yet sent, and who asks if the request says so and is accepted.

        `retry_after` says when to come back if there is no room now.
        """
        url = urlsplit(request.path)
        if url.path not in PATHS:
            return core.reject(HTTPStatus.NOT_FOUND, f"Connect to {PATHS[0]}.\n"), None
        if (seconds := retry_after()) is not None:
            response = core.reject(HTTPStatus.SERVICE_UNAVAILABLE, "Come back later.\n")
            response.headers["Retry-After"] = str(seconds)
            return response, None
        response = core.accept(request)
        identity: Identity | None = None
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            token = self._token(request, url.query)
            if token is not None or "hello" not in self._sources:
                try:
                    identity = await self._authenticator.identify(token)
                except Rejected as no:
                    response = core.reject(HTTPStatus(ERRORS[no.code].http), f"{no}\n")
                    if no.retry_after is not None:
                        response.headers["Retry-After"] = str(math.ceil(no.retry_after))
                    else:
                        response.headers["WWW-Authenticate"] = "Bearer"
        return response, identity

    def _token(self, request: Request, query: str) -> str | None:
        if "header" in self._sources:
            for value in request.headers.get_all("Authorization"):
                scheme, _, token = value.partition(" ")
                if scheme.lower() == "bearer":
                    return token.strip()
        if "cookie" in self._sources:  # a browser sends it for foreign pages, too: see `origins`
            for value in request.headers.get_all("Cookie"):
                for pair in value.split(";"):
                    name, _, token = pair.strip().partition("=")
                    if name == self._cookie:
                        return token
        if "query" in self._sources:
            for token in parse_qs(query).get("token", ()):
                return token
        return None


def origins(listen: Listen) -> Origins:
    """The browser origins that may connect (CONN-14). Programs send none, so none is fine."""
    allowed: list[Origin | re.Pattern[str] | None] = [None]
    allowed += [Origin(origin.rstrip("/")) for origin in listen.allowed_origins]
    if listen.development:
        allowed.append(re.compile(DEVELOPMENT_ORIGINS))
    return allowed
