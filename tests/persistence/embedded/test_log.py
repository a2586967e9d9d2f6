import os
from pathlib import Path

import pytest

from palaver.persistence.embedded import log as log_module
from palaver.persistence.embedded.log import AppendedLog


def test_a_log_is_followed_line_by_line(tmp_path: Path) -> None:
    log = AppendedLog(tmp_path / "log")
    log.path.write_text("from an earlier run\n")
    with log.open() as fd:
        assert log.new_lines() == []
        os.write(fd, b"one\ntw")
        assert log.new_lines() == ["one"]
        os.write(fd, b"o\n")
        assert log.new_lines() == ["two"]


def test_a_long_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "_LOG_LIMIT", 10)
    log = AppendedLog(tmp_path / "log")
    with log.open() as fd:
        os.write(fd, b"short\n")
        log.shorten()
        os.write(fd, b"no longer short\n")
        log.shorten()
        os.write(fd, b"new\n")
        assert log.new_lines() == ["new"]
    assert log.path.read_text() == "new\n"
    assert (tmp_path / "log.1").read_text() == "short\nno longer short\n"
