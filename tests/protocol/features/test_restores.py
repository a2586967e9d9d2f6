"""Taking a deletion back."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.expiry import ExpireMessage
from palaver.protocol.features.members import ChangeRole
from palaver.protocol.features.restores import PutBack
from palaver.protocol.ids import HOST
from palaver.protocol.message import Message
from palaver.tests.support.machine import NOWHERE, START, Chat

DAY = 86_400


def put_back(message: Message, text: str = "back", **more: Any) -> PutBack:
    deleted_at = message.overlay.deleted_at or 0
    values: dict[str, Any] = {"deleted_at": deleted_at, "rest": {}, **more}
    return PutBack(message_id=message.id, text=text, **values)


def recoverable(**policy: Any) -> Chat:
    return Chat.group("ann", "bob", "cid", delete_recovery_days=30, **policy)


def test_MSG_12_restored_it_says_again_what_it_said():
    chat = recoverable()
    message = chat.send("ann", "hello", metadata={"k": 1})
    chat.delete(message)
    done = chat.do("ann", put_back(message, "hello", rest={"metadata": {"k": 1}}))
    assert done.event.item()["d"] == {
        "id": done.event.id,
        "by": "ann",
        "message_id": message.id,
        "message_seq": message.seq,
        "counted": True,
        "text": "hello",
        "rest": {"metadata": {"k": 1}},
    }
    wire = chat.wire(message)
    assert (wire["text"], wire["metadata"]) == ("hello", {"k": 1})
    assert "redacted" not in wire
    assert chat.state.last is not None
    assert (chat.state.last["text"], chat.state.last.get("deleted")) == ("hello", None)
    assert chat.do("ann", put_back(message)).events == [], "it is there"


def test_MSG_12_RCPT_07_for_who_had_not_read_it_it_is_unread_again():
    chat = recoverable()
    chat.send("ann", "before")
    message = chat.send("ann", "x")
    chat.send("ann", "after")
    chat.read("bob")
    assert chat.unread("bob", "cid") == [0, 3]
    chat.delete(message)
    assert chat.unread("bob", "cid") == [0, 2]
    chat.do("ann", put_back(message))
    assert chat.unread("bob", "cid") == [0, 3]
    chat.read("cid", message.seq)
    assert chat.unread("cid") == [1]
    assert chat.reopened().unread("cid") == 1


@pytest.mark.parametrize(("days", "code"), [(29, None), (30, "MESSAGE_NOT_FOUND")])
def test_C_05_MSG_12_for_thirty_days_and_no_longer(days: int, code: str | None):
    chat = recoverable()
    message = chat.send("ann", "x")
    chat.delete(message)
    chat.wait(days * DAY)
    if code is None:
        assert chat.do("ann", put_back(message)).events
    else:
        assert chat.refuses("ann", put_back(message)).code == code


def test_MSG_12_by_who_has_deleted_it_or_may_delete_any():
    chat = recoverable()
    of_bob = chat.send("bob", "x")
    chat.delete(of_bob)
    assert chat.refuses("cid", put_back(of_bob)).code == "PERMISSION_DENIED"
    assert chat.refuses("eve", put_back(of_bob)).code == "PERMISSION_DENIED"
    assert chat.do("bob", put_back(of_bob)).events
    chat.do("ann", DeleteMessage(message_id=of_bob.id))
    assert chat.refuses("bob", put_back(of_bob)).code == "PERMISSION_DENIED", "an admin took it"
    chat.do("ann", ChangeRole(user="cid", role="admin"))
    assert chat.do("cid", put_back(of_bob)).events


def test_MSG_12_what_is_not_there_is_not_restored():
    chat = recoverable()
    message = chat.send("ann", "x", expires_in=60)
    command = PutBack(message_id=NOWHERE, deleted_at=0, text="", rest={})
    assert chat.refuses("ann", command).code == "MESSAGE_NOT_FOUND"
    chat.do(HOST, ExpireMessage(message_id=message.id))
    assert chat.refuses("ann", put_back(message)).code == "MESSAGE_NOT_FOUND"


def test_MSG_12_MSG_24_not_beyond_the_time_at_which_it_would_have_disappeared():
    chat = recoverable()
    message = chat.send("ann", "x", expires_in=60)
    done = chat.delete(message)
    assert done.event.item()["d"]["until"] == START + 60_000
    chat.wait(60)
    assert chat.refuses("ann", put_back(message)).code == "MESSAGE_NOT_FOUND"


def test_C_05_MSG_12_without_a_time_for_it_there_is_none():
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    chat.delete(message)
    assert chat.refuses("ann", put_back(message)).code == "FEATURE_DISABLED"


def test_MSG_12_what_the_deletion_said_holds_though_the_product_changes_its_mind():
    chat = recoverable()
    message = chat.send("ann", "x")
    chat.delete(message)
    chat.policy = chat.policy.model_copy(update={"delete_recovery_days": 3650})
    chat.wait(30 * DAY)
    assert chat.refuses("ann", put_back(message)).code == "MESSAGE_NOT_FOUND", "it is purged"


def test_MSG_12_of_two_deletions_the_last_one_is_taken_back():
    chat = recoverable()
    message = chat.send("ann", "x")
    chat.delete(message)
    stale = put_back(message)
    chat.do("ann", stale)
    chat.wait(1)
    chat.delete(message)
    assert chat.refuses("ann", stale).code == "VERSION_CONFLICT"


def test_MSG_12_its_thread_counts_it_again():
    chat = recoverable(threads=True)
    root = chat.send("ann", "root")
    reply = chat.send("bob", "reply", thread=root.id)
    chat.delete(reply)
    chat.do("bob", put_back(reply))
    assert chat.wire(root)["thread"]["count"] == 1


def test_MSG_12_deleted_again_nothing_of_it_is_said_again():
    chat = recoverable()
    message = chat.send("ann", "secret")
    chat.delete(message)
    chat.do("ann", put_back(message, "secret", rest={"metadata": {"k": "secret"}}))
    chat.delete(message)
    assert "secret" not in repr([event.item() for event in chat.stored()])
    assert "secret" not in repr(message.overlay)
