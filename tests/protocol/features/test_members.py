"""Joining, leaving and ranks of a group."""

from typing import Any

import pytest

from palaver.protocol.commands import ConversationCommand, parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.conversation import CreateConversation, RenameConversation
from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.members import (
    AddMembers,
    ChangeRole,
    LeaveConversation,
    ListMembers,
    RemoveMember,
)
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.pins import PinMessage
from palaver.protocol.ids import HOST
from palaver.protocol.roles import Role
from palaver.tests.support.machine import START, Chat


def roles(chat: Chat) -> dict[str, Role | None]:
    return {user: member.role for user, member in chat.state.members.items()}


def test_GRP_07_an_admin_adds_members():
    chat = Chat.group("ann", "bob")
    event = chat.do("ann", AddMembers(users=["cid", "bob", "dee", "cid"])).event
    assert event.item()["d"] == {
        "id": event.id,
        "by": "ann",
        "users": ["cid", "dee"],
        "role": "member",
    }
    assert event.data.members() == ("cid", "dee")
    assert roles(chat) == {"ann": "admin", "bob": "member", "cid": "member", "dee": "member"}
    assert chat.state.member_count == 4


def test_adding_only_members_changes_nothing():
    chat = Chat.group("ann", "bob", max_members=2)
    assert chat.do("ann", AddMembers(users=["bob", "ann"])).events == []


def test_GRP_02_addition_past_the_limit_is_refused_whole():
    chat = Chat.group("ann", *(f"u{number}" for number in range(254)))
    assert chat.state.member_count == 255
    no = chat.refuses("ann", AddMembers(users=["x", "y"]))
    assert (no.code, no.details) == ("GROUP_FULL", {"max_members": 256})
    chat.do("ann", AddMembers(users=["x", "u0"]))
    assert chat.refuses("ann", AddMembers(users=["y"])).code == "GROUP_FULL"


def test_GRP_02_who_leaves_makes_room():
    chat = Chat.group("ann", "bob", max_members=2)
    chat.do("bob", LeaveConversation())
    chat.do("ann", AddMembers(users=["cid"]))
    assert chat.refuses("ann", AddMembers(users=["bob"])).code == "GROUP_FULL"


def test_GRP_07_who_is_removed_is_out_at_once():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    event = chat.do("ann", RemoveMember(user="bob")).event
    assert event.item()["d"] == {"id": event.id, "by": "ann", "user": "bob"}
    assert event.data.members() == ("bob",)
    member = chat.state.members["bob"]
    assert member.sees(event.seq), "the last event they get"
    assert not member.sees(event.seq + 1)
    assert chat.state.current_members() == ["ann"]
    assert chat.state.member_count == 1
    assert chat.refuses("bob", SendMessage(text="but")).code == "PERMISSION_DENIED"


def test_GRP_08_a_member_removes_nobody():
    chat = Chat.group("ann", "bob", "cid")
    before = roles(chat)
    for user in ("ann", "cid"):
        no = chat.refuses("bob", RemoveMember(user=user))
        assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "remove_members"})
    assert roles(chat) == before


def test_who_is_not_there_cannot_be_removed():
    chat = Chat.group("ann", "bob")
    chat.do("bob", LeaveConversation())
    for user in ("bob", "eve"):
        no = chat.refuses("ann", RemoveMember(user=user))
        assert (no.code, no.details) == ("USER_NOT_FOUND", {"user": user})


def test_nobody_removes_themselves():
    no = Chat.group("ann", "bob").refuses("ann", RemoveMember(user="ann"))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "user"})


def test_an_admin_removes_another():
    chat = Chat.group("ann", "bob")
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    chat.do("bob", RemoveMember(user="ann"))
    assert roles(chat) == {"ann": None, "bob": "admin"}


def test_who_comes_back_is_a_member_like_any_other():
    chat = Chat.group("ann", "bob")
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    chat.do("bob", LeaveConversation())
    chat.do("ann", AddMembers(users=["bob"]))
    member = chat.state.members["bob"]
    assert member.role == "member"
    assert member.intervals == [[1, 3], [4, None]]
    assert (member.read_seq, member.delivered_seq, member.read_at) == (4, 4, START)


# GRP-09.


def test_GRP_09_a_member_leaves():
    chat = Chat.group("ann", "bob")
    event = chat.do("bob", LeaveConversation()).event
    assert event.item()["d"] == {"id": event.id, "by": "bob", "user": "bob"}


