"""The time of the engine."""

from __future__ import annotations

import time


class SystemClock:
    """Milliseconds since 1970, UTC, from the system; stands still while that goes back."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> int:
        now = time.time_ns() // 1_000_000
        if now > self._last:
            self._last = now
        return self._last
