"""Where every request is met: who asks, how often, how many at once; and what went wrong, told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog
import trio
from starlette.requests import Request
from starlette.responses import Response

from ...actors.logs import stack
from ...protocol.errors import Rejected
from ..gateway import Gateway
from .bodies import UnsupportedType
from .caller import Caller
from .problems import problem
from .who import Who

_log = structlog.get_logger("palaver.rest")

REQUEST_S: Final = 30.0
"""For one request, its body included. An answer from the actors is waited for much shorter."""

Respond = Callable[[Request, Caller], Awaitable[Response]]


class Desk:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._who = Who(gateway.settings, gateway.authenticator)
        self._open = 0

    async def conversation_of(self, message: str, user: str) -> str:
        return await self.gateway.engine.conversation_of(message, user)

    def handling(
        self, respond: Respond, *, seconds: float = REQUEST_S
    ) -> Callable[[Request], Awaitable[Response]]:
        """`respond` behind the desk: who asks is known."""
        return self.answering(partial(self._meet, respond), seconds=seconds)

    def answering(
        self, work: Callable[[Request], Awaitable[Response]], *, seconds: float = REQUEST_S
    ) -> Callable[[Request], Awaitable[Response]]:
        """`work`, whoever asks: whatever is wrong becomes an answer, never a traceback."""

        async def handle(request: Request) -> Response:
            counters = self.gateway.counters
            try:
                with trio.fail_after(seconds):
                    response = await work(request)
            except Rejected as no:
                counters.errors[no.code] += 1
                response = problem(no, 415 if isinstance(no, UnsupportedType) else None)
            except trio.TooSlowError:
                counters.errors["UNAVAILABLE"] += 1
                response = problem(Rejected("UNAVAILABLE", "Too slow; the outcome is unknown."))
            except Exception as error:
                correlation = self.gateway.engine.new_id()
                _log.error("request failed", correlation=correlation, stack=stack(error))
                counters.errors["INTERNAL"] += 1
                response = problem(Rejected("INTERNAL", correlation=correlation))
            counters.replies += 1
            counters.requests[str(response.status_code)] += 1
            return response

        return handle

    async def _meet(self, respond: Respond, request: Request) -> Response:
        gateway = self.gateway
        identity = await self._who.asks(request)
        if gateway.draining or self._open >= gateway.settings.limits.max_requests:
            raise Rejected("UNAVAILABLE" if gateway.draining else "OVERLOADED", retry_after=1.0)
        gateway.engine.visit(identity.user)
        gateway.engine.introduce(identity.user, identity.claims)
        self._open += 1
        try:
            return await respond(request, Caller(gateway, identity))
        finally:
            self._open -= 1
