"""Supervision: an actor that crashes is rebuilt from the log, boundedly, and then set aside.

A crash is answered to its asker with INTERNAL and a correlation id; the message is not tried
again; the rest of the mailbox survives (ERR-06). More than `max_crashes` in `window_s` quarantine
the actor: everybody is answered UNAVAILABLE for a cool-down that doubles each time. Other actors
go on.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
import trio

from ..protocol.errors import Rejected
from .logs import stack

_log = structlog.get_logger("palaver.supervisor")
MAX_COOL_DOWN_S = 600.0
RETRY_S = 5.0


class Supervised(Protocol):
    """What the supervisor needs of an actor."""

    async def run(self) -> None:
        """Load, then serve until there is nothing to do. Raises `Rejected` if it cannot load now;
        any other exception is a crash."""
        ...

    def crashed(self, error: Rejected) -> None:
        """Tell the asker of the message in hand, and drop what was built in memory."""
        ...

    def refuse_waiting(self, error: Rejected) -> None:
        """Tell everybody who waits for anything."""
        ...

    async def waiting(self) -> None:
        """Return when the mailbox is not empty."""
        ...

    @property
    def needed(self) -> bool:
        """Whether it must live on though it cannot load now: writes of it are under way, or
        somebody follows it."""
        ...

    @property
    def retiring(self) -> bool:
        """Whether it is to go as soon as it can."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    max_crashes: int = 3
    window_s: float = 5.0
    cool_down_s: float = 30.0


@dataclass(slots=True)
class Counters:
    """For metrics."""

    crashes: int = 0
    quarantines: int = 0


async def supervise(
    actor: Supervised,
    name: str,
    limits: Limits,
    new_id: Callable[[], str],
    counters: Counters,
) -> None:
    """Run `actor` until it retires or cannot load. Cancellation passes through at once."""
    crashes: deque[float] = deque()
    cool_down = limits.cool_down_s
    while True:
        try:
            await actor.run()
            return
        except Rejected as no:
            actor.refuse_waiting(no)
            if not actor.needed:
                return
            with trio.move_on_after(RETRY_S):
                await actor.waiting()
            continue
        except Exception as error:
            correlation = new_id()
            _log.error("actor crashed", actor=name, correlation=correlation, stack=stack(error))
            actor.crashed(Rejected("INTERNAL", correlation=correlation))
        counters.crashes += 1
        now = trio.current_time()
        crashes.append(now)
        while crashes[0] < now - limits.window_s:
            crashes.popleft()
        if len(crashes) > limits.max_crashes:
            counters.quarantines += 1
            _log.error("actor quarantined", actor=name, seconds=cool_down, correlation=correlation)
            await _quarantine(actor, cool_down, correlation)
            if actor.retiring:
                return
            cool_down = min(cool_down * 2, MAX_COOL_DOWN_S)
            crashes.clear()


async def _quarantine(actor: Supervised, seconds: float, correlation: str) -> None:
    end = trio.current_time() + seconds
    while (left := end - trio.current_time()) > 0 and not actor.retiring:
        actor.refuse_waiting(
            Rejected("UNAVAILABLE", retry_after=math.ceil(left), correlation=correlation)
        )
        with trio.move_on_after(left):
            await actor.waiting()
