"""The file of a `DiskOutbox`: SQLite with a write-ahead log. Blocks; one thread at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack

from .errors import OutboxInUse, OutboxUnusable
from .outgoing import Outgoing

APPLICATION = int.from_bytes(b"plvr")
"""By this number in its header SQLite files are told apart."""
VERSION = 1

_SCHEMA = f"""
CREATE TABLE outgoing (
    n INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    conversation TEXT,
    client_id TEXT NOT NULL,
    at REAL NOT NULL,
    size INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), user TEXT NOT NULL);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION}
"""


class OutboxFile:
    """Opening makes the file if need be and locks it; a killed process leaves no lock behind.

    Raises `OutboxInUse`, or `OutboxUnusable` for a file that is not whole or not ours; such a
    file stays as it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._explained():
            _make(path)
            log = path.with_name(path.name + "-wal")
            if path.stat().st_size == 0 and log.exists() and log.stat().st_size:
                raise OutboxUnusable(str(path), "it is empty, but its log is not")
            self._db = sqlite3.connect(
                path, timeout=0, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        execute = self._db.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA secure_delete = ON")
        execute("BEGIN EXCLUSIVE")
        application = self._value("PRAGMA application_id")
        if not application and not self._value("SELECT count(*) FROM sqlite_master"):
            for statement in _SCHEMA.split(";"):
                execute(statement)
        elif application != APPLICATION:
            raise OutboxUnusable(str(self._path), "it is the database of another program")
        elif (version := self._value("PRAGMA user_version")) != VERSION:
            raise OutboxUnusable(str(self._path), f"its format is {version}, not {VERSION}")
        elif (found := self._value("PRAGMA quick_check(1)")) != "ok":
            raise OutboxUnusable(str(self._path), str(found))
        execute("COMMIT")
        execute("PRAGMA journal_mode = WAL")

    def load(self) -> tuple[str | None, list[Outgoing]]:
        """Whose it is, and all that is in it, in order. An empty one is nobody's."""
        with self._explained():
            rows = self._db.execute("SELECT * FROM outgoing ORDER BY n").fetchall()
            if not rows:
                self._db.execute("DELETE FROM owner")
            owner = self._value("SELECT max(user) FROM owner")
        try:
            return owner, [_outgoing(*row) for row in rows]
        except (ValueError, TypeError):
            raise OutboxUnusable(str(self._path), "it holds what cannot be read") from None

    def insert(self, outgoing: Outgoing) -> None:
        """On disk once this returns: it outlives a loss of power."""
        row = (
            outgoing.n,
            outgoing.name,
            outgoing.conversation,
            outgoing.client_id,
            outgoing.at,
            outgoing.size,
            msgpack.packb(outgoing.payload),
        )
        with self._explained():
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("INSERT INTO outgoing VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def delete(self, n: int) -> None:
        """Not synced: what comes back after a loss of power is sent again, and is known there."""
        with self._explained():
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("DELETE FROM outgoing WHERE n = ?", (n,))

    def own(self, user: str) -> None:
        with self._explained():
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("INSERT OR REPLACE INTO owner VALUES (1, ?)", (user,))

    def close(self) -> None:
        self._db.close()

    def _value(self, query: str) -> Any:
        return self._db.execute(query).fetchone()[0]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise OutboxInUse(str(self._path)) from None
            raise OutboxUnusable(str(self._path), str(error)) from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OutboxUnusable(str(self._path), reason) from None


def _make(path: Path) -> None:
    """Before SQLite does: what people write is for nobody else's eyes. If the file is there, it is
    not even opened: closing it would give up the lock that another client of this process has."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass


def _outgoing(
    n: int,
    name: str,
    conversation: str | None,
    client_id: str,
    at: float,
    size: int,
    payload: bytes,
) -> Outgoing:
    fields = msgpack.unpackb(payload)
    if not isinstance(fields, dict):
        raise TypeError(payload)
    return Outgoing(name, fields, conversation, client_id, at, size, n)
