"""How the host is asked, whatever it is asked for: bounded in number and time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import trio

from ...actors.logs import stack
from ...protocol.errors import Rejected
from ..sections import Host
from .breaker import Breaker

T = TypeVar("T")

RETRY_S = 1.0

_log = structlog.get_logger("palaver.host")


class BadAnswer(Exception):
    """The host's answer is of no use. The text says why, and holds nothing of it."""

    def __init__(self, problem: str, status: int | None = None) -> None:
        super().__init__(problem)
        self.status = status


class NotAsked(Rejected):
    """UNAVAILABLE, without an attempt: the host is left in peace for `retry_after`."""


class Asking:
    """`max_requests` questions at a time; more wait. Each is answered within `timeout_s`, its turn
    included, or not at all; while the breaker is open none is asked. `what` is for the log, and
    `count` is called for each that was not answered."""

    def __init__(
        self, what: str, settings: Host, count: Callable[[], object] = lambda: None
    ) -> None:
        self._what = what
        self._count = count
        self._timeout_s = settings.timeout_s
        self._turns = trio.CapacityLimiter(settings.max_requests)
        self._breaker = Breaker(settings.failures, settings.cool_down_s)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer to `question`, or the `Rejected` that the host answers with. Raises
        UNAVAILABLE if there is none: it failed, was late, or was not asked."""
        if not self._breaker.admits():
            self._count()
            raise away(self._breaker.retry_after_s, NotAsked)
        try:
            with trio.fail_after(self._timeout_s):
                async with self._turns:
                    answer = await question()
        except Rejected:
            self._breaker.succeeded()
            raise
        except Exception as error:
            # Whatever goes wrong in there: who asks goes on without an answer.
            self._failed(error)
            raise away(RETRY_S) from None
        if self._breaker.is_open:
            _log.info("the host answers again", asked=self._what)
        self._breaker.succeeded()
        return answer

    def _failed(self, error: Exception) -> None:
        self._count()
        self._breaker.failed()
        known = isinstance(error, BadAnswer | trio.TooSlowError)
        _log.warning(
            "the host gave no answer",
            asked=self._what,
            reason=str(error) if isinstance(error, BadAnswer) else type(error).__name__,
            stack=None if known else stack(error),
            paused=self._breaker.is_open,
        )


def away(retry_after: float | None, kind: type[Rejected] = Rejected) -> Rejected:
    """The refusal while the host has no answer."""
    return kind(
        "UNAVAILABLE", "The product cannot be asked at the moment.", retry_after=retry_after
    )
