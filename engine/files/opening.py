"""Files as the settings say, opened and closed with the engine."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...actors.ports import Clock, Store
from ...persistence.data_directory import DataDirectory
from ..settings import Settings
from .blobs import LocalBlobs
from .links import SignedLinks
from .uploads import Uploads


@dataclass(frozen=True, slots=True)
class Files:
    uploads: Uploads
    links: SignedLinks


@contextmanager
def open_files(
    settings: Settings, store: Store, clock: Clock, new_id: Callable[[], str]
) -> Generator[Files]:
    """What is kept in memory has its files in a directory that goes with the engine."""
    files = settings.files
    key = secrets.token_bytes(32)
    if files.secret is not None:
        key = files.secret.get_secret_value().encode()
    links = SignedLinks(key, files.url_ttl_s, clock)
    with _directory(settings) as directory:
        blobs = LocalBlobs(directory)
        yield Files(Uploads(store.uploads, blobs, settings.policy, clock, new_id), links)


@contextmanager
def _directory(settings: Settings) -> Generator[Path]:
    if settings.files.directory is not None:
        yield settings.files.directory
    elif settings.storage.memory:
        with tempfile.TemporaryDirectory(prefix="palaver-files-") as directory:
            yield Path(directory)
    else:
        yield DataDirectory(settings.storage.data).path / "files"
