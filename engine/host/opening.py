"""The ports as the settings say, opened and closed with the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ...actors.host import Host
from ...actors.ports import Clock
from ..background import Background
from ..clock import SystemClock
from ..metrics import Metrics
from ..sections import Host as HostSettings
from ..settings import Settings
from ..storage import StartupError
from .callback import Callback, open_callback, signing_key
from .claims import Claims
from .contexts import open_contexts
from .delivery import open_delivery
from .membership import open_membership
from .ports import Ports
from .premium import open_premium
from .relations import open_relations
from .sessions import AskedSessions, open_sessions
from .tools import Tools
from .users import open_users
from .webhooks import open_webhooks


@dataclass(frozen=True, slots=True)
class Opened(Host):
    """What the actors ask, and what the gateway asks."""

    sessions: AskedSessions | None = None


@asynccontextmanager
async def open_host(
    settings: Settings,
    claims: Claims,
    metrics: Metrics,
    new_id: Callable[[], str],
    given: Ports,
    now: Clock | None = None,
) -> AsyncGenerator[Opened]:
    """Every port: what the embedding application has `given` goes before what the settings say.
    Raises `StartupError`, in words, if that cannot work."""
    async with AsyncExitStack() as stack:
        calls = await _callback(stack, settings.host, new_id)
        nursery = await stack.enter_async_context(Background())
        clock = now or SystemClock()
        tools = Tools(settings.host, settings.policy, nursery, metrics, claims, calls, clock)
        webhooks = await open_webhooks(stack, settings.webhooks, tools)
        yield Opened(
            webhooks=webhooks,
            users=open_users(tools, given.get("users")),
            relations=open_relations(tools, given.get("relations")),
            contexts=open_contexts(tools, given.get("contexts")),
            delivery=open_delivery(tools, given.get("delivery")),
            sessions=open_sessions(tools),
            membership=open_membership(tools, given.get("membership")),
            premium=open_premium(tools, given.get("premium")),
        )


async def _callback(
    stack: AsyncExitStack, settings: HostSettings, new_id: Callable[[], str]
) -> Callback | None:
    if settings.secret is None:
        return None
    try:
        key = signing_key(settings.secret.get_secret_value())
    except ValueError as why:
        raise StartupError(f"host.secret {why}") from None
    if settings.url is None:
        return None
    if not settings.url.startswith(("https://", "http://")):
        raise StartupError("host.url must begin with https:// or http://")
    return await stack.enter_async_context(open_callback(settings, settings.url, key, new_id))
