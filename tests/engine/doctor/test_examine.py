"""Which checks are made depends on where the settings keep the messages."""

from pathlib import Path

from pydantic import SecretStr

from palaver.engine.doctor import examine
from palaver.engine.sections import Storage
from palaver.engine.settings import Settings
from palaver.persistence.data_directory import DataDirectory


async def levels(**storage: object) -> dict[str, str]:
    findings = await examine(Settings(storage=Storage.model_validate(storage)))
    return {finding.about: finding.level for finding in findings}


async def test_in_memory_there_is_nothing_to_look_at_but_that_is_said():
    found = await levels(memory=True)
    assert found["storage"] == "warning"
    assert found.keys() == {"open files", "storage"}


async def test_without_a_spool_a_server_of_ones_own_needs_no_directory(tmp_path: Path):
    dsn = SecretStr("postgresql://ann@127.0.0.1:1/chat")
    assert "disk" in await levels(dsn=dsn, data=tmp_path)
    found = await levels(dsn=dsn, data=tmp_path, spool_bytes=0)
    assert found.keys() == {"open files", "Postgres"}


async def test_data_that_cannot_be_read_is_a_problem(tmp_path: Path):
    (tmp_path / "postgres/data/postmaster.pid").mkdir(parents=True)
    assert (await levels(data=tmp_path))["Postgres"] == "ok"
    with DataDirectory(tmp_path):
        assert (await levels(data=tmp_path))["Postgres"] == "problem"


async def test_a_server_that_does_not_listen_yet_is_left_alone(tmp_path: Path):
    (tmp_path / "postgres/data").mkdir(parents=True)
    with DataDirectory(tmp_path):
        for record in ("", "1\n/data\n0\n5432\n"):
            (tmp_path / "postgres/data/postmaster.pid").write_text(record, "utf-8")
            assert (await levels(data=tmp_path))["Postgres"] == "ok"
