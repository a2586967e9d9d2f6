"""A Postgres that the benchmark itself can take away and bring back."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import trio

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.embedded import EmbeddedPostgres
from palaver.persistence.postgres.connection import connect

_Running = tuple[EmbeddedPostgres, trio.Event, trio.lowlevel.TrioToken]


@contextmanager
def temporary_data() -> Iterator[Path]:
    """Where a data directory can be made; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="palaver-") as above:
        Path(above).chmod(0o755)  # the account that runs Postgres must get through
        yield Path(above) / "data"


class Postgres:
    """The embedded server on `data`, from entering to leaving, in a thread of its own.

    All methods block and may be called from any thread, one at a time.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._thread: threading.Thread
        self._running: _Running | None = None
        self.dsn = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._running is not None:
            self.resume()
            self._end()

    def start(self) -> None:
        """Return when it accepts connections; after `stop` that includes crash recovery."""
        started: Future[_Running] = Future()

        async def serve() -> None:
            stop = trio.Event()
            async with EmbeddedPostgres(self._data) as server:
                started.set_result((server, stop, trio.lowlevel.current_trio_token()))
                await stop.wait()

        def run() -> None:
            try:
                trio.run(serve)
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(error)

        self._thread = threading.Thread(target=run, name="postgres")
        self._thread.start()
        self._running = started.result()
        self.dsn = self._running[0].dsn

    @property
    def pid(self) -> int:
        """Of the postmaster, while it runs."""
        return self._processes()[0].pid

    def stop(self) -> None:
        """The immediate way: nobody is waited for, nothing is written, and it stays down."""
        self._processes()[0].send_signal(signal.SIGQUIT)
        self._end()

    def pause(self) -> None:
        """Stop all its processes in their tracks: connections stay open and nobody answers."""
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):  # a backend whose client has just left
                process.suspend()

    def resume(self) -> None:
        for process in reversed(self._processes()):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def query(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """The rows. Raises `OSError` or an error of the driver while it is away."""

        async def fetch() -> list[tuple[Any, ...]]:
            connection = await connect(self.dsn, 60.0)
            try:
                return [tuple(row) for row in await connection.fetch(sql, *arguments)]
            finally:
                await connection.close()

        async def cross() -> list[tuple[Any, ...]]:
            async with AsyncioThread() as thread:
                return await thread.run(fetch)

        return trio.run(cross)

    def _processes(self) -> list[psutil.Process]:
        """The postmaster first, then its children."""
        pid = None if self._running is None else self._running[0].pid
        if pid is None:
            return []
        postmaster = psutil.Process(pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def _end(self) -> None:
        assert self._running is not None
        _, stop, token = self._running
        token.run_sync_soon(stop.set)
        self._thread.join()
        self._running = None
