"""What the devices sent, were told and saw: one file, appended to and synced for all at once.

A record is a msgpack array `[what, device, time, value]`; `time` is in seconds since the start.

    "open"   [run of the engine, what welcome said]     a connection is signed in
    "sent"   an item
    "got"    an item
    "close"  why
    "fault"  what was broken or mended (device -1: the run itself)

One file rather than one for each device: they share one fsync, and its order is the order in which
this process saw things.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgpack
import trio

NOBODY = -1
Record = tuple[str, int, float, Any]


class History:
    """Append with `note`, which never waits; `synced` returns when all noted so far is on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = 0
        self._file = path.open("xb", buffering=0)
        self._pack = msgpack.Packer().pack
        self._buffer: list[bytes] = []
        self._started = trio.current_time()
        self._syncing = trio.Lock()
        self._noted = self._on_disk = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write(b"".join(self._buffer))
        self._file.close()

    @property
    def now(self) -> float:
        return trio.current_time() - self._started

    def note(self, what: str, device: int, value: Any) -> None:
        self._buffer.append(self._pack((what, device, round(self.now, 4), value)))
        self._noted += 1
        self.records += 1

    async def synced(self) -> None:
        """Whoever comes while one sync is under way shares the next."""
        wanted = self._noted
        async with self._syncing:
            if self._on_disk >= wanted:
                return
            data, noted = b"".join(self._buffer), self._noted
            self._buffer.clear()
            with trio.CancelScope(shield=True):  # others' records are among them
                await trio.to_thread.run_sync(self._write, data)
            self._on_disk = noted

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        os.fsync(self._file.fileno())


def read(path: Path) -> Iterator[Record]:
    """The records of a history; a last one that was cut off by a crash is left out."""
    with path.open("rb") as file:
        yield from msgpack.Unpacker(file, strict_map_key=False, use_list=False)
