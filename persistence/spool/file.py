"""The file: SQLite with a write-ahead log, every transaction on disk before it counts.

Nothing here decides when to write: see `persistence/postgres/spooler.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from ..data_directory import StartRefused, fsync_directories
from .record import Entry

NAME = "spool.sqlite"
_APPLICATION = 0x70616C76  # "palv"
_VERSION = 1
_KEPT = "It was left as it is: nothing in it is lost."

_SCHEMA = """
    CREATE TABLE waiting (
        n            INTEGER PRIMARY KEY,
        incarnation  INTEGER NOT NULL,
        at           INTEGER NOT NULL,
        conversation TEXT NOT NULL,
        checksum     INTEGER NOT NULL,
        record       BLOB NOT NULL
    );
    -- What Postgres would not take, for a person to look at.
    CREATE TABLE refused (
        n            INTEGER PRIMARY KEY,
        incarnation  INTEGER NOT NULL,
        at           INTEGER NOT NULL,
        conversation TEXT NOT NULL,
        checksum     INTEGER NOT NULL,
        record       BLOB NOT NULL,
        problem      TEXT NOT NULL
    );
    -- The database for which all of it is meant.
    CREATE TABLE meant_for (installation TEXT NOT NULL);
"""
_COLUMNS = "n, incarnation, at, conversation, checksum, record"


class SpoolRefused(StartRefused):
    """The file is damaged, or not ours, or for another database. It is kept as it is."""


class SpoolUnavailable(Exception):
    """The file cannot be written now: the disk is full, or broken."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What waits, and what was refused; `oldest` is the time of the first that waits, in ms."""

    waiting: int
    bytes: int
    conversations: int
    oldest: int | None
    refused: int
    installation: str | None


class SpoolFile:
    """An open spool. For one thread at a time; every method blocks.

    Opening makes the file if it is not there, and raises `SpoolRefused` if what is there is no
    sound spool. A spool is never deleted, nor is anything in it that was not stored.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        with self._refusing():
            directory.mkdir(mode=0o700, exist_ok=True)
            if not self.path.exists():
                self._create()
            # In a connection that cannot write, so that what is refused stays as it is.
            with closing(read_only(self.path)) as found:
                self._examine(found)
            self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        try:
            with self._refusing():
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA secure_delete = ON")  # what was erased is not to linger
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._db.close()

    @property
    def last(self) -> int:
        """The greatest `n` that is taken."""
        with self._refusing():
            (n,) = self._db.execute(
                "SELECT max(coalesce((SELECT max(n) FROM waiting), 0),"
                " coalesce((SELECT max(n) FROM refused), 0))"
            ).fetchone()
        return int(n)

    def belong(self, installation: str) -> None:
        """Be the spool of that database from now on. Raises `SpoolRefused` if something waits in
        it for another one."""
        summary = self.summary()
        if summary.installation == installation:
            return
        if summary.waiting:
            raise SpoolRefused(
                f"{self.path} holds {summary.waiting} writes that wait for another database than "
                f"this one. Start with that database first, or move the file away. {_KEPT}"
            )
        with self._transaction():
            self._db.execute("DELETE FROM meant_for")
            self._db.execute("INSERT INTO meant_for VALUES (?)", (installation,))

    def change(self, add: Iterable[Entry] = (), remove: Iterable[int] = ()) -> None:
        """All of it is on disk on return, or nothing, with `SpoolUnavailable`."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?)", (astuple(each) for each in add)
            )
            # They are stored in nearly the order in which they came.
            self._db.executemany("DELETE FROM waiting WHERE n BETWEEN ? AND ?", _runs(remove))

    def refuse(self, problems: Iterable[tuple[int, str]]) -> None:
        """Set aside what Postgres will never take, with the reason."""
        with self._transaction():
            for n, problem in problems:
                self._db.execute(
                    f"INSERT INTO refused SELECT {_COLUMNS}, ? FROM waiting WHERE n = ?",
                    (problem, n),
                )
                self._db.execute("DELETE FROM waiting WHERE n = ?", (n,))

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next ones in order. Raises `SpoolRefused` if they cannot be read."""
        with self._refusing():
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM waiting WHERE n > ? ORDER BY n LIMIT ?",
                (after, limit),
            )
            return [Entry(*row) for row in rows]

    def summary(self) -> Summary:
        with self._refusing():
            return summary(self._db)

    def shrink(self) -> None:
        """Give back to the disk what is free."""
        try:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise SpoolUnavailable(str(error)) from error

    def _create(self) -> None:
        """Make an empty spool. A kill in the middle leaves none."""
        log = self.path.with_name(f"{NAME}-wal")
        if log.exists() and log.stat().st_size:
            raise sqlite3.DatabaseError("its write-ahead log is there, and it is not")
        unfinished = self.path.with_name(f"{NAME}.new")
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as made:
            made.execute("PRAGMA journal_mode = WAL")
            made.executescript(
                f"BEGIN; PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION};"
                f"{_SCHEMA} COMMIT;"
            )
        unfinished.rename(self.path)
        fsync_directories(self.path.parent, self.path.parent.parent)

    def _examine(self, found: sqlite3.Connection) -> None:
        (application,) = found.execute("PRAGMA application_id").fetchone()
        (version,) = found.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise SpoolRefused(
                f"{self.path} is not a spool of palaver; move it away, or name another data "
                f"directory with --data. {_KEPT}"
            )
        if version != _VERSION:
            raise SpoolRefused(
                f"{self.path} was written by a version of palaver with another format "
                f"({version}, not {_VERSION}); let that one drain it. {_KEPT}"
            )
        (verdict,) = found.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        summary(found)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise SpoolRefused(f"{self.path} cannot be used: {error}. {_KEPT}") from error
        except sqlite3.DatabaseError as error:
            raise SpoolRefused(
                f"{self.path} is damaged ({error}). It may hold messages that were replied to and "
                "are not in Postgres: keep a copy, try `sqlite3 FILE .recover`, and move its "
                f"directory away to start without it. {_KEPT}"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise SpoolUnavailable(str(error)) from error


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; an engine may be using the file."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


def summary(spool: sqlite3.Connection) -> Summary:
    count, size, conversations, oldest = spool.execute(
        "SELECT count(*), coalesce(sum(length(record)), 0), count(DISTINCT conversation),"
        " min(at) FROM waiting"
    ).fetchone()
    (refused,) = spool.execute("SELECT count(*) FROM refused").fetchone()
    found = spool.execute("SELECT installation FROM meant_for").fetchone()
    return Summary(count, size, conversations, oldest, refused, found[0] if found else None)


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive `numbers`."""
    runs: list[tuple[int, int]] = []
    for n in sorted(numbers):
        if runs and runs[-1][1] == n - 1:
            runs[-1] = runs[-1][0], n
        else:
            runs.append((n, n))
    return runs
