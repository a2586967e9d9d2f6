"""What the actors ask of the product that they serve, the host; the adapters are in `engine/host/`.

Without a port nothing is asked, and all goes on as if the host agreed. What a port was told lately
is at hand; the rest takes as long as the host takes, so it is awaited outside of conversations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..protocol.events import Event
from ..protocol.people import Relation
from ..protocol.roles import Role
from .turns import Turns

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


class Relations(Protocol):
    """Who follows whom (REQ-01, REQ-02). Asked only when two users begin a conversation."""

    async def find(self, user: str, other: str) -> Relation:
        """How `user` is related to `other`. Raises UNAVAILABLE."""
        ...

    def invalidate(self, user: str | None) -> None:
        """What is at hand of `user` and anybody else, or of all, is not so any more."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for `user`, who is away, as `message.history` would show it to them. `id` is the
    same whenever the host is told of this message for this user."""

    id: str
    user: str
    conversation: str
    message: Mapping[str, Any]


class Delivery(Protocol):
    """Tells the product what waits for its users, so that it can push it (SEND-13)."""

    async def deliver(self, notice: Notice) -> None:
        """Return when the product has taken it. Raises UNAVAILABLE if it has not, and OVERLOADED if
        there was no use in trying."""
        ...


class Contexts(Protocol):
    """What conversations may be about, and who has to do with whom (CONV-24, C-46)."""

    def are_parties(self, users: Collection[str], about: Mapping[str, str]) -> bool:
        """Whether all of them are known to have a part in all that is in the context `about`;
        otherwise `require` it."""
        ...

    async def require(self, users: Collection[str], about: Mapping[str, str]) -> None:
        """Raise CONTEXT_FORBIDDEN unless all of them have. While the host cannot be asked:
        UNAVAILABLE, or nothing, as the settings say."""
        ...

    def are_related(self, user: str, others: Collection[str]) -> bool | None:
        """Whether `user` has an active relationship, such as a booking, with each of `others`; None
        if that is not at hand: `relate` them."""
        ...

    async def relate(self, user: str, others: Collection[str]) -> None:
        """Have at hand whether they are related, if the host says so in time. Raises nothing."""
        ...

    def invalidate(
        self, about: Mapping[str, str] | None, users: Collection[str] | None = None
    ) -> None:
        """What is at hand of these things, or of all if `users` is None, too, is not so any more;
        nor is who is related to `users`, or to whom anybody is."""
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


class Webhooks(Protocol):
    """Tells the product of stored events of the kinds in `events`, a conversation's in `turns`."""

    events: frozenset[str]
    turns: Turns

    async def tell(self, event: Event) -> None:
        """Return when the product has taken it. Raises UNAVAILABLE if it has not, and OVERLOADED if
        there was no use in trying."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """The ports; None for what the product has not said how to ask."""

    users: Users | None = None
    relations: Relations | None = None
    delivery: Delivery | None = None
    contexts: Contexts | None = None
    membership: Membership | None = None
    premium: Premium | None = None
    webhooks: Webhooks | None = None
