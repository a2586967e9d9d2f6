"""A user with many conversations opens the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..case import Case, Scale
from ..figures import Figures
from ..lines import close, people
from ..palaver_dialect import ask
from ..requests import requests
from ..target import Target

PAGE = 50
_CHANGED = 10


def cases(scale: Scale) -> list[Case]:
    return [Case("inbox", {"conversations": 1000}, measure, scale.seconds / 3, postgres=True)]


def measure(target: Target, case: Case) -> list[Figures]:
    """The newest page of the inbox; all of its pages; and what has changed since a cursor."""
    count = case.number("conversations")
    lines = people(target, 1)
    try:
        line = lines[0]
        friends = [user for user, _ in target.tokens.users(count + 1)][1:]

        def greet(friend: str, text: str) -> None:
            ask(line, {"t": "message.send", "id": friend, "d": {"to": friend, "text": text}})

        for friend in friends:
            greet(friend, "hello")
        cursor = ask(line, {"t": "sync.changes", "id": "cursor", "d": {}})["ok"]["cursor"]
        changed = friends[:_CHANGED]
        for friend in changed:
            greet(friend, "again")

        def first() -> dict[str, Any]:
            return {"t": "conversation.list", "d": {"limit": PAGE}}

        def since() -> dict[str, Any]:
            return {"t": "sync.changes", "d": {"cursor": cursor}}

        def rows(expected: int) -> Callable[[dict[str, Any]], str | None]:
            def check(ok: dict[str, Any]) -> str | None:
                got = len(ok["conversations"])
                # What changed may be told more than once.
                return None if got >= expected else f"{got} conversations instead of {expected}"

            return check

        return [
            requests(target, case, line, "first page", first, rows(min(PAGE, count))),
            requests(target, case, line, "what changed", since, rows(len(changed))),
        ]
    finally:
        close(lines)
