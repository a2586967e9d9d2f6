"""`decide`, `event`, `apply` and the marks, apart from any feature."""

from dataclasses import replace

import pytest

from palaver.protocol import machine
from palaver.protocol.commands import NOTHING, Context, Needs, Position
from palaver.protocol.errors import Rejected
from palaver.protocol.events import Event
from palaver.protocol.features.conversation import ConversationCreated, GetConversation
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.marks import ReadMessages
from palaver.protocol.features.members import AddMembers, LeaveConversation, RemoveMember
from palaver.protocol.features.messages import MessageSent, SendMessage
from palaver.protocol.features.typing import StartTyping
from palaver.protocol.machine import Mark, apply, apply_mark
from palaver.protocol.policy import Policy
from palaver.protocol.state import ConversationState
from palaver.tests.support.machine import CONVERSATION, START, Chat


def context(user: str, **more: object) -> Context:
    return Context(user, START, Policy(), lambda: "new", **more)  # type: ignore[arg-type]


# Who gets in.


def test_CONV_18_membership_is_the_first_check_of_all():
    state = Chat.group("ann").state
    machine.admit(state, SendMessage(text=""), "ann")
    with pytest.raises(Rejected, match="PERMISSION_DENIED"):
        machine.admit(state, SendMessage(text=""), "eve")


def test_what_does_not_exist_is_not_found_unless_it_is_being_opened():
    nothing = ConversationState(CONVERSATION)
    machine.admit(nothing, SendMessage(text="x", to="bob"), "ann")
    for command in (GetConversation(), StartTyping(), LeaveConversation()):
        with pytest.raises(Rejected, match="CONVERSATION_NOT_FOUND"):
            machine.admit(nothing, command, "ann")


# What is known of messages.


def test_HIST_11_a_message_that_one_may_not_see_is_not_there():
    chat = Chat.group("ann", "bob")
    before = chat.send("ann", "1")
    chat.do("ann", RemoveMember(user="bob"))
    between = chat.send("ann", "2")
    chat.do("ann", AddMembers(users=["bob"]))
    after = chat.send("ann", "3")
    messages = chat.messages
    assert machine.visible(chat.state, "bob", messages).keys() == {before.id, after.id}
    assert machine.visible(chat.state, "ann", messages).keys() == {*messages}
    assert machine.visible(chat.state, "eve", messages) == {}
    assert between.id in messages


def test_a_message_to_others_is_not_there():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "psst")
    message.audience = ("ann",)
    assert machine.visible(chat.state, "bob", chat.messages) == {}
    assert machine.visible(chat.state, "ann", chat.messages) == {message.id: message}


def test_what_becomes_of_a_message_to_others_is_for_them_only():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "psst")
    message.audience = ("ann",)
    assert chat.edit(message, "pssst").event.audience == ("ann",)
    assert chat.delete(message).event.audience == ("ann",)
    assert chat.delete(chat.send("ann", "hello")).event.audience is None


def test_deciding_leaves_the_context_as_it_was():
    chat = Chat.group("ann")
    message = chat.send("ann", "1")
    chat.do("ann", AddMembers(users=["bob"]))
    known = context("bob", messages={message.id: message})
    with pytest.raises(Rejected, match="MESSAGE_NOT_FOUND"):
        machine.decide(chat.state, EditMessage(message_id=message.id, text="x"), known)
    assert known.messages == {message.id: message}


# Events.


def test_an_event_takes_the_next_place():
    chat = Chat.group("ann")
    command = SendMessage(text="x", client_id="k")
    for answers in (True, False):
        event = machine.event(
            chat.state, MessageSent(text="x"), context("ann"), command, carries_client_id=answers
        )
        assert event == Event(
            conversation=CONVERSATION,
            seq=2,
            id="new",
            data=MessageSent(text="x"),
            sender="ann",
            at=START,
            client_id="k" if answers else None,
            number=1,
        )


def test_what_does_not_count_has_no_number():
    chat = Chat.group("ann")
    chat.send("ann", "x")
    assert [event.number for event in chat.log] == [None, 1]
    chat.do("ann", AddMembers(users=["bob"]))
    assert chat.log[-1].number is None
    assert chat.send("ann", "y").number == 2


@pytest.mark.parametrize("seq", [1, 2, 4])
def test_only_the_next_event_can_be_applied(seq: int):
    chat = Chat.group("ann")
    chat.send("ann", "x")
    wrong = replace(chat.log[-1], seq=seq)
    before = chat.state.snapshot()
    with pytest.raises(AssertionError, match=f"event {seq} applied to a state at 2"):
        apply(chat.state, wrong)
    assert chat.state.snapshot() == before


