"""The thread in which trio and the engine run, and the door into it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import Any

import trio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ..engine import Engine, Settings
from ..gateway import Listening, serve


class EngineThread:
    """One engine in a thread of its own, from `start` to `stop`.

    With `listen`, clients can connect, too: `listening` says where. `options` are those of
    `Engine`, and `gateway` those of `serve`; guards and reactors run in the engine's thread.

    A process that ends without `stop` loses nothing that was answered, like one that crashes.
    """

    engine: Engine
    portal: BlockingPortal
    listening: Listening | None = None

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        listen: bool = False,
        gateway: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self._make = partial(Engine, settings, **options)
        self._serve: Callable[..., Any] | None = partial(serve, **gateway or {}) if listen else None
        self._exit = ExitStack()

    def start(self) -> None:
        """Returns when the engine is open, and listens. Raises `StartupError`, in words."""
        with ExitStack() as stack:
            self.portal = stack.enter_context(start_blocking_portal("trio", name="palaver"))
            running = self.portal.wrap_async_context_manager(self._running())
            self.engine = stack.enter_context(running)
            self._exit = stack.pop_all()

    def stop(self) -> None:
        """Returns when the engine is drained and the thread has ended. Again: changes nothing."""
        self._exit.close()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[Engine]:
        async with self._make() as engine, trio.open_nursery() as nursery:
            if self._serve is not None:
                self.listening = await nursery.start(self._serve, engine)
            try:
                yield engine
            finally:
                nursery.cancel_scope.cancel()
