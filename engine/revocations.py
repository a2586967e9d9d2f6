"""What has been revoked, for as long as a token for it might still come along."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import structlog

_log = structlog.get_logger("palaver.engine")


class Revocations:
    """Users and sessions whose tokens are no longer believed (CONN-12).

    A revocation is remembered for `keep_s` seconds, which should be more than a token lives, and in
    this process only. At most `limit` are: beyond that the oldest is forgotten, and that is logged.
    `clock` gives seconds since 1970.
    """

    def __init__(
        self, keep_s: float, limit: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._keep_s = keep_s
        self._limit = limit
        self._clock = clock
        self._times: OrderedDict[tuple[str, str], float] = OrderedDict()  # the oldest first

    def __len__(self) -> int:
        return len(self._times)

    def user(self, user: str) -> None:
        """Revoke what was issued to `user` up to now."""
        self._add("user", user)

    def session(self, session: str) -> None:
        """Revoke `session`, whenever its tokens are issued."""
        self._add("session", session)

    def cover(self, user: str, session: str | None, issued_at: float | None) -> bool:
        """Whether a token is revoked that was issued then (in seconds since 1970). If it does not
        say when, or in the very second of the revocation, it counts as issued before."""
        self._forget()
        if session is not None and ("session", session) in self._times:
            return True
        revoked_at = self._times.get(("user", user))
        return revoked_at is not None and (issued_at is None or issued_at <= revoked_at)

    def _add(self, kind: str, id: str) -> None:
        self._forget()
        self._times[kind, id] = self._clock()
        self._times.move_to_end((kind, id))
        if len(self._times) > self._limit:
            self._times.popitem(last=False)
            _log.warning("a revocation is forgotten early: auth.max_revocations is too small")

    def _forget(self) -> None:
        horizon = self._clock() - self._keep_s
        while self._times and next(iter(self._times.values())) <= horizon:
            self._times.popitem(last=False)
