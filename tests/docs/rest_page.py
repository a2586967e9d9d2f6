"""docs/rest-reference.md: docs/openapi.json for people. `make openapi` writes both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from palaver.protocol.features import COMMANDS
from palaver.tests.docs.tables import about, anchor, table, type_of

PAGE: Final = Path(__file__).parents[2] / "docs/rest-reference.md"

HEAD: Final = """\
# REST reference

<!-- Made by `make openapi` from what the server serves; not to be edited. -->

Every endpoint, field by field, as [openapi.json](openapi.json) (OpenAPI 3.1) has it for programs; a
server has it at `/openapi.json`. What all of them have in common, who may ask, and how to repeat a
request: [rest.md](rest.md). Names in *italics* may be left out, or be missing in an answer. Bodies
and answers are shown as JSON; either may be msgpack. Every refusal is a
[Problem](#schema-problem), whose `code` is one of [these](protocol.md#9-error-codes). What your
product answers and tells by signed calls: [embedding](embedding.md#what-your-product-knows).
"""

_JSON: Final = "application/json"
_LAST: Final = ("service", "server")
Told = tuple[str, str, dict[str, Any]]
"""A method, a path, and what is said of the two."""


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sections(document)]) + "\n"


def _sections(document: dict[str, Any]) -> Iterator[str]:
    groups: dict[str, list[Told]] = {}
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            groups.setdefault(told["tags"][0], []).append((method.upper(), path, told))
    names = sorted(groups, key=lambda name: _LAST.index(name) if name in _LAST else -1)
    yield "| | endpoint | command |\n|---|---|---|"
    for name in names:
        for method, path, told in groups[name]:
            commands = ", ".join(f"`{each}`" for each in _commands(told))
            link = f"[{told['summary']}](#{told['operationId']})"
            yield f"| {link} | `{method} {path}` | {commands} |"
    for name in names:
        yield f"\n## {name.title()}\n"
        for told in groups[name]:
            yield from _endpoint(*told)
    yield "## What they are made of\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f'### <a id="{anchor(name)}"></a>{name}\n'
        if said := schema.get("description"):
            yield f"{said}\n"
        yield from table(schema)
        if examples := schema.get("examples"):
            yield from _example(examples[0])


def _commands(told: dict[str, Any]) -> list[str]:
    """What begins a paragraph of the description (`operation_of`)."""
    return re.findall(r"^`([a-z_]+\.[a-z_]+)`: ", told.get("description", ""), re.M)


def _endpoint(method: str, path: str, told: dict[str, Any]) -> Iterator[str]:
    yield f'### <a id="{told["operationId"]}"></a>`{method} {path}`\n'
    yield f"{told['summary']}.{_who(told)}\n"
    if about_it := told.get("description"):
        yield f"{_linked(about_it)}\n"
    if parameters := told.get("parameters"):
        yield "| parameter | in | type | |\n|---|---|---|---|"
        for each in parameters:
            name = f"`{each['name']}`" if each.get("required") else f"*`{each['name']}`*"
            said = each.get("description", "")
            if each.get("style") == "deepObject":
                said = f"As `{each['name']}[…]=…`"
            field = {**each["schema"], "description": said}
            yield f"| {name} | {each['in']} | {type_of(field)} | {about(field)} |"
        yield ""
    if body := told.get("requestBody"):
        yield from _body(body)
    yield f"Answers: {' · '.join(_answers(told['responses']))}\n"


def _who(told: dict[str, Any]) -> str:
    return " Asks for no token." if told.get("security") == [] else ""


def _linked(description: str) -> str:
    """With links to the commands in the reference of the socket; the host has some of its own."""

    def link(found: re.Match[str]) -> str:
        name = found[1]
        shown = (
            f"[`{name}`](socket.md#{name.replace('.', '')})" if name in COMMANDS else f"`{name}`"
        )
        return f"{shown}: {found[2]}" if found[2] else shown

    return re.sub(r"^`([a-z_]+\.[a-z_]+)`: ?(.*)", link, description, flags=re.M)


def _body(body: dict[str, Any]) -> Iterator[str]:
    content = body["content"].get(_JSON)
    if content is None:
        yield f"Body: {', '.join(f'`{type}`' for type in body['content'])}\n"
        return
    several = content["schema"].get("oneOf", [content["schema"]])
    for number, schema in enumerate(several):
        if not schema.get("properties"):
            continue
        yield f"{'or' if number else 'Body'}:\n" if body["required"] else "Body, if any:\n"
        yield from table(schema)
    if content.get("example"):
        yield from _example(content["example"])


def _answers(responses: dict[str, Any]) -> Iterator[str]:
    for status, response in sorted(responses.items()):
        if "$ref" in response:
            continue  # told for all of them together, below
        words = HTTPStatus(int(status)).phrase
        content = response.get("content", {})
        if _JSON not in content:
            told = ", ".join(f"`{type}`" for type in content)
        else:
            told = type_of(content[_JSON]["schema"])
        yield f"{status} {words}" + (f", {told}" if told else "")
    if "4XX" in responses:
        yield f"otherwise [Problem](#{anchor('Problem')})"


def _example(value: Any) -> Iterator[str]:
    yield f"```json\n{json.dumps(value, ensure_ascii=False)}\n```\n"
