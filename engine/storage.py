"""Which store the settings ask for, opened; and every way in which that fails, in words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from ..actors.ports import Store
from ..persistence.memory import MemoryStore
from .metrics import Metrics
from .settings import Settings


class StartupError(Exception):
    """The engine cannot start. The text is for a person and says what to do."""


@asynccontextmanager
async def open_store(
    settings: Settings, progress: Callable[[str], None], metrics: Metrics
) -> AsyncGenerator[Store]:
    """The store that `settings.storage` names. Closing it stores what is pending first."""
    if settings.storage.memory:
        yield MemoryStore()
        return
    raise StartupError("not yet")


async def migrate(settings: Settings) -> list[str]:
    return []
