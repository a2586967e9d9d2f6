"""/openapi.json says what the endpoints do: schemathesis tries some thousand requests made from it.

By `make test-faces` alone, since it takes minutes. What it is not asked to check is that whatever
the schema allows is accepted: which types of messages there are, that two cursors exclude each
other, that a conversation is locked, no schema says.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from palaver.engine.sections import Auth
from palaver.gateway.auth import issue_token

SECRET = "s" * 32
SETTINGS = f"""
[listen]
port = 0
http_port = 0
[auth]
secret = "{SECRET}"
[limits]
messages_per_min = 0
requests_per_min = 0
[storage]
memory = true
[policy]
threads = true
blocks = "silent"
message_requests = true
receipts_optout = true
presence_optout = true
delete_recovery_days = 1
conversation_context = ["booking"]
message_context = ["booking"]
expose_edit_history = true
message_types = ["text", "poll", "announcement"]
[policy.templates]
hello = "Hello {{name}}"
"""
ENDS = "leave|requests"
"""What ends the membership that all else needs."""

pytestmark = [pytest.mark.faces, pytest.mark.timeout(900)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Its URL."""
    config = tmp_path / "palaver.toml"
    config.write_text(SETTINGS)
    code = "from palaver.gateway.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        said = (re.search(r"HTTP +(http://\S+)", line) for line in process.stdout)
        yield next(found[1] for found in said if found is not None)
    finally:
        process.kill()
        process.communicate()


def run(server: str, directory: Path, *more: str, parameters: dict[str, str]) -> None:
    """Raises, with all that it found, if that is anything."""
    lines = [f'"path.{name}" = "{value}"' for name, value in parameters.items()]
    config = directory / "schemathesis.toml"
    config.write_text("\n".join(["[parameters]", *lines]))
    token = issue_token(Auth.model_validate({"secret": SECRET}), "ann")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", config),
            *("run", f"{server}/openapi.json", "-H", f"Authorization: Bearer {token}"),
            *("--exclude-checks", "positive_data_acceptance", "--continue-on-failure"),
            *("--suppress-health-check", "all", "--no-color", "--max-examples", "20", *more),
        ],
        cwd=directory,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "palaver.tests.faces.hooks"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ERR_01_SEC_09_REST_01_schemathesis_finds_nothing(server: str, tmp_path: Path):
    token = issue_token(Auth.model_validate({"secret": SECRET}), "ann")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{server}/v1", headers=headers) as http:

        def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
            made: dict[str, Any] = http.post(path, json=body).raise_for_status().json()
            return made

        room = post("/conversations", {"kind": "group", "members": ["bob"]})["c"]
        message = post(f"/conversations/{room}/messages", {"text": "hi"})["id"]
    known = {"conversation": room, "message_id": message, "template": "hello", "user": "bob"}
    run(server, tmp_path, "--exclude-path-regex", ENDS, parameters=known)
    run(server, tmp_path, "--include-path-regex", ENDS, parameters=known)


def test_SEC_09_nor_does_it_where_nothing_is_there(server: str, tmp_path: Path):
    run(server, tmp_path, "--phases", "coverage", parameters={})
