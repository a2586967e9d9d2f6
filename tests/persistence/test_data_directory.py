import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from palaver.persistence.data_directory import (
    DataDirectory,
    DirectoryInUse,
    StartRefused,
    default_data_directory,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_root_keeps_data_in_the_systems_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_directory() == Path("/var/lib/palaver")


def test_others_keep_data_in_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert default_data_directory() == Path("/home/ada/.local/state/palaver")
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert default_data_directory() == Path("/home/ada/.local/state/palaver")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_data_directory() == Path("/state/palaver")


def test_is_made_for_us_alone(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "new" / "data") as directory:
        assert mode(directory.path) == 0o700
        assert mode(directory.path / "lock") == 0o600


def test_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory:
        with pytest.raises(DirectoryInUse, match=f"process {os.getpid()}.*--data"):
            DataDirectory(tmp_path).__enter__()
        # Processes that the engine starts do not inherit the lock: it ends with the engine.
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    with child, directory:
        assert child.stdin is not None


def test_the_lock_of_a_killed_process_is_gone(tmp_path: Path) -> None:
    hold = (
        "import pathlib, sys; from palaver.persistence.data_directory import DataDirectory\n"
        "with DataDirectory(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DirectoryInUse, match=f"process {holder.pid}"):
            DataDirectory(tmp_path).__enter__()
        holder.kill()
    with DataDirectory(tmp_path):
        pass


def test_what_is_no_directory_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartRefused, match=r"file cannot be used .*--data"):
        DataDirectory(tmp_path / "file").__enter__()


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartRefused):
        DataDirectory(tmp_path).__enter__()
    assert not (tmp_path / "elsewhere").exists()
