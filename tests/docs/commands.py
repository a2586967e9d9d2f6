"""What the docs tell to type, held to the programs that it is typed for: commands and options of
`palaver`, targets and variables of the Makefile, extras of setup.cfg, addresses of the server."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

from jsonschema_rs import Draft202012Validator
from typer.main import get_command

from palaver.gateway.cli import app
from palaver.tests.docs.blocks import ROOT
from palaver.tests.docs.openapi import FILE

Told = list[str]
SEPARATORS: Final = {"|", "||", "&&", ";", "(", ")"}
OTHERS: Final = {"cd", "echo", "git", "jq", "tail"}
"""Whose own documentation tells of them."""


def commands(text: str) -> Iterator[Told]:
    """The simple commands of a script, also those within `$(…)`, without assignments before."""
    text = re.sub(r"\\\n\s*", " ", text)
    for line in text.splitlines():
        for inner in re.findall(r"\$\((.*?)\)", line):
            yield from commands(inner)
        words = shlex.shlex(
            re.sub(r"\$\(.*?\)", "$inner", line), posix=True, punctuation_chars=True
        )
        words.whitespace_split = True
        command: Told = []
        for word in [*words, ";"]:
            if word not in SEPARATORS:
                command.append(word)
                continue
            while command and (command[0] == "export" or re.match(r"[A-Z_]+=", command[0])):
                del command[0]
            if command:
                yield command
            command = []


def check(command: Told, *, whole: bool = True) -> None:
    """AssertionError if there is no such thing; without `whole` it need only be a beginning."""
    name = command[0].removeprefix(".venv/bin/")
    assert name in CHECKS or name in OTHERS, f"{name} is not known to tests/docs/commands.py"
    if name in CHECKS:
        CHECKS[name](command[1:], whole)


@cache
def palaver() -> Any:
    """All of its commands, those of other packages included."""
    for entry in entry_points(group="palaver.commands"):
        app.command(entry.name)(entry.load())
    return get_command(app)


def leaves() -> Iterator[tuple[str, Any]]:
    """Its commands by name, such as `jobs list`."""

    def below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        if not hasattr(command, "commands"):
            yield name, command
        for inner, each in getattr(command, "commands", {}).items():
            yield from below(each, f"{name} {inner}".strip())

    return below(palaver(), "")


def _of_palaver(words: Told, whole: bool) -> None:
    command, named = palaver(), "palaver"
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        named += f" {words[0]}"
        command = command.commands.get(words.pop(0))
        assert command is not None, f"there is no `{named}`"
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    for word in words:
        name = word.partition("=")[0]
        assert not word.startswith("-") or name in options, f"{named} has no {name}"
    if whole:
        command.make_context(named, words).close()


def _of_make(words: Told, whole: bool) -> None:
    text = (ROOT / "Makefile").read_text()
    for word in words:
        name, given, _ = word.partition("=")
        known = rf"^{name} \?=|\$\{{{name}:-" if given else rf"^{name}:"
        assert re.search(known, text + (ROOT / ".ci/venv").read_text(), re.M), f"make has no {name}"


def _of_pip(words: Told, whole: bool) -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert words[0] == "install"
    for extras in re.findall(r"palaver\[(.*?)\]", " ".join(words)):
        assert set(extras.split(",")) <= set(config["options.extras_require"])


def _of_npm(words: Told, whole: bool) -> None:
    scripts = json.loads((ROOT / "clients/js/package.json").read_text())["scripts"]
    name = words[1] if words[0] == "run" else words[0]
    assert name in {*scripts, "ci", "pack"}, f"there is no `npm run {name}`"


def _of_curl(words: Told, whole: bool) -> None:
    (address,) = [word for word in words if re.match(r"https?://", word)]
    body = words[words.index("--json") + 1] if "--json" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if body else "GET"
    told = check_endpoint(method, re.sub(r"^https?://[^/]*|\?.*", "", address))
    if body is not None:
        schema = told["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": _openapi()["components"]})
        assert validator.is_valid(json.loads(body)), f"{method} {address} takes no {body}"


def _of_pytest(words: Told, whole: bool) -> None:
    for word in words:
        assert word.startswith("-") or (ROOT / word).exists(), f"there is no {word}"


@cache
def _openapi() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(FILE.read_text())
    return whole


def check_endpoint(method: str, path: str) -> dict[str, Any]:
    """What is said of it; AssertionError if there is none."""
    for shown, operations in _openapi()["paths"].items():
        if method.lower() in operations and re.fullmatch(re.sub(r"{\w+}", "[^/]+", shown), path):
            told: dict[str, Any] = operations[method.lower()]
            return told
    raise AssertionError(f"there is no {method} {path}")


CHECKS: Final[dict[str, Callable[[Told, bool], None]]] = {
    "palaver": _of_palaver,
    "make": _of_make,
    "pip": _of_pip,
    "npm": _of_npm,
    "curl": _of_curl,
    "pytest": _of_pytest,
}
