"""What the server says is what docs/asyncapi.yaml describes: every item that a device or a phone of
the tests is told is held to that, and the test that saw another one fails.

Stricter than the document, for which a client must expect fields that it does not know: events,
signals, user events, errors and the `ok` of a Reply may have no others here. What lies inside of an
`ok`, such as a message with all that it may hold, may.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from jsonschema_rs import Draft7Validator

from palaver.engine.testing import Device

PROBLEMS: list[str] = []
"""Of the test that runs."""


class Listener:
    """What one client asked, so that it is known what its Replies answer."""

    def __init__(self) -> None:
        self._asked: dict[Any, str] = {}

    def asks(self, id: Any, kind: str) -> None:
        if id is not None:
            self._asked[id] = kind

    def hears(self, item: dict[str, Any]) -> None:
        name = item["t"]
        if name == "reply":
            asked = self._asked.get(item.get("id"))
            if "error" in item:
                name = "error"
            elif asked is None:
                return  # of whoever asked under an id of which nothing was noted
            else:
                name = f"{asked}.reply"
        elif name == "goodbye":
            name = "server.goodbye"
        if (validator := _validator(name)) is None:
            PROBLEMS.append(f"{name} is not described")
        elif not validator.is_valid(item):
            problems = [f"{each.instance_path}: {each}" for each in validator.iter_errors(item)]
            PROBLEMS.append(f"{name} is described otherwise: {problems[:3]} in {item}")


class _Items(list[dict[str, Any]]):
    """Of a `Device`."""

    def __init__(self) -> None:
        super().__init__()
        self.listener = Listener()

    def extend(self, items: Iterable[dict[str, Any]]) -> None:
        for item in items:
            self.append(item)
            self.listener.hears(item)


def watch() -> None:
    """From now on whatever a `Device` is told."""
    made, submitted = Device.__init__, Device.submit

    def init(self: Device, *args: Any, **more: Any) -> None:
        made(self, *args, **more)
        items = _Items()
        items.extend(self.items)
        self.items = items

    def submit(self: Device, kind: str, *args: Any, **more: Any) -> None:
        if isinstance(self.items, _Items):
            self.items.listener.asks(more.get("id"), kind)
        submitted(self, kind, *args, **more)

    Device.__init__ = init  # type: ignore[method-assign]
    Device.submit = submit  # type: ignore[method-assign]


@cache
def _components() -> dict[str, Any]:
    from palaver.tests.docs.asyncapi import document  # half a second, for those who need it

    components: dict[str, Any] = document()["components"]
    return components


@cache
def _validator(name: str) -> Draft7Validator | None:
    from palaver.tests.docs.asyncapi import push_name
    from palaver.tests.docs.schemas import references, whole

    message = _components()["messages"].get(push_name(name))
    if message is None:
        return None
    schema = whole(message["payload"], _components()["schemas"])
    if not name.endswith(".reply"):
        return Draft7Validator(closed(schema))
    schemas = schema["components"]["schemas"]
    for answer in references(message["payload"]):
        schemas[answer] = {"additionalProperties": False, **schemas[answer]}
    return Draft7Validator(schema)


def closed(schema: Any) -> Any:
    """Without room for fields that are not described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: closed(each) for key, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        told.setdefault("additionalProperties", False)
    return told