def test_GRP_09_the_last_admin_must_confirm():
    chat = Chat.group("ann", "bob", "cid")
    chat.do("ann", AddMembers(users=["abe"]))
    assert chat.refuses("ann", LeaveConversation()).code == "LAST_ADMIN"
    done = chat.do("ann", LeaveConversation(confirm=True, client_id="k1"))
    assert [event.kind for event in done.events] == ["member.role_changed", "member.removed"]
    assert [event.client_id for event in done.events] == [None, "k1"]
    assert roles(chat) == {"ann": None, "bob": "admin", "cid": "member", "abe": "member"}


def test_GRP_09_the_longest_standing_member_succeeds():
    chat = Chat.group("ann", "abe")
    chat.do("ann", AddMembers(users=["cid"]))
    chat.do("abe", LeaveConversation())
    chat.do("ann", AddMembers(users=["abe"]))
    chat.do("ann", LeaveConversation(confirm=True))
    assert roles(chat) == {"ann": None, "abe": "member", "cid": "admin"}


@pytest.mark.parametrize("order", [("bob", "cid", "abe"), ("cid", "abe", "bob")])
def test_GRP_09_among_equals_the_succession_is_the_same_after_a_restart(order: Any):
    """A database keeps no order of keys."""
    chat = Chat.group("ann", *order)
    members = dict(sorted(chat.state.members.items(), reverse=True))
    chat.state.members = members
    chat.do("ann", LeaveConversation(confirm=True))
    assert chat.state.members["abe"].role == "admin"


def test_GRP_09_one_of_two_admins_leaves_freely():
    chat = Chat.group("ann", "bob")
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    assert len(chat.do("ann", LeaveConversation()).events) == 1


def test_GRP_09_the_last_of_all_leaves_freely():
    chat = Chat.group("ann")
    chat.do("ann", LeaveConversation())
    assert chat.state.member_count == 0
    assert chat.refuses("ann", SendMessage(text="hello?")).code == "PERMISSION_DENIED"


# GRP-11.


def test_GRP_11_promotion_and_demotion():
    chat = Chat.group("ann", "bob")
    event = chat.do("ann", ChangeRole(user="bob", role="admin")).event
    assert event.item()["d"] == {"id": event.id, "by": "ann", "user": "bob", "role": "admin"}
    assert event.data.members() == ("bob",)
    chat.do("bob", ChangeRole(user="ann", role="member"))
    assert roles(chat) == {"ann": "member", "bob": "admin"}


def test_GRP_11_members_promote_nobody():
    chat = Chat.group("ann", "bob", "cid")
    for user in ("bob", "cid"):
        no = chat.refuses("bob", ChangeRole(user=user, role="admin"))
        assert no.code == "PERMISSION_DENIED"


def test_GRP_11_a_group_keeps_an_admin():
    chat = Chat.group("ann", "bob")
    assert chat.refuses("ann", ChangeRole(user="ann", role="member")).code == "LAST_ADMIN"


def test_GRP_11_the_same_role_again_changes_nothing():
    chat = Chat.group("ann", "bob")
    assert chat.do("ann", ChangeRole(user="bob", role="member")).events == []
    assert chat.do("ann", ChangeRole(user="ann", role="admin")).events == []


def test_GRP_11_who_is_not_there_has_no_role():
    chat = Chat.group("ann", "bob")
    chat.do("bob", LeaveConversation())
    for user in ("bob", "eve"):
        assert chat.refuses("ann", ChangeRole(user=user, role="admin")).code == "USER_NOT_FOUND"


# Other lattices than the default one (GRP-04, C-16).

FOUR: dict[str, Any] = {"roles": ("member", "moderator", "admin", "owner")}


def four(**policy: Any) -> Chat:
    """`owner`, `admin`, `moderator` and `member`, each of them what they are called."""
    chat = Chat(**{**FOUR, **policy})
    others = ["admin", "moderator", "member"]
    chat.do("owner", CreateConversation(kind="group", members=others))
    chat.do("owner", ChangeRole(user="admin", role="admin"))
    chat.do("owner", ChangeRole(user="moderator", role="moderator"))
    return chat


def test_GRP_04_the_creator_gets_the_highest_role():
    assert roles(four()) == {each: each for each in ("owner", "admin", "moderator", "member")}
    assert roles(Chat.group("ann", roles=("member", "moderator"))) == {"ann": "moderator"}
    assert roles(Chat.group("ann", roles=("member",))) == {"ann": "member"}


