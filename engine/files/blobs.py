"""Where the bytes of files are: a port, and the local file system behind it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable
from pathlib import Path
from typing import IO, Final, Protocol

import trio

from ...persistence.data_directory import fsync_directories
from ...protocol.uploads import too_large

_AT_ONCE: Final = 1_048_576
"""Bytes that are written in one go, since each goes through a thread."""


class Blobs(Protocol):
    """Blobs by key: an id, or an id and what it is a variant of. All of one or nothing is there,
    also after a crash."""

    async def put(self, key: str, chunks: AsyncIterable[bytes], max_bytes: int) -> int:
        """Keep what `chunks` give under `key`, in place of what was there; how many bytes it was.
        ATTACHMENT_TOO_LARGE as soon as there are more than `max_bytes`: then nothing changes."""
        ...

    async def get(self, key: str) -> Path | None:
        """A file with the bytes of `key`, to be read only; None if there are none."""
        ...

    async def delete(self, key: str) -> None:
        """Keep them no longer; that there are none is fine."""
        ...

    async def forget(self, id: str) -> None:
        """The same for `id`, all its variants, and what was left of them by a crash."""
        ...


class LocalBlobs:
    """`Blobs` in a directory, in 256 folders."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, key: str, chunks: AsyncIterable[bytes], max_bytes: int) -> int:
        path = await trio.to_thread.run_sync(self._ready, key)
        # Two who send the same at once must not write into one file.
        part = path.with_name(f"{path.name}.{os.urandom(4).hex()}.part")
        try:
            with await trio.to_thread.run_sync(part.open, "xb") as file:
                size = await _fill(file, chunks, max_bytes)
                await trio.to_thread.run_sync(_settle, file)
            await trio.to_thread.run_sync(_move, part, path)
        finally:
            part.unlink(missing_ok=True)
        return size

    async def get(self, key: str) -> Path | None:
        path = self._path(key)
        return path if await trio.Path(path).is_file() else None

    async def delete(self, key: str) -> None:
        await trio.Path(self._path(key)).unlink(missing_ok=True)

    async def forget(self, id: str) -> None:
        await trio.to_thread.run_sync(self._forget, id)

    def _forget(self, id: str) -> None:
        for path in self._path(id).parent.glob(f"{id}*"):
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._directory / key.partition(".")[0][-2:] / key

    def _ready(self, key: str) -> Path:
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


async def _fill(file: IO[bytes], chunks: AsyncIterable[bytes], max_bytes: int) -> int:
    size, waiting = 0, bytearray()
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise too_large("size", max_bytes)
        waiting += chunk
        if len(waiting) >= _AT_ONCE:
            await trio.to_thread.run_sync(file.write, bytes(waiting))
            waiting.clear()
    await trio.to_thread.run_sync(file.write, bytes(waiting))
    return size


def _move(part: Path, path: Path) -> None:
    """So that it is there after a loss of power, too."""
    part.replace(path)
    fsync_directories(path.parent)


def _settle(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
