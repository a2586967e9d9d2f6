"""Joining, leaving and ranks of a group (GRP-02, 04, 05, 07, 08, 09, 11, 13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Query
from ..errors import Rejected, invalid
from ..events import Event, EventData
from ..ids import UserId
from ..immutable import immutable
from ..roles import Role, require, require_member
from ..state import ConversationState, Member


def _groups_only(state: ConversationState) -> None:
    if state.kind != "group":
        raise Rejected("PERMISSION_DENIED", "The members of a direct conversation are fixed.")


# An event that was decided and could not be stored leaves others behind it that were decided upon
# it. So these apply to whatever state they meet: who is a member already stays one, and who is none
# is neither removed nor given a role.


def _admins(state: ConversationState) -> list[str]:
    return [user for user, member in state.members.items() if member.role == "admin"]


@immutable
class MemberAdded(EventData):
    """New members see the conversation from this event on (HIST-11) and start with 0 unread."""

    name: ClassVar[str] = "member.added"

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

    users: list[UserId] = Field(min_length=1, max_length=1000)

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _groups_only(state)
        require(state, context.user, "add_members")
        new = [
            user
            for user in dict.fromkeys(self.users)
            if user not in state.members or state.members[user].role is None
        ]
        if not new:
            return
        if state.member_count + len(new) > context.policy.max_members:
            raise Rejected("GROUP_FULL", details={"max_members": context.policy.max_members})
        yield MemberAdded(users=new)


@immutable
class MemberRemoved(EventData):
    """`user` is out: this is the last event they see. `by` = `user` means that they left."""

    name: ClassVar[str] = "member.removed"

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
    name: ClassVar[str] = "member.remove"

    user: UserId

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _groups_only(state)
        require(state, context.user, "remove_members")
        if self.user == context.user:
            raise invalid("user", "use conversation.leave for yourself")
        member = state.members.get(self.user)
        if member is None or member.role is None:
            raise Rejected("USER_NOT_FOUND", "Not a member.", details={"user": self.user})
        yield MemberRemoved(user=self.user)


class LeaveConversation(DurableCommand):
    """The last admin of others must confirm; the longest-standing member is then promoted."""

    name: ClassVar[str] = "conversation.leave"

    confirm: bool = False

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _groups_only(state)
        require_member(state, context.user)
        if _admins(state) == [context.user] and state.member_count > 1:
            if not self.confirm:
                raise Rejected("LAST_ADMIN")
            yield MemberRoleChanged(user=_successor(state, context.user), role="admin")
        yield MemberRemoved(user=context.user)


def _successor(state: ConversationState, leaver: str) -> str:
    """Who has been a member for longest; among equals, the first by user id (the order in which
    they were named does not outlive a snapshot)."""
    others = [user for user in state.current_members() if user != leaver]
    return min(others, key=lambda user: (state.members[user].intervals[-1][0] or 0, user))


@immutable
class MemberRoleChanged(EventData):
    name: ClassVar[str] = "member.role_changed"

    user: str
    role: Role

    def apply(self, state: ConversationState, event: Event) -> None:
        member = state.members.get(self.user)
        if member is not None and member.role is not None:
            member.role = self.role

    def members(self) -> tuple[str, ...]:
        return (self.user,)


class ChangeRole(DurableCommand):
    name: ClassVar[str] = "member.set_role"

    user: UserId
    role: Role

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _groups_only(state)
        require(state, context.user, "change_roles")
        member = state.members.get(self.user)
        if member is None or member.role is None:
            raise Rejected("USER_NOT_FOUND", "Not a member.", details={"user": self.user})
        if member.role == self.role:
            return
        if _admins(state) == [self.user]:
            raise Rejected("LAST_ADMIN", "A group keeps at least one admin.")
        yield MemberRoleChanged(user=self.user, role=self.role)


class ListMembers(Query):
    """Members with roles, in order of user id, by pages; `prefix` narrows to ids beginning so."""

    name: ClassVar[str] = "member.list"

    prefix: str = Field(default="", max_length=128)
    after: UserId | None = None
    limit: int = Field(default=100, ge=1, le=500)
