"""Announced files in memory, for the twin."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import trio

from ...protocol.uploads import Content, Upload
from .disk import Disk


class MemoryUploads:
    """Implements `Uploads`. `check` is called first by everything: it raises while away."""

    def __init__(self, disk: Disk, check: Callable[[], None]) -> None:
        self._disk = disk
        self._check = check

    async def add(self, upload: Upload) -> None:
        await self._turn()
        self._disk.uploads[upload.id] = upload

    async def find(self, ids: Collection[str]) -> dict[str, Upload]:
        await self._turn()
        uploads = self._disk.uploads
        return {id: uploads[id] for id in ids if id in uploads}

    async def sent_in(self, url: str, user: str, limit: int) -> list[tuple[str, str]]:
        await self._turn()
        sent = [
            (shelf.row.id, event.id)
            for shelf in self._disk.of(user)
            if shelf.row is not None
            for event in shelf.log
            if any(each.get("url") == url for each in event.data.media)
        ]
        return sent[:limit]

    async def complete(self, id: str, content: Content) -> None:
        await self._turn()
        upload = self._disk.uploads.get(id)
        if upload is not None and upload.content is None:
            self._disk.uploads[id] = replace(upload, content=content)

    async def forget(self, before: int, limit: int) -> list[str]:
        await self._turn()
        uploads = self._disk.uploads.values()
        old = [each.id for each in uploads if each.content is None and each.created_at < before]
        for id in old[:limit]:
            del self._disk.uploads[id]
        return old[:limit]

    async def _turn(self) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
