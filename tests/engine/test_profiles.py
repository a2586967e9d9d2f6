"""Products by configuration: what each sets, what goes before it, and how a mistake is told."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from palaver.engine import Settings
from palaver.engine.profiles import NAMES, ProfileError, file_of, read
from palaver.engine.testing import memory_engine
from palaver.gateway.client.client import CALL_TIMEOUT, RETRIES
from palaver.gateway.client.reconnect import exponential
from palaver.protocol.policy import MIB


def of(setting: str) -> list[Any]:
    """Its values in the products, in the order of `NAMES`."""
    section, _, name = setting.partition(".")
    return [getattr(getattr(Settings(profile=profile), section), name) for profile in NAMES]


# What the products say. In columns: rental, tutoring, petsocial, stayeasy, tuggroups.


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("policy.max_chars", [2000, 2000, 4000, 4000, 4000]),
        ("policy.allow_empty_with_attachment", [True, False, True, True, True]),
        ("policy.format", ["markdown", "plain", "plain", "plain", "plain"]),
        (
            "policy.message_types",
            [
                ("text", "file"),
                ("text", "file"),
                ("text", "media", "voice", "poll"),
                ("text", "file"),
                ("text", "image", "voice", "video", "file", "announcement"),
            ],
        ),
    ],
)
def test_C_01_C_02_C_43_C_45_C_55_what_messages_may_hold(setting: str, values: list[Any]):
    assert of(setting) == values


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("policy.max_attachments", [10, 1, 10, 10, 10]),
        (
            "policy.attachment_limits",
            [
                {"image": 10 * MIB, "file": 25 * MIB},
                {"image": 5 * MIB, "file": 10 * MIB},
                {"image": 10 * MIB, "voice": 25 * MIB, "video": 100 * MIB},
                {"image": 10 * MIB, "file": 10 * MIB},
                {"image": 10 * MIB, "voice": 25 * MIB, "video": 100 * MIB, "file": 50 * MIB},
            ],
        ),
        ("policy.external_attachments", [False, False, False, True, False]),
    ],
)
def test_C_17_C_19_C_21_what_is_attached_to_them(setting: str, values: list[Any]):
    assert of(setting) == values


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("policy.edit_enabled", [True, True, True, False, True]),
        ("policy.edit_window_s", [None, 900, 900, 900, 900]),
        ("policy.expose_edit_history", [False, False, True, False, False]),
        (
            "policy.delete_scopes",
            [("everyone",), ("everyone",), ("me", "everyone"), (), ("everyone",)],
        ),
        ("policy.delete_window_s", [None, None, 3600, None, None]),
        ("policy.delete_recovery_days", [30, None, None, None, None]),
        ("policy.show_tombstones", [False, False, True, True, True]),
    ],
)
def test_C_03_C_04_C_05_C_06_edits_and_deletions(setting: str, values: list[Any]):
    assert of(setting) == values


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("policy.kinds", [("thread",), ("direct",), ("direct", "group"), ("direct",), ()]),
        ("policy.direct_key", ["none", "pair_context", "pair", "pair", "pair"]),
        ("policy.conversation_context", [("listing", "application"), ("booking",), (), (), ()]),
        ("policy.message_context", [(), ("booking",), (), ("property",), ()]),
        ("policy.threads", [False, False, False, False, True]),
        ("policy.max_members", [50, 2, 256, 2, 5000]),
        (
            "policy.roles",
            [
                ("member",),
                ("member",),
                ("member", "admin"),
                ("member",),
                ("member", "moderator", "admin", "owner"),
            ],
        ),
        ("policy.max_pins", [0, 0, 0, 0, 50]),
        ("policy.conversation_pins", [False, False, True, False, False]),
        ("policy.reactions", ["off", "off", "any", "off", "listed"]),
        ("policy.custom_reactions", [False, False, False, False, True]),
    ],
)
def test_C_13_C_15_C_16_C_41_C_42_conversations(setting: str, values: list[Any]):
    assert of(setting) == values


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("policy.receipts_audience", ["members", "senders", "senders", "others", "senders"]),
        ("policy.receipts_optout", [True, False, True, False, False]),
        ("policy.receipts_batch_s", [0, 0, 2, 0, 1]),
        ("policy.receipts_batch_n", [1, 1, 10, 1, 20]),
        ("policy.typing_enabled", [True, False, True, False, True]),
        ("policy.typing_ttl_s", [10] * 5),
        ("policy.presence_enabled", [True, False, True, False, True]),
        ("policy.presence_batch_s", [0, 0, 30, 0, 0]),
    ],
)
def test_C_09_C_10_C_11_C_39_C_40_who_sees_what_somebody_does(setting: str, values: list[Any]):
    assert of(setting) == values


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("policy.conversations_page", [50, 100, 50, 50, 50]),
        ("policy.max_conversations_page", [200] * 5),
        ("policy.messages_page", [50] * 5),
        ("policy.max_messages_page", [100] * 5),
        ("policy.search_page", [20] * 5),
        ("policy.max_search_page", [50] * 5),
        ("policy.history_style", ["cursor", "page", "cursor", "page", "cursor"]),
        (
            "policy.history_order",
            ["newest_page_ascending", "ascending", *["newest_page_ascending"] * 3],
        ),
        ("policy.search_mode", ["trgm", "fts", "fts", "fts", "fts"]),
        ("policy.search_scope", ["mine", "mine", "mine", "mine", "group"]),
        ("policy.search_min_chars", [2] * 5),
    ],
)
def test_C_24_C_25_C_26_pages_and_search(setting: str, values: list[Any]):
    assert of(setting) == values


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("policy.durability", ["commit", "commit", "write_behind", "commit", "write_behind"]),
        ("limits.messages_per_min", [60, 60, 60, 60, 30]),
        ("limits.requests_per_min", [300, 300, 100, 300, 300]),
        ("limits.max_payload_bytes", [10_000_000] * 5),
        ("connections.max_per_user", [10, 10, 10, 10, 5]),
        ("connections.heartbeat_s", [30] * 5),
        (
            "auth.token_sources",
            [["hello"], ["hello", "query"], ["hello", "header"], ["hello"], ["hello", "query"]],
        ),
    ],
)
def test_C_28_C_30_C_31_C_34_C_37_C_52_connections(setting: str, values: list[Any]):
    assert of(setting) == values


def test_C_53_what_users_are_shown_of_one_another():
    """CONV-19. The id comes with everything else."""
    usual = ("name", "avatar", "role")
    assert of("policy.user_fields") == [
        usual,
        ("email", "first_name", "last_name", "role"),
        usual,
        ("name", "email", "role"),
        ("username", "display_name", "avatar_url"),
    ]


def test_C_32_C_33_C_51_what_the_shipped_client_does_if_not_told_otherwise():
    """For stayeasy it is told so: `Client(…, backoff=linear)`; see tests/scenarios."""
    bounds = exponential()
    assert [next(bounds) for _ in range(6)] == [1, 2, 4, 8, 16, 30]
    assert (CALL_TIMEOUT, RETRIES) == (10, 3)


def test_what_only_one_product_has():
    rental, *_, tuggroups = (Settings(profile=profile) for profile in NAMES)
    assert rental.policy.title_template == "{members}"
    assert rental.policy.permission_table["change_settings"] == "member"
    assert tuggroups.policy.permission_table["edit_without_window"] == "admin"
    assert Settings(profile="petsocial").tls.min == "1.3"


@pytest.mark.parametrize("profile", NAMES)
def test_a_profile_holds_only_what_differs(profile: str):
    for section, values in read(file_of(profile)).items():
        default: BaseModel = getattr(Settings(), section)
        chosen: BaseModel = getattr(Settings(profile=profile), section)
        same = [name for name in values if getattr(chosen, name) == getattr(default, name)]
        assert same == []
    assert Settings(profile=profile).policy.profile == profile


# What goes before it.


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(
        "[policy]\nmax_chars = 1\nmax_pins = 1\nmax_mentions = 1\nmax_forwards = 1\n"
        '[policy.permissions]\npin_messages = "member"\nadd_members = "member"\n'
    )
    return file


def test_SEC_14_defaults_then_profile_then_file_then_environment_then_flags(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "palaver.toml"
    config.write_text(
        f'profile = "{mine}"\n[policy]\nmax_pins = 2\nmax_mentions = 2\nmax_forwards = 2\n'
        '[policy.permissions]\nadd_members = "nobody"\n'
    )
    monkeypatch.setenv("PALAVER_POLICY__MAX_MENTIONS", "3")
    monkeypatch.setenv("PALAVER_POLICY__MAX_FORWARDS", "3")
    policy = Settings.load(config, policy={"max_forwards": 4}).policy
    assert (policy.max_title_chars, policy.max_chars) == (200, 1)
    assert (policy.max_pins, policy.max_mentions, policy.max_forwards) == (2, 3, 4)
    assert policy.permissions == {"pin_messages": "member", "add_members": "nobody"}


def test_a_profile_is_named_by_a_flag_before_the_environment_before_the_file(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "palaver.toml"
    config.write_text('profile = "rental"\n')
    assert Settings.load(config).policy.profile == "rental"
    monkeypatch.setenv("PALAVER_PROFILE", "stayeasy")
    assert Settings.load(config).policy.profile == "stayeasy"
    assert Settings().policy.profile == "stayeasy"
    assert Settings.load(config, profile=mine).policy.max_chars == 1
    assert Settings(profile=str(mine)).policy.max_chars == 1


async def test_an_embedded_engine_takes_one():
    async with memory_engine(profile="rental") as engine:
        assert engine.settings.policy.format == "markdown"


def test_a_window_without_end_is_said_in_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PALAVER_POLICY__EDIT_WINDOW_S", "none")
    assert Settings().policy.edit_window_s is None


# What can be wrong with it.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[policy]\nmax_char = 1\n", "no setting policy.max_char. Did you mean policy.max_chars?"),
        ("[polizy]\n", "no setting polizy. Did you mean policy?"),
        ("[policy]\nmax_chars = 0\n", "setting policy.max_chars: Input should be greater than or"),
        ("[policy]\nedit_window_s = -1\n", "setting policy.edit_window_s: Input should be greater"),
        (
            '[policy]\nreactions = "some"\n',
            "setting policy.reactions: Input should be 'off', 'any' or 'listed'",
        ),
        (
            '[policy.permissions]\npin_messages = "king"\n',
            "setting policy.permissions.pin_messages: Input should be 'member', 'moderator',",
        ),
        (
            '[policy.permissions]\npin_messages = "owner"\n',
            "setting policy: permissions.pin_messages: there is no role 'owner' here",
        ),
        ('profile = "rental"\n', "setting profile: a profile cannot name another one"),
        ("[policy\n", "is not TOML: Expected"),
    ],
)
def test_a_mistake_is_told_with_file_setting_and_what_is_allowed(
    tmp_path: Path, text: str, says: str
):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ProfileError) as error:
        Settings(profile=file)
    assert str(error.value).startswith(f"profile {file}")
    assert says in str(error.value)


def test_a_profile_that_cannot_be_read(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(ProfileError, match="cannot be read"):
        Settings(profile=file)


def test_a_profile_that_there_is_not_is_told_with_those_that_there_are():
    with pytest.raises(ProfileError) as error:
        Settings(profile="rentals")
    assert "there is no profile 'rentals'" in str(error.value)
    assert all(name in str(error.value) for name in NAMES)
    with pytest.raises(ProfileError):
        Settings(profile="./rental")
