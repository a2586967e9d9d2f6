"""The engine for code under asyncio: each call is awaited, and can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial, update_wrapper
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from anyio.from_thread import BlockingPortal

from ..engine.user import User
from ..protocol.events import Event
from .thread import EngineThread

P = ParamSpec("P")
T = TypeVar("T")


class AsyncioIterator(Generic[T]):
    """`items`, which live behind `portal`, for one task at a time. A wait that was cancelled loses
    nothing: what would have ended it comes the next time."""

    def __init__(self, items: AsyncIterator[T], portal: BlockingPortal) -> None:
        self._items = items
        self._portal = portal
        self._next: asyncio.Future[T] | None = None
        self._waiting = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._waiting:
            raise RuntimeError("another task waits for what comes next")
        if self._next is None:
            self._next = asyncio.wrap_future(self._portal.start_task_soon(self._items.__anext__))
        self._waiting = True
        try:
            item = await asyncio.shield(self._next)
        except asyncio.CancelledError:
            raise  # even if it has come by now: it is for the next one who asks
        except BaseException:
            self._next = None
            raise
        finally:
            self._waiting = False
        self._next = None
        return item


class AsyncioStream(AsyncioIterator[T]):
    """What comes, one after another: an async context manager and iterator."""

    def __init__(
        self, source: AbstractAsyncContextManager[AsyncIterator[T]], portal: BlockingPortal
    ) -> None:
        self._source = portal.wrap_async_context_manager(source)
        self._portal = portal
        self._next = None
        self._waiting = False

    async def __aenter__(self) -> Self:
        self._items = await asyncio.to_thread(self._source.__enter__)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._next is not None:
            self._next.cancel()
        await asyncio.to_thread(self._source.__exit__, None, None, None)


async def awaited(
    portal: BlockingPortal, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Call `method` behind `portal`. If cancelled here, it is cancelled there."""
    return await asyncio.wrap_future(portal.start_task_soon(partial(method, *args, **kwargs)))


def _awaited(
    method: Callable[Concatenate[User, P], Awaitable[T]],
) -> Callable[Concatenate[AsyncioUser, P], Coroutine[Any, Any, T]]:
    async def call(self: AsyncioUser, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await awaited(self._portal, partial(method, self._user), *args, **kwargs)

    return update_wrapper(call, method)


class AsyncioUser:
    """What `User` has, for asyncio. Cancelling a call does not take back what was asked."""

    def __init__(self, user: User, portal: BlockingPortal) -> None:
        self.name = user.name
        self._user = user
        self._portal = portal

    do = _awaited(User.do)
    ask = _awaited(User.ask)
    create_direct = _awaited(User.create_direct)
    create_group = _awaited(User.create_group)
    send = _awaited(User.send)
    send_to = _awaited(User.send_to)
    edit = _awaited(User.edit)
    delete = _awaited(User.delete)
    pin = _awaited(User.pin)
    unpin = _awaited(User.unpin)
    read = _awaited(User.read)
    rename = _awaited(User.rename)
    add_members = _awaited(User.add_members)
    remove_member = _awaited(User.remove_member)
    set_role = _awaited(User.set_role)
    leave = _awaited(User.leave)
    conversation = _awaited(User.conversation)
    history = _awaited(User.history)
    inbox = _awaited(User.inbox)

    def pushes(self) -> AsyncioStream[dict[str, Any]]:
        return AsyncioStream(self._user.pushes(), self._portal)


class AsyncioEngine(EngineThread):
    """An async context manager; its methods are those of `Engine`, awaited under asyncio."""

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def as_user(self, name: str) -> AsyncioUser:
        return AsyncioUser(self.engine.as_user(name), self.portal)

    def as_host(self) -> AsyncioUser:
        return AsyncioUser(self.engine.as_host(), self.portal)

    async def call(self, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what is awaited in the engine's thread, as `engine.post`."""
        return await awaited(self.portal, method, *args, **kwargs)

    async def call_sync(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what is not awaited, as `engine.revoke`, in the engine's thread."""
        asked = self.portal.start_task_soon(partial(method, *args, **kwargs))
        return await asyncio.wrap_future(asked)

    def subscribe(self, conversation: str, *, after: int = 0) -> AsyncioStream[Event]:
        return AsyncioStream(self.engine.subscribe(conversation, after=after), self.portal)
