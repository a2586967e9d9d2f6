"""The log of the embedded Postgres: bounded, and followed for signs of progress."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOG_LIMIT = 5 * 1024 * 1024


class AppendedLog:
    """A log that another process appends to: kept below some 10 MiB, and followed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = 0

    @contextmanager
    def open(self) -> Iterator[int]:
        """A descriptor to write to; `new_lines` tells what comes after this."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        fd = os.open(self.path, flags, 0o600)
        try:
            self.shorten()
            self._seen = os.fstat(fd).st_size
            yield fd
        finally:
            os.close(fd)

    def shorten(self) -> None:
        """Set a long log aside as `.1`. The writer appends, so it may be emptied meanwhile."""
        if self.path.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(self.path, self.path.with_name(f"{self.path.name}.1"))
            os.truncate(self.path, 0)
            self._seen = 0

    def new_lines(self) -> list[str]:
        """The whole lines that came since the last call."""
        with self.path.open("rb") as file:
            file.seek(self._seen)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._seen += len(whole)
        return whole.decode("utf-8", "replace").splitlines()
