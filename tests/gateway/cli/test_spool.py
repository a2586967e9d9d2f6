"""`palaver spool` shows what waits, also while an engine runs, and stores it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from typer.testing import CliRunner, Result

from palaver.benchmarks.postgres import Postgres, temporary_data
from palaver.gateway.cli import app
from palaver.persistence.data_directory import DataDirectory
from palaver.persistence.spool import SpoolFile
from palaver.persistence.spool.record import entry
from palaver.protocol.events import Event
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.records import Write
from palaver.tests.persistence.contract.chat import Chat, new_id, nobody
from palaver.tests.persistence.contract.twins import execute
from palaver.tests.persistence.outage import with_spool
from palaver.tests.persistence.proxy import proxied

AWAY = "postgresql://ann:hush@127.0.0.1:1/palaver"


def spool(data: Path, *args: str) -> Result:
    result = CliRunner().invoke(app, ["spool", "--data", str(data), *args])
    assert isinstance(result.exception, SystemExit | None)
    assert "secret words" not in result.output
    assert "hush" not in result.output
    return result


def shown(data: Path, *args: str) -> Any:
    result = spool(data, "--json", *args)
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with two writes in its spool, and one that was refused."""
    monkeypatch.chdir(tmp_path)
    at = time.time_ns() // 1_000_000 - 90_000
    with SpoolFile(tmp_path / "spool") as file:
        for n in (1, 2, 3):
            event = Event(new_id(), 2, new_id(), MessageSent(text="secret words"), "ann", at)
            write = Write(event.conversation, nobody, [event])
            file.change(add=[entry(n, 1, at + n, write)])
        file.refuse([(2, "CheckViolationError (23514)")])
    return tmp_path


def test_nothing_is_made_by_looking(tmp_path: Path):
    result = spool(tmp_path / "data")
    assert (result.exit_code, "nothing waits" in result.stdout) == (0, True)
    assert spool(tmp_path / "data", "--drain").exit_code == 0
    assert not (tmp_path / "data").exists()
    assert shown(tmp_path / "data")["exists"] is False


def test_what_waits_and_what_was_refused_is_shown_while_an_engine_runs(data: Path):
    with DataDirectory(data), SpoolFile(data / "spool") as file:
        (waiting, _), summary = file.entries(0, 9), file.summary()
        result = spool(data)
        assert result.exit_code == 0
        assert str(file.path) in result.stdout
        assert "2 writes of 2 conversations wait for Postgres" in result.stdout
        assert f"{summary.bytes:,} bytes, the oldest for 9" in result.stdout
        assert "1 writes were refused" in result.stdout
        content = shown(data)
    assert (content["waiting"], content["conversations"], content["refused"]) == (2, 2, 1)
    assert content["oldest"] == waiting.at
    (refusal,) = content["refusals"]
    assert refusal["n"] == 2
    assert refusal["problem"] == "CheckViolationError (23514)"
    assert refusal["conversation"] in result.stdout


def test_draining_is_refused_while_an_engine_runs(data: Path):
    with DataDirectory(data):
        result = spool(data, "--drain", "--dsn", AWAY)
    assert result.exit_code == 2
    assert "stop it first" in result.stderr
    assert shown(data)["waiting"] == 2


def test_draining_is_refused_while_postgres_is_away(data: Path):
    result = spool(data, "--drain", "--dsn", AWAY)
    assert result.exit_code == 2
    assert "database cannot be used" in result.stderr
    assert shown(data)["waiting"] == 2


def test_a_damaged_spool_is_said_so(data: Path):
    (data / "spool" / "spool.sqlite").write_bytes(b"dear diary" * 100)
    for args in ([], ["--json"], ["--drain"]):
        result = spool(data, *args)
        assert result.exit_code == 2
        assert "cannot be read" in result.stderr


def test_without_a_spool_there_is_nothing_to_show(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PALAVER_STORAGE__SPOOL_BYTES", "0")
    assert "there is no spool" in spool(data).stderr
    monkeypatch.setenv("PALAVER_STORAGE__MEMORY", "1")
    assert spool(data, "--drain").exit_code == 2


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with temporary_data() as data, Postgres(data) as running:
        yield running.dsn


async def write_in_an_outage(dsn: str, directory: Path) -> None:
    """An engine that knows the database ends, with a conversation and a message spooled."""
    async with with_spool(dsn, directory):
        pass
    async with proxied(dsn) as proxy, with_spool(proxy.dsn, directory) as store:
        proxy.go_away()
        chat = Chat(store, ["ann", "bob"])
        chat.do("ann", CreateConversation(kind="group", members=["bob"]))
        await chat.send("ann", "secret words").told()


def test_draining_stores_it(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    trio.run(write_in_an_outage, dsn, tmp_path / "spool")
    assert shown(tmp_path)["waiting"] == 2
    result = spool(tmp_path, "--drain", "--dsn", dsn)
    assert (result.exit_code, "Nothing waits" in result.stdout) == (0, True)
    assert "2 of 2 writes" in result.stderr
    rows = trio.run(execute, dsn, "SELECT body FROM log ORDER BY seq")
    assert [row["body"] for row in rows] == [None, "secret words"]


def test_what_is_refused_in_draining_is_told(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    trio.run(write_in_an_outage, dsn, tmp_path / "spool")
    check = "ALTER TABLE log ADD CONSTRAINT no_secrets CHECK (body <> 'secret words') NOT VALID"
    trio.run(execute, dsn, check)
    result = spool(tmp_path, "--drain", "--dsn", dsn)
    assert result.exit_code == 1
    assert "1 writes were refused" in result.stdout
    assert "no_secrets" in result.stdout
