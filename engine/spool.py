"""The spool from outside: what is in it, and storing that now."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import trio

from ..persistence.data_directory import StartRefused
from ..persistence.spool import Summary
from ..persistence.spool.file import NAME
from ..persistence.spool.glance import Refusal, glance, refusals
from .metrics import Metrics
from .places import data_directory
from .settings import Settings
from .storage import StartupError, open_store

_REFUSALS = 1000


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """`summary` is None where there is no spool yet; `refusals` are the newest ones."""

    path: Path
    summary: Summary | None
    refusals: list[Refusal]


async def look_at_spool(settings: Settings) -> SpoolReport:
    """What the spool of an engine with `settings` holds. Changes nothing in it, also while an
    engine uses it. Raises `StartupError`."""
    directory = _directory(settings)
    try:
        summary = await trio.to_thread.run_sync(glance, directory)
        kept = [] if summary is None else refusals(directory, _REFUSALS)
    except (StartRefused, OSError) as error:
        raise StartupError(str(error)) from error
    return SpoolReport(directory / NAME, summary, kept)


async def drain_spool(settings: Settings, progress: Callable[[str], None]) -> None:
    """Store what waits in the spool, as the start of an engine does.

    Raises `StartupError`: if an engine is running on the same data, the database is away, or the
    spool cannot be read.
    """
    _directory(settings)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings, progress, Metrics()))
        problem = store.journal.condition().problem
    if problem is not None:
        raise StartupError(f"The database cannot be used: {problem}. The spool was left as it is.")


def _directory(settings: Settings) -> Path:
    directory = data_directory(settings)
    if directory is None or not settings.storage.spool_bytes:
        raise StartupError("With these settings there is no spool.")
    return directory / "spool"
