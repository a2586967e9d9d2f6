import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from palaver.persistence import data_directory
from palaver.persistence.data_directory import (
    Account,
    AppendedLog,
    DataDirectory,
    DirectoryInUse,
    StartRefused,
    default_data_directory,
    reachable_copy,
    server_account,
    socket_owner,
)

ROOT = os.geteuid() == 0
ME = Account.of(os.geteuid(), os.getegid())
STRANGER = Account(54321, 54321, "a stranger")

root_only = pytest.mark.skipif(not ROOT, reason="root only")


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


@root_only
def test_admits_the_account_to_a_directory_of_its_own_making_only(data: Path) -> None:
    with DataDirectory(data) as directory:
        directory.admit(STRANGER)
        assert mode(data) == 0o710
        assert data.stat().st_gid == STRANGER.gid
        assert data.stat().st_uid == 0


@root_only
def test_does_not_open_a_directory_that_held_something(data: Path) -> None:
    data.mkdir(0o700)
    (data / "letters").touch()
    with DataDirectory(data) as directory, pytest.raises(StartRefused, match=f"enter {data},"):
        directory.admit(STRANGER)
    assert mode(data) == 0o700


@root_only
def test_does_not_open_directories_above(data: Path) -> None:
    data.parent.chmod(0o700)
    below = data / "palaver"
    with (
        DataDirectory(below) as directory,
        pytest.raises(StartRefused, match=f"a stranger and may not enter {data.parent}, .*{below}"),
    ):
        directory.admit(STRANGER)
    assert mode(data.parent) == 0o700


@root_only
def test_an_open_directory_stays_as_it_is(data: Path) -> None:
    data.mkdir()
    data.chmod(0o755)
    (data / "letters").touch()
    with DataDirectory(data) as directory:
        directory.admit(STRANGER)
    assert mode(data) == 0o755


@pytest.mark.parametrize(
    ("account", "bits", "allowed"),
    [
        (Account(1, 1, "owner"), 0o700, True),
        (Account(1, 2, "owner"), 0o077, False),  # the owner's bits alone count
        (Account(2, 1, "group"), 0o010, True),
        (Account(2, 1, "group"), 0o707, False),
        (Account(2, 2, "other"), 0o001, True),
        (Account(2, 2, "other"), 0o770, False),
        (Account(0, 0, "root"), 0o000, True),
    ],
)
def test_rights_are_read_from_modes(account: Account, bits: int, allowed: bool) -> None:
    status = os.stat_result((stat.S_IFDIR | bits, 0, 0, 0, 1, 1, 0, 0, 0, 0))
    assert account._has(status, stat.S_IXOTH) is allowed


def test_new_data_of_an_ordinary_user_is_served_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(os, "getegid", lambda: 54321)
    account = server_account(tmp_path / "data", pytest.fail)
    assert account == Account(54321, 54321, "54321")
    assert account.process_options() == {}
    with pytest.raises(StartRefused, match=f"belongs to user {ME.name}"):
        server_account(tmp_path, pytest.fail)


@root_only
def test_root_leaves_old_data_to_its_owner(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="belongs to root"):
        server_account(tmp_path, pytest.fail)
    os.chown(tmp_path, 54321, 54322)
    account = server_account(tmp_path, pytest.fail)
    assert account == Account(54321, 54322, "54321")
    assert account.process_options() == {"user": 54321, "group": 54322, "extra_groups": ()}


@root_only
def test_root_without_means_to_make_an_account_takes_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_directory, "_ACCOUNT", "no-such-account")
    monkeypatch.setattr(data_directory, "_ACCOUNT_MAKERS", (("false",), ("no-such-program",)))
    told: list[str] = []
    assert server_account(tmp_path / "data", told.append).name == "nobody"
    assert told == ["the account no-such-account cannot be created here: Postgres runs as nobody"]
    monkeypatch.setattr(data_directory, "_account_named", lambda _name: None)
    with pytest.raises(StartRefused, match=r"ordinary user.*--dsn"):
        server_account(tmp_path / "data", told.append)


def test_a_copy_is_complete_and_readable(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "programs-2"
    (source / "bin").mkdir(parents=True)
    (source / "bin/tool").write_text("run")
    (source / "bin/tool").chmod(0o700)
    (source / "share/deep").mkdir(parents=True)
    (source / "share/deep/text").write_text("read")
    (source / "share/deep/text").chmod(0o600)
    (source / "share/unwanted").touch()
    (tmp_path / "programs-1.new").mkdir()  # left by a start that was killed
    reachable_copy(source, ["bin/tool", "share/deep/**/*"], copy)
    assert (copy / "share/deep/text").read_text() == "read"
    assert mode(copy) == mode(copy / "bin") == mode(copy / "bin/tool") == 0o755
    assert mode(copy / "share/deep/text") == 0o644
    assert sorted(os.listdir(tmp_path)) == ["programs-2", "source"]
    assert os.listdir(copy / "share") == ["deep"]


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
    monkeypatch.setattr(data_directory, "_LOG_LIMIT", 10)
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


def test_nobody_listens_where_there_is_no_socket(tmp_path: Path) -> None:
    assert socket_owner(tmp_path / "socket") is None
