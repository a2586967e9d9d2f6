"""One tree of settings from a file, the environment and flags; what is unknown is an error."""

from pathlib import Path

import annotated_types
import pytest
from pydantic import BaseModel, ValidationError

from palaver.engine.sections import Actors, Connections, Host, Limits, Storage
from palaver.engine.settings import Settings


def test_SEC_14_file_then_environment_then_flags(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "palaver.toml"
    file.write_text("[policy]\nmax_chars = 1\nmax_members = 2\nmax_pins = 3\n")
    monkeypatch.setenv("PALAVER_POLICY__MAX_MEMBERS", "20")
    monkeypatch.setenv("PALAVER_POLICY__MAX_PINS", "30")
    policy = Settings.load(file, policy={"max_pins": 300}).policy
    assert (policy.max_chars, policy.max_members, policy.max_pins) == (1, 20, 300)


def test_GRP_04_roles_and_permissions_from_file_and_environment(
    tmp_path: Path, monkeypatch
) -> None:
    file = tmp_path / "palaver.toml"
    file.write_text(
        '[policy]\nroles = ["owner", "member"]\n'
        '[policy.permissions]\npin_messages = "member"\nadd_members = "owner"\n'
    )
    monkeypatch.setenv("PALAVER_POLICY__KINDS", '["thread"]')
    monkeypatch.setenv("PALAVER_POLICY__PERMISSIONS__ADD_MEMBERS", "nobody")
    policy = Settings.load(file).policy
    assert (policy.roles, policy.kinds) == (("member", "owner"), ("thread",))
    assert policy.permission_table["pin_messages"] == "member"
    assert policy.permission_table["add_members"] == "nobody"
    assert policy.permission_table["change_roles"] == "admin"


def test_an_unknown_key_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "palaver.toml"
    file.write_text("[policy]\nmax_char = 1\n")
    with pytest.raises(ValidationError, match=r"policy\.max_char"):
        Settings.load(file)


@pytest.mark.parametrize("name", ["PALAVER_POLICY__MAX_CHAR", "PALAVER_POLIZY", "PALAVER_X__Y"])
def test_an_unknown_variable_is_named(name: str, monkeypatch) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(ValueError, match=name):
        Settings()


def test_a_secret_is_not_shown() -> None:
    assert "sesame" not in repr(Settings.load(auth={"secret": "sesame open"}))


@pytest.mark.parametrize("section", [Actors, Connections, Host, Limits, Storage])
def test_every_bound_is_a_number_with_a_meaning(section: type[BaseModel]) -> None:
    for name, field in section.model_fields.items():
        assert field.description, name
        if field.annotation in (int, float):
            assert any(
                isinstance(m, annotated_types.Ge | annotated_types.Gt) for m in field.metadata
            )


def test_C_09_C_11_C_31_C_39_C_40_what_is_not_set() -> None:
    settings = Settings()
    policy = settings.policy
    assert policy.receipts_audience == "members"
    assert (policy.receipts_batch_s, policy.receipts_batch_n) == (0, 1)
    assert settings.connections.heartbeat_s == 30
    assert (policy.typing_enabled, policy.typing_ttl_s, policy.typing_min_interval_s) == (
        True,
        10,
        1,
    )
    assert (policy.presence_enabled, policy.presence_batch_s) == (True, 0)
