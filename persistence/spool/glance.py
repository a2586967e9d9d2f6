"""What is in a spool, for who only wants to look: an engine may be using it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from .file import NAME, SpoolRefused


class Glance(NamedTuple):
    """`oldest`: when the first that waits was written, in ms."""

    waiting: int
    refused: int
    oldest: int | None


def glance(directory: Path) -> Glance | None:
    """Counts of the spool in `directory`; None if there is none. Changes nothing in it.

    Blocks. Raises `SpoolRefused` if it cannot be read.
    """
    path = directory / NAME
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as spool:
            waiting, oldest = spool.execute("SELECT count(*), min(at) FROM waiting").fetchone()
            (refused,) = spool.execute("SELECT count(*) FROM refused").fetchone()
    except sqlite3.Error as error:
        raise SpoolRefused(f"{path} cannot be read: {error}") from error
    return Glance(waiting, refused, oldest)
