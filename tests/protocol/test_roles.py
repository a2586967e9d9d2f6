"""Who may do what (GRP-04, GRP-05)."""

from typing import get_args

import pytest

from palaver.protocol.errors import Rejected
from palaver.protocol.roles import (
    DIRECT_PERMISSIONS,
    PERMISSIONS,
    RANK,
    Permission,
    Role,
    may,
    require,
    require_member,
)
from palaver.protocol.state import ConversationState, Member

# GRP-05, by hand: the five of the requirements and our three more.
ADMINS_ONLY = {
    "add_members",
    "remove_members",
    "change_roles",
    "change_settings",
    "delete_any_message",
    "pin_messages",
    "announce",
}
EVERYBODY = {"send_messages"}


def group(**roles: Role | None) -> ConversationState:
    members = {user: Member(role, [[1, None]]) for user, role in roles.items()}
    return ConversationState("c", kind="group", seq=1, members=members)


def test_the_tables_cover_every_role_and_permission():
    assert set(PERMISSIONS) == set(get_args(Permission)) == ADMINS_ONLY | EVERYBODY
    assert set(RANK) == set(get_args(Role))
    assert set(PERMISSIONS) >= DIRECT_PERMISSIONS


@pytest.mark.parametrize("permission", get_args(Permission))
@pytest.mark.parametrize("role", ["admin", "member", None])
def test_GRP_05_role_by_permission(role: Role | None, permission: Permission):
    state = group(ann=role)
    allowed = role == "admin" or (role == "member" and permission in EVERYBODY)
    assert may(state, state.members["ann"], permission) == allowed
    if allowed:
        assert require(state, "ann", permission) is state.members["ann"]
    else:
        with pytest.raises(Rejected, match="PERMISSION_DENIED"):
            require(state, "ann", permission)


@pytest.mark.parametrize("permission", get_args(Permission))
def test_in_a_direct_conversation_both_sides_may_the_same(permission: Permission):
    state = group(ann="member", bob="member")
    state.kind = "direct"
    for member in state.members.values():
        assert may(state, member, permission) == (permission in {"send_messages", "pin_messages"})


def test_CONV_18_only_members_are_members():
    state = group(ann="member", gone=None)
    assert require_member(state, "ann") is state.members["ann"]
    for user in ("gone", "stranger"):
        with pytest.raises(Rejected, match="PERMISSION_DENIED"):
            require_member(state, user)


def test_who_has_left_may_nothing():
    state = group(ann=None)
    assert not any(may(state, state.members["ann"], each) for each in get_args(Permission))
