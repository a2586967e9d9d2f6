"""Room, and the time of an fsync; measuring leaves nothing behind."""

import errno
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from palaver.engine.doctor.disk import check_fsync, check_space


@pytest.mark.parametrize(("mib", "level"), [(10, "problem"), (1_000, "warning"), (4_000, "ok")])
def test_little_room_is_named(tmp_path: Path, mib: int, level: str):
    (finding,) = check_space(tmp_path, lambda _: SimpleNamespace(free=mib * 2**20))
    assert finding.level == level
    assert str(tmp_path) in finding.what


def test_a_directory_that_is_not_there_is_measured_above(tmp_path: Path):
    (finding,) = check_space(tmp_path / "not" / "there")
    assert "GiB" in finding.what
    assert len(list(check_fsync(tmp_path / "not" / "there"))) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_slow_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    now = 0.0

    def slow(_: int) -> None:
        nonlocal now
        now += 0.05

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    (finding,) = check_fsync(tmp_path, slow)
    assert finding.level == "warning"
    assert "50.00 ms" in finding.what


def test_a_disk_that_fails_is_a_problem(tmp_path: Path):
    def broken(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (finding,) = check_fsync(tmp_path, broken)
    assert finding.level == "problem"
    assert "No space left" in finding.what
