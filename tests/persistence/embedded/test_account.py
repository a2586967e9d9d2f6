import os
import stat
from pathlib import Path

import pytest

from palaver.persistence.data_directory import DataDirectory, StartRefused
from palaver.persistence.embedded import account as account_module
from palaver.persistence.embedded.account import Account, admit, server_account

ROOT = os.geteuid() == 0
ME = Account.of(os.geteuid(), os.getegid())
STRANGER = Account(54321, 54321, "a stranger")

root_only = pytest.mark.skipif(not ROOT, reason="root only")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@root_only
def test_admits_the_account_to_a_directory_of_its_own_making_only(data: Path) -> None:
    with DataDirectory(data) as directory:
        admit(STRANGER, directory)
        assert mode(data) == 0o710
        assert data.stat().st_gid == STRANGER.gid
        assert data.stat().st_uid == 0


@root_only
def test_does_not_open_a_directory_that_held_something(data: Path) -> None:
    data.mkdir(0o700)
    (data / "letters").touch()
    with DataDirectory(data) as directory, pytest.raises(StartRefused, match=f"enter {data},"):
        admit(STRANGER, directory)
    assert mode(data) == 0o700


@root_only
def test_opens_a_directory_that_served_with_another_postgres(data: Path) -> None:
    with DataDirectory(data):
        (data / "spool").mkdir()
    with DataDirectory(data) as directory:
        admit(STRANGER, directory)
        assert STRANGER.may_enter(data)


@root_only
def test_does_not_open_directories_above(data: Path) -> None:
    data.parent.chmod(0o700)
    below = data / "palaver"
    with (
        DataDirectory(below) as directory,
        pytest.raises(StartRefused, match=f"a stranger and may not enter {data.parent}, .*{below}"),
    ):
        admit(STRANGER, directory)
    assert mode(data.parent) == 0o700


@root_only
def test_an_open_directory_stays_as_it_is(data: Path) -> None:
    data.mkdir()
    data.chmod(0o755)
    (data / "letters").touch()
    with DataDirectory(data) as directory:
        admit(STRANGER, directory)
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
    monkeypatch.setattr(account_module, "_ACCOUNT", "no-such-account")
    monkeypatch.setattr(account_module, "_ACCOUNT_MAKERS", (("false",), ("no-such-program",)))
    told: list[str] = []
    assert server_account(tmp_path / "data", told.append).name == "nobody"
    assert told == ["the account no-such-account cannot be created here: Postgres runs as nobody"]
    monkeypatch.setattr(account_module, "_account_named", lambda _name: None)
    with pytest.raises(StartRefused, match=r"ordinary user.*--dsn"):
        server_account(tmp_path / "data", told.append)
