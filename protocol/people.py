"""Who keeps whom out: blocks, restrictions, requests, and who may write to somebody (REQ).

In a direct conversation one side may be *aloof*: it has blocked or restricted the other, or has not
accepted that one's request. What an aloof user does there shows nowhere, and what is said to them
may be silent: for the sender all is as with somebody who is not looking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .errors import Rejected
from .immutable import immutable

Bar = Literal["blocked", "restricted"]
"""Blocked: nothing passes, in either direction. Restricted: what they say does not arrive."""
Level = Literal["everyone", "friends", "following", "no_one"]
"""Who may write to a user: anybody; who follows them and is followed by them; whom they follow."""
RequestStatus = Literal["pending", "declined"]
"""One that was accepted is a request no more."""


@immutable
class Barred:
    """How a user keeps somebody out; for that one they were online last at `seen` (ms)."""

    bar: Bar
    seen: int | None = None


@dataclass(slots=True)
class Aloof:
    """How one member of a direct conversation keeps the other out. `asked`: the request is one for
    its sender, too, and not only because it was never to arrive."""

    bar: Bar | None = None
    request: RequestStatus | None = None
    asked: bool = True

    @property
    def silent(self) -> bool:
        """Whether what the other one says does not arrive."""
        return self.bar is not None or self.request == "declined"


@immutable
class Relation:
    """Of one user to another, as the host knows it."""

    follows: bool = False
    followed: bool = False


@immutable
class Standing:
    """How somebody stands to a user who wants something of them.

    `bars`: they keep the user out, and were online last at `seen` (ms), as far as the user may
    know. `barred`: the user keeps them out. `messages_from`: who may write to them.
    """

    bars: Bar | None = None
    seen: int | None = None
    barred: Bar | None = None
    messages_from: Level = "everyone"
    relation: Relation = Relation()


def asks_first(standing: Standing) -> bool:
    """Whether a first message to them is a request, because its sender does not follow them
    (REQ-02); PRIVACY_DENIED if they want none (REQ-01, REQ-11).

    Blocks are not looked at: to whoever is blocked all must be as if they were not.
    """
    relation = standing.relation
    allowed = {
        "everyone": True,
        "friends": relation.follows and relation.followed,
        "following": relation.followed,
        "no_one": False,
    }
    if not allowed[standing.messages_from]:
        raise Rejected("PRIVACY_DENIED")
    return not relation.follows