@pytest.mark.parametrize("role", ["moderator", "owner"])
def test_GRP_04_a_role_that_there_is_not_is_refused_by_name(role: Any):
    chat = Chat.group("ann", "bob")
    no = chat.refuses("ann", ChangeRole(user="bob", role=role))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "role"})
    with pytest.raises(Rejected) as unknown:
        parse_command(ChangeRole, {"user": "bob", "role": "king"})
    assert unknown.value.details == {"field": "role", "problem": "literal_error"}


# By hand: who may make whom what. Nobody else may make anybody anything.
GIVE = {
    "owner": {
        (user, role)
        for user in ("admin", "moderator", "member")
        for role in ("member", "moderator", "admin", "owner")
    },
    "admin": {
        ("moderator", "member"),
        ("member", "moderator"),
        ("admin", "moderator"),
        ("admin", "member"),
    },
}


@pytest.mark.parametrize("caller", ["owner", "admin", "moderator", "member"])
@pytest.mark.parametrize("user", ["owner", "admin", "moderator", "member"])
@pytest.mark.parametrize("role", ["owner", "admin", "moderator", "member"])
def test_GRP_11_nobody_gives_or_takes_a_role_at_or_above_their_own(
    caller: str, user: str, role: Any
):
    chat = four()
    command = ChangeRole(user=user, role=role)
    if (user, role) in GIVE.get(caller, set()) and user != role:
        chat.do(caller, command)
        assert roles(chat)[user] == role
    elif user == role and caller in GIVE:
        assert chat.do(caller, command).events == []
    else:
        before = roles(chat)
        expected = "LAST_ADMIN" if caller == user == "owner" else "PERMISSION_DENIED"
        assert chat.refuses(caller, command).code == expected
        assert roles(chat) == before


def test_GRP_11_a_moderator_promotes_nobody_to_admin_even_if_they_may_promote():
    chat = four(permissions={"change_roles": "moderator"})
    no = chat.refuses("moderator", ChangeRole(user="member", role="admin"))
    assert (no.code, no.details) == ("PERMISSION_DENIED", {"role": "admin"})
    chat.do("owner", ChangeRole(user="moderator", role="owner"))
    chat.do("moderator", ChangeRole(user="member", role="admin"))
    assert roles(chat)["member"] == "admin"


REMOVE = {"owner": {"admin", "moderator", "member"}, "admin": {"moderator", "member"}}


@pytest.mark.parametrize("caller", ["owner", "admin", "moderator", "member"])
@pytest.mark.parametrize("user", ["owner", "admin", "moderator", "member"])
def test_GRP_08_nobody_removes_who_ranks_as_high(caller: str, user: str):
    chat = four()
    command = RemoveMember(user=user)
    if user in REMOVE.get(caller, set()):
        chat.do(caller, command)
        assert roles(chat)[user] is None
    else:
        oneself = caller == user and caller in REMOVE
        code = "VALIDATION_FAILED" if oneself else "PERMISSION_DENIED"
        assert chat.refuses(caller, command).code == code


def test_GRP_09_the_last_of_the_highest_role_passes_it_on_to_the_next_in_rank():
    chat = four()
    chat.do("owner", ChangeRole(user="member", role="admin"))
    chat.do("admin", LeaveConversation())
    chat.do("owner", AddMembers(users=["admin"]))
    assert chat.refuses("owner", LeaveConversation()).code == "LAST_ADMIN"
    chat.do("owner", LeaveConversation(confirm=True))
    assert roles(chat) == {
        "owner": None,
        "admin": "member",
        "moderator": "moderator",
        "member": "owner",
    }


def test_GRP_09_where_all_are_equal_nobody_is_the_last():
    chat = Chat.group("ann", "bob", roles=("member",))
    chat.do("ann", LeaveConversation())
    assert roles(chat) == {"ann": None, "bob": "member"}


@pytest.mark.parametrize(
    ("command", "holders"),
    [
        (lambda message: PinMessage(message_id=message), {"owner", "admin", "moderator"}),
        (lambda message: DeleteMessage(message_id=message), {"owner", "admin", "member"}),
        (lambda message: EditMessage(message_id=message, text="x"), set()),
    ],
    ids=["pin", "delete any", "edit any"],
)
def test_GRP_15_what_moderators_and_admins_may_of_a_member_s_message(command: Any, holders: Any):
    for caller in ("owner", "admin", "moderator", "member"):
        chat = four(delete_window_s=None)
        asked = command(chat.send("member", "hello").id)
        if caller in holders or (caller == "member" and isinstance(asked, EditMessage)):
            assert chat.do(caller, asked).events
        else:
            assert chat.refuses(caller, asked).code == "PERMISSION_DENIED"


