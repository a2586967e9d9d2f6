"""Pinning messages for everybody."""

import pytest

from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.members import AddMembers, ChangeRole
from palaver.protocol.features.pins import PINS, PinMessage, UnpinMessage
from palaver.tests.support.machine import NOWHERE, Chat


def test_MSG_18_pin_and_unpin():
    chat = Chat.group("ann", "bob")
    message = chat.send("bob", "x")
    event = chat.do("ann", PinMessage(message_id=message.id)).event
    assert event.item()["d"] == {
        "id": event.id,
        "by": "ann",
        "message_id": message.id,
        "message_seq": message.seq,
    }
    assert PINS.of(chat.state) == {message.id: message.seq}
    assert chat.wire(message)["pinned"] is True
    event = chat.do("ann", UnpinMessage(message_id=message.id)).event
    assert event.kind == "message.unpinned"
    assert PINS.of(chat.state) == {}
    assert "pinned" not in chat.wire(message)


def test_MSG_18_members_of_a_group_do_not_pin():
    chat = Chat.group("ann", "bob")
    message = chat.send("bob", "x")
    no = chat.refuses("bob", PinMessage(message_id=message.id))
    assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "pin_messages"})
    chat.do("ann", PinMessage(message_id=message.id))
    assert chat.refuses("bob", UnpinMessage(message_id=message.id)).code == "PERMISSION_DENIED"


def test_MSG_18_in_a_direct_conversation_both_pin():
    chat = Chat.direct("ann", "bob")
    message = chat.send("ann", "x")
    assert chat.do("bob", PinMessage(message_id=message.id)).events
    assert chat.do("ann", UnpinMessage(message_id=message.id)).events


def test_C_42_the_roles_that_pin_are_the_product_s():
    chat = Chat.group("ann", "bob", permissions={"pin_messages": "member"})
    message = chat.send("bob", "x")
    assert chat.do("bob", PinMessage(message_id=message.id)).events
    assert chat.do("bob", UnpinMessage(message_id=message.id)).events


@pytest.mark.parametrize(
    "chat", [Chat.group("ann", max_pins=0), Chat.direct("ann", "bob", max_pins=0)]
)
def test_C_42_without_pins(chat: Chat):
    message = chat.send("ann", "x")
    for command in (PinMessage(message_id=message.id), UnpinMessage(message_id=message.id)):
        assert chat.refuses("ann", command).code == "FEATURE_DISABLED"


def test_pinning_twice_changes_nothing():
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    assert chat.do("ann", UnpinMessage(message_id=message.id)).events == []
    chat.do("ann", PinMessage(message_id=message.id))
    assert chat.do("ann", PinMessage(message_id=message.id)).events == []


def test_there_are_so_many_pins():
    chat = Chat.group("ann", max_pins=2)
    first, second, third = (chat.send("ann", text) for text in "123")
    chat.do("ann", PinMessage(message_id=first.id))
    chat.do("ann", PinMessage(message_id=second.id))
    no = chat.refuses("ann", PinMessage(message_id=third.id))
    assert no.code == "VALIDATION_FAILED"
    assert no.details == {"field": "message_id", "max_pins": 2}
    assert chat.do("ann", PinMessage(message_id=first.id)).events == [], "pinned already"
    chat.do("ann", UnpinMessage(message_id=first.id))
    chat.do("ann", PinMessage(message_id=third.id))


def test_what_is_not_there_cannot_be_pinned():
    chat = Chat.group("ann", "bob")
    deleted = chat.send("ann", "x")
    chat.delete(deleted)
    for id in (NOWHERE, deleted.id):
        assert chat.refuses("ann", PinMessage(message_id=id)).code == "MESSAGE_NOT_FOUND"
    assert chat.refuses("ann", UnpinMessage(message_id=NOWHERE)).code == "MESSAGE_NOT_FOUND"


def test_HIST_11_what_one_may_not_see_cannot_be_pinned():
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    chat.do("ann", AddMembers(users=["bob"]))
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    assert chat.refuses("bob", PinMessage(message_id=message.id)).code == "MESSAGE_NOT_FOUND"


def test_a_message_that_was_deleted_while_pinned_can_be_unpinned():
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    chat.do("ann", PinMessage(message_id=message.id))
    chat.do("ann", DeleteMessage(message_id=message.id))
    assert PINS.of(chat.state) == {message.id: message.seq}
    assert chat.do("ann", UnpinMessage(message_id=message.id)).events
    assert PINS.of(chat.state) == {}
    assert "pinned" not in chat.wire(message)


def test_reading_a_slice_does_not_make_it():
    chat = Chat.group("ann")
    assert PINS.of(chat.state) == {}
    assert chat.state.slices == {}
