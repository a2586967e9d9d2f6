"""The data directory: where an engine keeps its files on this machine, one engine at a time.

The embedded Postgres lives in it, and so does the spool, also when Postgres is elsewhere.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

_LOCK = "lock"
_OURS = {_LOCK, "spool", "files"}
"""What lies in a directory that was made for an engine whose Postgres is elsewhere."""


class StartRefused(Exception):
    """The engine cannot start here. The text is for the operator: why, and what to do."""


class DirectoryInUse(StartRefused):
    """Another engine is running on the same data."""


def default_data_directory() -> Path:
    """The system's state directory for root, else the user's (XDG)."""
    if os.geteuid() == 0:
        return Path("/var/lib/palaver")
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # the XDG rules say to ignore relative ones
        return Path(state) / "palaver"
    try:
        return Path.home() / ".local/state/palaver"
    except RuntimeError:
        raise StartRefused(
            "This user has no home directory; name a data directory with --data."
        ) from None


class DataDirectory:
    """Holds `path` from entering the context to leaving it; made on entering if it is not there.

    Entering raises `DirectoryInUse` if another engine holds it, else `StartRefused` if it cannot
    be used. The lock is the kernel's, so it ends with this process whatever ends it, and it is
    not passed on to processes that this one starts.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = (path or default_data_directory()).expanduser().resolve()
        self._held = ExitStack()
        self.is_new = False
        """it was made on entering, or held nothing but what is ours: it is ours to open"""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.is_new = not (set(os.listdir(self.path)) - _OURS)
                fd = stack.enter_context(open_to_lock(self.path / _LOCK))
                locked = try_lock(fd)
            except OSError as error:
                raise StartRefused(
                    f"{self.path} cannot be used as data directory ({error.strerror}); "
                    "name another with --data."
                ) from error
            if not locked:
                holder = os.read(fd, 32).decode("ascii", "replace").strip()
                raise DirectoryInUse(
                    f"Another palaver (process {holder or 'unknown'}) is serving the data in "
                    f"{self.path}; stop it first, or name another directory with --data."
                )
            os.ftruncate(fd, 0)
            os.write(fd, b"%d\n" % os.getpid())
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._held.close()


@contextmanager
def open_to_lock(path: Path) -> Iterator[int]:
    """A descriptor of `path`, made if it is not there, for `try_lock`."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Lock an open file if nobody has: the lock lives until the last copy of `fd` is closed."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def fsync_directories(*paths: Path) -> None:
    """Make what was created or renamed directly in `paths` survive a power cut."""
    for path in paths:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except PermissionError:
            continue  # then we have not created anything in it either
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
