"""A group whose members the host knows: the log is brought in line with its word (GRP-16)."""

from typing import Any

import pytest

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.lock import LockConversation
from palaver.protocol.features.members import MemberAdded, MemberRemoved, MemberRoleChanged
from palaver.protocol.features.membership import SettleMembers, group_of
from palaver.protocol.ids import HOST
from palaver.tests.support.machine import Chat

ROLES: dict[str, Any] = {"roles": ("member", "moderator", "admin", "owner")}


def club(*users: str, client_id: str | None = "g-17", **policy: Any) -> Chat:
    chat = Chat(**ROLES, **policy)
    members = list(users)
    chat.do(HOST, CreateConversation(kind="external_group", members=members, client_id=client_id))
    return chat


def settle(chat: Chat, **roles: Any) -> list[Any]:
    return [event.data for event in chat.do(HOST, SettleMembers(roles=roles)).events]


def roles(chat: Chat) -> dict[str, str | None]:
    return {user: member.role for user, member in chat.state.members.items()}


def test_GRP_16_members_become_what_the_host_says():
    chat = club("ann", "bob", "cid")
    done = settle(chat, ann="owner", bob=None, cid="member", dan="member", eve="admin", fay=None)
    assert done == [
        MemberRoleChanged(user="ann", role="owner"),
        MemberRemoved(user="bob"),
        MemberAdded(users=["dan"], role="member"),
        MemberAdded(users=["eve"], role="admin"),
    ]
    assert all("by" not in push["d"] for push in chat.pushes[1:])
    said = {"ann": "owner", "bob": None, "cid": "member", "dan": "member", "eve": "admin"}
    assert roles(chat) == said
    assert settle(chat, **said) == [], "said again it changes nothing"
    assert chat.reopened() == chat.state


def test_GRP_16_who_comes_back_is_a_member_again():
    chat = club("ann", "bob")
    settle(chat, bob=None)
    assert settle(chat, bob="admin") == [MemberAdded(users=["bob"], role="admin")]


def test_GRP_16_nobody_has_to_be_left_who_decides():
    chat = club("ann", "bob")
    settle(chat, ann="owner")
    assert settle(chat, ann="member") == [MemberRoleChanged(user="ann", role="member")]
    settle(chat, ann=None, bob=None)
    assert chat.state.member_count == 0
    assert settle(chat, bob="member")


def test_GRP_16_GRP_02_no_more_come_in_than_there_is_room_for():
    chat = club("ann", "bob", max_members=3)
    added = settle(chat, cid="admin", dan="member", bob=None, eve="member")
    assert added[1:] == [
        MemberAdded(users=["cid"], role="admin"),
        MemberAdded(users=["dan"], role="member"),
    ]
    no = chat.refuses(HOST, SettleMembers(roles={"eve": "member"}))
    assert (no.code, no.details) == ("GROUP_FULL", {"max_members": 3})
    assert settle(chat, eve="member", cid=None) == [
        MemberRemoved(user="cid"),
        MemberAdded(users=["eve"], role="member"),
    ]


def test_GRP_16_also_while_it_is_locked():
    chat = club("ann", "bob")
    chat.do(HOST, LockConversation())
    assert settle(chat, bob=None) == [MemberRemoved(user="bob")]


def test_GRP_16_the_host_knows_it_by_the_id_under_which_it_has_created_it():
    chat = club("ann")
    assert group_of(chat.state) == "g-17"
    for state in (chat.reopened(), chat.reopened(chat.state.snapshot())):
        assert group_of(state) == "g-17"
    assert group_of(club("ann", client_id=None).state) == chat.state.id


def test_GRP_16_what_is_no_group_of_the_host_has_no_such_id():
    chat = Chat()
    chat.do("ann", CreateConversation(kind="group", members=["bob"], client_id="1"))
    assert "group" not in chat.state.slices


def test_GRP_16_clients_cannot_say_so():
    assert SettleMembers.name not in COMMANDS


@pytest.mark.parametrize("roles", [{"": "member"}, {"ann": "king"}, {" ann": None}])
def test_GRP_16_users_and_roles_are_such(roles: dict[str, Any]):
    with pytest.raises(Rejected, match="VALIDATION_FAILED"):
        parse_command(SettleMembers, {"roles": roles})
