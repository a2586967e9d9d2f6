"""What is in a spool, for who only wants to look: an engine may be using it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from .file import NAME, SpoolRefused, Summary, read_only, summary


class Refusal(NamedTuple):
    """What Postgres would not take; `at` is when it was written, in ms."""

    n: int
    at: int
    conversation: str
    problem: str


def glance(directory: Path) -> Summary | None:
    """What the spool in `directory` holds; None if there is none. Changes nothing in it.

    Blocks. Raises `SpoolRefused` if it cannot be read.
    """
    path = directory / NAME
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SpoolRefused(f"{path} cannot be read: {error}") from error
    with _opened(path) as spool:
        return summary(spool)


def refusals(directory: Path, limit: int) -> list[Refusal]:
    """The newest first. Like `glance`, but there must be a spool."""
    with _opened(directory / NAME) as spool:
        rows = spool.execute(
            "SELECT n, at, conversation, problem FROM refused ORDER BY n DESC LIMIT ?", (limit,)
        )
        return [Refusal(*row) for row in rows]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(read_only(path)) as spool:
            yield spool
    except (sqlite3.Error, OSError) as error:
        raise SpoolRefused(f"{path} cannot be read: {error}") from error
