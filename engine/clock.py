"""The time of the engine."""

from __future__ import annotations

import time
from collections.abc import Callable


class SystemClock:
    """Milliseconds since 1970, UTC, from the system; stands still while that goes back."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._last = 0

    def __call__(self) -> int:
        now = self._now_ns() // 1_000_000
        if now > self._last:
            self._last = now
        return self._last
