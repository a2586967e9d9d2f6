"""What a group says of itself, and whom it lets send and add."""

from typing import Any

import pytest

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.group_settings import SETTINGS, ChangeSettings
from palaver.protocol.features.members import AddMembers, ChangeRole
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.typing import StartTyping
from palaver.tests.support.machine import Chat


def test_GRP_03_CONV_17_an_admin_changes_settings():
    chat = Chat.group("ann", "bob")
    event = chat.do("ann", ChangeSettings(description=" Trips ", icon="https://x/i.png")).event
    assert event.item()["t"] == "conversation.settings_changed"
    expected = {"description": "Trips", "icon": "https://x/i.png"}
    assert event.item()["d"] == {"id": event.id, "by": "ann", **expected}
    assert SETTINGS.of(chat.state) == expected


def test_GRP_03_only_what_is_new_is_told():
    chat = Chat.group("ann", "bob")
    chat.do("ann", ChangeSettings(description="Trips", who_may_send="admins"))
    event = chat.do("ann", ChangeSettings(description="Trips", icon="i", who_may_add="everyone"))
    assert event.event.data.fields() == {"icon": "i", "who_may_add": "everyone"}
    for nothing in ({}, {"icon": "i"}, {"who_may_send": "admins"}):
        assert chat.do("ann", ChangeSettings.model_validate(nothing)).events == []
    assert chat.do("ann", ChangeSettings(description="", icon="")).event.data.fields() == {
        "description": "",
        "icon": "",
    }
    assert SETTINGS.of(chat.state) == {"who_may_send": "admins", "who_may_add": "everyone"}
    assert chat.do("ann", ChangeSettings(description="")).events == []


def test_GRP_03_a_member_changes_none():
    chat = Chat.group("ann", "bob")
    no = chat.refuses("bob", ChangeSettings(description="Mine"))
    assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "change_settings"})
    assert SETTINGS.of(chat.state) == {}


def test_GRP_03_a_direct_conversation_has_none():
    no = Chat.direct("ann", "bob").refuses("ann", ChangeSettings(description="x"))
    assert no.code == "PERMISSION_DENIED"


@pytest.mark.parametrize("field", ["description", "icon", "who_may_send", "who_may_add", "colour"])
def test_GRP_03_settings_are_bounded(field: str):
    with pytest.raises(Rejected) as no:
        parse_command(ChangeSettings, {field: "x" * 2001})
    assert (no.value.code, (no.value.details or {})["field"]) == ("VALIDATION_FAILED", field)


def test_GRP_06_only_admins_send():
    chat = Chat.group("ann", "bob", "cid")
    said = chat.send("bob", "hello")
    chat.do("ann", ChangeSettings(who_may_send="admins"))
    for command in (
        SendMessage(text="x"),
        EditMessage(message_id=said.id, text="x"),
        StartTyping(),
    ):
        no = chat.refuses("bob", command)
        assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "send_messages"})
    chat.send("ann", "I may")
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    chat.send("bob", "and I")
    chat.do("ann", ChangeSettings(who_may_send="everyone"))
    chat.send("cid", "and I")


def test_GRP_06_everyone_adds():
    chat = Chat.group("ann", "bob")
    assert chat.refuses("bob", AddMembers(users=["cid"])).code == "PERMISSION_DENIED"
    chat.do("ann", ChangeSettings(who_may_add="everyone"))
    chat.do("bob", AddMembers(users=["cid"]))
    chat.do("ann", ChangeSettings(who_may_add="admins"))
    assert chat.refuses("cid", AddMembers(users=["dee"])).code == "PERMISSION_DENIED"


@pytest.mark.parametrize("field", ["who_may_send", "who_may_add"])
def test_GRP_06_where_there_are_no_admins_nothing_is_left_to_them(field: str):
    policy: dict[str, Any] = {"roles": ["member"], "permissions": {"change_settings": "member"}}
    chat = Chat.group("ann", "bob", **policy)
    chat.do("bob", ChangeSettings(description="admins"))
    no = chat.refuses("ann", ChangeSettings.model_validate({field: "admins"}))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": field})
