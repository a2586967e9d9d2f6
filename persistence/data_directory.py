"""The data directory: where an engine keeps its files on this machine, one engine at a time.

The embedded Postgres lives in it, and so does the spool, also when Postgres is elsewhere.

When the engine runs as root, Postgres must not: it refuses. It then runs as an `Account`, which
has to get at its part of the directory and at its programs. Nothing above the data directory is
ever opened for it; rather, things are copied to where it may go.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_ACCOUNT = "palaver"
_LOCK = "lock"
_LOG_LIMIT = 5 * 1024 * 1024
# A socket's address has room for some 104 bytes; Postgres and asyncpg split paths at commas.
_SOCKET_DIRECTORY = re.compile(r"[A-Za-z0-9._/+-]{1,85}")

# How to make a system account: shadow-utils nearly everywhere, Busybox in small containers.
_ACCOUNT_MAKERS = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent"),
)


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
        self._ours_to_open = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._ours_to_open = not (set(os.listdir(self.path)) - {_LOCK})
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

    def admit(self, account: Account) -> None:
        """Make sure that `account` can pass through the directory to its part of it.

        Opens the directory to the account's group if it was made, or found empty, on entering;
        otherwise, and for all directories above it, leaves modes alone and raises
        `StartRefused` naming the directory that is in the way.
        """
        if self._ours_to_open and not account.may_enter(self.path):
            account.give(self.path, 0o710, group_only=True)
        if (closed := account.stopped_by(self.path)) is not None:
            raise StartRefused(
                f"Postgres runs as user {account.name} and may not enter {closed}, which is on "
                f"the way to {self.path}; open it (chmod o+x) or name another directory with "
                "--data."
            )


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


def reachable_copy(source: Path, patterns: Iterable[str], copy: Path) -> None:
    """Copy the files of `source` that match one of `patterns` to `copy`, readable by everybody.

    `copy` appears complete or not at all, and on disk. Copies that begin with the same word
    (`programs-…`) are older ones, and removed. Blocks.
    """
    partial = copy.with_name(f"{copy.name}.new")
    for old in copy.parent.glob(f"{copy.name.partition('-')[0]}-*"):
        shutil.rmtree(old)
    for pattern in patterns:
        for file in filter(Path.is_file, source.glob(pattern)):
            target = partial / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            target.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
    for directory in (partial, *filter(Path.is_dir, partial.rglob("*"))):
        directory.chmod(0o755)
    os.sync()  # hundreds of files: one by one takes longer
    partial.rename(copy)


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
