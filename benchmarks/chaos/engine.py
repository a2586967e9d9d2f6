"""The engine under test: `palaver serve`, a process that is killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import trio

from .link import Target

_MAIN = "from palaver.gateway.cli import main; main()"
_RESTART = 0.3
_START_S = 60.0
_URL = re.compile(rb"(ws|http)://([\d.]+):(\d+)")


class NoStart(Exception):
    """The engine does not come to listen."""


class EngineProcess:
    """`keep_running` starts it again whenever it has ended, unless it is held.

    `run` counts the starts that came to listen. `died` has the status of every end that nobody
    asked for. `calm` says whether Postgres is there: the number of its faults, None during one.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        calm: Callable[[], int | None],
    ) -> None:
        self.run = 0
        self.died: list[int] = []
        self.http: Target | None = None
        self._ws: Target | None = None
        self._command = [sys.executable, "-c", _MAIN, "serve", *arguments]
        self._environment = {**os.environ, **environment, "NO_COLOR": "1"}
        self._log = log
        self._calm = calm
        self._process: trio.Process | None = None
        self._since = 0.0
        self._held = 0
        self._asked_to_end = False
        self._changed = trio.Event()

    def target(self) -> Target | None:
        """Where its clients connect now; None while it is down."""
        return self._ws

    async def keep_running(self) -> None:
        """Until `stop`."""
        while not self._asked_to_end:
            while self._held:
                await self._changed.wait()
            await self._live()
            await trio.sleep(_RESTART)

    async def _live(self) -> None:
        """One life, from start to end."""
        calm, run = self._calm(), self.run
        with self._log.open("ab") as log:
            self._process = process = await trio.lowlevel.open_process(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            assert process.stdout is not None
            said = b""
            async for data in process.stdout:
                said += data
                found = _URL.findall(said)
                if self._ws is None and len(found) >= 2 and said.endswith(b"\n"):
                    (_, host, port), (_, http_host, http_port) = found[:2]
                    self.run += 1
                    self.http = http_host.decode(), int(http_port)
                    self._ws, self._since = (host.decode(), int(port)), trio.current_time()
                    self._tell()
            status = await process.wait()
            # Without Postgres it may not come up; once it is up, that is no reason to go.
            excused = self.run == run and (calm is None or calm != self._calm())
            expected = self._asked_to_end or self._held or excused
            if status != -signal.SIGKILL and not expected:
                self.died.append(status)
                self._tell()
        finally:
            self._ws = self.http = None
            if process.returncode is None:
                process.kill()
                with trio.CancelScope(shield=True):
                    await process.wait()

    @property
    def up_s(self) -> float:
        """Seconds for which it has been listening; 0 while it does not."""
        return 0.0 if self._ws is None else trio.current_time() - self._since

    async def listening(self) -> None:
        """Return when clients can connect. Raises `NoStart` if it ends before, or takes long."""
        with trio.move_on_after(_START_S):
            while self._ws is None and not self.died:
                await self._changed.wait()
        if self._ws is None:
            raise NoStart(f"The engine does not start; see {self._log}.")

    def hold(self) -> None:
        """Kill it with SIGKILL, and let it lie until `release`."""
        self._held += 1
        self._ws = None
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def release(self) -> None:
        self._held -= 1
        self._tell()

    def signal(self, number: signal.Signals) -> None:
        """To a running one; one that is down misses it."""
        if self._ws is not None and self._process is not None:
            self._process.send_signal(number)

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        self._asked_to_end = True
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
