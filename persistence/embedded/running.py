"""The embedded Postgres of another process: where it listens, for who only wants to look."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from .configuration import DATABASE, USER


def dsn_at(socket: Path) -> str:
    """Of the server whose socket is in the directory `socket`."""
    return f"postgresql://{USER}@/{DATABASE}?host={quote(str(socket))}&port=5432"


def running_dsn(data: Path) -> str | None:
    """Of the server that runs on the data directory `data`; None if none says that it does.

    Raises `OSError` if that cannot be read. A server that was killed may still say so.
    """
    try:
        record = (data / "postgres/data/postmaster.pid").read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    directory = record[4].strip() if len(record) > 4 else ""
    return dsn_at(Path(directory)) if directory else None
