"""Temporary files in memory: no test needs them to outlive the machine, and a disk would cost half
of the suite's time, mostly for databases that are made and dropped."""

import os
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30


def prefer_memory() -> None:
    """Let `tempfile` of this process, and of those that it starts, use memory if there is enough
    and programs may lie there. Whoever has chosen a TMPDIR keeps it."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return
    status = os.statvfs(_MEMORY)
    if status.f_flag & os.ST_NOEXEC or status.f_bavail * status.f_frsize < _ENOUGH:
        return
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None  # it may have looked already
