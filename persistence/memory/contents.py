"""What deleted messages said, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import trio

from ...protocol.records import Deleted
from ..payload import CONTENT, SAYING, subject
from .disk import Disk, Shelf


class MemoryContents:
    """Implements `Contents`. `check` is called first by everything: it raises while away."""

    def __init__(self, disk: Disk, check: Callable[[], None]) -> None:
        self._disk = disk
        self._check = check

    async def deleted(self, conversation: str, message: str) -> Deleted | None:
        shelf = await self._shelf(conversation)
        seq = shelf.subjects.get(message)
        overlay = shelf.overlays.get(seq) if seq is not None else None
        if seq is None or overlay is None or overlay.deleted_at is None:
            return None
        later = [event for event in shelf.log[seq:] if event.kind in SAYING]
        about = [event for event in later if subject(event) == (message, seq)]
        last = {event.audience: event.seq for event in about}.values()
        said = [event for event in about if event.seq in last]
        return Deleted(overlay.deleted_at, [shelf.log[seq - 1], *said])

    async def erase(self, conversation: str, message: str, deleted_at: int) -> None:
        shelf = await self._shelf(conversation)
        seq = shelf.subjects.get(message)
        overlay = shelf.overlays.get(seq) if seq is not None else None
        if overlay is None or overlay.deleted_at != deleted_at:
            return
        for index, event in enumerate(shelf.log):
            if (about := subject(event)) is not None and about[0] == message:
                shelf.log[index] = replace(event.redact(), redacted=False)
        overlay.text = None
        for name in CONTENT:
            overlay.data.pop(name, None)
        last = shelf.snapshot.state["last"] if shelf.snapshot is not None else None
        for each in (last, *last.get("only", {}).values()) if last is not None else ():
            if each.get("seq") == seq:
                each["text"] = None
                each.pop("attachments", None)

    async def _shelf(self, conversation: str) -> Shelf:
        await trio.lowlevel.checkpoint()
        self._check()
        return self._disk.shelves.get(conversation) or Shelf()
