"""What is asked about users, and whom commands name."""

from typing import Any

import pytest
from pydantic import ValidationError

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.members import AddMembers, RemoveMember
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.users import GetUsers, SearchUsers
from palaver.protocol.policy import Policy


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (GetUsers, {"users": []}),
        (GetUsers, {"users": ["ann"] * 101}),
        (GetUsers, {"users": [" "]}),
        (SearchUsers, {"text": "  "}),
        (SearchUsers, {"text": "x" * 101}),
        (SearchUsers, {"text": "x", "limit": 51}),
    ],
)
def test_what_is_out_of_bounds_is_refused(kind: Any, payload: dict[str, Any]):
    with pytest.raises(Rejected, match="VALIDATION_FAILED"):
        parse_command(kind, payload)


def test_CONV_23_who_must_be_there():
    assert SendMessage(text="hi").recipients == ()
    assert SendMessage(text="hi", to="bob").recipients == ("bob",)
    assert CreateConversation(kind="group", members=["bob", "cid"]).recipients == ["bob", "cid"]
    assert AddMembers(users=["bob"]).recipients == ["bob"]
    assert RemoveMember(user="bob").recipients == (), "whoever they are by now"


def test_CONV_19_fields_have_names():
    assert Policy(user_fields=("username", "display_name")).user_fields[1] == "display_name"
    for name in ("", "Name", "a b", "x" * 65):
        with pytest.raises(ValidationError):
            Policy(user_fields=(name,))
