"""Every request of the product's own servers: whose key it is, and how often it is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from starlette.requests import Request
from starlette.responses import Response

from ....actors.bucket import Bucket, Rate
from ....protocol.errors import Rejected
from ..desk import Desk
from .caller import HostCaller
from .keys import ServiceKeys

Respond = Callable[[Request, HostCaller], Awaitable[Response]]


class Service:
    """What `Desk` is for users."""

    def __init__(self, desk: Desk) -> None:
        settings = desk.gateway.settings
        self._desk = desk
        self._keys = ServiceKeys(settings.auth.service_keys)
        rate = Rate(settings.limits.service_requests_per_min, 60.0)
        self._buckets = {name: Bucket(rate) for name in settings.auth.service_keys}

    def handling(self, respond: Respond) -> Callable[[Request], Awaitable[Response]]:
        """`respond` for who has a key; whatever is wrong becomes an answer."""

        async def meet(request: Request) -> Response:
            name = self._keys.name_of(request.headers.get("authorization"))
            wait = self._buckets[name].take(trio.current_time())
            if wait:
                raise Rejected("RATE_LIMITED", retry_after=wait)
            self._desk.check_room()
            with self._desk.counted():
                return await respond(request, HostCaller(self._desk.gateway.engine))

        return self._desk.answering(meet)
