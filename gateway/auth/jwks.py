"""A JSON Web Key Set (RFC 7517) that rotates: read again at intervals and for unknown keys."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import jwt
import structlog
import trio

from ...engine import StartupError
from ...protocol.errors import Rejected
from .documents import Document, Read, Unreadable, is_url, read_file, reader
from .keys import PublicKey, fits

_log = structlog.get_logger("palaver.auth")

MIN_REFETCH_S: Final = 3.0
"""Between two readings, however many unknown keys are asked for."""
MIN_MAX_AGE_S: Final = 30.0
"""A shorter `max-age` counts as this."""
RETRY_S: Final = 10.0


class KeySet:
    """Those keys of `data` that are public, for signatures, and for one of `algorithms`; others are
    passed over. Raises `Unreadable` if there is none."""

    def __init__(self, data: bytes, algorithms: Collection[str]) -> None:
        try:
            members = list(json.loads(data)["keys"])
        except (ValueError, TypeError, LookupError, RecursionError):
            raise Unreadable("no JSON Web Key Set") from None
        self._keys = [key for each in members if (key := _usable(each, algorithms)) is not None]
        if not self._keys:
            raise Unreadable(f"no public key in it for {sorted(algorithms)}")

    def find(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """The key `kid`; without a `kid` the only one for `algorithm`."""
        found = [
            each.key
            for each in self._keys
            if each.algorithm_name == algorithm and kid in (None, each.key_id)
        ]
        return found[0] if len(found) == 1 else None


def _usable(member: Any, algorithms: Collection[str]) -> jwt.PyJWK | None:
    """One member of a set as a key; None if it is not for us (RFC 7517 §5)."""
    try:
        key = jwt.PyJWK(member)
    except (jwt.PyJWTError, NotImplementedError, ValueError, TypeError, AttributeError):
        return None
    ours = key.algorithm_name in algorithms and key.public_key_use in (None, "sig")
    return key if ours and fits(key.key, key.algorithm_name) else None


class Jwks:
    """The keys at `where`, a path or a URL; the last ones that could be read.

    They are read every `refetch_s` seconds, sooner if the server's `Cache-Control` says so, and for
    an unknown `kid`: all who wait for one share one reading, and readings are `MIN_REFETCH_S`
    apart. While they cannot be read, those that are known go on working.

    Raises `StartupError` for a file that holds no keys. A URL is another matter: whether this
    server starts must not depend on one that may be away for a moment, so until keys have come
    `ready` is false and tokens are UNAVAILABLE.
    """

    def __init__(self, where: str, algorithms: Collection[str], refetch_s: float) -> None:
        self._where = where
        self._algorithms = algorithms
        self._refetch_s = refetch_s
        self._keys: KeySet | None = None
        self._failing = False
        self._wanted = trio.Event()
        self._read = trio.Event()
        if not is_url(where):
            try:
                self._take(read_file(Path(where)))
            except Unreadable as why:
                raise StartupError(f"auth.jwks {where}: {why}") from None

    @property
    def ready(self) -> bool:
        return self._keys is not None

    async def find(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """The key, after another reading if need be. UNAVAILABLE if that fails."""
        if self._keys is not None and (key := self._keys.find(algorithm, kid)) is not None:
            return key
        if self._keys is not None:
            self._wanted.set()
            await self._read.wait()
        if self._keys is None or self._failing:
            raise Rejected("UNAVAILABLE", retry_after=RETRY_S)
        return self._keys.find(algorithm, kid)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read for ever; started when the first attempt is over."""
        async with reader(self._where) as read:
            due = await self._update(read)
            task_status.started()
            while True:
                await trio.sleep(MIN_REFETCH_S)
                with trio.move_on_at(due):
                    await self._wanted.wait()
                due = await self._update(read)

    async def _update(self, read: Read) -> float:
        """Read once, and let go who waits for that. Returns when it is due again."""
        began = trio.current_time()
        try:
            wait_s = self._take(await read())
        except Unreadable as why:
            wait_s = RETRY_S
            if not self._failing:
                _log.warning("auth.jwks cannot be read", reason=str(why), ready=self.ready)
            self._failing = True
        self._read.set()
        self._read, self._wanted = trio.Event(), trio.Event()
        return began + wait_s

    def _take(self, document: Document) -> float:
        """Use these keys from now on; returns for how many seconds they hold."""
        self._keys = KeySet(document.data, self._algorithms)
        if self._failing:
            _log.info("auth.jwks can be read again")
        self._failing = False
        if document.max_age_s is None:
            return self._refetch_s
        return min(self._refetch_s, max(document.max_age_s, MIN_MAX_AGE_S))
