"""Where the embedded Postgres listens, and who listens there now."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..data_directory import StartRefused
from .account import Account

# A socket's address has room for some 104 bytes; Postgres and asyncpg split paths at commas.
_SOCKET_DIRECTORY = re.compile(r"[A-Za-z0-9._/+-]{1,85}")


@contextmanager
def socket_directory(preferred: Path, account: Account) -> Iterator[Path]:
    """A directory for a socket, 0700 and the account's: `preferred` if its path will do.

    Otherwise a new one in /run or /tmp, removed at the end.
    """
    if _SOCKET_DIRECTORY.fullmatch(str(preferred)):
        preferred.mkdir(mode=0o700, exist_ok=True)
        account.give(preferred, 0o700)
        yield preferred
        return
    places = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108  (mkdtemp is safe there)
    if os.geteuid() == 0:
        places.insert(0, Path("/run"))
    for place in places:
        if len(str(place)) < 60 and os.access(place, os.W_OK) and not account.stopped_by(place):
            break
    else:
        raise StartRefused("There is no place for Postgres' socket: neither /run nor /tmp will do.")
    short = Path(tempfile.mkdtemp(prefix="palaver-", dir=place))
    try:
        account.give(short, 0o700)
        yield short
    finally:
        shutil.rmtree(short, ignore_errors=True)


def socket_owner(path: Path) -> tuple[int, int] | None:
    """Process and user id of who listens on a unix socket, `None` if nobody does.

    The process id is 0 where the system does not tell (another container, not Linux).
    """
    with socket.socket(socket.AF_UNIX) as caller:
        caller.setblocking(False)
        try:
            caller.connect(str(path))
        except BlockingIOError:  # somebody does, but is busy
            return 0, path.stat().st_uid
        except OSError:
            return None
        if sys.platform != "linux":
            return 0, path.stat().st_uid
        size = struct.calcsize("3i")
        peer = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, _gid = struct.unpack("3i", peer)
    return pid, uid
