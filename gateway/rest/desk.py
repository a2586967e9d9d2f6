"""Where every request is met: who asks, how often, how many at once; and what went wrong, told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Final

import structlog
import trio
from starlette.requests import ClientDisconnect, Request
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

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Respond = Callable[[Request, Caller], Awaitable[Response]]


class Desk:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._who = Who(gateway.settings, gateway.authenticator)
        self._open = 0
        self.wording = gateway.settings.policy.error_messages

    async def conversation_of(self, message: str, user: str) -> str:
        return await self.gateway.engine.conversation_of(message, user)

    def handling(
        self, respond: Respond, *, waits_s: float | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        """`respond` behind the desk: who asks is known. One that `waits_s` for something to happen
        does not count among those that do something."""
        work = partial(self._meet, respond, counts=waits_s is None)
        return self.answering(work, REQUEST_S + (waits_s or 0))

    def answering(
        self, work: Callable[[Request], Awaitable[Response]], seconds: float = REQUEST_S
    ) -> Callable[[Request], Awaitable[Response]]:
        """`work`, whoever asks: whatever is wrong becomes an answer, never a traceback."""

        async def handle(request: Request) -> Response:
            counters = self.gateway.counters
            try:
                with trio.fail_after(seconds):
                    response = await work(request)
            except Rejected as no:
                counters.errors[no.code] += 1
                response = self.refusal(no, 415 if isinstance(no, UnsupportedType) else None)
            except trio.TooSlowError:
                counters.errors["UNAVAILABLE"] += 1
                slow = Rejected("UNAVAILABLE", "Too slow; the outcome is unknown.")
                response = self.refusal(slow)
            except ClientDisconnect:
                raise  # in the middle of its body, and nobody is there to be answered
            except Exception as error:
                correlation = self.gateway.engine.new_id()
                _log.error("request failed", correlation=correlation, stack=stack(error))
                counters.errors["INTERNAL"] += 1
                response = self.refusal(Rejected("INTERNAL", correlation=correlation))
            counters.replies += 1
            counters.requests[str(response.status_code)] += 1
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handle

    def refusal(self, no: Rejected, status: int | None = None) -> Response:
        return problem(no, status, wording=self.wording)

    def check_room(self, counts: bool = True) -> None:
        """Raises UNAVAILABLE while draining; OVERLOADED for one that `counts` while as much is done
        as may be."""
        if self.gateway.draining:
            raise Rejected("UNAVAILABLE", retry_after=1.0)
        if counts and self._open >= self.gateway.settings.limits.max_requests:
            raise Rejected("OVERLOADED", retry_after=1.0)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One request, while it is carried out."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def _meet(self, respond: Respond, request: Request, *, counts: bool) -> Response:
        gateway = self.gateway
        identity = await self._who.asks(request)
        self.check_room(counts)
        gateway.engine.visit(identity.user)
        gateway.engine.introduce(identity.user, identity.claims)
        with self.counted() if counts else nullcontext():
            return await respond(request, Caller(gateway, identity))
