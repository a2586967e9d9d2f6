"""The development key: what lets `palaver chat` in without any set-up.

A server in development mode makes a signing secret once and keeps it in its data directory, so that
tokens survive a restart. Who can read the file can be anybody on that server: it is 0600, and there
is none where a secret is configured.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from .words import Problem

if TYPE_CHECKING:
    from ...engine.settings import Settings

FILE = "development.key"


def data_directory(settings: Settings) -> Path | None:
    """Where the engine of `settings` keeps its files; None if it keeps none."""
    from ...engine.places import data_directory

    return data_directory(settings)


def find(data: Path) -> str | None:
    """The key kept in `data`, if there is one."""
    path = data / FILE
    try:
        key = path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a key"
        raise Problem(f"the development key {path} cannot be read ({reason}).") from None
    return key or None


def make() -> str:
    return secrets.token_urlsafe(32)


def keep(key: str, data: Path) -> None:
    """Write `key` into `data` unless one is there. To be called by whoever holds the directory."""
    path = data / FILE
    try:
        # Others may pass through, as the account of an embedded Postgres must, but not look.
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise Problem(f"cannot write the development key {path}: {error.strerror}.") from None
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")


def local_secret(settings: Settings) -> str | None:
    """The secret with which a server on this machine, started by the same settings, checks tokens:
    the configured one, else the development key."""
    if settings.auth.secret is not None:
        return settings.auth.secret.get_secret_value()
    data = data_directory(settings)
    return find(data) if data is not None else None
