"""Sub-threads: replies under a message of a group, and what their root tells of them."""

from typing import Any

import pytest

from palaver.protocol.commands import Hide, Needs, Show, Subscribe, parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.members import AddMembers, ChangeRole
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.subscriptions import (
    SubscribeConversation,
    UnsubscribeConversation,
)
from palaver.protocol.features.threads import ListThread
from palaver.protocol.features.typing import (
    StartTyping,
    StopTyping,
    TypingStarted,
    TypingStopped,
)
from palaver.protocol.ids import HOST
from palaver.protocol.message import Message
from palaver.tests.support.machine import CONVERSATION, NOWHERE, START, Chat


def talk(*users: str) -> tuple[Chat, Message]:
    chat = Chat.group(*users, threads=True)
    return chat, chat.send(users[0], "root")


def test_CONV_20_a_reply_raises_the_count_of_its_root():
    chat, root = talk("ann", "bob")
    chat.wait(1)
    done = chat.do("bob", SendMessage(text="reply", thread=root.id, client_id="k"))
    told, reply = done.events
    assert told.item() == {
        "t": "thread.replied",
        "c": CONVERSATION,
        "seq": 3,
        "ts": START + 1000,
        "d": {"id": told.id, "by": "bob", "message_id": root.id, "message_seq": 2, "count": 1},
    }
    assert reply.item()["d"] == {
        "id": reply.id,
        "by": "bob",
        "client_id": "k",
        "number": 2,
        "text": "reply",
        "thread": {"id": root.id, "seq": 2},
    }
    assert chat.wire(root)["thread"] == {
        "count": 1,
        "last": {"seq": reply.seq, "by": "bob", "ts": START + 1000},
    }
    chat.send("ann", "another", thread=root.id)
    assert chat.wire(root)["thread"]["count"] == 2
    assert chat.wire(root)["thread"]["last"]["by"] == "ann"


def test_CONV_20_replies_count_as_unread_like_any_message():
    chat, root = talk("ann", "bob")
    chat.send("ann", "reply", thread=root.id)
    assert chat.unread("ann", "bob") == [0, 2]
    assert chat.reopened().snapshot() == chat.state.snapshot()


def test_CONV_20_a_deleted_reply_leaves_the_count():
    chat, root = talk("ann", "bob")
    first = chat.send("bob", "1", thread=root.id)
    second = chat.send("ann", "2", thread=root.id)
    done = chat.do("ann", DeleteMessage(message_id=first.id))
    assert [event.kind for event in done.events] == ["thread.recounted", "message.deleted"]
    assert done.events[0].data.fields()["count"] == 1
    assert chat.wire(root)["thread"] == {
        "count": 1,
        "last": {"seq": second.seq, "by": "ann", "ts": START},
    }
    assert chat.do("ann", DeleteMessage(message_id=first.id)).events == [], "it has left already"
    assert chat.wire(first)["thread"] == {"id": root.id, "seq": root.seq}, "where it stood is shown"


def test_CONV_20_what_is_pushed_leads_to_what_history_says():
    chat, root = talk("ann", "bob")
    first = chat.send("bob", "1", thread=root.id)
    chat.send("ann", "2", thread=root.id)
    chat.delete(first)
    thread: dict[str, Any] = {}
    for push in [*chat.pushes, *chat.pushes]:  # a client may take one twice
        data = push["d"]
        if push["t"] == "thread.replied":
            last = {"seq": push["seq"] + 1, "by": data["by"], "ts": push["ts"]}
            thread = {"count": data["count"], "last": last}
        elif push["t"] == "thread.recounted":
            thread = {**thread, "count": data["count"]}
    assert chat.wire(root)["thread"] == thread


def test_CONV_20_what_is_in_no_thread_is_deleted_as_ever():
    chat, root = talk("ann")
    assert [event.kind for event in chat.delete(root).events] == ["message.deleted"]


def test_CONV_20_the_replies_of_a_deleted_root_stay_and_are_still_counted():
    chat, root = talk("ann", "bob")
    reply = chat.send("bob", "1", thread=root.id)
    chat.send("bob", "2", thread=root.id)
    chat.delete(root)
    assert chat.wire(root)["thread"]["count"] == 2
    chat.delete(reply)
    assert chat.wire(root)["thread"]["count"] == 1


def test_CONV_20_the_count_is_right_also_if_who_deletes_a_reply_does_not_see_the_root():
    chat, root = talk("ann", "bob")
    chat.do("ann", AddMembers(users=["cid"]))
    chat.do("ann", ChangeRole(user="cid", role="admin"))
    reply = chat.send("bob", "reply", thread=root.id)
    done = chat.do("cid", DeleteMessage(message_id=reply.id))
    assert [event.kind for event in done.events] == ["thread.recounted", "message.deleted"]
    assert chat.wire(root)["thread"]["count"] == 0


