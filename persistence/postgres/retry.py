"""Repeating what Postgres rolled back in favour of another transaction (SEND-20)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from .errors import TransientConflict

T = TypeVar("T")


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """The result of `call`, which is repeated up to three times after a `TransientConflict`: at
    once, then after growing waits. The fourth one is raised."""
    try:
        return await call()
    except TransientConflict:
        pass  # Only now stamina: entering it costs more than a query.
    async for attempt in stamina.retry_context(
        TransientConflict, attempts=3, timeout=None, wait_initial=0.01, wait_jitter=0.02
    ):
        with attempt:
            return await call()
    raise AssertionError("stamina ends with a result or an exception")
