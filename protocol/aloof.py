"""What is left of what people do in a direct conversation in which one keeps the other out.

It is decided like anything else, so the answers are the same; then it is made silent, or nothing at
all. For whoever is kept out the other one is as somebody who has gone away (REQ-08, 09, 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .commands import Context, Effect, Emit, Hide, MoveMark, Show
from .errors import Rejected
from .events import EventData
from .ids import HOST
from .state import ConversationState

_TELLING = (MoveMark, Emit, Show, Hide)


def kept_apart(
    state: ConversationState, context: Context, effects: Iterable[Effect]
) -> Iterator[Effect]:
    """What takes place of the `effects` of what the user does, or PERMISSION_DENIED.

    For whoever is kept out the same is done as if they were not, but that the other one hears
    nothing of it: they could tell from how long an answer takes (REQ-09).
    """
    user = context.user
    own, other = state.aloof.get(user), _keeping_out(state, user)
    forbidden = (
        other is not None
        and context.policy.blocks == "forbidden"
        and state.aloof[other].bar == "blocked"
    )
    for effect in effects:
        if isinstance(effect, EventData):
            if own is not None and own.bar == "blocked":
                raise Rejected("PERMISSION_DENIED", "Unblock this user first.")
            if forbidden:
                raise Rejected("PERMISSION_DENIED")
            yield effect
        elif not isinstance(effect, _TELLING):
            yield effect
        elif own is None:  # nothing of who keeps the other out shows, be it a request
            yield effect if other is None else effect.kept_from(other)


def heard_by(state: ConversationState, user: str, data: EventData) -> tuple[str, ...] | None:
    """Who hears of `data`, which `user` does: nobody but they, if the other one keeps them out; but
    what is to be gone is gone for both, and so is it there again."""
    other = _keeping_out(state, user)
    if other is None or data.erases or data.restores or not state.aloof[other].silent:
        return None
    return (user,)


def _keeping_out(state: ConversationState, user: str) -> str | None:
    """Who keeps `user` out; nobody the host."""
    if user == HOST:
        return None
    for name in state.aloof:
        if name != user:
            return name
    return None


def check_reach(context: Context, users: Iterable[str]) -> None:
    """PERMISSION_DENIED if the caller and one of `users`, of whom they want something, have
    blocked one another: the same as for anything else that is not allowed (REQ-09, ERR-04)."""
    standings = (context.people.get(user) for user in users) if context.people else ()
    for standing in standings:
        if standing is not None and "blocked" in (standing.bars, standing.barred):
            raise Rejected("PERMISSION_DENIED")
