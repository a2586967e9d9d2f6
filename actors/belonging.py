"""Who belongs to a group of the host's: the members that the log has, kept to the host's word.

What the host said of somebody lately is at hand, and compared with the log before each of their
commands. Where it says something else, the log is brought in line first; where nothing recent is at
hand, the host is asked outside of the conversation, while only that user waits (GRP-16).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..protocol.commands import Effect
from ..protocol.errors import Rejected
from ..protocol.events import EventData
from ..protocol.features.membership import SettleMembers, group_of
from ..protocol.ids import HOST
from ..protocol.roles import Role
from ..protocol.state import ConversationState
from .host import Membership
from .ports import Conversations
from .replies import Asked
from .resident import Resident

_NOTHING: Final[Any] = object()


class Word:
    """The host's word on `users` of one group. While it cannot be had, members may stay what they
    are if the port `vouches` for them; nobody comes in."""

    def __init__(
        self, membership: Membership, group: str, users: Iterable[str], *, of_member: bool = False
    ) -> None:
        self._membership = membership
        self._pairs = [(group, user) for user in users]
        self._of_member = of_member
        self._done_without = False

    def missing(self, resident: Resident) -> bool:
        """Whether it must be asked for: also again, if it was invalidated on its way here."""
        return not (self._done_without or self._membership.are_known(self._pairs))

    async def fetch(self, store: Conversations) -> None:
        try:
            await self._membership.learn(self._pairs)
        except Rejected:
            if not (self._of_member and all(map(self._membership.vouches, self._pairs))):
                raise
            self._done_without = True

    def settling(self, state: ConversationState) -> SettleMembers:
        """The command that brings the log in line with what is at hand now."""
        roles: dict[str, Role | None] = {}
        for pair in self._pairs:
            own = _role(state, pair[1])
            role = self._membership.role(pair, own)
            if role != own:
                roles[pair[1]] = role
        return SettleMembers(roles=roles)


def unsettled(membership: Membership, request: Asked, state: ConversationState) -> Word | None:
    """What has to be settled before `request` is looked at; None, nearly always: nothing."""
    if state.kind != "external_group":
        return None
    group, user, command = group_of(state), request.user, request.command
    if user == HOST:
        if isinstance(command, SettleMembers):
            return Word(membership, group, command.roles)
        return None
    pair, own = (group, user), _role(state, user)
    if membership.role(pair, _NOTHING) == own:
        return None
    return Word(membership, group, (user,), of_member=own is not None)


def tell(membership: Membership, effects: Iterable[Effect], state: ConversationState) -> None:
    """The host itself has made a change: what it was heard to say before is not so any more."""
    if state.kind != "external_group":
        return
    for effect in effects:
        for user in effect.members() if isinstance(effect, EventData) else ():
            membership.told((group_of(state), user), _role(state, user))


def _role(state: ConversationState, user: str) -> Role | None:
    member = state.members.get(user)
    return None if member is None else member.role