def test_CONV_20_the_root_of_a_reply_is_looked_up_to_delete_it():
    chat, root = talk("ann")
    reply = chat.send("ann", "reply", thread=root.id)
    command = DeleteMessage(message_id=reply.id)
    assert command.needs_more(chat.state, "ann", {reply.id: reply}) == Needs(messages=(root.id,))
    assert command.needs_more(chat.state, "ann", {root.id: root}) == Needs()


def test_CONV_20_a_thread_does_not_branch():
    chat, root = talk("ann", "bob")
    reply = chat.send("bob", "reply", thread=root.id)
    no = chat.refuses("ann", SendMessage(text="x", thread=reply.id))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "thread"})


def test_CONV_20_a_root_must_be_there_and_visible():
    chat, root = talk("ann", "bob")
    deleted = chat.send("ann", "x")
    chat.delete(deleted)
    for id in (NOWHERE, deleted.id):
        assert chat.refuses("ann", SendMessage(text="x", thread=id)).code == "MESSAGE_NOT_FOUND"
    chat.do("ann", AddMembers(users=["cid"]))
    no = chat.refuses("cid", SendMessage(text="x", thread=root.id))
    assert no.code == "MESSAGE_NOT_FOUND"


def test_CONV_20_threads_are_off_unless_switched_on_and_only_in_groups():
    chat = Chat.group("ann", "bob")
    root = chat.send("ann", "root")
    commands = (
        SendMessage(text="x", thread=root.id),
        StartTyping(thread=root.id),
        StopTyping(thread=root.id),
        SubscribeConversation(thread=root.id),
    )
    for command in commands:
        assert chat.refuses("bob", command).code == "FEATURE_DISABLED"
    pair = Chat.direct("ann", "bob", threads=True)
    root = pair.send("ann", "root")
    no = pair.refuses("bob", SendMessage(text="x", thread=root.id))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "thread"})


def test_CONV_20_a_group_of_the_host_s_has_threads_too():
    chat = Chat(threads=True)
    chat.do(HOST, CreateConversation(kind="external_group", members=["ann", "bob"]))
    root = chat.send("ann", "root")
    chat.send("bob", "reply", thread=root.id)
    assert chat.wire(root)["thread"]["count"] == 1


def test_CONV_20_a_thread_is_not_of_a_conversation_that_is_yet_to_be_made():
    with pytest.raises(Rejected) as no:
        parse_command(SendMessage, {"text": "x", "to": "bob", "thread": NOWHERE})
    assert no.value.code == "VALIDATION_FAILED"


def test_MSG_13_a_reply_in_a_thread_may_quote_another():
    chat, root = talk("ann", "bob")
    reply = chat.send("bob", "reply", thread=root.id)
    answer = chat.send("ann", "answer", thread=root.id, reply_to=reply.id)
    wire = chat.wire(answer)
    assert wire["thread"] == {"id": root.id, "seq": root.seq}
    assert wire["preview"] == {"by": "bob", "text": "reply"}
    chat.delete(reply)
    assert chat.wire(answer)["preview"] == {"unavailable": True}


def test_HIST_12_the_listing_has_its_bounds():
    assert parse_command(ListThread, {"message_id": NOWHERE}) == ListThread(
        message_id=NOWHERE, after=0, limit=None
    )
    with pytest.raises(Rejected):
        parse_command(ListThread, {"message_id": NOWHERE, "limit": 1001})


def test_RCPT_14_typing_in_a_thread_is_for_those_who_follow_it():
    chat, root = talk("ann", "bob")
    start, stop = StartTyping(thread=root.id), StopTyping(thread=root.id)
    (show,) = chat.do("bob", start).effects
    assert isinstance(show, Show)
    assert (show.by, show.thread) == ("bob", root.id)
    assert show.on == TypingStarted("bob", root.id)
    assert show.off == TypingStopped("bob", root.id)
    assert chat.do("bob", stop).effects == [Hide(show.key)]
    (elsewhere,) = chat.do("bob", StartTyping()).effects
    assert isinstance(elsewhere, Show)
    assert elsewhere.thread is None
    assert elsewhere.key != show.key, "the one does not end the other"
    assert chat.refuses("eve", start).code == "PERMISSION_DENIED"


def test_CONV_20_subscribing_to_a_thread():
    chat, root = talk("ann", "bob")
    done = chat.do("bob", SubscribeConversation(thread=root.id))
    assert done.effects == [Subscribe(True, root.id)]
    done = chat.do("bob", UnsubscribeConversation(thread=root.id))
    assert done.effects == [Subscribe(False, root.id)]
    assert chat.refuses("bob", SubscribeConversation(thread=NOWHERE)).code == "MESSAGE_NOT_FOUND"
