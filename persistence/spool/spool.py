"""The spool of a running engine: the file, in a thread of its own at a time, and its bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import trio

from ...protocol.records import Write
from .file import SpoolFile
from .record import entry

_WORTHWHILE: Final = 1_048_576
"""Bytes that the file has grown to."""


class Spool:
    """For one task at a time. `bytes` and `count` are of what waits in it now."""

    def __init__(self, file: SpoolFile, incarnation: Callable[[], int], max_bytes: int) -> None:
        summary = file.summary()
        self.count, self.bytes = summary.waiting, summary.bytes
        self._file = file
        self._incarnation = incarnation
        self._max_bytes = max_bytes
        self._last = file.last
        self._sizes: dict[int, int] = {}
        self._peak = 0
        self._limiter = trio.CapacityLimiter(1)

    @property
    def has_room(self) -> bool:
        return self.bytes < self._max_bytes

    @property
    def is_half_empty(self) -> bool:
        return 2 * self.bytes < self._max_bytes

    def emptied(self) -> None:
        """What the last engine left in it is stored."""
        self.count = self.bytes = 0

    async def exchange(self, writes: Sequence[Write], stored: Sequence[int]) -> list[int]:
        """Take `writes` in their order and forget `stored`; returns the numbers of the entries.

        On return it is all on disk. Raises `SpoolUnavailable`: then nothing has changed. A
        cancellation waits until that is decided.
        """
        numbers = list(range(self._last + 1, self._last + 1 + len(writes)))
        sizes = await trio.to_thread.run_sync(
            self._exchange, numbers, list(writes), list(stored), limiter=self._limiter
        )
        self._last += len(writes)
        for n, size in zip(numbers, sizes, strict=True):
            self._sizes[n] = size
            self.bytes += size
        self._peak = max(self._peak, self.bytes)
        for n in stored:
            self.bytes -= self._sizes.pop(n)
        self.count = len(self._sizes)
        return numbers

    async def set_aside(self, n: int, problem: str) -> None:
        """Keep entry `n`, which Postgres will never take, for a person to look at."""
        await trio.to_thread.run_sync(self._file.refuse, [(n, problem)], limiter=self._limiter)
        self.bytes -= self._sizes.pop(n)
        self.count = len(self._sizes)

    async def shrink(self) -> None:
        """Give the disk back what is free, if that is worth the while."""
        if self._peak > _WORTHWHILE:
            self._peak = self.bytes
            await trio.to_thread.run_sync(self._file.shrink, limiter=self._limiter)

    def _exchange(self, numbers: list[int], writes: list[Write], stored: list[int]) -> list[int]:
        at = time.time_ns() // 1_000_000
        entries = [
            entry(n, self._incarnation(), at, write)
            for n, write in zip(numbers, writes, strict=True)
        ]
        self._file.change(entries, stored)
        return [len(each.record) for each in entries]
