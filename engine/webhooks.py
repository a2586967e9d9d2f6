"""Webhooks from outside: telling stored events again."""

from __future__ import annotations

from typing import Final

from ..persistence.postgres.webhooks import replay
from .jobs import line
from .settings import Settings
from .storage import StartupError

_TIMEOUT_S: Final = 600.0


async def replay_webhooks(settings: Settings, since: int, conversation: str | None) -> int:
    """Have what `settings.webhooks` tells, of all that was stored since then (ms), told again by
    the engine; how many events they are. Raises `StartupError`."""
    if not settings.webhooks.events:
        raise StartupError("There is nothing to tell: webhooks.events is empty.")
    async with line(settings, _TIMEOUT_S) as database:
        return await replay(database, settings.webhooks.events, since, conversation)
