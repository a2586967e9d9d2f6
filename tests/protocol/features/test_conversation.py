"""Creating, opening and renaming conversations; and that only members get in."""

from typing import Any

import pytest

from palaver.protocol.commands import ConversationCommand
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.conversation import (
    ConversationCreated,
    CreateConversation,
    GetConversation,
    RenameConversation,
)
from palaver.protocol.features.members import AddMembers, LeaveConversation
from palaver.protocol.features.messages import SendMessage
from palaver.tests.support.machine import NOWHERE, START, Chat


def test_CONV_04_a_group():
    chat = Chat()
    command = CreateConversation(
        kind="group", members=["bob", "cid"], title=" Trip ", client_id="k"
    )
    event = chat.do("ann", command).event
    assert event.item() == {
        "t": "conversation.created",
        "c": chat.state.id,
        "seq": 1,
        "ts": START,
        "d": {
            "id": event.id,
            "by": "ann",
            "client_id": "k",
            "kind": "group",
            "profile": "default",
            "roles": {"ann": "admin", "bob": "member", "cid": "member"},
            "title": "Trip",
        },
    }
    state = chat.state
    assert (state.kind, state.title, state.creator, state.created_at) == (
        "group",
        "Trip",
        "ann",
        START,
    )
    assert chat.unread("ann", "bob", "cid") == [0, 0, 0]


def test_GRP_04_members_may_get_their_roles_with_it():
    chat = Chat()
    members, roles = ["bob", "cid"], {"bob": "admin"}
    data = chat.do("ann", CreateConversation(kind="group", members=members, roles=roles)).event.data
    assert data.fields()["roles"] == {"ann": "admin", "bob": "admin", "cid": "member"}


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("group", {"eve": "member"}),
        ("group", {"bob": "owner"}),  # the product has no such role
        ("group", {"ann": "member"}),
        ("direct", {"bob": "admin"}),
    ],
)
def test_GRP_04_but_only_roles_that_there_are(kind: Any, roles: dict[str, str]):
    command = CreateConversation(kind=kind, members=["bob"], roles=roles)
    no = Chat().refuses("ann", command)
    assert (no.code, (no.details or {})["field"]) == ("VALIDATION_FAILED", "roles")


def test_CONV_01_a_direct_conversation():
    chat = Chat(profile="rental")
    data = chat.do("ann", CreateConversation(kind="direct", members=["bob"])).event.data
    assert data == ConversationCreated(
        kind="direct", profile="rental", roles={"ann": "member", "bob": "member"}
    )


def test_members_named_twice_are_one():
    chat = Chat()
    chat.do("ann", CreateConversation(kind="group", members=["bob", "ann", "bob"]))
    assert chat.state.current_members() == ["ann", "bob"]
    assert chat.state.member_count == 2


def test_a_group_of_one():
    chat = Chat.group("ann")
    assert chat.state.members["ann"].role == "admin"


def test_CONV_03_creating_it_again_answers_with_the_one_there_is():
    chat = Chat.direct("ann", "bob")
    for user, other in (("ann", "bob"), ("bob", "ann")):
        done = chat.do(user, CreateConversation(kind="direct", members=[other]))
        assert done.events == []
        assert done.result == {"c": chat.state.id, "seq": 1, "ts": START}


def test_CONV_03_the_group_of_a_client_id_is_one():
    chat = Chat.group("ann", "bob", max_members=2)
    done = chat.do("ann", CreateConversation(kind="group", members=["x", "y", "z"]))
    assert (done.events, done.result["c"]) == ([], chat.state.id)


def test_CONV_03_who_is_not_in_it_does_not_get_it_by_creating_it():
    chat = Chat.group("ann")
    no = chat.refuses("eve", CreateConversation(kind="group", members=["ann"]))
    assert no.code == "PERMISSION_DENIED"


