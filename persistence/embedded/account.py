"""Who runs the embedded Postgres: never root, which Postgres refuses.

The account has to get at its part of the data directory and at its programs. Nothing above the data
directory is ever opened for it; rather, things are copied to where it may go.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data_directory import DataDirectory, StartRefused

_ACCOUNT = "palaver"

# How to make a system account: shadow-utils nearly everywhere, Busybox in small containers.
_ACCOUNT_MAKERS = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system, with no groups but the primary one."""

    uid: int
    gid: int
    name: str

    @classmethod
    def of(cls, uid: int, gid: int | None = None) -> Account:
        """By number; an account without a name is called by its number."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return cls(uid, uid if gid is None else gid, str(uid))
        return cls(uid, entry.pw_gid if gid is None else gid, entry.pw_name)

    def stopped_by(self, path: Path) -> Path | None:
        """The first directory on the way to `path`, itself included, closed to this account."""
        way = (*reversed(path.parents), path)
        return next((step for step in way if not self.may_enter(step)), None)

    def may_enter(self, directory: Path) -> bool:
        return self._has(directory.stat(), stat.S_IXOTH)

    def may_read(self, file: Path) -> bool:
        """Whether the way is open and the file, too. Judged by modes, which knows no ACLs."""
        return self.stopped_by(file.parent) is None and self._has(file.stat(), stat.S_IROTH)

    def give(self, path: Path, mode: int, *, group_only: bool = False) -> None:
        """Give the account a file, or its group; only root can, and only root needs to."""
        path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(path, -1 if group_only else self.uid, self.gid)

    def process_options(self) -> dict[str, Any]:
        """What `subprocess.Popen` must be told to run a process as this account."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}

    def _has(self, status: os.stat_result, right: int) -> bool:
        if self.uid == 0:
            return True
        if status.st_uid == self.uid:
            right <<= 6
        elif status.st_gid == self.gid:
            right <<= 3
        return bool(status.st_mode & right)


def server_account(data: Path, on_progress: Callable[[str], None]) -> Account:
    """Who runs Postgres on `data`, which need not exist yet. Blocks; made for a worker thread.

    Not root: this user, always. Root: the owner of the data, so a volume keeps working in a
    container that numbers its users differently; for new data the account `palaver`, created
    now if need be; `nobody` where accounts cannot be created.
    """
    me = os.geteuid()
    try:
        status = data.stat()
    except FileNotFoundError:
        return _new_account(on_progress) if me == 0 else Account.of(me, os.getegid())
    except PermissionError:
        raise StartRefused(f"{data} may not be read by this user; run as its owner.") from None
    if me not in (0, status.st_uid):
        owner = Account.of(status.st_uid).name
        raise StartRefused(f"{data} belongs to user {owner}; run as that user, or as root.")
    if status.st_uid == 0:
        raise StartRefused(f"{data} belongs to root, and Postgres does not run as root.")
    return Account.of(status.st_uid, status.st_gid)


def _new_account(on_progress: Callable[[str], None]) -> Account:
    if (found := _account_named(_ACCOUNT)) is not None:
        return found
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    for program, *options in _ACCOUNT_MAKERS:
        if (maker := shutil.which(program, path=path)) is None:
            continue
        made = subprocess.run(
            [maker, *options, "-s", "/usr/sbin/nologin", _ACCOUNT],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        # Whatever it returned: another engine may have been a moment faster.
        if (found := _account_named(_ACCOUNT)) is not None:
            if made.returncode == 0:
                on_progress(f"created the system account {_ACCOUNT} to run Postgres as")
            return found
    if (found := _account_named("nobody")) is not None:
        on_progress(f"the account {_ACCOUNT} cannot be created here: Postgres runs as nobody")
        return found
    raise StartRefused(
        f"Postgres does not run as root, and the account {_ACCOUNT} cannot be created here; "
        "create it, run palaver as an ordinary user, or name a server with --dsn."
    )


def _account_named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, name) if entry.pw_uid != 0 else None


def admit(account: Account, directory: DataDirectory) -> None:
    """Make sure that `account` can pass through `directory` to its part of it.

    Opens a new directory to the account's group; leaves the modes of others, and of all above it,
    alone, and raises `StartRefused` naming the one that is in the way.
    """
    path = directory.path
    if directory.is_new and not account.may_enter(path):
        account.give(path, 0o710, group_only=True)
    if (closed := account.stopped_by(path)) is not None:
        raise StartRefused(
            f"Postgres runs as user {account.name} and may not enter {closed}, which is on the way "
            f"to {path}; open it (chmod o+x) or name another directory with --data."
        )
