"""Of what docs/asyncapi.yaml is made: JSON Schemas of models, items and messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter

from palaver.gateway.rest.answers import example
from palaver.gateway.rest.like import Time
from palaver.protocol.commands import Command
from palaver.protocol.events import Payload

SCHEMAS: Final = "#/components/schemas/"

TEXT: Final[dict[str, Any]] = {"type": "string"}
WHOLE: Final[dict[str, Any]] = {"type": "integer"}
TIME: Final[dict[str, Any]] = {"type": "integer", "description": "Milliseconds since 1970, UTC"}
SEQ: Final[dict[str, Any]] = {"type": "integer", "minimum": 1}
ID: Final[dict[str, Any]] = {"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 64}]}
CONVERSATION: Final[dict[str, Any]] = {"type": "string", "maxLength": 64}


def of_command(kind: type[Command], schemas: dict[str, Any]) -> dict[str, Any]:
    whole = kind.model_json_schema(ref_template=SCHEMAS + "{model}")
    schemas.update(clean(whole.pop("$defs", {})))
    made: dict[str, Any] = clean(whole)
    made.pop("description", None)
    return made


def of_payload(kind: type[Payload], schemas: dict[str, Any]) -> dict[str, Any]:
    """What is None is left out, so nothing is null, and what has a default is always there."""
    whole = TypeAdapter(kind).json_schema(ref_template=SCHEMAS + "{model}")
    schemas.update(clean(whole.pop("$defs", {})))
    required: list[str] = []
    properties: dict[str, Any] = {}
    for name, field in whole.get("properties", {}).items():
        told = {key: value for key, value in field.items() if key != "default"}
        kinds = [each for each in told.pop("anyOf", ()) if each != {"type": "null"}]
        if len(kinds) == 1:
            told |= kinds[0]
        elif kinds:
            told["anyOf"] = kinds
        if "default" not in field or field["default"] is not None:
            required.append(name)
        properties[name] = clean(told)
    made: dict[str, Any] = {"type": "object", "properties": properties}
    return {**made, "required": required} if required else made


def ref(name: str) -> dict[str, Any]:
    return {"$ref": SCHEMAS + name}


def record(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Without `required` all of them are."""
    named = list(required or properties)
    return {"type": "object", "properties": properties, "required": named}


def item(kind: str, *, required: tuple[str, ...] = (), **keys: Any) -> dict[str, Any]:
    return record({"t": {"const": kind}, **keys}, "t", *required)


def message(name: str, about: str, item: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = about.partition("\n\n")
    made: dict[str, Any] = {"name": name, "summary": " ".join(summary.split())}
    if rest:
        made["description"] = rest
    return {**made, "payload": item}


def clean(value: Any) -> Any:
    """Without the titles that pydantic gives, which say nothing."""
    if isinstance(value, list):
        return [clean(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: clean(each) for name, each in inner.items()}
        if key == "properties"
        else clean(inner)
        for key, inner in value.items()
        if key not in ("title", "discriminator")
    }


def in_ms(value: Any) -> Any:
    """REST tells times in ISO 8601, the socket in milliseconds."""
    if isinstance(value, list):
        return [in_ms(each) for each in value]
    if isinstance(value, dict):
        if value.get("format") == "date-time":
            return TIME
        return {key: in_ms(each) for key, each in value.items()}
    return 1_769_860_800_000 if value == example(Time()) else value


def references(value: Any) -> Iterator[str]:
    """Names of schemas, and other references as they are."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].removeprefix(SCHEMAS)
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def whole(payload: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """`payload` with those of `schemas` that it refers to, and no others."""
    used: dict[str, Any] = {}
    wanted = list(references(payload))
    while wanted:
        if (name := wanted.pop()) not in used:
            used[name] = schemas[name]
            wanted += references(used[name])
    return {**payload, "components": {"schemas": used}}
