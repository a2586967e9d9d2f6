"""Where an engine keeps files on this machine."""

from __future__ import annotations

from pathlib import Path

from ..persistence.data_directory import StartRefused, default_data_directory
from .settings import Settings
from .storage import StartupError


def data_directory(settings: Settings) -> Path | None:
    """The data directory of an engine with `settings`; None if it keeps nothing."""
    if settings.storage.memory:
        return None
    try:
        return (settings.storage.data or default_data_directory()).expanduser()
    except StartRefused as refused:
        raise StartupError(str(refused)) from None
