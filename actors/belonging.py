"""Who belongs to a group of the host's: the members that the log has, kept to the host's word.

What the host said of somebody lately is at hand, and compared with the log before each of their
commands. Where it says something else, the log is brought in line first; where nothing recent is at
hand, the host is asked outside of the conversation, while only that user waits (GRP-16).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..protocol.commands import Effect
from ..protocol.errors import Rejected
from ..protocol.events import EventData
from ..protocol.features.membership import SettleMembers, group_of
from ..protocol.ids import HOST
from ..protocol.roles import Role
from ..protocol.state import ConversationState
from .asker import Asker
from .host import Membership
from .ports import Conversations
from .replies import Asked
from .request import Request
from .resident import Resident


class Word:
    """The host's word on `users` of one group. While it cannot be had, members may stay what they
    are if the port `vouches` for them; nobody comes in."""

    def __init__(
        self, membership: Membership, group: str, users: Iterable[str], *, of_member: bool
    ) -> None:
        self.users = tuple(users)
        self._membership = membership
        self._pairs = [(group, user) for user in self.users]
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


class Belonging:
    """Of one conversation. Nobody is asked in here."""

    def __init__(self, membership: Membership | None) -> None:
        self._membership = membership
        self._host = Asker(HOST, 1)

    def unsettled(self, request: Asked, state: ConversationState) -> Word | None:
        """What has to be settled before `request` is looked at; None, nearly always: nothing."""
        membership = self._membership
        if membership is None or state.kind != "external_group":
            return None
        group, user, command = group_of(state), request.user, request.command
        if user == HOST:
            if isinstance(command, SettleMembers):
                return Word(membership, group, command.roles, of_member=False)
            return None
        pair, own = (group, user), _role(state, user)
        if membership.are_known((pair,)) and membership.role(pair, own) == own:
            return None
        return Word(membership, group, (user,), of_member=own is not None)

    def settling(self, word: Word, state: ConversationState) -> SettleMembers:
        """The command that makes the log say what `word` does, by what is at hand now."""
        assert self._membership is not None, "it gave the word"
        group, roles = group_of(state), dict[str, Role | None]()
        for user in word.users:
            own = _role(state, user)
            role = self._membership.role((group, user), own)
            if role != own:
                roles[user] = role
        return SettleMembers(roles=roles)

    def by_host(self, command: SettleMembers, conversation: str) -> Asked:
        """A request for `command` that nobody waits for."""
        return Request(self._host, command, None, conversation)

    def told(self, effects: Iterable[Effect], state: ConversationState) -> None:
        """The host itself has made a change: what it was heard to say before is not so any more."""
        if self._membership is None or state.kind != "external_group":
            return
        for effect in effects:
            for user in effect.members() if isinstance(effect, EventData) else ():
                self._membership.told((group_of(state), user), _role(state, user))


def _role(state: ConversationState, user: str) -> Role | None:
    member = state.members.get(user)
    return None if member is None else member.role
