"""What of an event is stored where, and how it comes back, with or without its content.

`text` has a place of its own, so that it can be erased and searched; the rest of the payload is
one JSON object. What is deleted comes back *redacted*: in its place, but without its content.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from ..protocol.events import Event, EventData
from ..protocol.features import EVENTS


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
    kind: str,
    text: str | None,
    rest: dict[str, Any] | None,
    *,
    redacted: bool,
    conversation: str,
    seq: int,
) -> EventData:
    """The inverse of `split`. Raises `UnreadableEvent`."""
    cls = EVENTS.get(kind)
    if cls is None:
        raise UnreadableEvent(kind, conversation, seq, "unknown kind")
    fields = dict(rest) if rest else {}
    if redacted:
        fields = {name: value for name, value in fields.items() if name not in cls.content}
    if "text" in cls.model_fields:
        # A redacted text is empty, not absent: the state machine still replays the event.
        fields["text"] = "" if redacted or text is None else text
    try:
        return cls.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableEvent(kind, conversation, seq, f"{where}: {first['msg']}") from None


def redact(event: Event) -> Event:
    """`event` without its content."""
    _, rest = split(event.data)
    data = join(
        event.kind, None, rest, redacted=True, conversation=event.conversation, seq=event.seq
    )
    return replace(event, data=data, redacted=True)


def subject(event: Event) -> tuple[str, int] | None:
    """Id and seq of the message that `event` is or changes; None if it is about no message."""
    return (event.id, event.seq) if event.data.is_message else event.data.target
