"""The command line's errors are sentences, and its small commands do what they say."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jwt
import pytest
from typer.testing import CliRunner

from palaver.engine.profiles import NAMES
from palaver.engine.settings import Settings
from palaver.gateway.cli import app, development
from palaver.gateway.cli.access import access
from palaver.gateway.cli.announcement import announcement
from palaver.gateway.cli.options import load_settings
from palaver.gateway.cli.words import Problem
from palaver.gateway.listening import Listening

SECRET = "s" * 32
NOWHERE = ("--token", "t", "--url", "ws://127.0.0.1:1")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No configuration but what the test gives, and no key that a server here has made."""
    monkeypatch.setenv("PALAVER_STORAGE__DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def refused(*args: object) -> str:
    """What is said when the command is refused: a sentence, no traceback, status 2."""
    status, out, err = run(*args)
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    return err


def test_the_version() -> None:
    status, out, _ = run("--version")
    assert (status, out.split()[0]) == (0, "palaver")


def test_it_runs_as_a_program() -> None:
    code = "import sys; from palaver.gateway.cli import main; sys.argv = ['palaver', '-V']; main()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "No such option: -V" in ran.stderr


def test_help_names_every_command() -> None:
    _, out, _ = run("--help")
    for command in (
        "serve",
        "chat",
        "tail",
        "send",
        "token",
        "migrate",
        "spool",
        "config",
        "doctor",
    ):
        assert f"  {command} " in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("send", "hello"), "to whom? Say either --to USER or --conversation ID."),
        (("send", "hello", "--to", "bob", "--conversation", "c"), "to whom?"),
        (("tail", "--with", "bob", "--conversation", "c"), "choose one of"),
        (("tail", "--after", 3, "--as", "ann"), "--after is a position in one conversation"),
        (("tail", "--as", "ann"), "there is no development server on this machine"),
        (("tail",), "who are you? Say --as NAME, or give a --token."),
        (("tail", "--token", "t", "--url", "http://x"), "not a WebSocket URL"),
        (("tail", *NOWHERE), "no connection to ws://127.0.0.1:1: connection refused."),
        (("send", "hello", "--to", "bob", *NOWHERE), "no connection to ws://127.0.0.1:1: "),
    ],
)
def test_what_a_script_says_wrong_is_explained(
    home: Path, args: tuple[object, ...], words: str
) -> None:
    assert words in refused(*args)


@pytest.mark.parametrize(
    ("wrong", "right"), [("srve", "serve"), ("tokn", "token"), ("configure", "config")]
)
def test_a_wrong_command_suggests_the_right_one(wrong: str, right: str) -> None:
    assert f"'{right}'" in refused(wrong)


def test_the_printed_configuration_is_toml_and_loads_back_equal(home: Path) -> None:
    status, out, _ = run("config")
    assert status == 0
    path = home / "palaver.toml"
    path.write_text(out, "utf-8")
    assert Settings.load(path) == Settings()
    parsed = tomllib.loads(out)
    assert parsed["listen"]["port"] == 8765
    for field in Settings.model_fields.values():
        for name in getattr(field.annotation, "model_fields", ()):
            assert f"\n{name} = " in out or f"\n# {name} =\n" in out


def test_flags_go_before_the_environment_before_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "palaver.toml"
    path.write_text("[listen]\nport = 1\nhttp_port = 1\nbacklog = 1\n", "utf-8")
    monkeypatch.setenv("PALAVER_LISTEN__PORT", "2")
    monkeypatch.setenv("PALAVER_LISTEN__HTTP_PORT", "2")
    listen = load_settings(path, listen={"port": 3, "host": None}).listen
    assert (listen.port, listen.http_port, listen.backlog) == (3, 2, 1)
    assert listen.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[listen]\nprot = 1\n", "there is no setting listen.prot. Did you mean listen.port?"),
        ("[lisden]\nport = 1\n", "there is no setting lisden. Did you mean listen?"),
        ("[listen]\nport = 99999\n", "setting listen.port: Input should be less than or equal"),
        ("[listen]\nport = 'x'\n", "setting listen.port: Input should be a valid integer"),
        ("[listen\n", "is not TOML: Expected"),
    ],
)
@pytest.mark.parametrize("command", [("serve", "--memory"), ("token", "ann"), ("migrate",)])
def test_a_bad_configuration_is_named(
    home: Path, text: str, says: str, command: tuple[str, ...]
) -> None:
    path = home / "palaver.toml"
    path.write_text(text, "utf-8")
    assert says in refused(*command, "--config", path)


def test_help_names_every_profile(home: Path) -> None:
    for command in ("serve", "doctor"):
        _, out, _ = run(command, "--help")
        words = out.replace(",", " ").split()
        assert {"--profile", *NAMES} <= set(words)


