"""Waiting for what cannot tell by itself: processes, and many devices at once."""

from __future__ import annotations

from collections.abc import Callable

import trio

_EVERY = 0.03


async def until(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds."""
    while True:
        if condition():
            return
        await trio.sleep(_EVERY)
