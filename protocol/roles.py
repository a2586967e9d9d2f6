"""Who may do what in a conversation: roles in order, and one table, permission by least role.

A product chooses which of the roles there are (`Policy.roles`). Their order is always the same, so
one that a product has dropped since still ranks among those that it has (GRP-04, GRP-05, C-16).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from .errors import Rejected

if TYPE_CHECKING:
    from .policy import Policy
    from .state import ConversationState, Member

Role = Literal["member", "moderator", "admin", "owner"]
Least = Literal["member", "moderator", "admin", "owner", "nobody"]
Permission = Literal[
    "send_messages",
    "add_members",
    "remove_members",
    "change_roles",
    "change_settings",
    "delete_any_message",
    "pin_messages",
    "edit_without_window",
    "lock_conversation",
    "announce",
]
Who = Literal["everyone", "admins"]

RANK: Mapping[Least, int] = {role: rank for rank, role in enumerate(get_args(Least))}

PERMISSIONS: Mapping[Permission, Least] = {
    "send_messages": "member",
    "add_members": "admin",
    "remove_members": "admin",
    "change_roles": "admin",
    "change_settings": "admin",
    "delete_any_message": "admin",
    "pin_messages": "moderator",
    "edit_without_window": "nobody",
    "lock_conversation": "admin",
    "announce": "admin",
}
"""The least role that holds the permission, in all but direct conversations, unless
`Policy.permissions` says otherwise."""

DIRECT_PERMISSIONS = frozenset[Permission]({"send_messages", "pin_messages"})
"""What both sides of a direct conversation may do; the rest makes no sense between two."""

GROUP_SETTINGS: Mapping[Permission, str] = {
    "send_messages": "who_may_send",
    "add_members": "who_may_add",
}
"""Permissions that a group may give to others than the product does (GRP-06)."""

_LEAST: Mapping[Who, Role] = {"everyone": "member", "admins": "admin"}


def require_member(state: ConversationState, user: str) -> Member:
    """The caller's membership, or PERMISSION_DENIED (CONV-18)."""
    member = state.members.get(user)
    if member is None or member.role is None:
        raise Rejected("PERMISSION_DENIED")
    return member


def may(state: ConversationState, member: Member, permission: Permission) -> bool:
    if member.role is None:
        return False
    if state.kind == "direct":
        return permission in DIRECT_PERMISSIONS
    least = state.permissions[permission]
    settings: Mapping[str, Who] | None = state.slices.get("settings")
    if settings and (who := settings.get(GROUP_SETTINGS.get(permission, ""))):
        least = _LEAST[who]
    return RANK[member.role] >= RANK[least]


def require(state: ConversationState, user: str, permission: Permission) -> Member:
    """The caller's membership if it carries `permission`, or PERMISSION_DENIED."""
    member = require_member(state, user)
    if not may(state, member, permission):
        raise Rejected("PERMISSION_DENIED", details={"permission": permission})
    return member


def require_over(member: Member, role: Role, policy: Policy) -> None:
    """PERMISSION_DENIED unless `member` ranks above `role`, or as high as one can: so nobody gives
    a role at or above their own, or takes it from somebody (GRP-11)."""
    own = member.role or "member"
    if own != policy.highest_role and RANK[own] <= RANK[role]:
        raise Rejected("PERMISSION_DENIED", details={"role": role})