@pytest.mark.parametrize("members", [[], ["ann"], ["ann", "ann"]])
def test_CONV_22_nobody_talks_to_themselves(members: list[str]):
    no = Chat().refuses("ann", CreateConversation(kind="direct", members=members))
    assert no.code == "SELF_MESSAGE"


@pytest.mark.parametrize("exists", [False, True])
def test_a_direct_conversation_is_of_two(exists: bool):
    chat = Chat.direct("ann", "bob") if exists else Chat()
    no = chat.refuses("ann", CreateConversation(kind="direct", members=["bob", "cid"]))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "members"})


@pytest.mark.parametrize("kind", ["group", "thread"])
def test_CONV_03_CONV_04_a_pair_has_as_many_threads_as_it_likes(kind: Any):
    """Which thread it is follows from `client_id` alone; see also the ids."""
    chat = Chat(kinds=("thread", "group"))
    chat.do("ann", CreateConversation(kind=kind, members=["bob"], title="Flat 3"))
    assert (chat.state.kind, chat.state.title) == (kind, "Flat 3")
    assert chat.state.members["ann"].role == "admin"


@pytest.mark.parametrize("kind", ["direct", "group", "thread", "external_group"])
@pytest.mark.parametrize("kinds", [("direct",), ("thread",), ("direct", "group"), ()])
def test_C_13_users_open_the_kinds_that_a_product_has(kind: Any, kinds: Any):
    chat, command = Chat(kinds=kinds), CreateConversation(kind=kind, members=["bob"])
    if kind in kinds:
        assert chat.do("ann", command).events
    else:
        no = chat.refuses("ann", command)
        assert (no.code, no.details) == ("FEATURE_DISABLED", {"kind": kind})


def test_C_13_where_there_are_no_direct_conversations_a_first_message_makes_none():
    chat = Chat(kinds=("thread",))
    no = chat.refuses("ann", SendMessage(text="hi", to="bob"))
    assert (no.code, no.details) == ("FEATURE_DISABLED", {"kind": "direct"})


@pytest.mark.parametrize(
    ("template", "title"),
    [
        ("", None),
        (" ", None),
        ("Flat", "Flat"),
        ("{creator} and {count}", "ann and 3"),
        ("Of {members}", "Of ann, bob, cid"),
        ("{members:.5}!" + "x" * 99, "ann, !" + "x" * 14),
    ],
)
def test_CONV_06_a_title_is_made_where_none_is_given(template: str, title: str | None):
    chat = Chat(title_template=template, max_title_chars=20)
    chat.do("ann", CreateConversation(kind="group", members=["bob", "cid"]))
    assert chat.state.title == title
    chat = Chat(title_template=template)
    chat.do("ann", CreateConversation(kind="group", members=["bob"], title="Mine"))
    assert chat.state.title == "Mine"


def test_CONV_06_of_many_members_the_first_are_named():
    chat = Chat(title_template="{members}")
    chat.do("ann", CreateConversation(kind="group", members=[f"u{n}" for n in range(9)]))
    assert chat.state.title == "ann, u0, u1, u2, u3"


@pytest.mark.parametrize(("others", "fits"), [(2, True), (3, False)])
def test_GRP_02_a_group_has_room_for_so_many(others: int, fits: bool):
    chat = Chat(max_members=3)
    command = CreateConversation(kind="group", members=[f"u{n}" for n in range(others)])
    if fits:
        assert chat.do("ann", command).events
    else:
        no = chat.refuses("ann", command)
        assert (no.code, no.details) == ("GROUP_FULL", {"max_members": 3})


def test_CONV_09_counters():
    chat = Chat.group("ann", "bob")
    for number in range(3):
        chat.wait(1)
        chat.send("ann", str(number))
    assert chat.state.number == 3
    assert chat.state.changed_at == START + 3000
    assert chat.unread("ann", "bob") == [0, 3]
    again = chat.reopened()
    assert again == chat.state


