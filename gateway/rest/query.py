"""Fields of a command from a query string, where all is text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from ...protocol.commands import Command
from ...protocol.errors import invalid
from .endpoint import Endpoint

_INTEGER: Final = re.compile(r"-?\d{1,19}")
_MEMBER: Final = re.compile(r"(\w+)\[([^\[\]]*)\]")
_BOOLEANS: Final = {"true": True, "false": False}


@cache
def kind_of(command: type[Command], field: str) -> str:
    """The JSON type of `field`: string, integer, boolean, array or object."""
    schema = schema_of(command, field)
    for each in schema.get("anyOf", (schema,)):
        if (kind := each.get("type")) not in (None, "null"):
            return str(kind)
    return "string"


@cache
def _properties(command: type[Command]) -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = command.model_json_schema()["properties"]
    return properties


def schema_of(command: type[Command], field: str) -> dict[str, Any]:
    return _properties(command)[field]


def from_query(endpoint: Endpoint, items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A field of several values is repeated (`users=a&users=b`), one of names and values is written
    `context[booking]=100`. What is not of its type stays text, for the command to refuse."""
    fields: dict[str, Any] = {}
    for name, text in items:
        if member := _MEMBER.fullmatch(name):
            inner = fields.setdefault(member[1], {})
            if not isinstance(inner, dict) or member[2] in inner:
                raise invalid(member[1], "given twice")
            inner[member[2]] = text
            continue
        kind = _kind(endpoint, name)
        if kind == "array":
            fields.setdefault(name, []).append(text)
        elif name in fields:
            raise invalid(name[:100], "given twice")
        else:
            fields[name] = _value(kind, text)
    return fields


def _kind(endpoint: Endpoint, name: str) -> str:
    for command in endpoint.commands:
        if name in command.model_fields:
            return kind_of(command, name)
    return "string"


def _value(kind: str, text: str) -> Any:
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "boolean":
        return _BOOLEANS.get(text, text)
    return text
