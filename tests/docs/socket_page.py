"""docs/socket.md: docs/asyncapi.yaml for people, as tables. `make asyncapi` writes both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from palaver.tests.docs.schemas import SCHEMAS

PAGE: Final = Path(__file__).parents[2] / "docs/socket.md"


HEAD: Final = """\
# Socket reference

<!-- Made by `make asyncapi` from the models; not to be edited. -->

Every item that travels over the WebSocket, field by field, as [asyncapi.yaml](asyncapi.yaml)
(AsyncAPI 3.0) has it for programs. What it all means, and how to stay in step:
[protocol.md](protocol.md). Fields in *italics* may be missing.
"""


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sections(document)]) + "\n"


def _sections(document: dict[str, Any]) -> Iterator[str]:
    messages, schemas = (document["components"][name] for name in ("messages", "schemas"))
    operations = document["operations"]
    asked = [name for name, each in operations.items() if each["action"] == "receive"]
    pushed = [each["$ref"].rpartition("/")[2] for each in operations["push"]["messages"]]
    yield "## What a client says\n"
    for name in asked:
        yield from _message(name, messages[name], schemas)
        if f"{name}.reply" in messages:
            answer = messages[f"{name}.reply"]["payload"]["properties"]["ok"]
            told = answer.get("$ref", "")
            link = f"[{told.removeprefix(SCHEMAS)}](#{_anchor(told)})" if told else _kind(answer)
            yield f"`ok` of its reply: {link}\n"
    yield "## What the server says\n"
    for name in ("welcome", "pong", "error", *pushed):
        yield from _message(name, messages[name], schemas)
    yield "## What they are made of\n"
    payloads = {name for each in messages.values() if (name := _of(each.get("payload"), "d"))}
    for name, schema in schemas.items():
        if name not in payloads:
            yield f'### <a id="{_anchor(name)}"></a>{name}\n'
            if about := schema.get("description"):
                yield f"{about}\n"
            yield from _fields(schema)
    yield "## Close codes\n\n| code | come back | reason |\n|---|---|---|"
    for each in document["channels"]["socket"]["x-close-codes"]:
        yield f"| {each['code']} | {'yes' if each['reconnect'] else 'no'} | {each['reason']} |"
    yield "\n## Error codes\n\n| code | HTTP | retryable | |\n|---|---|---|---|"
    for code, each in schemas["Error"]["x-errors"].items():
        again = "yes" if each["retryable"] else "no"
        yield f"| `{code}` | {each['http']} | {again} | {each['sentence']} |"


def _message(name: str, message: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{message['summary']}\n"
    if about := message.get("description"):
        yield f"{about}\n"
    item = message["payload"]
    if item.get("type") == "array":
        return
    keys = [key if key in item["required"] else f"*{key}*" for key in item["properties"]]
    yield f"Keys of the item: {', '.join(keys)}\n"
    payload = item["properties"].get("d", {})
    yield from _fields(schemas.get(_of(item, "d"), payload))
    for example in message.get("examples", ())[:1]:
        yield f"```json\n{json.dumps(example['payload'], ensure_ascii=False)}\n```\n"


def _of(item: Any, key: str) -> str:
    """The name of the schema of one key of an item."""
    told: str = (item or {}).get("properties", {}).get(key, {}).get("$ref", "")
    return told.removeprefix(SCHEMAS)


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    if properties := schema.get("properties"):
        yield "| field | type | |\n|---|---|---|"
        for name, field in properties.items():
            shown = f"`{name}`" if name in schema.get("required", ()) else f"*`{name}`*"
            about = " ".join(field.get("description", "").split()).replace("|", "\\|")
            yield f"| {shown} | {_kind(field)} | {about} |"
        yield ""


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SCHEMAS)
        return f"[{name}](#{_anchor(name)})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"][:12])
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_kind(each) for each in several)
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(more := schema.get("additionalProperties"), dict):
        return f"map to {_kind(more)}"
    bounds = [
        f"{sign} {schema[name]}"
        for name, sign in (
            ("minimum", "≥"),
            ("maximum", "≤"),
            ("minLength", "length ≥"),
            ("maxLength", "length ≤"),
            ("maxItems", "items ≤"),
        )
        if name in schema
    ]
    return f"{kind}, {', '.join(bounds)}" if bounds else str(kind)


def _anchor(name: str) -> str:
    return "schema-" + name.removeprefix(SCHEMAS).lower().replace(".", "-")