def test_a_profile_lies_below_the_configuration(home: Path) -> None:
    path = home / "palaver.toml"
    path.write_text("[policy]\nmax_pins = 7\n", "utf-8")
    policy = load_settings(path, profile="rental", policy={"durability": None}).policy
    assert (policy.durability, policy.max_chars, policy.max_pins) == ("commit", 2000, 7)


@pytest.mark.parametrize(("profile", "chats"), [("tutoring", True), ("rental", False)])
def test_what_to_try_is_what_the_product_has(profile: str, chats: bool) -> None:
    sections: dict[str, Any] = {"storage": {"memory": True}, "listen": {"development": True}}
    here = Listening("127.0.0.1", 1, "127.0.0.1", 2, lambda user, ttl_s: f"token of {user}")
    said = announcement(Settings(profile=profile, **sections), here)
    assert f" as {profile}, " in said
    assert ("chat --as ann --with bob" in said) == chats
    assert "token of ann" in said


def test_a_bad_profile_is_named(home: Path) -> None:
    said = refused("serve", "--memory", "--profile", "rentals")
    assert "there is no profile 'rentals'" in said
    path = home / "mine.toml"
    path.write_text("[policy]\nreactions = 'some'\n", "utf-8")
    said = refused("serve", "--memory", "--profile", path)
    assert f"profile {path}: setting policy.reactions: Input should be 'off'" in said


def test_a_configuration_that_is_not_there(home: Path) -> None:
    assert "there is no file nowhere.toml" in refused("serve", "--config", "nowhere.toml")


def test_a_misspelt_variable_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALAVER_LISTEN__PROT", "1")
    assert "PALAVER_LISTEN__PROT" in refused("serve", "--memory")


def test_serving_others_without_a_secret_is_refused(home: Path) -> None:
    said = refused("serve", "--memory", "--host", "0.0.0.0")
    assert "0.0.0.0 can be reached from elsewhere" in said
    assert "PALAVER_AUTH__SECRET" in said
    assert "PALAVER_AUTH__SECRET" in refused("serve", "--memory", "--no-dev")


def test_a_token_is_good_for_who_and_how_long_it_says(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = run("token", "ann", "--secret", SECRET, "--ttl", "15m")
    claims = jwt.decode(out.strip(), SECRET, algorithms=["HS256"])
    assert (status, claims["sub"], claims["exp"] - claims["iat"]) == (0, "ann", 900)
    monkeypatch.setenv("PALAVER_AUTH__SECRET", SECRET)
    monkeypatch.setenv("PALAVER_AUTH__AUDIENCE", "chat")
    _, out, _ = run("token", "bob")
    assert jwt.decode(out.strip(), SECRET, algorithms=["HS256"], audience="chat")["sub"] == "bob"


def test_a_token_that_cannot_be_made_says_why(home: Path) -> None:
    assert "no secret to sign with" in refused("token", "ann")
    assert "at least 32 bytes" in refused("token", "ann", "--secret", "short")
    assert "is no user id" in refused("token", " ann", "--secret", SECRET)
    assert "90s, 15m, 1h or 30d" in refused("token", "ann", "--secret", SECRET, "--ttl", "soon")


def test_the_development_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    assert development.find(tmp_path) is None
    key = development.make()
    development.keep(key, tmp_path)
    development.keep(development.make(), tmp_path)
    assert development.find(tmp_path) == key
    assert (tmp_path / development.FILE).stat().st_mode & 0o777 == 0o600


def test_a_development_key_that_is_none_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / development.FILE).write_bytes(b"\xff")
    with pytest.raises(Problem, match="cannot be read"):
        development.find(tmp_path)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "who are you?"),
        (("--as", "ann"), "no development server on this machine"),
        (("--as", "ann", "bob"), "--with"),
        (("--as", "ann", "--with", "bob", "--group", "Team"), "choose one"),
        (("--as", "ann", "--url", "http://host"), "not a WebSocket URL"),
    ],
)
def test_a_chat_that_cannot_begin_says_why(home: Path, args: tuple[str, ...], says: str) -> None:
    assert says in refused("chat", *args, "--data", home)


def test_a_token_may_come_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALAVER_TOKEN", "from the environment")
    options = (None, None, None, home)
    assert access(None, None, *options).token == "from the environment"
    assert access(None, "given", *options).token == "given"
    with pytest.raises(Problem, match="no development server"):
        access("ann", None, *options)


def test_memory_has_nothing_to_migrate(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALAVER_STORAGE__MEMORY", "1")
    assert "nothing to migrate" in refused("migrate")
