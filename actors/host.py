"""What the actors ask of the product that they serve, the host; the adapters are in `engine/host/`.

Without a port nothing is asked, and all goes on as if the host agreed. What a port was told lately
is at hand; the rest takes as long as the host takes, so it is awaited outside of conversations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ..protocol.roles import Role

Pair = tuple[str, str]
"""A group, by the id that the host has for it, and a user."""


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


class Membership(Protocol):
    """Who is in the host's groups, and as what (GRP-16)."""

    def are_known(self, pairs: Iterable[Pair]) -> bool:
        """Whether the host's word on all of them is at hand, and recent; otherwise `learn` it."""
        ...

    def role(self, pair: Pair, otherwise: Role | None) -> Role | None:
        """What the host says lately that the user is there, None for no member; `otherwise` if it
        says nothing."""
        ...

    def vouches(self, pair: Pair) -> bool:
        """Whether a member may stay one while the host cannot be asked: by its last word, however
        old, or as the settings say."""
        ...

    async def learn(self, pairs: Collection[Pair]) -> None:
        """Have the host's word on them at hand. Raises UNAVAILABLE."""
        ...

    def told(self, pair: Pair, role: Role | None) -> None:
        """The host has just said, by a command, that the user is this there."""
        ...

    def invalidate(self, group: str, users: Collection[str]) -> None:
        """What is at hand of these users, or if none are named of everybody in `group`, is not so
        any more. Raises FEATURE_DISABLED where there is nobody to ask about so many."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """The ports; None for what the product has not said how to ask."""

    users: Users | None = None
    membership: Membership | None = None
