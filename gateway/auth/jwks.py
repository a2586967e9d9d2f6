"""A JSON Web Key Set (RFC 7517) that rotates: read again at intervals and for unknown keys."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Final

import jwt
import structlog
import trio

from ...engine import StartupError
from ...protocol.errors import Rejected
from .documents import Document, Unreadable, is_url, read_file, reader
from .keys import PublicKey, fits

_log = structlog.get_logger("palaver.auth")

MIN_REFETCH_S: Final = 3.0
"""Between two readings, however many unknown keys are asked for."""
MIN_MAX_AGE_S: Final = 30.0
"""A server that asks for more is not believed."""
RETRY_S: Final = 10.0


class KeySet:
    """Those keys of `data` that are public, for signatures, and for one of `algorithms`; others are
    passed over. Raises `Unreadable` if there is none."""

    def __init__(self, data: bytes, algorithms: Collection[str]) -> None:
        try:
            keys = jwt.PyJWKSet.from_dict(json.loads(data)).keys
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
            raise Unreadable("no JSON Web Key Set") from None
        self._keys = [
            (key.algorithm_name, key.key_id, key.key)
            for key in keys
            if key.algorithm_name in algorithms
            and key.public_key_use in (None, "sig")
            and fits(key.key, key.algorithm_name)
        ]
        if not self._keys:
            raise Unreadable(f"no public key in it for {sorted(algorithms)}")

    def find(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """The key `kid`; without a `kid` the only one for `algorithm`."""
        found = [key for name, id, key in self._keys if name == algorithm and kid in (None, id)]
        return found[0] if len(found) == 1 else None


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
            while True:
                began = trio.current_time()
                try:
                    wait_s = self._take(await read())
                except Unreadable as why:
                    wait_s = RETRY_S
                    if not self._failing:
                        _log.warning("auth.jwks cannot be read", reason=str(why), ready=self.ready)
                    self._failing = True
                read_now, self._read = self._read, trio.Event()
                read_now.set()
                task_status.started()
                await trio.sleep_until(began + MIN_REFETCH_S)
                with trio.move_on_at(began + wait_s):
                    await self._wanted.wait()
                self._wanted = trio.Event()

    def _take(self, document: Document) -> float:
        """Use these keys from now on; returns for how many seconds they hold."""
        self._keys = KeySet(document.data, self._algorithms)
        if self._failing:
            _log.info("auth.jwks can be read again")
        self._failing = False
        if document.max_age_s is None:
            return self._refetch_s
        return min(self._refetch_s, max(document.max_age_s, MIN_MAX_AGE_S))
