"""The engine's time under a test's clock."""

from __future__ import annotations

import trio


class TrioClock:
    """Milliseconds that pass as trio's clock does, from `start` on, plus what `jump` adds."""

    def __init__(self, start: int = 1_700_000_000_000) -> None:
        self._start = start
        self._zero: float | None = None

    def __call__(self) -> int:
        now = trio.current_time()
        if self._zero is None:
            self._zero = now
        return self._start + round((now - self._zero) * 1000)

    def jump(self, seconds: float) -> None:
        """Let the engine's time be later, without letting timers run."""
        self._start += round(seconds * 1000)
