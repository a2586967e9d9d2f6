"""Token buckets: how often something may happen, and how long to wait for the next time (SEC-05).

Instead of counting tokens a bucket remembers when it will be full again (the «generic cell rate
algorithm»): one number, nothing to refill, and a bucket that is full can be forgotten.
"""

from __future__ import annotations

import math
from typing import Final

ROUNDING_MS: Final = 1e-3
"""What adding floats may have left over."""


class Rate:
    """`count` tokens per `period_s`, of which a bucket holds `burst`, or all if that is None.

    A count of 0 switches it off: everything is granted.
    """

    __slots__ = ("interval_s", "slack_s")

    def __init__(self, count: int, period_s: float, burst: int | None = None) -> None:
        self.interval_s = period_s / count if count else 0.0
        self.slack_s = (burst or count) * self.interval_s
        """how far a bucket may run ahead of the steady pace"""


class Bucket:
    """Full at first. Times are trio's."""

    __slots__ = ("_rate", "full_at")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self.full_at = -math.inf

    def take(self, now: float, tokens: int = 1) -> float:
        """Take `tokens` and return 0.0; or, if there are too few, take none and return the seconds
        until there will be enough, in whole milliseconds."""
        rate = self._rate
        full_at = (self.full_at if self.full_at > now else now) + tokens * rate.interval_s
        ahead_ms = (full_at - now - rate.slack_s) * 1000 - ROUNDING_MS
        if ahead_ms > 0:
            return math.ceil(ahead_ms) / 1000
        self.full_at = full_at
        return 0.0
