"""The Postgres under the engine, ours to stop at once, to freeze and to thaw."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import trio

from ...persistence.embedded import EmbeddedPostgres
from .polling import until


class Postgres:
    """An embedded server in a directory of its own. Faults come one after another: a frozen one is
    thawed before it is stopped."""

    def __init__(self, server: EmbeddedPostgres, nursery: trio.Nursery) -> None:
        self.dsn = server.dsn
        self._server = server
        self._nursery = nursery
        self._one = trio.Lock()
        self._faults = 0
        self._keeper = trio.CancelScope()
        self._keep()

    @property
    def calm(self) -> int | None:
        """None while a fault is at work, otherwise how many there have been."""
        return None if self._one.locked() else self._faults

    async def stop(self, seconds: float) -> None:
        """`pg_ctl stop -m immediate`, and start it again after `seconds`."""
        async with self._one:
            self._faults += 1
            self._keeper.cancel()
            if (pid := self._server.pid) is not None:
                os.kill(pid, signal.SIGQUIT)
            await until(lambda: self._server.pid is None)
            await trio.sleep(seconds)
            self._keep()
            await until(lambda: self._server.is_ready)

    async def freeze(self, seconds: float) -> None:
        """SIGSTOP to all of its processes, SIGCONT after `seconds`: connections stay open, and
        nothing comes through them."""
        async with self._one:
            self._faults += 1
            frozen = self._freeze()
            try:
                await trio.sleep(seconds)
            finally:
                for process in reversed(frozen):
                    _send(process, signal.SIGCONT)

    def _freeze(self) -> list[psutil.Process]:
        """The postmaster first: then it has no more children."""
        pid = self._server.pid
        if pid is None:
            return []
        postmaster = psutil.Process(pid)
        _send(postmaster, signal.SIGSTOP)
        children = postmaster.children(recursive=True)
        for child in children:
            _send(child, signal.SIGSTOP)
        return [postmaster, *children]

    def _keep(self) -> None:
        """Let the server's own keeper start it whenever it is down."""
        self._keeper = trio.CancelScope()
        self._nursery.start_soon(self._kept, self._keeper)

    async def _kept(self, scope: trio.CancelScope) -> None:
        with scope:
            await self._server.keep_running()


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@asynccontextmanager
async def own_postgres(directory: Path) -> AsyncGenerator[Postgres]:
    """A server in `directory`; stopped at the end. Raises persistence's `StartRefused`."""
    async with EmbeddedPostgres(directory) as server, trio.open_nursery() as nursery:
        yield Postgres(server, nursery)
        nursery.cancel_scope.cancel()
