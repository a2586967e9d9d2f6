"""Watching what is read of a store, holding it up, and making it fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from palaver.persistence.memory.store import MemoryStore

Action = Callable[[], Awaitable[None]]

CONVERSATIONS = (
    *("load", "renew", "events", "find", "messages"),
    *("page", "numbered_page", "media", "replies", "edits", "read_at", "position"),
)
INBOXES = ("inbox", "changes", "rows", "peers", "seen", "last_seen")
USER_LOGS = ("append", "after", "remembered", "reticent", "standings", "barring", "stars")


class Watch:
    """Stands between a store and its reader. `calls` counts the reads by name."""

    def __init__(self, store: MemoryStore) -> None:
        self.calls: Counter[str] = Counter()
        self._held: set[str] = set()
        self._open = trio.Event()
        self._before: dict[str, Action] = {}
        self._after: dict[str, Action] = {}
        self._errors: dict[str, Exception] = {}
        parts = (store.conversations, store.inboxes, store.user_logs)
        for part, names in zip(parts, (CONVERSATIONS, INBOXES, USER_LOGS), strict=True):
            for name in names:
                setattr(part, name, self._watched(name, getattr(part, name)))

    def hold(self, *names: str) -> None:
        """The answers to these reads are late from now on: they are made, and wait."""
        self._held.update(names)

    def release(self) -> None:
        self._held.clear()
        self._open.set()
        self._open = trio.Event()

    def before(self, name: str, action: Action) -> None:
        """Do this just before the next of these reads is made."""
        self._before[name] = action

    def after(self, name: str, action: Action) -> None:
        """Do this after the next of these reads is made, before it is answered."""
        self._after[name] = action

    def fail(self, name: str, error: Exception | None) -> None:
        """These reads raise `error`, or None: they do not any more."""
        if error is None:
            del self._errors[name]
        else:
            self._errors[name] = error

    def _watched(
        self, name: str, read: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]]:
        async def watched(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            if name in self._errors:
                raise self._errors[name]
            if name in self._before:
                await self._before.pop(name)()
            answer = await read(*args, **kwargs)
            if name in self._after:
                await self._after.pop(name)()
            if name in self._held:
                await self._open.wait()
            return answer

        return watched
