"""Uploads: announced, filled, completed; then messages may have them (ATT-01)."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import structlog
import trio

from ...actors.files import Uploads as Store
from ...actors.logs import stack
from ...actors.ports import Clock
from ...protocol.errors import Rejected
from ...protocol.policy import Policy
from ...protocol.uploads import PATH, Content, Upload, announced
from .blobs import Blobs
from .content import check_content
from .images import FORMATS, look_at

_log = structlog.get_logger("palaver.files")

KEPT_MS: Final = 24 * 3_600_000
"""For an upload to be completed (ATT-22)."""
SWEPT_AT_ONCE: Final = 1000
MAX_FILLING: Final = 16
"""Files of one user that come at a time; each takes a connection, a file and its memory."""
_AT_ONCE: Final = 2
"""Files that are looked at; each keeps a thread busy, and a picture takes its memory."""


class Uploads:
    """Every method may be repeated. Only the owner gets at an upload: for others there is none."""

    def __init__(
        self, store: Store, blobs: Blobs, policy: Policy, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._policy = policy
        self._clock = clock
        self._new_id = new_id
        self._looking = trio.CapacityLimiter(_AT_ONCE)
        self._filling = Counter[str]()
        self._completing = WeakValueDictionary[str, trio.Lock]()  # one at a time, of each

    async def announce(self, user: str, name: str, mime: str, size: int) -> Upload:
        """A new upload. Raises as `announced` of `protocol/uploads.py` does."""
        id = self._new_id()
        upload = announced(id, user, name, mime, size, self._clock(), self._policy)
        await self._store.add(upload)
        return upload

    async def fill(self, user: str, id: str, chunks: AsyncIterable[bytes]) -> int:
        """Take its bytes; what came before of them is forgotten. How many they were.

        Raises ATTACHMENT_NOT_FOUND, ATTACHMENT_TOO_LARGE for more than was announced, OVERLOADED
        while `MAX_FILLING` are filled, or UNAVAILABLE if the disk is full. One that is complete
        keeps what it has.
        """
        upload = await self.own(user, id)
        if upload.content is not None:
            return upload.content.size
        if self._filling[user] >= MAX_FILLING:
            raise Rejected("OVERLOADED", retry_after=1.0)
        self._filling[user] += 1
        try:
            with _disk_has_room():
                size = await self._blobs.put(_incoming(id), chunks, upload.size)
        finally:
            self._filling -= Counter([user])  # forgets who has none
        now = (await self._store.find([id])).get(id)
        if now is None or now.content is not None:  # meanwhile: nobody will ask for it any more
            await self._blobs.delete(_incoming(id))
        return size

    async def complete(self, user: str, id: str) -> Upload:
        """It is ready, once its content is what was announced: else INVALID_FILE_TYPE, or
        ATTACHMENT_NOT_READY while not all of it has come. UNAVAILABLE if the disk is full.

        What is looked at is what is kept: a copy that whoever fills it meanwhile does not get at.
        """
        async with self._completing.setdefault(id, trio.Lock()):
            with _disk_has_room():
                return await self._complete(user, id)

    async def _complete(self, user: str, id: str) -> Upload:
        upload = await self.own(user, id)
        if upload.content is not None:
            return upload
        incoming = await self._blobs.get(_incoming(id))
        if incoming is None:
            raise _not_ready(id, 0)
        with tempfile.TemporaryDirectory(prefix="palaver-") as room:
            look = partial(_look, incoming, upload, self._policy, Path(room))
            content, made = await trio.to_thread.run_sync(look, limiter=self._looking)
            for key, path in made.items():
                async with aclosing(_read(path)) as chunks:
                    await self._blobs.put(key, chunks, path.stat().st_size)
        await self._store.complete(id, content)
        await self._blobs.delete(_incoming(id))
        return await self.own(user, id)

    async def file(self, id: str, thumbnail: int | None) -> tuple[Upload, Path]:
        """A complete upload and its bytes, or those of a small picture of it, for whoever may load
        it. Raises ATTACHMENT_NOT_FOUND."""
        upload = (await self._store.find([id])).get(id)
        if upload is not None and upload.content is not None:
            path = await self._blobs.get(id if thumbnail is None else f"{id}.{thumbnail}")
            if path is not None:
                return upload, path
        raise Rejected("ATTACHMENT_NOT_FOUND")

    async def sweep(self) -> int:
        """Forget what was announced more than a day ago and never completed (ATT-22); how many."""
        old = await self._store.forget(self._clock() - KEPT_MS, SWEPT_AT_ONCE)
        for id in old:
            await self._blobs.forget(id)
        return len(old)

    async def keep_swept(self, every_s: float) -> None:
        """Until cancelled. What goes wrong is tried again."""
        while True:
            await trio.sleep(every_s)
            try:
                while await self.sweep() == SWEPT_AT_ONCE:
                    pass
            except Exception as error:  # the engine must not end for that
                _log.warning("uploads were not swept", stack=stack(error))

    async def sent_in(self, id: str, user: str, limit: int) -> list[tuple[str, str]]:
        """Conversation and id of at most `limit` messages that have it, in those of `user`."""
        return await self._store.sent_in(PATH + id, user, limit)

    async def own(self, user: str, id: str) -> Upload:
        """The upload of `user`. Raises ATTACHMENT_NOT_FOUND."""
        upload = (await self._store.find([id])).get(id)
        if upload is None or upload.owner != user:
            raise Rejected("ATTACHMENT_NOT_FOUND", details={"upload": id})
        return upload


@contextmanager
def _disk_has_room() -> Iterator[None]:
    """UNAVAILABLE if it has not: it is for the operator to make some."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _log.error("no room for files", reason=error.strerror)
        raise Rejected("UNAVAILABLE", "No room for files just now.", retry_after=60.0) from None


def _incoming(id: str) -> str:
    """The key of what comes: it is served to nobody."""
    return f"{id}.incoming"


def _not_ready(id: str, have: int) -> Rejected:
    return Rejected("ATTACHMENT_NOT_READY", details={"upload": id, "bytes": have})


def _look(
    incoming: Path, upload: Upload, policy: Policy, room: Path
) -> tuple[Content, dict[str, Path]]:
    """What has come; and the files to keep, by their keys."""
    file = room / "file"
    shutil.copyfile(incoming, file)
    if (size := file.stat().st_size) < upload.size:
        raise _not_ready(upload.id, size)
    check_content(file, upload.mime)
    width = height = None
    sizes: tuple[int, ...] = ()
    made: dict[str, Path] = {}
    if upload.mime in FORMATS:
        seen = look_at(file, upload.mime, policy.thumbnails, room)
        width, height, sizes = seen.width, seen.height, tuple(sorted(seen.thumbnails))
        made = {f"{upload.id}.{size}": path for size, path in seen.thumbnails.items()}
        file = seen.placeless or file
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").digest()
    return Content(file.stat().st_size, digest, width, height, sizes), {**made, upload.id: file}


async def _read(path: Path) -> AsyncGenerator[bytes]:
    async with await trio.open_file(path, "rb") as file:
        while chunk := await file.read(1_048_576):
            yield chunk
