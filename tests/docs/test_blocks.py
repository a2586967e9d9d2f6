"""Every block of code of the docs is held to what it is about: run, parsed or compared.

`text` is for what is shown, not for what is done; TypeScript is compiled by `make test-faces`.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest
import trio
from jsonschema_rs import Draft202012Validator

from palaver.engine import Engine, Settings
from palaver.gateway import serve
from palaver.gateway.rest.answers import CONVERSATION_ID, MESSAGE_ID
from palaver.tests.docs import asyncapi, openapi
from palaver.tests.docs.blocks import BLOCKS, PAGES, of
from palaver.tests.docs.commands import CHECKS, check, check_endpoint, commands, leaves
from palaver.tests.docs.running import run
from palaver.tests.docs.schemas import whole
from palaver.tests.docs.test_protocol_page import EXAMPLES
from palaver.tests.gateway.harness import settings
from palaver.tests.support.described import closed

KINDS = {"python", "sh", "toml", "json", "http", "hex", "ts", "text"}
SERVER = "ws://127.0.0.1:8765"
RUN = [sys.executable, "-W", "error", "-c"]


def each(language: str, *, beside: bool | None = None) -> pytest.MarkDecorator:
    """Every block of `language`; those alone that need a server `beside` them, or need none."""
    blocks = [block for block in of(language) if beside in (None, SERVER in block.text)]
    return pytest.mark.parametrize("block", blocks, ids=str)


def test_every_block_is_of_a_kind_that_is_checked():
    assert {str(block): block.language for block in BLOCKS if block.language not in KINDS} == {}


@each("python", beside=False)
def test_python_block_runs(block, tmp_path):
    """In a process of its own, as a reader would run it."""
    status, said = run(block.text, tmp_path)
    assert status == 0, said


@each("python", beside=True)
async def test_python_block_runs_beside_a_server(block):
    async with Engine(settings()) as engine, trio.open_nursery() as nursery:
        listening = await nursery.start(serve, engine)
        environment = {**os.environ, "TOKEN": listening.issue_token("ann")}
        program = block.text.replace(SERVER, listening.ws_url.removesuffix("/v1/ws"))
        done = await trio.run_process(
            [*RUN, program], env=environment, capture_stderr=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        nursery.cancel_scope.cancel()


@each("sh")
def test_shell_block_is_a_script_of_commands_that_there_are(block):
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in commands(block.text):
        check(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_text_are_there(page):
    for told in re.findall(
        r"(?<!`)`((?:\.venv/bin/)?(?:palaver|make) [a-z-][^`]*)`", page.read_text()
    ):
        for command in commands(told):
            check(command, whole=False)


@pytest.mark.parametrize(
    "wrong",
    [
        "palaver srve",
        "palaver serve --prot 1",
        "TOKEN=$(.venv/bin/palaver tokn ann)",
        "make tset",
        "make test AGRS=x",
        "pip install 'palaver[nothing]'",
        "npm run nothing",
        "curl http://127.0.0.1:8766/v1/nothing",
        "curl -X DELETE http://127.0.0.1:8766/v1/sync",
        ".venv/bin/pytest tests/nothing",
        "curl --json '{\"text\": 7}' http://127.0.0.1:8766/v1/messages",
        "echo on | some-program",
    ],
)
def test_a_wrong_command_is_found(wrong):
    with pytest.raises(AssertionError):
        check(list(commands(wrong))[-1])


def test_every_command_is_told_of():
    told = "".join(page.read_text() for page in PAGES if page.name != "commands.md")
    assert [name for name, _ in leaves() if f"palaver {name}" not in told] == []


@each("toml")
def test_toml_block_is_settings(block):
    Settings(**tomllib.loads(block.text))


@each("http")
def test_request_is_one_of_the_endpoints(block):
    for line in block.text.splitlines():
        method, path, *_ = line.split()
        check_endpoint(method, path)


Shapes = list[tuple[str, Draft202012Validator]]
"""By the `t` of an item, or by "", with no room for more than is described."""


@pytest.fixture(scope="module")
def by_socket() -> Shapes:
    components = asyncapi.document()["components"]
    shapes = [("", schema) for schema in components["schemas"].values()]
    for payload in (message["payload"] for message in components["messages"].values()):
        kind = payload.get("properties", {}).get("t", {}).get("const")
        shapes += [(kind, payload)] if kind else []
    return [(name, shape(each, components["schemas"])) for name, each in shapes]


@pytest.fixture(scope="module")
def by_http() -> list[Draft202012Validator]:
    document = json.loads(openapi.FILE.read_text())
    schemas = document["components"]["schemas"]
    bodies = [
        told["requestBody"]["content"]["application/json"]["schema"]
        for operations in document["paths"].values()
        for told in operations.values()
        if "application/json" in told.get("requestBody", {}).get("content", {})
    ]
    return [shape(each, schemas) for each in (*schemas.values(), *bodies)]


def shape(schema: dict[str, Any], schemas: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(closed(whole(schema, schemas)))


@each("json")
def test_json_block_is_as_it_is_described(block, by_socket, by_http):
    value = json.loads(block.text.replace("8a3f…", CONVERSATION_ID).replace("0193…", MESSAGE_ID))
    for told in value if isinstance(value, list) else [value]:
        if block.page.name.startswith("rest"):
            fitting = by_http
        else:
            fitting = [each for name, each in by_socket if name == told.get("t", "")]
        assert any(each.is_valid(told) for each in fitting), told


def test_hex_blocks_are_bytes_of_the_item_before():
    assert len(of("hex")) == len(EXAMPLES)


@each("text")
def test_what_is_shown_is_nothing_to_type(block):
    first = [line.split()[0].removeprefix(".venv/bin/") for line in block.text.splitlines()]
    assert not set(first) & (CHECKS.keys() | {"$", "#", "import", "python"})
