"""Token buckets: how often something may happen, and how long to wait for the next time (SEC-05).

Instead of counting tokens a bucket remembers when it will be full again (the «generic cell rate
algorithm»): one number, nothing to refill, and a bucket that is full can be forgotten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

ROUNDING_MS: Final = 1e-3
"""What adding floats may have left over."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` tokens per `period_s`, of which a bucket holds `burst`, or all if that is None.

    A count of 0 switches it off: everything is granted.
    """

    count: int
    period_s: float
    burst: int | None = None

    @property
    def interval_s(self) -> float:
        return self.period_s / self.count if self.count else 0.0

    @property
    def slack_s(self) -> float:
        """How far ahead of the steady pace a bucket may run."""
        return (self.burst or self.count) * self.interval_s


class Bucket:
    """Full at first. Times are trio's."""

    __slots__ = ("_rate", "full_at")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self.full_at = -math.inf

    def take(self, now: float, tokens: int = 1) -> float:
        """Take `tokens` and return 0.0; or, if there are too few, take none and return the seconds
        until there will be enough, in whole milliseconds."""
        full_at = max(self.full_at, now) + tokens * self._rate.interval_s
        wait_ms = math.ceil((full_at - now - self._rate.slack_s) * 1000 - ROUNDING_MS)
        if wait_ms > 0:
            return wait_ms / 1000
        self.full_at = full_at
        return 0.0
