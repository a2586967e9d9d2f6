"""What the actors ask of the product that they serve, the host; the adapters are in `engine/host/`.

Without a port nothing is asked, and all goes on as if the host agreed. What a port was told lately
is at hand; the rest takes as long as the host takes, so it is awaited outside of conversations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol


class Users(Protocol):
    """Who there is, and what they may see of one another (CONV-19, CONV-23)."""

    def are_there(self, users: Collection[str]) -> bool:
        """Whether all of them are known to be there and active; otherwise `require` them."""
        ...

    async def require(self, users: Collection[str]) -> None:
        """Raise USER_NOT_FOUND unless all of them are there and active. While the host cannot be
        asked: UNAVAILABLE, or nothing, as the settings say."""
        ...

    def are_known(self, users: Iterable[str]) -> bool:
        """Whether what is to be shown of them is at hand, and recent; otherwise `learn` it."""
        ...

    async def learn(self, users: Collection[str]) -> None:
        """Have at hand what is to be shown of them. Raises UNAVAILABLE."""
        ...

    def shown(self, users: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of `users` who are there, with what others may see of them, as far as it is at
        hand."""
        ...

    async def search(self, user: str, text: str, limit: int) -> list[str]:
        """Whom `user` finds by `text`, at most `limit`, in the host's order. Raises
        FEATURE_DISABLED or UNAVAILABLE."""
        ...

    def invalidate(self, user: str | None) -> None:
        """What is at hand of `user`, or of all, is not so any more."""
        ...


class Premium(Protocol):
    """Who has a valid subscription (GRP-14, SEC-12), by the host's last word, as far as that is at
    hand. What is not at hand counts as the settings say for when the host is away."""

    def is_premium(self, user: str) -> bool:
        """Whether `user` has one, at this moment. It is never waited for (SEND-17)."""
        ...

    def has_history(self, user: str) -> bool:
        """Whether with it their history has no limit (HIST-10)."""
        ...

    def until(self, user: str) -> int | None:
        """When it lapses by itself, or did, in milliseconds; None: never, or there is none."""
        ...

    def is_at_hand(self, user: str) -> bool:
        """Whether the host has said anything of `user`, however long ago."""
        ...

    def is_recent(self, user: str) -> bool:
        """Whether that was a short time ago."""
        ...

    async def learn(self, users: Collection[str]) -> None:
        """Have the host's word at hand, and recent. Raises UNAVAILABLE."""
        ...

    def invalidate(self, user: str | None) -> None:
        """What is at hand of `user`, or of all, is not so any more."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """The ports; None for what the product has not said how to ask."""

    users: Users | None = None
    premium: Premium | None = None
