"""The asyncio thread: one event loop in one daemon thread, so that asyncpg can be used from trio.

The only file of the product that imports asyncio. One `run` is one crossing there and one back:
30–40 µs, nearly all of it waking two threads up, whatever is done on the other side. So cross
once per batch.

Do not let a `MockClock` autojump while a call is under way: trio sees only a sleeping task, takes
that for idleness, jumps and fires every deadline at once. Such tests use the memory twins of the
stores.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Self, TypeVar, TypeVarTuple, cast

import structlog
import trio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_log = structlog.get_logger(__name__)

_FAREWELL = 1.0
"""Seconds that tasks cancelled by the end of the loop have for their clean-up."""


class AsyncioThreadError(Exception):
    """The thread could not finish a call; whether the call took effect is not known."""


class AsyncioThreadDied(AsyncioThreadError):
    """The event loop ended in the middle of the call. The next call gets a new thread."""


class AsyncioThreadClosed(AsyncioThreadError):
    """The call came after the close began, or was still running when its deadline passed."""


class AsyncioThread:
    """Runs coroutine functions on an asyncio event loop, for the tasks of one trio run.

    The thread starts with the first call. If it dies, every call under way raises
    `AsyncioThreadDied` and the next call starts another one; what was bound to the dead loop (a
    connection pool) is useless then, and `generation`, which counts the threads, tells.

    Leaving the context refuses new calls, waits until those under way are over, and stops the
    loop, all within `close_timeout` seconds and even if cancelled. Then it gives up: the calls
    that are left raise `AsyncioThreadClosed`, and a thread that does not answer is left behind
    (a daemon: it does not keep the process alive).
    """

    def __init__(self, *, close_timeout: float = 10.0) -> None:
        self.generation = 0
        self._close_timeout = close_timeout
        self._loop: _Loop | None = None
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._open = False
        loop, self._loop = self._loop, None
        if loop is None:
            return
        with trio.move_on_after(self._close_timeout, shield=True):
            await loop.idle()
            loop.stop()
            await loop.ended.wait()
        if not loop.ended.is_set():
            _log.warning("asyncio thread does not end, left behind", waited=self._close_timeout)
            loop.stop()
            loop.fail_calls(AsyncioThreadClosed, "closed before the call was over")

    @trio.lowlevel.enable_ki_protection  # from handing over to parking, nothing may interrupt
    async def run(
        self,
        async_fn: Callable[[*Ts], Awaitable[T]],
        *args: *Ts,
        cancellable: bool = False,
    ) -> T:
        """Await `async_fn(*args)` on the asyncio loop; return its result or raise its exception.

        A caller that is cancelled already gets `Cancelled`, and nothing is started. After that:

        `cancellable=False`, for writes: a cancellation waits until the outcome is known and is
        delivered at the caller's next checkpoint, so no outcome is ever lost.

        `cancellable=True`, for reads: a cancellation raises `Cancelled` at once. The asyncio task
        is cancelled too, but not waited for (asyncpg hands a connection back only after the
        server has answered, perhaps long after the caller's deadline); its outcome is dropped.

        Raises `AsyncioThreadDied` or `AsyncioThreadClosed` if there is no outcome to tell.
        Calls start in the order in which they were made.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        call: _Call[T] = _Call(self._running_loop(), async_fn, args, cancellable)
        call.loop.begin(call)
        await trio.lowlevel.wait_task_rescheduled(call.abort)
        if call.error is None:
            return cast(T, call.value)
        try:
            raise call.error
        finally:
            del call  # or its traceback and this frame keep each other alive

    def _running_loop(self) -> _Loop:
        if not self._open:
            raise AsyncioThreadClosed("the asyncio thread is not open")
        if self._loop is None or not self._loop.alive:
            self.generation += 1
            self._loop = _Loop(self.generation)
        return self._loop


class _Call(Generic[T]):
    """One call: `drive`, `start` and `cancel` run in the asyncio thread, the rest in trio's."""

    __slots__ = ("_args", "_async_fn", "_cancellable", "_task", "error", "loop", "value", "waiter")

    def __init__(
        self,
        loop: _Loop,
        async_fn: Callable[..., Awaitable[T]],
        args: tuple[object, ...],
        cancellable: bool,
    ) -> None:
        self.loop = loop
        self.waiter = trio.lowlevel.current_task()
        self.value: T | None = None
        self.error: Exception | None = None
        self._async_fn = async_fn
        self._args = args
        self._cancellable = cancellable
        self._task: asyncio.Task[None] | None = None

    def abort(self, _raise_cancel: Callable[[], Any]) -> trio.lowlevel.Abort:
        if not self._cancellable:
            return trio.lowlevel.Abort.FAILED
        self.loop.abandon(self)
        return trio.lowlevel.Abort.SUCCEEDED

    def start(self) -> None:
        self._task = self.loop.asyncio_loop.create_task(self.drive())

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def drive(self) -> None:
        value: T | None = None
        error: Exception | None = None
        try:
            value = await self._async_fn(*self._args)
        except asyncio.CancelledError:  # means nothing to trio
            error = AsyncioThreadDied("the call was cancelled on the asyncio side")
        except Exception as raised:
            error = raised
        # Anything else (SystemExit, KeyboardInterrupt) ends the loop, which fails all calls.
        self.loop.report(self, value, error)


class _Loop:
    """One thread and its loop. `report` is for the asyncio thread, the rest for trio's."""

    def __init__(self, generation: int) -> None:
        self.asyncio_loop = asyncio.new_event_loop()
        self.ended = trio.Event()
        self._calls: set[_Call[Any]] = set()
        self._idle = trio.Event()
        self._stopping = False
        self._token = trio.lowlevel.current_trio_token()
        name = f"palaver-asyncio-{generation}"
        threading.Thread(target=self._main, name=name, daemon=True).start()

    @property
    def alive(self) -> bool:
        # A loop that has just died, and has not told yet, is closed already.
        return not (self.ended.is_set() or self.asyncio_loop.is_closed())

    def begin(self, call: _Call[Any]) -> None:
        self._calls.add(call)
        # Should it have closed since `alive`, then `_end` is on its way and fails the call.
        self._post(call.start)

    def abandon(self, call: _Call[Any]) -> None:
        self._forget(call)
        self._post(call.cancel)

    async def idle(self) -> None:
        """Return when no call is under way."""
        while self._calls:
            self._idle = trio.Event()
            await self._idle.wait()

    def stop(self) -> None:
        self._stopping = True
        self._post(self.asyncio_loop.stop)

    def fail_calls(self, kind: type[AsyncioThreadError], reason: str) -> None:
        for call in list(self._calls):
            self._settle(call, None, kind(reason))  # one each: their tracebacks will differ

    def report(self, call: _Call[Any], value: object, error: Exception | None) -> None:
        self._tell(self._settle, call, value, error)

    def _settle(self, call: _Call[Any], value: object, error: Exception | None) -> None:
        if call not in self._calls:
            return  # its caller was cancelled, or has been told that it failed
        self._forget(call)
        call.value, call.error = value, error
        trio.lowlevel.reschedule(call.waiter)

    def _forget(self, call: _Call[Any]) -> None:
        self._calls.discard(call)
        if not self._calls:
            self._idle.set()

    def _post(self, callback: Callable[[], object]) -> None:
        try:
            self.asyncio_loop.call_soon_threadsafe(callback)
        except RuntimeError:
            if not self.asyncio_loop.is_closed():
                raise

    def _tell(self, callback: Callable[..., object], *args: object) -> None:
        try:
            self._token.run_sync_soon(callback, *args)
        except trio.RunFinishedError:
            pass  # nobody is left to care

    def _main(self) -> None:
        """The thread. Whatever ends the loop, trio hears of it."""
        cause: BaseException | None = None
        try:
            self.asyncio_loop.run_forever()
        except BaseException as error:
            cause = error
        try:
            self._cancel_tasks()
        except BaseException as error:
            cause = cause or error
        finally:
            self.asyncio_loop.close()
            self._tell(self._end, cause)

    def _cancel_tasks(self) -> None:
        tasks = asyncio.all_tasks(self.asyncio_loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.asyncio_loop.run_until_complete(asyncio.wait(tasks, timeout=_FAREWELL))
        self.asyncio_loop.run_until_complete(self.asyncio_loop.shutdown_asyncgens())

    def _end(self, cause: BaseException | None) -> None:
        if not self._stopping:
            _log.error("asyncio thread died", error=repr(cause))
        self.ended.set()
        self.fail_calls(AsyncioThreadDied, f"the asyncio thread died: {cause!r}")
