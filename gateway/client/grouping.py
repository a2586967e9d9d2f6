"""Which messages belong together on a screen (MSG-31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Message = Mapping[str, Any]
"""As `message.history` serves it; of an event its `data`, with its `at` as `ts`."""


def grouped(messages: Iterable[Message], within_s: float = 300) -> list[list[Message]]:
    """Runs of consecutive messages of one sender, each at most `within_s` seconds after the one
    before it, in the given order. A message of the system, which has no `by`, stands alone."""
    groups: list[list[Message]] = []
    for message in messages:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and message.get("by") is not None
            and message.get("by") == last.get("by")
            and message["ts"] - last["ts"] <= within_s * 1000
        ):
            groups[-1].append(message)
        else:
            groups.append([message])
    return groups
