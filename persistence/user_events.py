"""A private change as it is stored, and back."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..protocol.features import USER_EVENTS
from ..protocol.personal import UserEventData
from .payload import UnreadableEvent

REMEMBERED = [name for name, kind in USER_EVENTS.items() if kind.remembered]
"""The kinds that `Personal` is made of."""

_ADAPTERS = {name: TypeAdapter(kind) for name, kind in USER_EVENTS.items()}


def read(kind: str, data: dict[str, Any], user: str, n: int) -> UserEventData:
    """Raises `UnreadableEvent` for what this version does not know."""
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        raise UnreadableEvent(kind, f"the log of {user}", n, "unknown kind")
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        problem = str(error.errors(include_url=False, include_input=False)[0]["msg"])
        raise UnreadableEvent(kind, f"the log of {user}", n, problem) from None
