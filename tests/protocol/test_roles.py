"""Who may do what (GRP-04, GRP-05, GRP-06, GRP-15, C-16)."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from palaver.protocol.errors import Rejected
from palaver.protocol.policy import Policy
from palaver.protocol.roles import (
    DIRECT_PERMISSIONS,
    GROUP_SETTINGS,
    PERMISSIONS,
    RANK,
    Least,
    Permission,
    Role,
    may,
    require,
    require_member,
    require_over,
)
from palaver.protocol.state import ConversationState, Member

# GRP-05 and GRP-15, by hand: the first column is who holds the permission besides those after it.
HOLDERS: dict[Permission, set[Role]] = {
    "send_messages": {"member", "moderator", "admin", "owner"},
    "add_members": {"admin", "owner"},
    "remove_members": {"admin", "owner"},
    "change_roles": {"admin", "owner"},
    "change_settings": {"admin", "owner"},
    "delete_any_message": {"admin", "owner"},
    "pin_messages": {"moderator", "admin", "owner"},
    "edit_without_window": set(),
    "lock_conversation": {"admin", "owner"},
    "announce": {"admin", "owner"},
}


def group(**roles: Role | None) -> ConversationState:
    members = {user: Member(role, [[1, None]]) for user, role in roles.items()}
    return ConversationState("c", kind="group", seq=1, members=members)


def test_the_tables_cover_every_role_and_permission():
    assert set(PERMISSIONS) == set(get_args(Permission)) == set(HOLDERS)
    assert set(RANK) == {*get_args(Role), "nobody"} == set(get_args(Least))
    assert set(PERMISSIONS) >= DIRECT_PERMISSIONS | GROUP_SETTINGS.keys()


@pytest.mark.parametrize("permission", get_args(Permission))
@pytest.mark.parametrize("role", [*get_args(Role), None])
def test_GRP_05_GRP_15_role_by_permission(role: Role | None, permission: Permission):
    state = group(ann=role)
    allowed = role in HOLDERS[permission]
    assert may(state, state.members["ann"], permission) == allowed
    if allowed:
        assert require(state, "ann", permission) is state.members["ann"]
    else:
        with pytest.raises(Rejected, match="PERMISSION_DENIED"):
            require(state, "ann", permission)


@pytest.mark.parametrize("role", get_args(Role))
def test_GRP_15_a_product_gives_a_permission_to_others(role: Role):
    policy = Policy(
        roles=("member", "moderator", "admin", "owner"),
        permissions={"edit_without_window": "admin", "send_messages": "nobody"},
    )
    state = group(ann=role)
    state.permissions = policy.permission_table
    assert may(state, state.members["ann"], "edit_without_window") == (role in {"admin", "owner"})
    assert not may(state, state.members["ann"], "send_messages")
    assert may(state, state.members["ann"], "pin_messages") == (role != "member"), "as it was"


@pytest.mark.parametrize("who", ["everyone", "admins"])
@pytest.mark.parametrize("role", get_args(Role))
@pytest.mark.parametrize("permission", get_args(Permission))
def test_GRP_06_what_a_group_says_goes_before_the_table(
    permission: Permission, role: Role, who: str
):
    state = group(ann=role)
    for name in GROUP_SETTINGS.values():
        state.slices["settings"] = {name: who, "description": "admins"}
        allowed = role in HOLDERS[permission]
        if GROUP_SETTINGS.get(permission) == name:
            allowed = who == "everyone" or role in {"admin", "owner"}
        assert may(state, state.members["ann"], permission) == allowed, name


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


# GRP-11.


@pytest.mark.parametrize("own", get_args(Role))
@pytest.mark.parametrize("other", get_args(Role))
def test_GRP_11_one_is_over_whoever_ranks_below_and_the_highest_over_all(own: Role, other: Role):
    policy = Policy(roles=get_args(Role))
    if own == "owner" or get_args(Role).index(own) > get_args(Role).index(other):
        require_over(Member(own), other, policy)
    else:
        with pytest.raises(Rejected, match="PERMISSION_DENIED"):
            require_over(Member(own), other, policy)


# GRP-04, C-16: what a product may choose.


def test_GRP_04_C_16_by_default_there_are_members_and_admins():
    assert (Policy().roles, Policy().highest_role) == (("member", "admin"), "admin")


def test_GRP_04_the_order_of_the_roles_is_always_the_same():
    policy = Policy(roles=("owner", "member", "admin", "member", "moderator"))
    assert policy.roles == get_args(Role)
    assert Policy(roles=("member",)).highest_role == "member"


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"roles": ["member", "king"]}, "roles"),
        ({"roles": ["admin"]}, "roles"),
        ({"roles": []}, "roles"),
        ({"permissions": {"pin_messages": "king"}}, "pin_messages"),
        ({"permissions": {"rule": "admin"}}, "rule"),
        ({"permissions": {"pin_messages": "owner"}}, "permissions.pin_messages"),
        ({"kinds": ["external_group"]}, "kinds"),
        ({"title_template": "{listing}"}, "title_template"),
        ({"title_template": "{"}, "title_template"),
        ({"title_template": "{}"}, "title_template"),
        ({"title_template": "{count:x}y{members.name}"}, "title_template"),
        ({"title_template": "{count[0]}"}, "title_template"),
    ],
)
def test_GRP_04_what_there_is_not_is_refused_by_name(policy: dict[str, Any], field: str):
    with pytest.raises(ValidationError, match=field):
        Policy.model_validate(policy)