def test_CONV_10_GRP_03_admins_rename_a_group():
    chat = Chat.group("ann", "bob")
    event = chat.do("ann", RenameConversation(title="  Trip  ")).event
    assert event.item()["d"] == {"id": event.id, "by": "ann", "title": "Trip"}
    assert chat.state.title == "Trip"
    assert chat.do("ann", RenameConversation(title="Trip")).events == []
    no = chat.refuses("bob", RenameConversation(title="Mine"))
    assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "change_settings"})
    assert chat.state.title == "Trip"


def test_a_direct_conversation_has_no_title():
    no = Chat.direct("ann", "bob").refuses("ann", RenameConversation(title="x"))
    assert no.code == "PERMISSION_DENIED"


def test_a_title_has_a_length():
    chat = Chat.group("ann", max_title_chars=5)
    chat.do("ann", RenameConversation(title="x" * 5))
    no = chat.refuses("ann", RenameConversation(title="x" * 6))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "title"})
    no = Chat(max_title_chars=5).refuses(
        "ann", CreateConversation(kind="group", members=[], title="x" * 6)
    )
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "title"})


# CONV-18: every command of a conversation, by everybody who is not in it.

PAYLOADS: dict[str, Any] = {
    "conversation.create": {"kind": "group", "members": []},
    "conversation.rename": {"title": "x"},
    "conversation.change_settings": {"description": "x"},
    "conversation.resume": {"epoch": 1, "seq": 0},
    "member.add": {"users": ["eve"]},
    "member.remove": {"user": "ann"},
    "member.set_role": {"user": "ann", "role": "member"},
    "message.send": {"text": "x"},
    "attachment.list": {"message_id": NOWHERE},
    "message.edit": {"message_id": NOWHERE, "text": "x"},
    "message.delete": {"message_id": NOWHERE},
    "message.pin": {"message_id": NOWHERE},
    "message.readers": {"message_id": NOWHERE},
    "message.unpin": {"message_id": NOWHERE},
    "message.versions": {"message_id": NOWHERE},
    "reaction.set": {"message_id": NOWHERE, "emoji": "👍"},
    "poll.vote": {"message_id": NOWHERE, "option": 0},
    "thread.list": {"message_id": NOWHERE},
    "ack": {"seq": 1},
}
OF_A_CONVERSATION = {
    name: kind for name, kind in COMMANDS.items() if issubclass(kind, ConversationCommand)
}


@pytest.mark.parametrize("name", OF_A_CONVERSATION)
@pytest.mark.parametrize("user", ["eve", "gone"])
def test_CONV_18_only_members_get_in(name: str, user: str):
    chat = Chat.group("ann", "gone")
    chat.do("gone", LeaveConversation())
    command = OF_A_CONVERSATION[name](**PAYLOADS.get(name, {}))
    assert chat.refuses(user, command).payload() == {
        "code": "PERMISSION_DENIED",
        "message": "Not allowed.",
        "retryable": False,
    }


@pytest.mark.parametrize("name", OF_A_CONVERSATION)
def test_CONV_08_what_does_not_exist_is_not_found(name: str):
    command = OF_A_CONVERSATION[name](**PAYLOADS.get(name, {}))
    if name == "conversation.create":
        assert Chat().do("ann", command).events
    else:
        assert Chat().refuses("ann", command).code == "CONVERSATION_NOT_FOUND"


def test_only_creating_and_sending_open_a_conversation():
    assert {name for name, kind in OF_A_CONVERSATION.items() if kind.opens} == {
        CreateConversation.name,
        SendMessage.name,
    }


def test_a_query_changes_nothing():
    done = Chat.group("ann").do("ann", GetConversation())
    assert (done.effects, GetConversation.writes) == ([], False)


def test_HIST_11_members_see_from_where_they_joined():
    chat = Chat.group("ann")
    chat.send("ann", "1")
    chat.do("ann", AddMembers(users=["bob"]))
    assert [chat.state.members["bob"].sees(seq) for seq in (1, 2, 3, 4)] == [
        False,
        False,
        True,
        True,
    ]