def test_GRP_15_MSG_04_admins_edit_their_own_for_ever():
    for caller in ("owner", "admin", "moderator", "member"):
        chat = four(permissions={"edit_without_window": "admin"})
        command = EditMessage(message_id=chat.send(caller, "hello").id, text="bye")
        chat.wait(3 * 86_400)
        if caller in ("owner", "admin"):
            assert chat.do(caller, command).events
        else:
            assert chat.refuses(caller, command).code == "EDIT_WINDOW_EXPIRED"


# The host, who is no member of anything (CONV-01).


@pytest.mark.parametrize("kind", ["group", "external_group"])
def test_CONV_01_the_host_says_who_is_in_it(kind: Any):
    chat = Chat(**FOUR)
    event = chat.do(HOST, CreateConversation(kind=kind, members=["ann", "bob"])).event
    assert "by" not in event.item()["d"]
    assert roles(chat) == {"ann": "member", "bob": "member"}
    chat.do(HOST, ChangeRole(user="ann", role="owner"))
    chat.do(HOST, AddMembers(users=["cid"]))
    chat.do(HOST, ChangeRole(user="cid", role="admin"))
    chat.do(HOST, RemoveMember(user="bob"))
    assert roles(chat) == {"ann": "owner", "bob": None, "cid": "admin"}
    chat.send("ann", "hello")
    assert chat.refuses(HOST, SendMessage(text="x")).code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    "command",
    [
        AddMembers(users=["cid"]),
        RemoveMember(user="bob"),
        ChangeRole(user="bob", role="admin"),
        LeaveConversation(),
    ],
    ids=lambda command: command.name,
)
def test_CONV_01_only_the_host_says_who_is_in_an_external_group(command: ConversationCommand):
    chat = Chat(**FOUR)
    chat.do(HOST, CreateConversation(kind="external_group", members=["ann", "bob"]))
    chat.do(HOST, ChangeRole(user="ann", role="owner"))
    assert chat.refuses("ann", command).code == "PERMISSION_DENIED"


def test_the_host_is_in_no_direct_conversation():
    for command in (
        CreateConversation(kind="direct", members=["ann"]),
        SendMessage(text="x", to="ann"),
    ):
        no = Chat().refuses(HOST, command)
        assert (no.code, no.details) == ("FEATURE_DISABLED", {"kind": "direct"})


def test_the_host_changes_no_direct_conversation():
    chat = Chat.direct("ann", "bob")
    assert chat.refuses(HOST, AddMembers(users=["cid"])).code == "PERMISSION_DENIED"


# GRP-05: the permissions, by what they permit.


@pytest.mark.parametrize(
    ("command", "members_may"),
    [
        (lambda message: SendMessage(text="x"), True),
        (lambda message: AddMembers(users=["dee"]), False),
        (lambda message: RemoveMember(user="cid"), False),
        (lambda message: ChangeRole(user="cid", role="admin"), False),
        (lambda message: RenameConversation(title="x"), False),
        (lambda message: DeleteMessage(message_id=message), False),
        (lambda message: PinMessage(message_id=message), False),
    ],
    ids=["send", "add", "remove", "role", "settings", "delete any", "pin"],
)
def test_GRP_05_SEC_11_what_admins_and_members_may(command: Any, members_may: bool):
    for user, allowed in (("ann", True), ("bob", members_may)):
        chat = Chat.group("ann", "bob", "cid")
        asked: ConversationCommand = command(chat.send("cid", "x").id)
        if allowed:
            assert chat.do(user, asked).events
        else:
            assert chat.refuses(user, asked).code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    "command",
    [
        AddMembers(users=["cid"]),
        RemoveMember(user="bob"),
        LeaveConversation(),
        ChangeRole(user="bob", role="admin"),
    ],
    ids=lambda command: command.name,
)
def test_the_members_of_a_direct_conversation_are_fixed(command: ConversationCommand):
    chat = Chat.direct("ann", "bob")
    assert chat.refuses("ann", command).code == "PERMISSION_DENIED"


def test_GRP_10_a_page_of_members():
    assert ListMembers().limit == 100
    assert ListMembers(prefix="a", after="ann", limit=500).after == "ann"
