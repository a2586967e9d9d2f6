"""Deleting a message for everyone, softly."""

import pytest

from palaver.protocol.features.deletes import PURGE, DeleteMessage
from palaver.protocol.features.members import AddMembers, ChangeRole
from palaver.protocol.ids import HOST
from palaver.tests.support.machine import NOWHERE, START, Chat


def test_MSG_08_HIST_06_of_a_deleted_message_a_tombstone_stays():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "secret", metadata={"secret": 1})
    chat.edit(message, "another secret")
    chat.wait(60)
    chat.delete(message)
    assert chat.wire(message) == {
        "id": message.id,
        "seq": 2,
        "ts": START,
        "kind": "message.sent",
        "by": "ann",
        "number": 1,
        "deleted_at": START + 60_000,
        "redacted": True,
    }
    assert message.current_text is None
    assert message.overlay.text is None, "what is stored of the edit goes, too"


def test_MSG_08_who_deleted_it_and_when_is_kept():
    chat = Chat.group("ann", "bob")
    message = chat.send("bob", "x")
    chat.wait(1)
    chat.do("ann", DeleteMessage(message_id=message.id))
    overlay = message.overlay
    assert (overlay.deleted_by, overlay.deleted_at) == ("ann", START + 1000)
    assert (message.by, message.at) == ("bob", START)
    assert overlay.changed_seq == 3


def test_MSG_08_nothing_of_it_is_pushed_again():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "secret", metadata={"k": "secret"}, reply_to=None)
    chat.edit(message, "secret 2")
    chat.delete(message)
    again = [event.item() for event in chat.stored()]
    assert "secret" not in repr(again)
    assert [item["d"].get("redacted") for item in again] == [None, True, True, None]
    assert [item["seq"] for item in again] == [1, 2, 3, 4]
    assert [item["t"] for item in again] == [item["t"] for item in chat.pushes]


def test_MSG_11_everybody_gets_the_deletion():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    event = chat.delete(message).event
    assert event.item() == {
        "t": "message.deleted",
        "c": chat.state.id,
        "seq": 3,
        "ts": START,
        "d": {
            "id": event.id,
            "by": "ann",
            "message_id": message.id,
            "message_seq": 2,
            "counted": True,
        },
    }


def test_SEC_10_MSG_10_whose_message_may_be_deleted_by_whom():
    chat = Chat.group("ann", "bob", "cid")
    of_ann, of_bob = chat.send("ann", "1"), chat.send("bob", "2")
    for user, message in (("bob", of_ann), ("cid", of_ann), ("cid", of_bob), ("eve", of_bob)):
        no = chat.refuses(user, DeleteMessage(message_id=message.id))
        assert no.code == "PERMISSION_DENIED"
    assert chat.do("ann", DeleteMessage(message_id=of_bob.id)).events
    assert chat.do("ann", DeleteMessage(message_id=of_ann.id)).events


def test_MSG_10_a_new_admin_may_delete_anybody_s_too():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    assert chat.do("bob", DeleteMessage(message_id=message.id)).events


def test_SEC_10_in_a_direct_conversation_everybody_deletes_their_own():
    chat = Chat.direct("ann", "bob")
    message = chat.send("ann", "x")
    no = chat.refuses("bob", DeleteMessage(message_id=message.id))
    assert no.code == "PERMISSION_DENIED"
    assert chat.do("ann", DeleteMessage(message_id=message.id)).events


def test_a_second_deletion_changes_nothing():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    chat.delete(message)
    assert chat.delete(message).events == []
    assert chat.refuses("bob", DeleteMessage(message_id=message.id)).code == "PERMISSION_DENIED"


def test_what_is_not_there_cannot_be_deleted():
    chat = Chat.group("ann")
    no = chat.refuses("ann", DeleteMessage(message_id=NOWHERE))
    assert (no.code, no.details) == ("MESSAGE_NOT_FOUND", {"message_id": NOWHERE})


def test_HIST_11_an_admin_deletes_only_what_they_may_see():
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    chat.do("ann", AddMembers(users=["bob"]))
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    no = chat.refuses("bob", DeleteMessage(message_id=message.id))
    assert no.code == "MESSAGE_NOT_FOUND"


