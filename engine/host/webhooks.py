"""Webhooks: the product is told of stored events, by signed POSTs (docs/embedding.md)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

from ...actors.turns import Turns
from ...protocol.events import Event, Void
from ...protocol.features import EVENTS
from ..sections import Webhooks as Section
from ..storage import StartupError
from .callback import Callback, open_callback, signing_key
from .patience import Patience
from .tools import Tools


class HttpWebhooks:
    """What the actors see of them (`actors/host.py`)."""

    def __init__(self, callback: Callback, patience: Patience, events: frozenset[str]) -> None:
        self.events = events
        self.turns = Turns()
        self._callback = callback
        self._patience = patience

    async def tell(self, event: Event) -> None:
        at = datetime.fromtimestamp(event.at / 1000, UTC).isoformat(timespec="milliseconds")
        said = {"type": event.kind, "timestamp": f"{at[:-6]}Z", "data": event.item()}
        await self._patience.tell(partial(self._callback.tell, said, id=event.id))


async def open_webhooks(
    stack: AsyncExitStack, section: Section, tools: Tools
) -> HttpWebhooks | None:
    """None if no kind of event is told. Raises `StartupError`."""
    if not section.events:
        return None
    for kind in section.events:
        if kind not in EVENTS or kind == Void.name:
            raise StartupError(f"webhooks.events: there is no event {kind!r}")
    if section.url is None or section.secret is None:
        raise StartupError("webhooks need an address: set webhooks.url and webhooks.secret")
    if not section.url.startswith(("https://", "http://")):
        raise StartupError("webhooks.url must begin with https:// or http://")
    try:
        key = signing_key(section.secret.get_secret_value())
    except ValueError as why:
        raise StartupError(f"webhooks.secret {why}") from None
    settings = tools.settings
    callback = await stack.enter_async_context(
        open_callback(settings, section.url, key, lambda: "")
    )
    patience = Patience(tools.asking("webhooks"), settings.max_requests)
    return HttpWebhooks(callback, patience, frozenset(section.events))
