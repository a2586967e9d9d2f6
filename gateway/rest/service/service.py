"""Every request of the product's own servers: whose key it is, and how often it is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
import trio
from starlette.requests import Request
from starlette.responses import Response

from ....actors.bucket import Bucket, Rate
from ....protocol.errors import Rejected
from ..desk import Desk
from ..who import SAFE
from .caller import HostCaller
from .keys import ServiceKeys

_log = structlog.get_logger("palaver.rest")

Respond = Callable[[Request, HostCaller], Awaitable[Response]]


class Service:
    """What `Desk` is for users."""

    def __init__(self, desk: Desk) -> None:
        settings = desk.gateway.settings
        self._desk = desk
        self._keys = ServiceKeys(settings.auth.service_keys)
        rate = Rate(settings.limits.service_requests_per_min, 60.0)
        self._buckets = {name: Bucket(rate) for name in settings.auth.service_keys}

    def handling(
        self, respond: Respond, method: str, path: str
    ) -> Callable[[Request], Awaitable[Response]]:
        """`respond` for who has a key; whatever is wrong becomes an answer. What may change
        something is logged under the key's name, by `path` as it is in the table: no ids."""

        async def meet(request: Request) -> Response:
            name = self._keys.name_of(request.headers.get("authorization"))
            wait = self._buckets[name].take(trio.current_time())
            if wait:
                raise Rejected("RATE_LIMITED", retry_after=wait)
            self._desk.check_room()
            if method not in SAFE:
                _log.info("asked under a service key", key=name, method=method, path=path)
            with self._desk.counted():
                return await respond(request, HostCaller(self._desk.gateway.engine))

        return self._desk.answering(meet)
