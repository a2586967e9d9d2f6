"""Editing one's own message, for a while."""

import pytest

from palaver.protocol.features.edits import EditMessage, MessageEdited
from palaver.protocol.features.members import AddMembers, RemoveMember
from palaver.tests.support.machine import NOWHERE, START, Chat


def test_MSG_06_an_edit_marks_the_message_with_its_time():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "helo")
    chat.wait(60)
    chat.edit(message, "hello")
    assert chat.wire(message) == {
        "id": message.id,
        "seq": 2,
        "ts": START,
        "kind": "message.sent",
        "by": "ann",
        "number": 1,
        "text": "hello",
        "edited_at": START + 60_000,
        "version": 2,
    }


def test_MSG_06_the_log_keeps_every_version():
    chat = Chat.group("ann")
    message = chat.send("ann", "1")
    chat.edit(message, "2")
    chat.edit(message, "3")
    versions = [event.data for event in chat.log if event.data.target == (message.id, 2)]
    assert [(v.text, v.version) for v in versions if isinstance(v, MessageEdited)] == [
        ("2", 2),
        ("3", 3),
    ]
    assert message.text == "1"
    assert message.current_text == "3"


def test_MSG_07_everybody_gets_the_new_text():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "helo")
    chat.edit(message, "hello")
    payload = chat.pushes[-1]["d"]
    del payload["id"]
    assert payload == {
        "by": "ann",
        "message_id": message.id,
        "message_seq": message.seq,
        "text": "hello",
        "version": 2,
    }


@pytest.mark.parametrize(
    ("seconds", "in_time"),
    [(0, True), (14 * 60 + 59, True), (15 * 60, True), (15 * 60 + 0.001, False), (901, False)],
)
def test_MSG_03_edit_window(seconds: float, in_time: bool):
    chat = Chat.group("ann")
    message = chat.send("ann", "helo")
    chat.wait(seconds)
    command = EditMessage(message_id=message.id, text="hello")
    if in_time:
        assert chat.do("ann", command).events
    else:
        no = chat.refuses("ann", command)
        assert (no.code, no.details) == ("EDIT_WINDOW_EXPIRED", {"window_s": 900})


def test_MSG_03_the_window_is_counted_from_the_sending_not_the_last_edit():
    chat = Chat.group("ann", edit_window_s=10)
    message = chat.send("ann", "1")
    chat.wait(9)
    chat.edit(message, "2")
    chat.wait(2)
    no = chat.refuses("ann", EditMessage(message_id=message.id, text="3"))
    assert no.code == "EDIT_WINDOW_EXPIRED"


def test_MSG_03_without_a_window_there_is_no_end():
    chat = Chat.group("ann", edit_window_s=None)
    message = chat.send("ann", "helo")
    chat.wait(10 * 365 * 86_400)
    assert chat.edit(message, "hello").events


def test_MSG_04_exempt_roles_edit_their_own_messages_at_any_time():
    chat = Chat.group("ann", "bob", permissions={"edit_without_window": "admin"})
    of_ann, of_bob = chat.send("ann", "1"), chat.send("bob", "2")
    chat.wait(3 * 86_400)
    assert chat.edit(of_ann, "one").events
    no = chat.refuses("bob", EditMessage(message_id=of_bob.id, text="two"))
    assert no.code == "EDIT_WINDOW_EXPIRED"
    no = chat.refuses("ann", EditMessage(message_id=of_bob.id, text="two"))
    assert no.code == "PERMISSION_DENIED", "exempt from the window, for their own only"


def test_C_03_without_edits():
    chat = Chat.group("ann", edit_enabled=False)
    message = chat.send("ann", "helo")
    no = chat.refuses("ann", EditMessage(message_id=message.id, text="hello"))
    assert no.code == "FEATURE_DISABLED"
    assert chat.wire(message)["text"] == "helo"


def test_SEC_10_only_the_sender_edits():
    chat = Chat.group("ann", "bob")
    message = chat.send("bob", "hello")
    no = chat.refuses("ann", EditMessage(message_id=message.id, text="goodbye"))
    assert no.code == "PERMISSION_DENIED", "not even an admin"
    assert chat.refuses("eve", EditMessage(message_id=message.id, text="x")).code == (
        "PERMISSION_DENIED"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "VALIDATION_FAILED"), (" \n", "VALIDATION_FAILED"), ("x" * 11, "MESSAGE_TOO_LONG")],
)
def test_MSG_05_an_edit_is_checked_like_a_message(text: str, code: str):
    chat = Chat.group("ann", max_chars=10)
    message = chat.send("ann", "hello")
    assert chat.refuses("ann", EditMessage(message_id=message.id, text=text)).code == code


def test_what_is_not_there_cannot_be_edited():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "hello")
    chat.delete(message)
    for id in (NOWHERE, message.id, chat.log[0].id):
        no = chat.refuses("ann", EditMessage(message_id=id, text="x"))
        assert (no.code, no.details) == ("MESSAGE_NOT_FOUND", {"message_id": id})


def test_the_same_text_again_is_no_edit():
    chat = Chat.group("ann")
    message = chat.send("ann", "hello")
    assert chat.edit(message, "hello").events == []
    chat.edit(message, "hullo")
    assert chat.edit(message, "hullo").events == []
    assert chat.edit(message, "hello").events


def test_HIST_15_of_two_edits_of_one_version_the_second_is_told():
    chat = Chat.group("ann")
    message = chat.send("ann", "1")
    chat.do("ann", EditMessage(message_id=message.id, text="2", version=1))
    no = chat.refuses("ann", EditMessage(message_id=message.id, text="3", version=1))
    assert (no.code, no.details) == ("VERSION_CONFLICT", {"version": 2})
    chat.do("ann", EditMessage(message_id=message.id, text="3", version=2))
    assert chat.wire(message)["version"] == 3


def test_an_edit_changes_neither_counts_nor_order():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "1")
    chat.read("bob")
    chat.edit(message, "2")
    assert chat.unread("ann", "bob") == [0, 0]
    assert chat.state.number == 1


def test_the_last_message_is_shown_as_it_is_now():
    chat = Chat.group("ann")
    first, last = chat.send("ann", "1"), chat.send("ann", "2")
    chat.edit(first, "one")
    assert chat.state.last is not None
    assert chat.state.last["text"] == "2"
    chat.edit(last, "t" * 200)
    assert chat.state.last == {
        "id": last.id,
        "seq": last.seq,
        "by": "ann",
        "ts": START,
        "text": "t" * 140,
    }


def test_metadata_stays_through_an_edit():
    chat = Chat.group("ann")
    message = chat.send("ann", "1", metadata={"k": 1})
    chat.edit(message, "2")
    assert chat.wire(message)["metadata"] == {"k": 1}


def test_who_came_back_may_edit_what_they_wrote_before():
    chat = Chat.group("ann", "bob")
    message = chat.send("bob", "helo")
    chat.do("ann", RemoveMember(user="bob"))
    no = chat.refuses("bob", EditMessage(message_id=message.id, text="hello"))
    assert no.code == "PERMISSION_DENIED"
    chat.do("ann", AddMembers(users=["bob"]))
    assert chat.edit(message, "hello").events
