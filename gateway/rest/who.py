"""Who asks: a bearer token, or a cookie where the settings allow for it (SEC-01, SEC-06)."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from ...engine.settings import Settings
from ...protocol.errors import Rejected
from ..auth import Authenticator, Identity
from ..handshake import DEVELOPMENT_ORIGINS

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Who:
    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        auth, listen = settings.auth, settings.listen
        self._authenticator = authenticator
        self._cookie = auth.cookie if "cookie" in auth.token_sources else None
        self._origins = {origin.rstrip("/") for origin in listen.allowed_origins}
        self._development = listen.development

    async def asks(self, request: Request) -> Identity:
        """Raises AUTH_REQUIRED, AUTH_FAILED, SESSION_EXPIRED, UNAVAILABLE; CSRF_FAILED."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._authenticator.identify(token.strip())
        if self._cookie is None or (cookie := request.cookies.get(self._cookie)) is None:
            raise Rejected("AUTH_REQUIRED")
        if request.method not in SAFE:
            self._check_origin(request.headers.get("origin"))
        return await self._authenticator.identify(cookie)

    def _check_origin(self, origin: str | None) -> None:
        """A browser sends the cookie along whoever makes it ask; only the page's origin tells that
        it was one of ours. Browsers always say it with what changes something."""
        ours = origin in self._origins
        if not ours and origin is not None and self._development:
            ours = re.fullmatch(DEVELOPMENT_ORIGINS, origin) is not None
        if not ours:
            raise Rejected("CSRF_FAILED")
