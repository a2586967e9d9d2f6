"""The envelope: one WebSocket message is a frame, a frame is one item or an array of items.

An item is a map with the keys of `Item`. Unknown keys of the envelope are ignored, so that it can
grow; unknown keys of a payload are refused, so that a typing error is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .values import BadFrame

VERSION: Final = 1
MAX_ITEMS: Final = 256
"""Items of one frame: as many as one connection may have in flight."""


@dataclass(slots=True)
class Item:
    """One inbound item. `kind` is a command's name or one of the connection's own kinds."""

    kind: str
    id: int | str | None
    conversation: str | None
    seq: int | None
    payload: dict[str, Any]
    version: int | None = None


def parse_frame(value: Any) -> list[Item]:
    """The items of a decoded frame, or `BadFrame` naming what is wrong with the first bad one."""
    if type(value) is list:
        if len(value) > MAX_ITEMS:
            raise BadFrame(f"more than {MAX_ITEMS} items in a frame")
        return [_parse_item(item) for item in value]
    return [_parse_item(value)]


def _parse_item(value: Any) -> Item:
    if type(value) is not dict:
        raise BadFrame("an item must be a map")
    kind = value.get("t")
    if type(kind) is not str or not 0 < len(kind) <= 64:
        raise BadFrame("t: must be a string of 1 to 64 characters")
    id = value.get("id")
    if id is not None and type(id) is not int and (type(id) is not str or len(id) > 64):
        raise BadFrame("id: must be an integer or a string of at most 64 characters")
    conversation = value.get("c")
    if conversation is not None and (type(conversation) is not str or len(conversation) > 64):
        raise BadFrame("c: must be a string of at most 64 characters")
    seq = value.get("seq")
    if seq is not None and (type(seq) is not int or seq < 0):
        raise BadFrame("seq: must be an integer, 0 or more")
    version = value.get("v")
    if version is not None and type(version) is not int:
        raise BadFrame("v: must be an integer")
    payload = value.get("d")
    if payload is None:
        payload = {}
    elif type(payload) is not dict:
        raise BadFrame("d: must be a map")
    return Item(kind, id, conversation, seq, payload, version)


def reply_ok(id: int | str, conversation: str | None, result: dict[str, Any]) -> dict[str, Any]:
    """The Reply to a command that was carried out."""
    item: dict[str, Any] = {"t": "reply", "id": id, "ok": result}
    if conversation is not None:
        item["c"] = conversation
    return item


def reply_error(id: int | str, conversation: str | None, error: dict[str, Any]) -> dict[str, Any]:
    """The Reply to a command that was not; `error` is `Rejected.payload()`."""
    item: dict[str, Any] = {"t": "reply", "id": id, "error": error}
    if conversation is not None:
        item["c"] = conversation
    return item
