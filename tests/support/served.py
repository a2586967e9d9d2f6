"""`palaver serve` as a user runs it: a process of its own, with the embedded Postgres.

Its fixtures are for those conftests that name them.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
import trio

SECRET = "a secret for the journeys, long enough"
ENVIRONMENT = {
    "PALAVER_AUTH__SECRET": SECRET,
    "PALAVER_LIMITS__REQUESTS_PER_MIN": "0",
    "PALAVER_LIMITS__MESSAGES_PER_MIN": "0",
    "PALAVER_LIMITS__COMMANDS_PER_S": "0",
    "PALAVER_POLICY__MAX_SCHEDULED": "10000",
    "NO_COLOR": "1",
}
PROGRAM = str(Path(sys.executable).with_name("palaver"))


class Served:
    """One run of `palaver serve` on `data`. `async with` waits until it listens; leaving kills."""

    def __init__(self, data: Path, *args: str, **environment: str) -> None:
        self._args = [*("serve", "--data", str(data), "--port", "0", "--http-port", "0"), *args]
        self._environment = {**os.environ, **ENVIRONMENT, **environment}
        self.ws_url = self.http_url = ""

    async def __aenter__(self) -> "Served":
        self.process = await trio.lowlevel.open_process(
            [PROGRAM, *self._args],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        said = b""
        assert self.process.stdout is not None
        while b"http://" not in said or not said.endswith(b"\n"):
            data = await self.process.stdout.receive_some()
            assert data, (await self.errors()).decode()
            said += data
        self.ws_url, self.http_url = re.findall(r"(?:ws|http)://\S+", said.decode())[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        with trio.CancelScope(shield=True):
            await self.kill()
            for pipe in (self.process.stdout, self.process.stderr):
                assert pipe is not None
                await pipe.aclose()

    async def errors(self) -> bytes:
        assert self.process.stderr is not None
        return b"".join([data async for data in self.process.stderr])

    async def kill(self) -> None:
        """kill -9: nothing of it gets to do anything any more. Its Postgres lives on."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """Ctrl-C's gentler brother; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@pytest.fixture
def token():
    return lambda user: jwt.encode({"sub": user}, SECRET, algorithm="HS256")


@pytest.fixture
def data():
    """A data directory that the account of the embedded server can get to (pytest's own temporary
    ones are closed to others). Its server is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="palaver-journey-") as base:
        Path(base).chmod(0o755)
        yield Path(base) / "data"
        for pid_file in Path(base).rglob("postmaster.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)


@pytest.fixture
def served(data):
    def start(*args, **environment):
        return Served(data, *args, **environment)

    return SimpleNamespace(data=data, start=start)
