"""Who came and went: told to who watches, and stored, several at a time (RCPT-16, 18, 19)."""

from __future__ import annotations

import structlog
import trio

from ..protocol.errors import Rejected
from ..protocol.features.subscriptions import PresenceChanged
from .alarms import Alarm
from .environment import Environment
from .registry import Registry

_log = structlog.get_logger("palaver.presence")


class Presence:
    """Of all users of an engine. Their sessions tell it, each conversation hears at most once in
    `Policy.presence_batch_s` of each user, and only if that user is not where they were before.

    Who is online is known in memory alone; stored is when who is not was last seen, all those of a
    batch by one upsert.
    """

    def __init__(self, env: Environment, registry: Registry) -> None:
        self._env = env
        self._registry = registry
        self._alarm = Alarm(env.alarms, self._flush)
        self._before: dict[str, bool] = {}
        self._now: dict[str, PresenceChanged] = {}
        self._left: dict[str, int] = {}
        self._unstored: dict[str, int] = {}
        self._gathering = False
        self._storing = False

    def changed(self, signal: PresenceChanged) -> None:
        """A user came or went, as far as the others may know."""
        if self._env.policy.presence_enabled:
            self._before.setdefault(signal.user, not signal.online)
            self._now[signal.user] = signal
            if signal.online:
                self._left.pop(signal.user, None)
            self._flush_in_time()

    def seen(self, user: str, at: int) -> None:
        """`user` is offline since `at`, in milliseconds, whoever may know of it."""
        if self._env.policy.presence_enabled:
            self._left[user] = at
            self._flush_in_time()

    def _flush_in_time(self) -> None:
        if not self._env.policy.presence_batch_s:
            self._flush()
        elif not self._gathering:
            self._gathering = True
            self._alarm.set(trio.current_time() + self._env.policy.presence_batch_s)

    def _flush(self) -> None:
        before, now = self._before, self._now
        self._gathering = False
        self._before, self._now = {}, {}
        self._unstored.update(self._left)
        self._left = {}
        told: dict[str, list[PresenceChanged]] = {}
        for user, signal in now.items():
            if before[user] == signal.online:
                continue  # there and back
            for id in self._env.hub.watchers(user):
                told.setdefault(id, []).append(signal)
        for id, changes in told.items():
            conversation = self._registry.resident(id)
            if conversation is not None:
                conversation.presence(changes)
        if self._unstored and not self._storing:
            self._storing = True
            self._env.nursery.start_soon(self._store)

    async def _store(self) -> None:
        """What comes meanwhile is stored next, together."""
        try:
            while self._unstored:
                await self._seen()
        finally:
            self._storing = False

    async def _seen(self) -> None:
        seen, self._unstored = self._unstored, {}
        try:
            await self._env.store.inboxes.seen(seen)
        except Rejected:
            _log.warning("last seen not stored", users=len(seen))

    async def close(self) -> None:
        """Store when everybody was last seen who was, until now."""
        self._flush()
        if self._env.policy.presence_enabled:
            now, sessions = self._env.clock(), self._env.hub.sessions
            self._unstored.update((user, now) for user, each in sessions.items() if each.online)
        if self._unstored:
            await self._seen()
