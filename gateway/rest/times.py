"""Times by HTTP: ISO 8601 in UTC (REST-07), where the protocol has milliseconds since 1970.

Times are told by the names of their fields. What is the product's own, or has names that people
chose, is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_TIME: Final = re.compile(r"ts|at|until|seen|last_seen|\w+_at|\w+_until")
_OPAQUE: Final = frozenset({"metadata", "context", "reactions", "votes", "pins", "variables"})
_GIVEN: Final = frozenset({"send_at", "until", "muted_until", "before_time"})
_SEARCH: Final = frozenset({"after", "before"})
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ms: int) -> str:
    """Always with milliseconds, so that they sort as text."""
    return (_START + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")[:-6] + "Z"


def shown(value: Any) -> Any:
    """`value` as it is told: a time that is 0, which is none, as null."""
    if isinstance(value, list):
        return [shown(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    told: dict[str, Any] = {}
    for name, inner in value.items():
        if type(inner) is int:
            told[name] = (iso(inner) if inner else None) if _TIME.fullmatch(name) else inner
        elif name == "users" and isinstance(inner, Mapping):
            told[name] = {user: _of_user(facts) for user, facts in inner.items()}
        else:
            told[name] = inner if name in _OPAQUE else shown(inner)
    return told


def _of_user(facts: Any) -> Any:
    """The product's facts stay; only the presence of a user has a time."""
    if isinstance(facts, Mapping) and type(seen := facts.get("last_seen")) is int:
        return {**facts, "last_seen": iso(seen)}
    return facts


def is_time(command: str, field: str) -> bool:
    """Whether `field` of `command` may be given as ISO 8601, too."""
    return field in _GIVEN or (command == "message.search" and field in _SEARCH)


def read(command: str, payload: dict[str, Any]) -> dict[str, Any]:
    """`payload` as the protocol has it. What is no time stays, for the command to refuse."""
    return {
        name: _ms(value) if isinstance(value, str) and is_time(command, name) else value
        for name, value in payload.items()
    }


def _ms(text: str) -> Any:
    if not _ISO.fullmatch(text):
        return text
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return text
    return (at - _START) // timedelta(milliseconds=1)
