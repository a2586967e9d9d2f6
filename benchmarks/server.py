"""The server under test: `palaver serve` in its own process, as a user would run it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import jwt
import psutil

from .profiler import under_cprofile
from .target import SECRET, UNLIMITED


class Server:
    """A context manager. `data` None keeps everything in memory; otherwise it is the data
    directory, where the embedded Postgres lives, too, unless `dsn` names another. `settings` are
    further ones, by the names of their variables. Rate limits are off, which the caller says. With
    `profile` it runs under cProfile and leaves that path with `.pstats` and `.txt`."""

    def __init__(
        self,
        data: Path | None,
        durability: str = "write_behind",
        *,
        dsn: str | None = None,
        settings: Mapping[str, str] | None = None,
        profile: Path | None = None,
    ) -> None:
        self.host = "127.0.0.1"
        self.port, http_port = _free_port(), _free_port()
        self.http_url = f"http://{self.host}:{http_port}"
        where = ["--memory"] if data is None else ["--data", str(data)]
        self._command = [
            *(str(Path(sys.executable).with_name("palaver")), "serve", *where),
            *(() if dsn is None else ("--dsn", dsn)),
            *("--port", str(self.port), "--http-port", str(http_port)),
            *("--durability", durability, "--log-level", "error"),
        ]
        if profile is not None:
            self._command = under_cprofile(self._command, profile)
        self._settings = dict(settings or {})

    def __enter__(self) -> Self:
        environment = {**os.environ, "PALAVER_AUTH__SECRET": SECRET}
        environment |= UNLIMITED | self._settings
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )
        self._handle = psutil.Process(self._process.pid)
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError(f"the server did not start: {self._complaints(whole=True)}")
            try:
                socket.create_connection((self.host, self.port)).close()
                break
            except OSError:
                time.sleep(0.1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if complaints := self._complaints(whole=self._process.returncode != 0):
            print(complaints, file=sys.stderr)
        self._said.close()

    def _complaints(self, *, whole: bool) -> str:
        """What it said, or only what is not of its ordinary life."""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if whole or not line.startswith("palaver: "))

    @property
    def pid(self) -> int:
        return self._process.pid

    def token(self, user: str) -> str:
        return jwt.encode({"sub": user}, SECRET, algorithm="HS256")

    def cpu(self) -> float:
        """Seconds of CPU that the engine has used."""
        times = self._handle.cpu_times()
        return times.user + times.system

    def rss(self) -> int:
        """Bytes of memory of the engine."""
        return int(self._handle.memory_info().rss)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
