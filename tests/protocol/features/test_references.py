"""What conversations and messages are about (CONV-05), and that such a thing is gone."""

from typing import Any

import pytest

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.forwards import ReadForward
from palaver.protocol.features.history import MessageHistory
from palaver.protocol.features.inbox import ListConversations
from palaver.protocol.features.lock import LockConversation
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.references import CONTEXT, DropHere, tells_apart
from palaver.protocol.ids import HOST
from palaver.protocol.message import Message
from palaver.protocol.policy import Policy
from palaver.tests.support.machine import CONVERSATION, NOWHERE, START, Chat

RENTAL: dict[str, Any] = {"kinds": ("thread",), "conversation_context": ("listing", "application")}
TUTORING: dict[str, Any] = {
    "kinds": ("direct",),
    "direct_key": "pair_context",
    "conversation_context": ("booking",),
    "message_context": ("booking",),
}
STAYEASY: dict[str, Any] = {"kinds": ("direct",), "message_context": ("property",)}
FLAT = {"listing": "5", "application": "a7"}


def thread(context: dict[str, str], **policy: Any) -> Chat:
    chat = Chat(**RENTAL, **policy)
    chat.do("ann", CreateConversation(kind="thread", members=["bob"], context=context))
    return chat


def drop(chat: Chat, type: str, id: str, *messages: Message) -> list[dict[str, Any]]:
    """What members are told when the host says that the thing is gone."""
    ids = tuple(message.id for message in messages)
    done = chat.do(HOST, DropHere(context={type: id}, messages=ids))
    return [event.item()["d"] for event in done.events]


# Where it comes from.


def test_CONV_04_CONV_05_a_conversation_says_from_the_first_event_on_what_it_is_about():
    chat = thread(FLAT)
    (created,) = chat.pushes
    assert created["d"]["context"] == FLAT
    assert CONTEXT.of(chat.state) == FLAT
    assert chat.reopened() == chat.state
    assert chat.reopened(chat.state.snapshot()) == chat.state


@pytest.mark.parametrize("context", [None, {}])
def test_CONV_04_a_conversation_need_not_be_about_anything(context: Any):
    chat = Chat(**RENTAL)
    done = chat.do("ann", CreateConversation(kind="thread", members=["bob"], context=context))
    assert "context" not in done.event.item()["d"]
    assert "context" not in chat.state.slices


def test_CONV_05_a_message_says_what_it_is_about():
    chat = Chat.direct("ann", "bob", **STAYEASY)
    message = chat.send("ann", "is it free?", context={"property": "p9"})
    assert chat.pushes[-1]["d"]["context"] == {"property": "p9"}
    assert chat.wire(message)["context"] == {"property": "p9"}
    chat.edit(message, "is it free in May?")
    assert chat.wire(message)["context"] == {"property": "p9"}
    for plain in (chat.send("bob", "which one?"), chat.send("bob", "hm", context={})):
        assert "context" not in chat.wire(plain)
        assert plain.sent == {}, "nothing more is stored"


def test_CONV_05_a_message_takes_over_what_its_conversation_is_about():
    chat = Chat(**TUTORING)
    chat.do("ann", SendMessage(to="bob", text="hello", context={"booking": "100"}))
    created, first = chat.pushes
    assert (created["d"]["context"], first["d"]["context"]) == ({"booking": "100"},) * 2
    assert chat.wire(chat.send("bob", "hi"))["context"] == {"booking": "100"}
    other = chat.send("bob", "and then", context={"booking": "101"})
    assert chat.wire(other)["context"] == {"booking": "101"}
    assert CONTEXT.of(chat.state) == {"booking": "100"}


def test_CONV_05_but_only_what_messages_may_refer_to():
    chat = thread(FLAT, message_context=("application",))
    assert chat.wire(chat.send("ann", "hi"))["context"] == {"application": "a7"}


def test_MSG_17_what_a_message_is_about_stays_behind_when_it_is_forwarded():
    chat = Chat.direct("ann", "bob", **STAYEASY)
    message = chat.send("ann", "look", context={"property": "p9"})
    copied = chat.do("bob", ReadForward(message_id=message.id)).result
    assert copied == {"text": "look", "hops": 1}


# What may be said.

UNHEARD: list[tuple[dict[str, Any], Any, str]] = [
    (RENTAL, CreateConversation(kind="thread", members=["bob"], context={"x": "1"}), "x"),
    (STAYEASY, CreateConversation(kind="direct", members=["bob"], context={"x": "1"}), "x"),
    (STAYEASY, SendMessage(to="bob", text="hi", context={"property": "1", "x": "1"}), "x"),
    ({}, SendMessage(to="bob", text="hi", context={"booking": "1"}), "booking"),
    (
        {"conversation_context": ("booking",)},
        SendMessage(to="bob", text="hi", context={"booking": "1"}),
        "booking",
    ),
]


@pytest.mark.parametrize(("policy", "command", "type"), UNHEARD)
def test_CONV_05_a_type_that_the_product_does_not_have_is_refused(
    policy: dict[str, Any], command: Any, type: str
):
    no = Chat(**policy).refuses("ann", command)
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": f"context.{type}"})


def test_CONV_05_what_only_conversations_refer_to_a_message_in_one_does_not():
    no = thread(FLAT).refuses("ann", SendMessage(text="hi", context={"listing": "5"}))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "context.listing"})


