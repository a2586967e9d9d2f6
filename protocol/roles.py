"""Who may do what in a conversation: one table, role by permission (GRP-04, GRP-05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from .errors import Rejected

if TYPE_CHECKING:
    from .state import ConversationState, Member

Role = Literal["member", "admin"]
Permission = Literal[
    "send_messages",
    "add_members",
    "remove_members",
    "change_roles",
    "change_settings",
    "delete_any_message",
    "pin_messages",
    "announce",
]

RANK: Mapping[Role, int] = {"member": 0, "admin": 1}

PERMISSIONS: Mapping[Permission, Role] = {
    "send_messages": "member",
    "add_members": "admin",
    "remove_members": "admin",
    "change_roles": "admin",
    "change_settings": "admin",
    "delete_any_message": "admin",
    "pin_messages": "admin",
    "announce": "admin",
}
"""The least role that holds the permission, in groups."""

DIRECT_PERMISSIONS = frozenset[Permission]({"send_messages", "pin_messages"})
"""What both sides of a direct conversation may do; the rest makes no sense between two."""


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
    return RANK[member.role] >= RANK[PERMISSIONS[permission]]


def require(state: ConversationState, user: str, permission: Permission) -> Member:
    """The caller's membership if it carries `permission`, or PERMISSION_DENIED."""
    member = require_member(state, user)
    if not may(state, member, permission):
        raise Rejected("PERMISSION_DENIED", details={"permission": permission})
    return member
