"""When to try again: a sequence of upper bounds, of which a random part is waited (CLI-01).

Full jitter from the first retry on: after an outage all clients come back at once, and any fixed
part of the delay would keep them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Backoff = Callable[[], Iterator[float]]
"""Makes the bounds anew after each success. Where the iterator ends, so do the attempts."""


def exponential(first: float = 1.0, cap: float = 30.0) -> Iterator[float]:
    """1, 2, 4, 8, 16, 30, 30, … seconds, without end."""
    bound = first
    while True:
        yield min(bound, cap)
        bound = min(bound * 2, cap)


def linear(step: float = 1.0, attempts: int = 5) -> Iterator[float]:
    """1, 2, 3, 4, 5 seconds, then no more."""
    for attempt in range(1, attempts + 1):
        yield step * attempt


def delay(bound: float, random: Callable[[], float], advice: float | None) -> float:
    """Seconds to wait. Never less than what the server asked for; jitter comes on top of that."""
    return (advice or 0.0) + bound * random()
