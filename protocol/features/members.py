"""Joining, leaving and ranks of a group (GRP-02, 04, 05, 07, 08, 09, 11, 13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from pydantic import Field

from ..aloof import check_reach
from ..commands import Context, DurableCommand, Effect, Needs, Query
from ..errors import Rejected, invalid
from ..events import Event, EventData
from ..ids import HOST, UserId
from ..immutable import immutable
from ..policy import Policy
from ..roles import RANK, Permission, Role, require, require_member, require_over
from ..state import ConversationState, Member


def _require(state: ConversationState, context: Context, permission: Permission) -> Member | None:
    """The caller's membership, or None for the host, who may change any members there are to
    change. Those of an external group only the host does (GRP-16)."""
    _not_direct(state)
    if context.user == HOST:
        return None
    _not_external(state)
    return require(state, context.user, permission)


def _not_direct(state: ConversationState) -> None:
    if state.kind == "direct":
        raise Rejected("PERMISSION_DENIED", "The members of a direct conversation are fixed.")


def _not_external(state: ConversationState) -> None:
    if state.kind == "external_group":
        raise Rejected("PERMISSION_DENIED", "Only the host says who is in this conversation.")


# An event that was decided and could not be stored leaves others behind it that were decided upon
# it. So these apply to whatever state they meet: who is a member already stays one, and who is none
# is neither removed nor given a role.


def _is_last(state: ConversationState, user: str, policy: Policy) -> bool:
    """Whether nobody but `user` has the highest role."""
    highest = policy.highest_role
    return [each for each, member in state.members.items() if member.role == highest] == [user]


@immutable
class MemberAdded(EventData):
    """New members see the conversation from this event on (HIST-11) and start with 0 unread."""

    name: ClassVar[str] = "member.added"
    is_system: ClassVar[bool] = True

    users: list[str]
    role: Role = "member"

    def apply(self, state: ConversationState, event: Event) -> None:
        for user in self.users:
            member = state.members.setdefault(user, Member())
            if member.role is None:
                member.join(self.role, event.seq, state.number, event.at)
                state.member_count += 1

    def members(self) -> tuple[str, ...]:
        return tuple(self.users)


class AddMembers(DurableCommand):
    """Users who are members already are passed over."""

    name: ClassVar[str] = "member.add"
    host_may: ClassVar[bool] = True

    users: list[UserId] = Field(min_length=1, max_length=1000)

    @property
    def recipients(self) -> Sequence[str]:
        return self.users

    def needs(self, state: ConversationState) -> Needs:
        return Needs(people=tuple(self.users))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _require(state, context, "add_members")
        new = [
            user
            for user in dict.fromkeys(self.users)
            if user not in state.members or state.members[user].role is None
        ]
        if not new:
            return
        if state.member_count + len(new) > context.policy.max_members:
            raise Rejected("GROUP_FULL", details={"max_members": context.policy.max_members})
        check_reach(context, new)
        yield MemberAdded(users=new)


@immutable
class MemberRemoved(EventData):
    """`user` is out: this is the last event they see. `by` = `user` means that they left."""

    name: ClassVar[str] = "member.removed"
    is_system: ClassVar[bool] = True

    user: str

    def apply(self, state: ConversationState, event: Event) -> None:
        member = state.members.get(self.user)
        if member is not None and member.role is not None:
            member.role = None
            member.intervals[-1][1] = event.seq
            state.member_count -= 1

    def members(self) -> tuple[str, ...]:
        return (self.user,)


class RemoveMember(DurableCommand):
    """Somebody of a lower role than one's own, or anybody for whoever has the highest."""

    name: ClassVar[str] = "member.remove"
    host_may: ClassVar[bool] = True

    user: UserId

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        caller = _require(state, context, "remove_members")
        if self.user == context.user:
            raise invalid("user", "use conversation.leave for yourself")
        role = _role(state, self.user)
        if caller is not None:
            require_over(caller, role, context.policy)
        yield MemberRemoved(user=self.user)


def _role(state: ConversationState, user: str) -> Role:
    member = state.members.get(user)
    if member is None or member.role is None:
        raise Rejected("USER_NOT_FOUND", "Not a member.", details={"user": user})
    return member.role


class LeaveConversation(DurableCommand):
    """The last one of the highest role must confirm, if there are others, and passes it on: to the
    longest-standing member of the highest role among those."""

    name: ClassVar[str] = "conversation.leave"
    while_locked: ClassVar[bool] = True

    confirm: bool = False

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _not_direct(state)
        _not_external(state)
        require_member(state, context.user)
        if state.member_count > 1 and _is_last(state, context.user, context.policy):
            if not self.confirm:
                raise Rejected("LAST_ADMIN")
            successor = _successor(state, context.user)
            yield MemberRoleChanged(user=successor, role=context.policy.highest_role)
        yield MemberRemoved(user=context.user)


def _successor(state: ConversationState, leaver: str) -> str:
    """Among equals, the first by user id: the order in which they were named does not outlive a
    snapshot."""

    def place(user: str) -> tuple[int, int, str]:
        member = state.members[user]
        return -RANK[member.role or "member"], member.intervals[-1][0] or 0, user

    return min((user for user in state.current_members() if user != leaver), key=place)


@immutable
class MemberRoleChanged(EventData):
    name: ClassVar[str] = "member.role_changed"
    is_system: ClassVar[bool] = True

    user: str
    role: Role

    def apply(self, state: ConversationState, event: Event) -> None:
        member = state.members.get(self.user)
        if member is not None and member.role is not None:
            member.role = self.role

    def members(self) -> tuple[str, ...]:
        return (self.user,)


class ChangeRole(DurableCommand):
    """From and to a role lower than one's own, or any for whoever has the highest (GRP-11)."""

    name: ClassVar[str] = "member.set_role"
    host_may: ClassVar[bool] = True

    user: UserId
    role: Role

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        caller = _require(state, context, "change_roles")
        if self.role not in context.policy.roles:
            raise invalid("role", f"must be one of {', '.join(context.policy.roles)}")
        role = _role(state, self.user)
        if role == self.role:
            return
        if caller is not None:
            if self.user != context.user:
                require_over(caller, role, context.policy)
            require_over(caller, self.role, context.policy)
        if _is_last(state, self.user, context.policy):
            raise Rejected("LAST_ADMIN", f"Somebody has to be {role}.")
        yield MemberRoleChanged(user=self.user, role=self.role)


class ListMembers(Query):
    """Members with roles, in order of user id, by pages; `prefix` narrows to ids beginning so."""

    name: ClassVar[str] = "member.list"
    host_may: ClassVar[bool] = True

    prefix: str = Field(default="", max_length=128)
    after: UserId | None = None
    limit: int = Field(default=100, ge=1, le=500)
