"""When to leave somebody in peace who does not answer."""

from __future__ import annotations

import trio


class Breaker:
    """After `failures` in a row it opens: nothing is asked for `cool_down_s`, then one thing in so
    many seconds, until something succeeds."""

    def __init__(self, failures: int, cool_down_s: float) -> None:
        self._limit = failures
        self._cool_down_s = cool_down_s
        self._failures = 0
        self._retry_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= self._limit

    @property
    def retry_after_s(self) -> float:
        """For how long there is no use in trying."""
        return max(self._retry_at - trio.current_time(), 0.0) if self.is_open else 0.0

    def admits(self) -> bool:
        """Whether to ask now. One who may, while it is open, is the only one for `cool_down_s`."""
        if not self.is_open:
            return True
        if self.retry_after_s:
            return False
        self._rest()
        return True

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        self._rest()

    def _rest(self) -> None:
        self._retry_at = trio.current_time() + self._cool_down_s
