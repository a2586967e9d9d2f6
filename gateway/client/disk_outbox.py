"""An outgoing queue that outlives its program."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, Unpack

import trio

from .errors import OutboxUnusable
from .outbox import Bounds, Outbox
from .outbox_file import OutboxFile
from .outgoing import Outgoing

T = TypeVar("T")


class DiskOutbox(Outbox):
    """In the file `path`, made if need be, readable by its owner only; bounds as of `Outbox`.

    What was enqueued is synced to the disk. One process uses a file at a time (`OutboxInUse`); a
    file that is damaged or of another program is refused (`OutboxUnusable`) and left as it is.
    Its directory is to be on a local disk.
    """

    def __init__(self, path: str | os.PathLike[str], **bounds: Unpack[Bounds]) -> None:
        super().__init__(**bounds)
        self.path = Path(path)
        self.where = str(path)
        self._file: OutboxFile | None = None
        self._thread = trio.CapacityLimiter(1)

    async def close(self) -> None:
        await super().close()
        if self._file is not None:
            file, self._file = self._file, None
            with trio.CancelScope(shield=True):
                await self._do(file.close)

    async def _load(self) -> tuple[str | None, list[Outgoing]]:
        self._file = await self._do(OutboxFile, self.path)
        try:
            return await self._do(self._file.load)
        except BaseException:
            await self.close()
            raise

    async def _insert(self, outgoing: Outgoing) -> None:
        assert self._file is not None, "only called while open"
        await self._do(self._file.insert, outgoing)

    async def _delete(self, outgoing: Outgoing) -> None:
        assert self._file is not None, "only called while open"
        try:
            with trio.CancelScope(shield=True):  # a client may be left as soon as it is answered
                await self._do(self._file.delete, outgoing.n)
        except OutboxUnusable:
            pass  # it will be sent once more, and answered as a repetition

    async def _own(self, user: str) -> None:
        assert self._file is not None, "only called while open"
        await self._do(self._file.own, user)

    async def _do(self, act: Callable[..., T], *args: Any) -> T:
        """In a thread. If cancelled, either nothing was done or it was done."""
        return await trio.to_thread.run_sync(act, *args, limiter=self._thread)
