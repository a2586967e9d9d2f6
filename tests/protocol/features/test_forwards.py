"""Forwarding: what a copy holds, and the count where it was said."""

import pytest

from palaver.protocol.features import COMMANDS
from palaver.protocol.features.forwards import (
    CountForward,
    ForwardMessage,
    ReadForward,
    SendCopy,
)
from palaver.protocol.features.members import AddMembers
from palaver.protocol.features.system import PostMessage
from palaver.protocol.ids import HOST
from palaver.tests.support.machine import NOWHERE, Chat


def forward(chat: Chat, user: str, id: str) -> None:
    chat.do(user, ReadForward(message_id=id))
    chat.do(user, CountForward(message_id=id))


def test_MSG_17_clients_ask_to_forward_and_for_no_part_of_it():
    ours = {ForwardMessage, ReadForward, SendCopy, CountForward}
    assert ours & set(COMMANDS.values()) == {ForwardMessage}


def test_MSG_17_the_sixth_time_is_refused():
    chat = Chat.group("ann", "bob", "cid")
    message = chat.send("ann", "x")
    for _ in range(5):
        forward(chat, "bob", message.id)
    no = chat.refuses("bob", ReadForward(message_id=message.id))
    assert (no.code, no.details) == ("FORWARD_LIMIT", {"max_forwards": 5})
    forward(chat, "cid", message.id)
    another = chat.send("ann", "y")
    forward(chat, "bob", another.id)
    assert chat.wire(message)["forwards"] == 6
    assert chat.wire(another)["forwards"] == 1


def test_MSG_17_what_was_sent_counts_whatever_the_limit():
    chat = Chat.group("ann", max_forwards=0)
    message = chat.send("ann", "x")
    assert chat.refuses("ann", ReadForward(message_id=message.id)).code == "FORWARD_LIMIT"
    event = chat.do("ann", CountForward(message_id=message.id, client_id="k")).event
    assert event.item()["d"] == {
        "id": event.id,
        "by": "ann",
        "client_id": "k",
        "message_id": message.id,
        "message_seq": message.seq,
        "count": 1,
        "own": 1,
    }


def test_MSG_17_the_count_tells_nobody_who():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    forward(chat, "bob", message.id)
    assert chat.wire(message)["forwards"] == 1
    assert message.forwards == {"bob": 1}


def test_MSG_17_a_copy_holds_what_the_message_says_now_and_nothing_of_its_origin():
    chat = Chat.group("ann", "bob", threads=True)
    root = chat.send("bob", "root")
    message = chat.send("ann", "x", metadata={"a": 1}, reply_to=root.id, thread=root.id)
    chat.edit(message, "edited")
    done = chat.do("bob", ReadForward(message_id=message.id))
    assert done.events == []
    assert done.result == {"text": "edited", "hops": 1, "metadata": {"a": 1}}
    other = Chat.group("bob", "cid")
    copy = other.do("bob", SendCopy(client_id="k", **done.result)).event
    assert copy.item()["d"] == {
        "id": copy.id,
        "by": "bob",
        "client_id": "k",
        "number": 1,
        "text": "edited",
        "metadata": {"a": 1},
        "forwarded": {"hops": 1},
    }
    again = other.do("cid", ReadForward(message_id=copy.id)).result
    assert again == {"text": "edited", "hops": 2, "metadata": {"a": 1}}


def test_MSG_17_MSG_01_media_are_forwarded_as_what_they_are_without_mentions():
    chat = Chat.group("ann", "bob", message_types=("text", "image"))
    photo = {"url": "https://example.org/a.jpg"}
    message = chat.send("ann", "", type="image", metadata=photo, mentions=["bob"])
    carried = chat.do("bob", ReadForward(message_id=message.id)).result
    assert carried == {"text": "", "hops": 1, "type": "image", "metadata": photo}
    copy = chat.do("bob", SendCopy(**carried)).event.item()["d"]
    assert (copy["type"], copy["metadata"]) == ("image", photo)


def test_MSG_17_MSG_25_an_announcement_is_forwarded_as_a_text():
    chat = Chat.group("ann", "bob", message_types=("text", "announcement"))
    message = chat.send("ann", "closed", type="announcement", metadata={"a": 1})
    carried = chat.do("bob", ReadForward(message_id=message.id)).result
    assert carried == {"text": "closed", "hops": 1, "metadata": {"a": 1}}


@pytest.mark.parametrize("kind", [ReadForward, CountForward])
def test_MSG_17_what_is_gone_or_not_to_be_seen_is_not_forwarded(
    kind: type[ReadForward] | type[CountForward],
):
    chat = Chat.group("ann", "bob")
    message, deleted = chat.send("ann", "x"), chat.send("ann", "y")
    chat.delete(deleted)
    chat.do("ann", AddMembers(users=["cid"]))
    for user, id in (("ann", deleted.id), ("ann", NOWHERE), ("cid", message.id)):
        assert chat.refuses(user, kind(message_id=id)).code == "MESSAGE_NOT_FOUND"
    assert chat.refuses("eve", kind(message_id=message.id)).code == "PERMISSION_DENIED"


def test_MSG_17_what_the_system_says_is_not_forwarded():
    chat = Chat.group("ann")
    posted = chat.do(HOST, PostMessage(text="welcome")).event
    assert chat.refuses("ann", ReadForward(message_id=posted.id)).code == "PERMISSION_DENIED"
