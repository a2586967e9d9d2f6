"""Sending, answering, and what a message may hold."""

import json
from typing import Any

import pytest
from hypothesis import given

from palaver.protocol.codec import CODECS
from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.events import EventData
from palaver.protocol.features import EVENTS
from palaver.protocol.features.conversation import ConversationCreated
from palaver.protocol.features.members import AddMembers, RemoveMember
from palaver.protocol.features.messages import MessageSent, SendMessage
from palaver.protocol.message import PREVIEW_CHARS
from palaver.tests.support.machine import NOWHERE, START, Chat
from palaver.tests.support.values import MAPS


@pytest.mark.parametrize("kind", [Chat.direct, Chat.group])
def test_CONV_01_GRP_17_sending_is_the_same_in_every_kind_of_conversation(kind: Any):
    chat = kind("ann", "bob")
    chat.wait(1)
    event = chat.do("bob", SendMessage(text="hello", client_id="k1")).event
    assert event.item() == {
        "t": "message.sent",
        "c": chat.state.id,
        "seq": 2,
        "ts": START + 1000,
        "d": {"id": event.id, "by": "bob", "client_id": "k1", "number": 1, "text": "hello"},
    }


@pytest.mark.parametrize("name", MessageSent.field_names()[1:])
def test_whatever_a_message_has_is_told(name: str):
    more: dict[str, Any] = {name: "y"}
    assert MessageSent("x", **more).fields() == {"text": "x", **more}


def test_SEND_04_the_server_sets_id_sender_place_and_time():
    chat = Chat.group("ann", "bob")
    first, second = chat.send("ann", "1"), chat.send("bob", "2")
    assert first.id != second.id
    assert [(m.by, m.seq, m.number, m.at) for m in (first, second)] == [
        ("ann", 2, 1, START),
        ("bob", 3, 2, START),
    ]


def test_SEND_09_time_never_goes_back_along_the_log():
    chat = Chat.group("ann")
    chat.wait(60)
    first = chat.send("ann", "1")
    chat.wait(-30)  # the clock was set
    assert chat.send("ann", "2").at == first.at


# SEND-03.


@pytest.mark.parametrize("length", [1, 1999, 2000])
def test_SEND_03_as_long_as_allowed(length: int):
    chat = Chat.group("ann", max_chars=2000)
    assert chat.send("ann", "x" * length).text == "x" * length


def test_SEND_03_C_01_too_long_for_the_product():
    chat = Chat.group("ann", max_chars=2000)
    no = chat.refuses("ann", SendMessage(text="x" * 2001))
    assert no.code == "MESSAGE_TOO_LONG"
    assert no.details == {"field": "text", "max_chars": 2000}


def test_SEND_03_characters_count_not_bytes():
    chat = Chat.group("ann", max_chars=4)
    assert chat.send("ann", "\U0001f600" * 4).seq == 2
    assert chat.refuses("ann", SendMessage(text="\U0001f600" * 5)).code == "MESSAGE_TOO_LONG"


def test_SEND_03_C_01_the_default_is_4000():
    chat = Chat.group("ann")
    chat.send("ann", "x" * 4000)
    assert chat.refuses("ann", SendMessage(text="x" * 4001)).code == "MESSAGE_TOO_LONG"


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0\u3000"])
def test_SEND_03_white_space_alone_is_no_message(text: str):
    no = Chat.group("ann").refuses("ann", SendMessage(text=text))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "text"})


def test_white_space_around_a_text_is_kept():
    assert Chat.group("ann").send("ann", "  x\n").text == "  x\n"


def test_a_text_that_no_codec_has_seen_is_checked_too():
    no = Chat.group("ann").refuses("ann", SendMessage(text="a\0b"))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "text"})


def test_the_state_keeps_the_beginning_of_the_last_message():
    chat = Chat.group("ann", max_chars=1000)
    last = chat.send("ann", "x" * 1000)
    assert chat.state.last == {
        "id": last.id,
        "seq": 2,
        "by": "ann",
        "ts": START,
        "text": "x" * PREVIEW_CHARS,
    }


# SEND-06.


def test_SEND_06_the_client_id_is_on_the_one_event_that_answers():
    chat = Chat()
    done = chat.do("ann", SendMessage(text="hi", to="bob", client_id="k1"))
    assert [type(event.data) for event in done.events] == [ConversationCreated, MessageSent]
    assert [event.client_id for event in done.events] == [None, "k1"]


