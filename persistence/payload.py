"""The payload of an event as it is stored: its text in a place of its own, so that it can be erased
and searched, and the rest as one JSON object.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..protocol.events import Event, EventData
from ..protocol.features import EVENTS
from ..protocol.features.edits import MessageEdited
from ..protocol.features.restores import MessageRestored

_ADAPTERS = {name: TypeAdapter(kind) for name, kind in EVENTS.items()}
CONTENT = sorted({"text"}.union(*(kind.content for kind in EVENTS.values())))
"""Names of whatever goes when a message does, in an event or in an overlay."""
SAYING = [MessageEdited.name, MessageRestored.name]
"""Kinds of events after which a message says something else than before."""
_NEED_TEXT = {
    name
    for name, kind in EVENTS.items()
    if any(field.name == "text" and field.default is MISSING for field in fields(kind))
}


class UnreadableEvent(Exception):
    """The log holds what this version cannot read: an unknown kind, or fields it does not know.

    Written by a newer version, or by a feature that is gone. It is never skipped over: a state
    without it would differ from the one that members have seen.
    """

    def __init__(self, kind: str, conversation: str, seq: int, problem: str) -> None:
        super().__init__(f"event {seq} of {conversation}, a {kind!r}: {problem}")
        self.kind = kind
        self.conversation = conversation
        self.seq = seq


def split(data: EventData) -> tuple[str | None, dict[str, Any] | None]:
    """The text and the rest of a payload; None where there is nothing to store."""
    fields = data.fields()
    return fields.pop("text", None), fields or None


def join(
    kind: str, text: str | None, rest: dict[str, Any] | None, conversation: str, seq: int
) -> EventData:
    """The inverse of `split`; `conversation` and `seq` are for the error, `UnreadableEvent`.

    A text that was erased is empty, not absent: the state machine still replays the event.
    """
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        raise UnreadableEvent(kind, conversation, seq, "unknown kind")
    payload = rest or {}
    if text is not None:
        payload["text"] = text
    elif kind in _NEED_TEXT:
        payload["text"] = ""
    try:
        return adapter.validate_python(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableEvent(kind, conversation, seq, f"{where}: {first['msg']}") from None


def subject(event: Event) -> tuple[str, int] | None:
    """Id and seq of the message that `event` is or changes; None if it is about no message."""
    return (event.id, event.seq) if event.data.is_message else event.data.target