def test_apply_changes_and_returns_the_state_it_was_given():
    state = ConversationState(CONVERSATION)
    created = ConversationCreated(kind="group", profile="default", roles={"ann": "admin"})
    event = Event(CONVERSATION, 1, "e1", created, "ann", START)
    assert apply(state, event) is state
    assert (state.seq, state.changed_at, state.exists) == (1, START, True)


# A void: at its seq stands what could not be stored.


def test_a_void_counts_for_nobody():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    chat.send("ann", "lost")
    void = chat.void_last()
    assert (void.seq, void.number, void.kind) == (3, 2, "void")
    assert chat.unread("ann", "bob") == [0, 1]
    assert (chat.state.seq, chat.state.number) == (3, 2)
    chat.send("ann", "3")
    assert chat.unread("ann", "bob") == [0, 2]
    chat.read("bob", 2)
    assert chat.unread("bob") == [1]
    assert chat.reopened() == chat.state


def test_a_void_is_not_the_last_message():
    chat = Chat.group("ann", "bob")
    first = chat.send("ann", "1")
    chat.send("ann", "lost")
    chat.void_last()
    assert chat.state.last is not None
    assert chat.state.last["id"] == first.id


def test_a_void_of_something_else_counts_nothing():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    event = replace(chat.log[-1], number=None)
    apply(chat.state, replace(event.voided(), seq=3))
    assert chat.unread("bob") == [1]


# Marks.


def mark(seq: int, n: int, kind: str = "read", user: str = "bob", **more: int) -> Mark:
    values = {"number": seq - 1, "excluded": 0, "at": START + seq, **more}
    return Mark(CONVERSATION, user, kind, seq, n=n, **values)


def three_messages() -> Chat:
    chat = Chat.group("ann", "bob")
    for number in range(3):
        chat.send("ann", str(number))
    return chat


def test_a_mark_moves_what_is_unread():
    state = three_messages().state
    apply_mark(state, mark(3, 1))
    member = state.members["bob"]
    assert state.unread("bob") == 1
    assert (member.read_seq, member.read_at, member.read_n) == (3, START + 3, 1)
    assert (member.delivered_seq, member.delivered_at, member.delivered_n) == (3, START + 3, 1)


def test_marks_come_in_any_order_and_more_than_once():
    marks = [mark(2, 1), mark(3, 2), mark(4, 3, "delivered"), mark(3, 2)]
    one, other = three_messages().state, three_messages().state
    for each in marks:
        apply_mark(one, each)
    for each in [marks[1], marks[3], marks[0], marks[2]]:
        apply_mark(other, each)
    assert one == other
    assert (one.unread("bob"), one.members["bob"].delivered_seq, one.marks) == (1, 4, 3)


def test_RCPT_05_a_mark_where_one_is_already_changes_nothing():
    state = three_messages().state
    joined = state.members["bob"].read_at
    apply_mark(state, mark(1, 1))
    apply_mark(state, mark(1, 2, "delivered"))
    member = state.members["bob"]
    assert (member.read_at, member.delivered_at, member.read_n) == (joined, joined, 0)
    assert state.unread("bob") == 3


def test_a_delivered_mark_reads_nothing():
    state = three_messages().state
    apply_mark(state, mark(4, 1, "delivered"))
    assert (state.unread("bob"), state.members["bob"].read_seq) == (3, 1)


def test_a_mark_of_nobody_known_is_only_counted():
    state = three_messages().state
    apply_mark(state, mark(4, 7, user="eve"))
    assert state.marks == 7
    assert "eve" not in state.members


def test_reading_asks_for_a_position_only_in_the_middle():
    chat = three_messages()
    chat.do("ann", AddMembers(users=["cid"]))
    assert ReadMessages().needs(chat.state).position is None
    assert ReadMessages(seq=4).needs(chat.state).position is None
    assert ReadMessages(seq=3).needs(chat.state).position == 3
    ids = list(chat.messages)
    command = ReadMessages(message_ids=ids)
    messages = dict(chat.messages)
    assert command.needs(chat.state).messages == tuple(ids)
    assert command.needs_more(chat.state, "bob", messages) is NOTHING
    messages.pop(ids[-1])
    assert command.needs_more(chat.state, "bob", messages) == Needs(position=3)
    assert command.needs_more(chat.state, "ann", messages) is NOTHING
    assert chat.position(3) == Position(number=2, excluded=0)
