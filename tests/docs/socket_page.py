"""docs/socket.md: docs/asyncapi.yaml for people, as tables. `make asyncapi` writes both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from palaver.tests.docs.schemas import SCHEMAS
from palaver.tests.docs.tables import anchor, table, type_of

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
            link = f"[{told.removeprefix(SCHEMAS)}](#{anchor(told)})" if told else type_of(answer)
            yield f"`ok` of its reply: {link}\n"
    yield "## What the server says\n"
    for name in ("welcome", "pong", "error", *pushed):
        yield from _message(name, messages[name], schemas)
    yield "## What they are made of\n"
    payloads = {name for each in messages.values() if (name := _of(each.get("payload"), "d"))}
    for name, schema in schemas.items():
        if name not in payloads:
            yield f'### <a id="{anchor(name)}"></a>{name}\n'
            if about := schema.get("description"):
                yield f"{about}\n"
            yield from table(schema)
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
    yield from table(schemas.get(_of(item, "d"), payload))
    for example in message.get("examples", ())[:1]:
        yield f"```json\n{json.dumps(example['payload'], ensure_ascii=False)}\n```\n"


def _of(item: Any, key: str) -> str:
    """The name of the schema of one key of an item."""
    told: str = (item or {}).get("properties", {}).get(key, {}).get("$ref", "")
    return told.removeprefix(SCHEMAS)