def test_SEND_06_without_a_client_id_there_is_none():
    assert "client_id" not in Chat.group("ann").do("ann", SendMessage(text="x")).event.item()["d"]


# SEND-22.


def test_SEND_22_membership_comes_before_form():
    chat = Chat.group("ann")
    assert chat.refuses("eve", SendMessage(text="")).code == "PERMISSION_DENIED"
    assert Chat().refuses("eve", SendMessage(text="")).code == "CONVERSATION_NOT_FOUND"


def test_SEND_22_form_comes_before_what_it_answers():
    chat = Chat.group("ann")
    assert chat.refuses("ann", SendMessage(text="", reply_to=NOWHERE)).code == "VALIDATION_FAILED"


# The first message makes the conversation.


def test_CONV_02_the_first_message_makes_the_direct_conversation():
    chat = Chat()
    chat.do("ann", SendMessage(text="hi", to="bob"))
    chat.do("bob", SendMessage(text="oh", to="ann"))
    assert [event.kind for event in chat.log] == [
        "conversation.created",
        "message.sent",
        "message.sent",
    ]
    assert chat.state.kind == "direct"
    assert chat.unread("ann", "bob") == [1, 0]


def test_CONV_02_a_message_that_is_refused_makes_none():
    chat = Chat(max_chars=1)
    assert chat.refuses("ann", SendMessage(text="hi", to="bob")).code == "MESSAGE_TOO_LONG"
    assert not chat.state.exists


def test_CONV_22_nobody_writes_to_themselves():
    assert Chat().refuses("ann", SendMessage(text="hi", to="ann")).code == "SELF_MESSAGE"


# MSG-13.


def test_MSG_13_a_reply_shows_a_preview():
    chat = Chat.group("ann", "bob")
    hello = chat.send("ann", "hello")
    reply = chat.send("bob", "hi", reply_to=hello.id)
    assert chat.pushes[-1]["d"]["reply_to"] == {"id": hello.id, "seq": hello.seq}
    assert chat.pushes[-1]["d"]["preview"] == {"by": "ann", "text": "hello"}
    assert chat.wire(reply)["preview"] == {"by": "ann", "text": "hello"}


def test_MSG_13_no_copy_of_the_preview_is_kept():
    chat = Chat.group("ann", "bob")
    hello = chat.send("ann", "a secret")
    event = chat.do("bob", SendMessage(text="hi", reply_to=hello.id)).event
    assert "a secret" not in repr(event)
    assert "a secret" not in repr(chat.messages[event.id])


def test_MSG_13_the_preview_follows_an_edit():
    chat = Chat.group("ann", "bob")
    hello = chat.send("ann", "helo")
    reply = chat.send("bob", "hi", reply_to=hello.id)
    chat.edit(hello, "hello")
    assert chat.wire(reply)["preview"] == {"by": "ann", "text": "hello"}


def test_MSG_13_the_preview_of_a_deleted_message_says_unavailable():
    chat = Chat.group("ann", "bob")
    hello = chat.send("ann", "hello")
    reply = chat.send("bob", "hi", reply_to=hello.id)
    chat.delete(hello)
    assert chat.wire(reply)["preview"] == {"unavailable": True}
    assert chat.wire(reply)["text"] == "hi"


def test_MSG_13_a_preview_is_short():
    chat = Chat.group("ann", "bob")
    long = chat.send("ann", "x" * 1000)
    chat.send("bob", "hi", reply_to=long.id)
    assert chat.pushes[-1]["d"]["preview"]["text"] == "x" * PREVIEW_CHARS


def test_MSG_13_SEND_21_an_answer_to_nothing_is_refused():
    chat = Chat.group("ann", "bob")
    no = chat.refuses("bob", SendMessage(text="hi", reply_to=NOWHERE))
    assert (no.code, no.details) == ("MESSAGE_NOT_FOUND", {"message_id": NOWHERE})
    hello = chat.send("ann", "hello")
    chat.delete(hello)
    no = chat.refuses("bob", SendMessage(text="hi", reply_to=hello.id))
    assert no.code == "MESSAGE_NOT_FOUND"


