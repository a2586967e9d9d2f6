"""The disk under a directory: how much room it has, and how long it takes to be sure."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .finding import Finding, ok, problem, warning

_SCARCE, _LOW = 256 * 2**20, 2 * 2**30
_SLOW_S = 0.02
_TIMES = 10


def nearest(path: Path) -> Path:
    """`path`, or the first directory above it that is there, as far as this user can see."""
    return next(step for step in (path, *path.parents) if os.path.exists(step))


def check_space(
    directory: Path, usage: Callable[[Path], Any] = shutil.disk_usage
) -> Iterator[Finding]:
    free = usage(nearest(directory)).free
    said = f"{free / 2**30:.1f} GiB are free for {directory}"
    if free < _LOW:
        make = problem if free < _SCARCE else warning
        yield make(
            "disk space",
            f"{said}; when it is full, nothing can be stored any more",
            "Make room, or move the data.",
        )
    else:
        yield ok("disk space", said)


def check_fsync(directory: Path, sync: Callable[[int], None] = os.fsync) -> Iterator[Finding]:
    """Measured in a file without a name, so that nothing stays behind."""
    place = nearest(directory)
    taken = []
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            for _ in range(_TIMES):
                file.write(b"\0" * 4096)
                file.flush()
                began = time.perf_counter()
                sync(file.fileno())
                taken.append(time.perf_counter() - began)
    except OSError as error:
        yield problem(
            "disk",
            f"{place} cannot be written to ({error.strerror})",
            "Run as the owner of the data, make room, or name another directory with --data.",
        )
        return
    median = statistics.median(taken)
    said = f"an fsync takes {1000 * median:.2f} ms"
    if median > _SLOW_S:
        yield warning(
            "disk",
            f"{said}: while Postgres is away, every reply waits for one",
            "Put the data directory on a local SSD.",
        )
    else:
        yield ok("disk", said)
