"""Watching what is read of a store, and holding it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from palaver.persistence.memory import MemoryStore

READS = ("load", "renew", "events", "find", "messages", "page", "position")


class Watch:
    """Counts the reads of conversations of `store` by name, in `calls`."""

    def __init__(self, store: MemoryStore) -> None:
        self.calls: Counter[str] = Counter()
        self._held: set[str] = set()
        self._open = trio.Event()
        for name in READS:
            setattr(store.conversations, name, self._watched(getattr(store.conversations, name)))

    def hold(self, *names: str) -> None:
        """Reads of these names wait from now on."""
        self._held = set(names)
        self._open = trio.Event()

    def release(self) -> None:
        self._held = set()
        self._open.set()

    def _watched(self, read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        name = read.__name__

        async def watched(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            if name in self._held:
                await self._open.wait()
            return await read(*args, **kwargs)

        return watched
