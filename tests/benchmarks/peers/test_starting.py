"""Whether a peer can run here is told beforehand, in words; what it needs is installed whole."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from palaver.benchmarks.peers import PEERS, fastapi_peer, npm
from palaver.benchmarks.peers.json_chat import JsonChat
from palaver.benchmarks.peers.process import running
from palaver.benchmarks.peers.redis import Redis
from palaver.benchmarks.peers.socketio import SocketIo


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory of programs, empty at first; the cache is another one."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "package"), [("socketio", "nodejs"), ("ws", "nodejs"), ("redis", "redis-server")]
)
def test_a_peer_without_its_program_says_how_to_get_it(
    name: str, package: str, programs: Path
) -> None:
    missing = PEERS[name].missing()
    assert missing is not None
    assert "apt-get install" in missing
    assert package in missing


def test_a_peer_without_its_python_packages_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fastapi_peer, "PACKAGES", ("asyncpg", "no-such-package"))
    missing = PEERS["fastapi"].missing()
    assert missing is not None
    assert "no-such-package" in missing
    assert "palaver[peers]" in missing


def test_an_old_node_is_refused(programs: Path) -> None:
    script(programs / "npm", "exit 0")
    script(programs / "node", "echo v16.20.2")
    missing = npm.missing()
    assert missing is not None
    assert "16.20.2" in missing
    script(programs / "node", "echo v18.0.0")
    assert npm.missing() is None


def test_packages_are_installed_once_beside_the_programs(programs: Path) -> None:
    script(programs / "npm", "echo x >> calls; test $1 = ci")
    directory = npm.install()
    assert directory == npm.install() == npm.cache()
    assert (directory / "calls").read_text() == "x\n"
    assert (directory / "ws.js").read_text() == (npm.SOURCES / "ws.js").read_text()


def test_a_failed_installation_leaves_nothing_and_tells_what_npm_said(programs: Path) -> None:
    script(programs / "npm", "echo 'npm error no route to the registry' >&2; exit 1")
    with pytest.raises(RuntimeError, match="no route to the registry"):
        npm.install()
    assert not list(npm.cache().parent.iterdir())


def test_a_program_that_ends_is_an_error() -> None:
    command = [sys.executable, "-c", ""]
    with pytest.raises(RuntimeError, match="ended"), running("x", Redis(), command, None, ""):
        pass


@pytest.mark.parametrize("dialect", [JsonChat(), SocketIo(ordered=False), Redis()])
def test_a_dialect_can_be_sent_to_the_generator(dialect: object) -> None:
    assert pickle.loads(pickle.dumps(dialect)) == dialect
