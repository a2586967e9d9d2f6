"""The data directory: whose it is, who holds it."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from palaver.engine.doctor.directory import check_lock, check_permissions, check_programs
from palaver.engine.sections import Storage
from palaver.engine.settings import Settings
from palaver.persistence.data_directory import DataDirectory


def levels(directory: Path) -> list[str]:
    return [finding.level for finding in check_permissions(directory)]


def test_a_directory_of_our_own_is_in_order(tmp_path: Path):
    tmp_path.chmod(0o700)
    assert levels(tmp_path) == ["ok"]
    assert levels(tmp_path / "new") == ["ok"]
    assert not (tmp_path / "new").exists()


def test_one_that_others_may_write_to_is_a_warning(tmp_path: Path):
    tmp_path.chmod(0o777)
    assert levels(tmp_path) == ["warning"]


def test_a_file_in_its_place_is_a_problem(tmp_path: Path):
    (tmp_path / "data").touch()
    assert levels(tmp_path / "data") == ["problem"]


@pytest.mark.parametrize("name", ["", "new"])
def test_one_that_is_closed_to_us_is_a_problem(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may do everything
    assert levels(tmp_path / name) == ["problem"]


def test_who_holds_it_is_named_and_not_disturbed(tmp_path: Path):
    assert [finding.level for finding in check_lock(tmp_path)] == ["ok"]
    assert list(tmp_path.iterdir()) == []
    with DataDirectory(tmp_path):
        (finding,) = check_lock(tmp_path)
        assert f"(process {os.getpid()})" in finding.what
    (finding,) = check_lock(tmp_path)
    assert "none is running" in finding.what
    with DataDirectory(tmp_path):
        pass


def test_a_lock_that_cannot_be_seen_is_a_problem(tmp_path: Path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    assert [finding.level for finding in check_lock(tmp_path)] == ["problem"]


def test_missing_programs_are_a_problem_only_where_they_are_needed():
    own = Settings(storage=Storage())
    assert [each.level for each in check_programs(own, "no_such_module")] == ["problem"]
    assert [each.level for each in check_programs(own)] == ["ok"]
    other = Settings(storage=Storage(dsn=SecretStr("postgresql://host/db")))
    assert list(check_programs(other, "no_such_module")) == []
