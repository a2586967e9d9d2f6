"""The client for code under asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import trio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ..gateway.client import Client, ClientClosed, Outgoing, Push
from ..gateway.client.calling import Progress
from ..gateway.client.client import CALL_TIMEOUT, Token
from ..gateway.client.commands import Commands
from ..gateway.client.outbox import Outbox
from .asyncio import AsyncioIterator, awaited

P = ParamSpec("P")
T = TypeVar("T")


class AsyncioClient(Commands):
    """A `Client`, awaited under asyncio: the same methods, pushes, guarantees and errors.

    `options` are those of `Client`; the trio in which it lives runs in a thread of its own, while
    inside of `async with`. A `token` that is a function, and `progress` of `upload`, are called in
    asyncio's loop. Of what `enqueue` gives, `await client.answer(outgoing)` takes the place of
    `outgoing.answer()`. What takes a thousand connections is not this, but a `Client` under trio.
    """

    def __init__(self, url: str, token: Token, **options: Any) -> None:
        self._token = token
        self._client = Client(url, token if isinstance(token, str) else self._fresh, **options)
        self._loop: asyncio.AbstractEventLoop
        self._portal: BlockingPortal
        self._pushes: AsyncioIterator[Push]
        self._closed = True

    async def call(
        self,
        name: str,
        payload: dict[str, Any] | None = None,
        c: str | None = None,
        *,
        timeout: float | None = CALL_TIMEOUT,
    ) -> dict[str, Any]:
        """See `Client.call`."""
        call = partial(self._client.call, timeout=timeout)
        return await self._there(call, name, payload, c)

    async def enqueue_call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> Outgoing:
        """See `Client.enqueue_call`."""
        return await self._there(self._client.enqueue_call, name, payload, c)

    async def answer(self, outgoing: Outgoing) -> dict[str, Any]:
        """See `Outgoing.answer`."""
        return await self._there(outgoing.answer)

    async def upload(
        self,
        content: bytes | str | os.PathLike[str],
        name: str | None = None,
        mime: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        """See `Client.upload`."""
        if progress is not None:
            told, tell = progress, self._loop.call_soon_threadsafe

            def progress(done: int, size: int) -> None:
                tell(told, done, size)

        return await self._there(self._client.upload, content, name, mime, progress)

    async def connected(self) -> dict[str, Any]:
        """See `Client.connected`."""
        return await self._there(self._client.connected)

    @property
    def state(self) -> str:
        return self._client.state

    @property
    def welcome(self) -> dict[str, Any]:
        return self._client.welcome

    @property
    def user(self) -> str | None:
        return self._client.user

    @property
    def http_url(self) -> str:
        return self._client.http_url

    @property
    def outbox(self) -> Outbox:
        return self._client.outbox

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Push:
        if self._closed:
            raise StopAsyncIteration
        return await self._pushes.__anext__()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._start)
        self._pushes = AsyncioIterator(self._client, self._portal)
        self._closed = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the connection, which takes at most a second. Iteration ends then."""
        self._closed = True
        await asyncio.to_thread(self._exit.close)

    def _start(self) -> None:
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal("trio", name="palaver client"))
            stack.enter_context(self._portal.wrap_async_context_manager(self._client))
            self._exit = stack.pop_all()

    async def _there(
        self, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._closed:
            raise ClientClosed
        return await awaited(self._portal, method, *args, **kwargs)

    async def _fresh(self) -> str:
        """A token from asyncio's loop, which goes on meanwhile."""
        assert not isinstance(self._token, str)
        asked = asyncio.run_coroutine_threadsafe(_coroutine(self._token), self._loop)
        return await trio.to_thread.run_sync(asked.result, abandon_on_cancel=True)


async def _coroutine(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
