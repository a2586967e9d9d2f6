"""A group whose members the host knows, and under which id it knows the group (GRP-16)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..commands import Context, DurableCommand, Effect
from ..errors import Rejected
from ..ids import UserId
from ..roles import Role
from ..state import ConversationState, Slice
from .members import MemberAdded, MemberRemoved, MemberRoleChanged

GROUP: Slice[str | None] = Slice("group", lambda: None)
"""The client id under which the host has created it, if it gave one."""


def group_of(state: ConversationState) -> str:
    """What the host calls this group of its: the client id under which it has created it, or, if it
    gave none, the conversation's id."""
    return GROUP.of(state) or state.id


class SettleMembers(DurableCommand):
    """These users are what the host says: of such a role, or, None, no members. Of those who come
    in, as many do as there is room for; GROUP_FULL if that leaves nothing to do."""

    name: ClassVar[str] = "member.settle"
    host_only: ClassVar[bool] = True
    while_locked: ClassVar[bool] = True

    roles: dict[UserId, Role | None]

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        room = context.policy.max_members - state.member_count
        full, effects = False, list[Effect]()
        coming: dict[Role, list[str]] = {}
        for user, role in self.roles.items():
            member = state.members.get(user)
            own = None if member is None else member.role
            if role == own:
                continue
            if role is None:
                effects.append(MemberRemoved(user=user))
                room += 1
            elif own is not None:
                effects.append(MemberRoleChanged(user=user, role=role))
            else:
                coming.setdefault(role, []).append(user)
        for role, users in coming.items():
            full = full or len(users) > room
            if fitting := users[: max(room, 0)]:
                effects.append(MemberAdded(users=fitting, role=role))
                room -= len(fitting)
        if full and not effects:
            raise Rejected("GROUP_FULL", details={"max_members": context.policy.max_members})
        return effects