@pytest.mark.parametrize(("seconds", "in_time"), [(3599, True), (3600, True), (3600.001, False)])
def test_MSG_09_delete_window(seconds: float, in_time: bool):
    chat = Chat.group("ann", "bob", delete_window_s=3600)
    message = chat.send("bob", "x")
    chat.wait(seconds)
    command = DeleteMessage(message_id=message.id)
    if in_time:
        assert chat.do("bob", command).events
    else:
        no = chat.refuses("bob", command)
        assert (no.code, no.details) == ("DELETE_WINDOW_EXPIRED", {"window_s": 3600})
        assert chat.do("ann", command).events, "no window for admins"


def test_MSG_10_no_window_for_what_an_admin_wrote_either():
    chat = Chat.group("ann", delete_window_s=0)
    message = chat.send("ann", "x")
    chat.wait(1)
    assert chat.do("ann", DeleteMessage(message_id=message.id)).events


def test_C_05_without_deletion_for_everyone():
    chat = Chat.group("ann", "bob", delete_scopes=("me",))
    message = chat.send("bob", "x")
    for user in ("bob", "ann"):
        no = chat.refuses(user, DeleteMessage(message_id=message.id))
        assert no.code == "FEATURE_DISABLED"


def test_MSG_09_by_default_there_is_no_window():
    chat = Chat.group("ann", "bob")
    message = chat.send("bob", "x")
    chat.wait(10 * 365 * 86_400)
    assert chat.do("bob", DeleteMessage(message_id=message.id)).events


def test_RCPT_07_what_is_deleted_is_not_unread():
    chat = Chat.group("ann", "bob", "cid")
    first = chat.send("ann", "1")
    chat.read("cid")
    second = chat.send("ann", "2")
    assert chat.unread("bob", "cid") == [2, 1]
    chat.delete(first)
    assert chat.unread("bob", "cid") == [1, 1], "cid had read it"
    chat.delete(second)
    assert chat.unread("ann", "bob", "cid") == [0, 0, 0]
    chat.send("ann", "3")
    assert chat.unread("ann", "bob", "cid") == [0, 1, 1]


def test_the_inbox_shows_that_the_last_message_is_deleted():
    chat = Chat.group("ann")
    first, last = chat.send("ann", "1"), chat.send("ann", "2")
    chat.delete(first)
    assert chat.state.last is not None
    assert chat.state.last["text"] == "2"
    chat.delete(last)
    assert chat.state.last == {
        "id": last.id,
        "seq": last.seq,
        "by": "ann",
        "ts": START,
        "text": None,
        "deleted": True,
    }


DAY = 86_400


def test_MSG_12_a_deletion_says_until_when_it_can_be_taken_back():
    chat = Chat.group("ann", "bob", delete_recovery_days=30)
    message = chat.send("ann", "x")
    event = chat.delete(message).event
    assert event.item()["d"]["until"] == START + 30 * DAY * 1000
    (job,) = event.data.jobs(event)
    assert (job.kind, job.due) == (PURGE, START + 30 * DAY * 1000)
    assert job.data["message_id"] == message.id
    kept = Chat.group("ann")
    event = kept.delete(kept.send("ann", "x")).event
    assert event.data.jobs(event) == ()


def test_MSG_08_everybody_is_told_why_if_that_was_said():
    chat = Chat.group("ann", "bob")
    message = chat.send("bob", "rude")
    event = chat.do("ann", DeleteMessage(message_id=message.id, reason="against the rules")).event
    assert event.item()["d"]["reason"] == "against the rules"
    assert chat.wire(message)["redacted"]


def test_MSG_08_nobody_can_say_that_a_message_has_expired():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    no = chat.refuses("ann", DeleteMessage(message_id=message.id, reason="expired"))
    assert (no.code, (no.details or {})["field"]) == ("VALIDATION_FAILED", "reason")


def test_MSG_08_MSG_26_the_host_may_delete_any_message_at_any_time():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    chat.wait(10**6)
    event = chat.do(HOST, DeleteMessage(message_id=message.id)).event
    assert event.sender is None
    assert message.deleted
