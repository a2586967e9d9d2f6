"""Messages that disappear by themselves."""

from __future__ import annotations

import pytest

from palaver.protocol.features.deletes import PURGE, DeleteMessage
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.expiry import EXPIRE, ExpireMessage
from palaver.protocol.features.lock import LockConversation
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.pins import PinMessage
from palaver.protocol.ids import HOST
from palaver.protocol.message import Message
from palaver.tests.support.machine import START, Chat


def expire(chat: Chat, message: Message) -> list[str]:
    done = chat.do(HOST, ExpireMessage(message_id=message.id))
    return [event.kind for event in done.events]


def test_MSG_24_a_message_says_when_it_will_be_gone_and_is_a_job_then():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "secret", expires_in=60)
    event = chat.log[-1]
    assert event.item()["d"]["expires_at"] == START + 60_000
    assert chat.wire(message)["expires_at"] == START + 60_000
    (job,) = event.data.jobs(event)
    assert (job.kind, job.due) == (EXPIRE, START + 60_000)
    assert job.data == {"conversation": chat.state.id, "message_id": message.id}
    chat.send("ann", "plain")
    assert chat.log[-1].data.jobs(chat.log[-1]) == ()


def test_MSG_24_expired_it_is_gone_and_leaves_no_tombstone():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "secret", expires_in=60, metadata={"k": "secret"})
    reply = chat.send("bob", "what?", reply_to=message.id)
    chat.do("ann", PinMessage(message_id=message.id))
    chat.wait(60)
    assert expire(chat, message) == ["message.deleted"]
    assert chat.pushes[-1]["d"] == {
        "id": chat.log[-1].id,
        "message_id": message.id,
        "message_seq": message.seq,
        "counted": True,
        "reason": "expired",
    }
    assert not message.is_listed(tombstones=True)
    assert "secret" not in repr([event.item() for event in chat.stored()])
    assert chat.wire(reply)["preview"] == {"unavailable": True}
    assert chat.unread("bob") == [0]
    (job,) = chat.log[-1].data.jobs(chat.log[-1])
    assert (job.kind, job.due) == (PURGE, chat.now), "and is purged at once"


def test_MSG_24_a_tombstone_is_left_of_what_somebody_deleted():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x", expires_in=60)
    chat.delete(message)
    assert message.is_listed(tombstones=True)
    assert not message.is_listed(tombstones=False)
    assert expire(chat, message) == [], "it is gone already"


def test_MSG_24_the_last_message_of_the_inbox_goes_too():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "secret", expires_in=60)
    expire(chat, message)
    assert "secret" not in repr(chat.state.snapshot())


def test_MSG_24_it_goes_also_while_the_conversation_is_locked():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x", expires_in=60)
    chat.do("ann", LockConversation())
    assert expire(chat, message) == ["message.deleted"]


def test_MSG_24_what_has_expired_can_be_changed_by_nobody():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x", expires_in=60)
    expire(chat, message)
    for command in (
        EditMessage(message_id=message.id, text="y"),
        PinMessage(message_id=message.id),
    ):
        assert chat.refuses("ann", command).code == "MESSAGE_NOT_FOUND"
    assert chat.do("ann", DeleteMessage(message_id=message.id)).events == []


def test_MSG_24_in_its_thread_it_is_counted_no_longer():
    chat = Chat.group("ann", "bob", threads=True)
    root = chat.send("ann", "root")
    reply = chat.send("bob", "reply", thread=root.id, expires_in=60)
    assert expire(chat, reply) == ["thread.recounted", "message.deleted"]
    assert chat.wire(root)["thread"]["count"] == 0


@pytest.mark.parametrize(
    ("most", "seconds", "code"),
    [(100, 101, "VALIDATION_FAILED"), (0, 1, "FEATURE_DISABLED"), (100, 100, None)],
)
def test_MSG_24_no_longer_than_the_product_allows(most: int, seconds: int, code: str | None):
    chat = Chat.group("ann", max_expiry_s=most)
    command = SendMessage(text="x", expires_in=seconds)
    if code is None:
        assert chat.do("ann", command).events
    else:
        assert chat.refuses("ann", command).code == code
