"""The ports as the settings say, opened and closed with the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from ...actors.host import Host
from ..background import Background
from ..metrics import Metrics
from ..settings import Host as HostSettings
from ..settings import Settings
from ..storage import StartupError
from .callback import Callback, open_callback, signing_key
from .claims import Claims
from .ports import Ports
from .tools import Tools
from .users import open_users


@asynccontextmanager
async def open_host(
    settings: Settings,
    claims: Claims,
    metrics: Metrics,
    new_id: Callable[[], str],
    given: Ports,
) -> AsyncGenerator[Host]:
    """Every port: what the embedding application has `given` goes before what the settings say.
    Raises `StartupError`, in words, if that cannot work."""
    async with AsyncExitStack() as stack:
        calls = await _callback(stack, settings.host, new_id)
        nursery = await stack.enter_async_context(Background())
        tools = Tools(settings.host, settings.policy, nursery, metrics, claims, calls)
        yield Host(
            users=open_users(tools, given.get("users")),
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