MALFORMED: list[Any] = [
    {"Booking": "1"},
    {"": "1"},
    {"b" * 33: "1"},
    {"booking\n": "1"},
    {"booking": ""},
    {"booking": "x" * 129},
    {"booking": "a\nb"},
    {"booking": 100},
    {"booking": None},
    {f"type{n}": "1" for n in range(9)},
    ["booking"],
]


@pytest.mark.parametrize("context", MALFORMED)
def test_CONV_05_a_context_is_a_small_map_of_names_and_ids(context: Any):
    for kind, payload in (
        (SendMessage, {"text": "hi"}),
        (CreateConversation, {"kind": "group", "members": []}),
        (MessageHistory, {}),
        (ListConversations, {}),
    ):
        with pytest.raises(Rejected) as no:
            parse_command(kind, {**payload, "context": context})
        assert no.value.code == "VALIDATION_FAILED"
        assert str((no.value.details or {})["field"]).startswith("context")


@pytest.mark.parametrize("context", [{}, {"listing": "5", "application": "a7"}])
def test_HIST_04_a_filter_names_one_thing(context: dict[str, str]):
    for kind in (MessageHistory, ListConversations):
        with pytest.raises(Rejected):
            parse_command(kind, {"context": context})


def test_C_13_what_tells_direct_conversations_apart():
    booking = {"booking": "100"}
    assert tells_apart(booking, Policy(**TUTORING)) == booking
    assert tells_apart({**booking, "property": "p9"}, Policy(**TUTORING)) == booking
    for nothing in (None, {}, {"property": "p9"}, {"booking": None}):
        assert tells_apart(nothing, Policy(**TUTORING)) is None
    assert tells_apart(booking, Policy(**{**TUTORING, "direct_key": "pair"})) is None


# That a thing is gone.


def test_CONV_05_of_a_thing_that_is_gone_null_is_left_and_the_message_stays():
    chat = Chat.direct("ann", "bob", **STAYEASY)
    one = chat.send("ann", "is it free?", context={"property": "p9"})
    other = chat.send("ann", "and this?", context={"property": "p1"})
    plain = chat.send("ann", "hello?")
    seq = chat.state.seq
    assert drop(chat, "property", "p9", one, other, plain) == [
        {
            "id": chat.log[-1].id,
            "context": {"property": "p9"},
            "message_id": one.id,
            "message_seq": one.seq,
        }
    ]
    assert chat.pushes[-1]["t"] == "reference.dropped"
    assert (chat.wire(one)["text"], chat.wire(one)["context"]) == (
        "is it free?",
        {"property": None},
    )
    assert chat.wire(other)["context"] == {"property": "p1"}
    assert "context" not in chat.wire(plain)
    assert chat.unread("ann", "bob") == [0, 3], "it is no message"
    assert drop(chat, "property", "p9", one, other, plain) == []
    assert chat.state.seq == seq + 1


def test_CONV_05_other_references_of_the_same_message_stay():
    chat = Chat.group("ann", "bob", message_context=("booking", "property"))
    message = chat.send("ann", "hi", context={"booking": "100", "property": "p9"})
    drop(chat, "property", "100", message)
    assert chat.wire(message)["context"] == {"booking": "100", "property": "p9"}
    drop(chat, "property", "p9", message)
    assert chat.wire(message)["context"] == {"booking": "100", "property": None}
    drop(chat, "booking", "100", message)
    assert chat.wire(message)["context"] == {"booking": None, "property": None}


def test_CONV_05_a_deleted_message_keeps_its_place_and_lets_go_of_what_is_gone():
    chat = Chat.direct("ann", "bob", **STAYEASY)
    message = chat.send("ann", "is it free?", context={"property": "p9"})
    chat.delete(message)
    assert (chat.wire(message)["redacted"], chat.wire(message)["context"]) == (
        True,
        {"property": "p9"},
    )
    drop(chat, "property", "p9", message)
    assert chat.wire(message)["context"] == {"property": None}
    assert "text" not in chat.wire(message)


def test_CONV_05_a_conversation_lets_go_of_what_is_gone():
    chat = thread(FLAT, message_context=("listing",))
    message = chat.send("ann", "hi")
    created, sent = drop(chat, "listing", "5", message)
    assert "message_id" not in created
    assert sent["message_seq"] == message.seq
    assert CONTEXT.of(chat.state) == {"listing": None, "application": "a7"}
    assert chat.reopened() == chat.state
    assert "context" not in chat.wire(chat.send("bob", "is it gone?")), "nothing to take over"
    assert drop(chat, "listing", "5", message) == []


def test_CONV_05_CONV_21_a_lock_keeps_no_reference():
    chat = thread(FLAT)
    chat.do(HOST, LockConversation())
    assert len(drop(chat, "listing", "5")) == 1


def test_CONV_05_a_message_that_is_not_there_is_passed_over():
    chat = thread(FLAT)
    done = chat.do(HOST, DropHere(context={"property": "p9"}, messages=(NOWHERE,)))
    assert done.events == []


def test_CONV_05_only_the_host_says_that_a_thing_is_gone():
    assert not {"reference.drop", "reference.drop_here"} & COMMANDS.keys()


def test_CONV_05_what_is_gone_is_told_like_any_event():
    chat = thread(FLAT)
    drop(chat, "listing", "5")
    assert chat.pushes[-1] == {
        "t": "reference.dropped",
        "c": CONVERSATION,
        "seq": 2,
        "ts": START,
        "d": {"id": chat.log[-1].id, "context": {"listing": "5"}},
    }