def test_MSG_13_HIST_11_nobody_answers_what_they_may_not_see():
    """Otherwise the preview would show it to them."""
    chat = Chat.group("ann", "bob")
    before = chat.send("ann", "not for cid")
    chat.do("ann", AddMembers(users=["cid"]))
    after = chat.send("ann", "welcome")
    no = chat.refuses("cid", SendMessage(text="hi", reply_to=before.id))
    assert no.code == "MESSAGE_NOT_FOUND"
    chat.send("cid", "hi", reply_to=after.id)
    chat.send("bob", "hi", reply_to=before.id)


def test_HIST_11_who_came_back_may_answer_what_they_saw_before():
    chat = Chat.group("ann", "bob")
    seen = chat.send("ann", "seen")
    chat.do("ann", RemoveMember(user="bob"))
    unseen = chat.send("ann", "unseen")
    chat.do("ann", AddMembers(users=["bob"]))
    chat.send("bob", "hi", reply_to=seen.id)
    no = chat.refuses("bob", SendMessage(text="hi", reply_to=unseen.id))
    assert no.code == "MESSAGE_NOT_FOUND"


# MSG-29.


@given(MAPS)
def test_MSG_29_metadata_round_trips(metadata: dict[str, Any]):
    chat = Chat.group("ann")
    message = chat.send("ann", "x", metadata=metadata)
    for kind in CODECS:
        codec = kind()
        assert codec.decode(codec.encode(chat.wire(message)))["metadata"] == metadata
        assert codec.decode(codec.encode(chat.pushes[-1]))["d"]["metadata"] == metadata


def test_MSG_29_metadata_has_16_KiB():
    def sized(size: int) -> dict[str, Any]:
        metadata = {"k": ""}
        metadata["k"] = "é" * ((size - len(json.dumps(metadata))) // 2)
        return metadata

    chat = Chat.group("ann")
    chat.send("ann", "x", metadata=sized(16_384))
    no = chat.refuses("ann", SendMessage(text="x", metadata=sized(16_386)))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "metadata"})


@pytest.mark.parametrize("size", [0, 1])
def test_MSG_29_the_bound_is_a_setting(size: int):
    chat = Chat.group("ann", max_metadata_bytes=1 + size)
    command = SendMessage(text="x", metadata={})
    if size:
        chat.do("ann", command)
    else:
        chat.refuses("ann", command)


@pytest.mark.parametrize(
    "value", [float("nan"), 2**64, "\0", "\ud800", b"x", object, {1: 2}, (1,)], ids=repr
)
def test_MSG_29_metadata_that_no_codec_has_seen_is_checked_too(value: Any):
    no = Chat.group("ann").refuses("ann", SendMessage(text="x", metadata={"k": value}))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "metadata"})


# SEC-07, SEC-08: text is text.

INJECTIONS = [
    "'; DROP TABLE log; --",
    "' OR '1'='1",
    "$1 %s {0} :name ?",
    '{"$ne": null}',
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "${jndi:ldap://example.org/a}",
    "{{7*7}} #{7*7} <%= 7*7 %>",
    "../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    "\\x00 \\u0000 %00",
    "\u202egnirts \u200b\ufeff",
    "\x1b[31m\x07\x08",
    "e\u0301 \u00e9 \ufb01",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_SEC_08_injections_are_stored_as_text(text: str):
    chat = Chat.group("ann", "bob")
    command = parse_command(SendMessage, {"text": text, "metadata": {text: text}})
    assert isinstance(command, SendMessage)
    event = chat.do("ann", command).event
    edited = chat.edit(chat.send("ann", "x"), text).event
    for kind in CODECS:
        codec = kind()
        for item in (event.item(), edited.item()):
            again = codec.decode(codec.encode(item))
            assert again["d"]["text"] == text
        assert codec.decode(codec.encode(event.item()))["d"]["metadata"] == {text: text}
    assert chat.history()[0]["text"] == text
    assert chat.history()[1]["text"] == text


def test_a_new_kind_of_message_would_be_a_message():
    """What history and erasure rely on: a message's own text, and that its id is the event's."""
    for kind in EVENTS.values():
        if kind.is_message:
            assert "text" in kind.field_names()
    assert [kind for kind in EVENTS.values() if kind.is_message and kind.countable] == [MessageSent]
    assert not EventData.is_message


def test_SEND_02_to_and_reply_to_exclude_each_other():
    with pytest.raises(Rejected, match="give c, not to"):
        parse_command(SendMessage, {"text": "x", "to": "bob", "reply_to": NOWHERE})
