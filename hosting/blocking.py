"""The engine for code that blocks: each call returns when the engine's own would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
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


class BlockingStream(Generic[T]):
    """What comes, one after another: a context manager and iterator. Waits as long as it takes."""

    def __init__(
        self, source: AbstractAsyncContextManager[AsyncIterator[T]], portal: BlockingPortal
    ) -> None:
        self._source = portal.wrap_async_context_manager(source)
        self._portal = portal
        self._items: AsyncIterator[T]

    def __enter__(self) -> Self:
        self._items = self._source.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._source.__exit__(kind, error, traceback)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        return self._portal.call(self._items.__anext__)


def _blocking(
    method: Callable[Concatenate[User, P], Awaitable[T]],
) -> Callable[Concatenate[BlockingUser, P], T]:
    def call(self: BlockingUser, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.call(partial(method, self._user, *args, **kwargs))

    return update_wrapper(call, method)


class BlockingUser:
    """What `User` has, blocking. May be used in several threads at once."""

    def __init__(self, user: User, portal: BlockingPortal) -> None:
        self.name = user.name
        self._user = user
        self._portal = portal

    do = _blocking(User.do)
    ask = _blocking(User.ask)
    create_direct = _blocking(User.create_direct)
    create_group = _blocking(User.create_group)
    send = _blocking(User.send)
    send_to = _blocking(User.send_to)
    edit = _blocking(User.edit)
    delete = _blocking(User.delete)
    pin = _blocking(User.pin)
    unpin = _blocking(User.unpin)
    read = _blocking(User.read)
    rename = _blocking(User.rename)
    add_members = _blocking(User.add_members)
    remove_member = _blocking(User.remove_member)
    set_role = _blocking(User.set_role)
    leave = _blocking(User.leave)
    conversation = _blocking(User.conversation)
    history = _blocking(User.history)
    inbox = _blocking(User.inbox)

    def pushes(self) -> BlockingStream[dict[str, Any]]:
        return BlockingStream(self._user.pushes(), self._portal)


class BlockingEngine(EngineThread):
    """A context manager around `start` and `stop`; its methods are those of `Engine`, blocking."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def as_user(self, name: str) -> BlockingUser:
        return BlockingUser(self.engine.as_user(name), self.portal)

    def as_host(self) -> BlockingUser:
        return BlockingUser(self.engine.as_host(), self.portal)

    def call(self, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what is awaited in the engine's thread, as `engine.post`."""
        return self.portal.call(partial(method, *args, **kwargs))

    def call_sync(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what is not awaited, as `engine.revoke`, in the engine's thread."""
        return self.portal.call(partial(method, *args, **kwargs))

    def subscribe(self, conversation: str, *, after: int = 0) -> BlockingStream[Event]:
        return BlockingStream(self.engine.subscribe(conversation, after=after), self.portal)
