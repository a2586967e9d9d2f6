"""JSON Schemas as tables, for the pages of reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from palaver.tests.docs.schemas import SCHEMAS

_UUID: Final = "^[0-9a-f]{8}-"
_FORMATS: Final = {"date-time": "time (ISO 8601)", "binary": "bytes"}


def table(schema: dict[str, Any]) -> Iterator[str]:
    """The fields of an object, those that may be missing in italics; nothing for other things."""
    if properties := schema.get("properties"):
        yield "| field | type | |\n|---|---|---|"
        for name, field in properties.items():
            yield f"| {_name(name, schema)} | {type_of(field)} | {about(field)} |"
        yield ""


def about(field: dict[str, Any]) -> str:
    """What is said of it, and its default, for a cell."""
    told = " ".join(field.get("description", "").split()).replace("|", "\\|")
    if (default := field.get("default")) is None:
        return told
    return f"{told} Default: `{json.dumps(default)}`".strip()


def type_of(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SCHEMAS)
        return f"[{name}](#{anchor(name)})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        shown = [f"`{each}`" for each in schema["enum"]]
        return " or ".join(shown) if len(shown) <= 12 else f"{', '.join(shown[:3])}, …"
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_of(each) for each in several))
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {type_of(schema.get('items', {}))}"
    if kind == "object":
        return _object(schema)
    if schema.get("pattern", "").startswith(_UUID):
        return "UUID"
    if (format := schema.get("format")) in _FORMATS:
        return _FORMATS[format]
    return f"{kind} ({told})" if (told := _bounds(schema)) else str(kind)


def _bounds(schema: dict[str, Any]) -> str:
    for unit, least, most in (("", "minimum", "maximum"), (" long", "minLength", "maxLength")):
        match schema.get(least), schema.get(most):
            case None, None:
                continue
            case None, high:
                return f"at most {high}{unit}"
            case low, None:
                return f"at least {low}{unit}"
            case low, high:
                return f"{low} to {high}{unit}"
    return ""


def _object(schema: dict[str, Any]) -> str:
    if isinstance(more := schema.get("additionalProperties"), dict):
        return f"map to {type_of(more)}"
    if names := schema.get("properties"):
        return f"({', '.join(_name(name, schema) for name in names)})"
    return "object"


def _name(name: str, schema: dict[str, Any]) -> str:
    return f"`{name}`" if name in schema.get("required", ()) else f"*`{name}`*"


def anchor(name: str) -> str:
    return "schema-" + name.removeprefix(SCHEMAS).lower().replace(".", "-")
