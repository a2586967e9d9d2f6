"""`palaver doctor` on a sound installation, on broken ones, and what it keeps to itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from palaver.benchmarks.postgres import Postgres, temporary_data
from palaver.gateway.cli import app

SECRET = "hush" * 8


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configured installation, but for its database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PALAVER_AUTH__SECRET", SECRET)
    monkeypatch.setenv("PALAVER_LISTEN__PORT", "0")
    monkeypatch.setenv("PALAVER_LISTEN__HTTP_PORT", "0")
    return tmp_path


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[Postgres, Path]]:
    with temporary_data() as data, Postgres(data) as running:
        yield running, data


def doctor(*args: object) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """The status, and the findings by what they are about."""
    result = CliRunner().invoke(app, ["doctor", "--json", *map(str, args)])
    assert SECRET not in result.output
    assert isinstance(result.exception, SystemExit | None)
    findings: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(result.stdout):
        about = findings.setdefault(finding["about"], [])
        about.append((finding["level"], finding["what"]))
        assert finding["level"] == "ok" or finding["advice"]
    return result.exit_code, findings


def test_the_embedded_server_of_a_running_engine_is_looked_into(
    home: Path, postgres: tuple[Postgres, Path]
):
    _, data = postgres
    status, findings = doctor("--data", data)
    assert status == 0
    assert findings["durability"][0][0] == "ok"
    assert findings["migrations"][0][0] == "warning"
    assert "process" in findings["engine"][0][1]


def test_a_server_of_ones_own(home: Path, postgres: tuple[Postgres, Path]):
    status, findings = doctor("--dsn", postgres[0].dsn, "--data", home)
    assert status == 0
    assert "embedded Postgres" not in findings
    assert findings["commits"][0][0] == "ok" or "ms" in findings["commits"][0][1]


def test_before_the_first_start_nothing_is_wrong_and_nothing_is_made(home: Path):
    status, findings = doctor("--data", home / "data")
    assert status == 0
    assert "none is running" in findings["Postgres"][0][1]
    assert list(home.iterdir()) == []


def test_a_database_that_is_away_is_a_problem_and_its_password_a_secret(home: Path):
    status, findings = doctor("--dsn", "postgresql://ann:open-sesame@127.0.0.1:1/chat")
    assert status == 1
    ((level, what),) = findings["Postgres"]
    assert level == "problem"
    assert "ann@127.0.0.1:1/chat" in what
    assert "sesame" not in json.dumps(findings)


def test_settings_that_cannot_be_used_are_a_finding_like_others(home: Path):
    (home / "palaver.toml").write_text("[listen]\nprot = 1\n", "utf-8")
    status, findings = doctor("--config", "palaver.toml")
    assert status == 1
    ((level, what),) = findings["settings"]
    assert level == "problem"
    assert "listen.prot" in what
    assert findings["Python"][0][0] == "ok"


def test_for_people_it_is_a_table_with_a_sum(home: Path):
    result = CliRunner().invoke(app, ["doctor", "--dsn", "postgresql://ann:hush@127.0.0.1:1/chat"])
    assert result.exit_code == 1
    assert "1 problems, " in result.stdout
    assert "storage.dsn" in result.stdout
    assert "hush" not in result.output
