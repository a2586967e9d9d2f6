"""Read and delivered marks, and the counts that follow from them."""

import pytest

from palaver.protocol.commands import Emit, MoveMark
from palaver.protocol.features.marks import (
    Acknowledge,
    MessageDelivered,
    MessageRead,
    ReadMessages,
    together,
)
from palaver.protocol.features.members import AddMembers, RemoveMember
from palaver.protocol.machine import move_ahead, take_ahead
from palaver.tests.support.machine import NOWHERE, START, Chat


def read_ids(*ids: str) -> ReadMessages:
    return ReadMessages(message_ids=list(ids))


def test_RCPT_01_one_message_is_read():
    chat = Chat.group("ann", "bob")
    first, second = chat.send("ann", "1"), chat.send("ann", "2")
    chat.wait(5)
    done = chat.do("bob", read_ids(first.id))
    assert done.result == {"seq": first.seq, "at": START + 5000, "unread": 1}
    assert done.signals == [Emit(MessageRead(by="bob", seq=first.seq, at=START + 5000), by=None)]
    assert done.events == []
    assert second.seq > chat.state.members["bob"].read_seq


@pytest.mark.parametrize("first_deleted", [False, True])
def test_RCPT_01_a_message_in_the_middle_is_read(first_deleted: bool):
    """The count goes on from there: what was deleted after it was asked for."""
    chat = Chat.group("ann", "bob")
    messages = [chat.send("ann", str(number)) for number in range(5)]
    chat.delete(messages[0 if first_deleted else 3])
    done = chat.do("bob", read_ids(messages[1].id))
    assert done.result["unread"] == (3 if first_deleted else 2)


def test_RCPT_02_of_a_list_the_greatest_holds():
    chat = Chat.group("ann", "bob")
    ids = [chat.send("ann", str(number)).id for number in range(4)]
    done = chat.do("bob", read_ids(ids[2], ids[0], NOWHERE, ids[2]))
    assert (done.result["seq"], done.result["unread"]) == (4, 1)
    assert len(done.marks) == 1


def test_RCPT_02_foreign_and_own_messages_in_a_list_count_for_nothing():
    chat = Chat.group("ann", "bob")
    theirs = chat.send("ann", "1")
    chat.send("ann", "2")
    before = chat.state.members["bob"].read_seq
    own = chat.send("bob", "3")
    assert chat.state.members["bob"].read_seq == own.seq > before
    chat.send("ann", "4")
    done = chat.do("bob", read_ids(theirs.id, own.id, NOWHERE))
    assert done.marks == [], "read already, by writing"
    assert done.result["unread"] == 1


def test_RCPT_02_HIST_11_messages_from_before_one_joined_count_for_nothing():
    chat = Chat.group("ann", "bob")
    before = chat.send("ann", "1")
    chat.do("ann", AddMembers(users=["cid"]))
    after = chat.send("ann", "2")
    chat.send("ann", "3")
    assert chat.refuses("cid", read_ids(before.id)).code == "MESSAGE_NOT_FOUND"
    assert chat.do("cid", read_ids(before.id, after.id)).result["unread"] == 1


def test_RCPT_03_the_whole_conversation_is_read():
    chat = Chat.group("ann", "bob", "cid")
    for number in range(3):
        chat.send("ann", str(number))
    assert chat.unread("ann", "bob", "cid") == [0, 3, 3]
    assert chat.do("bob", ReadMessages()).result["unread"] == 0
    assert chat.unread("ann", "bob", "cid") == [0, 0, 3]


def test_RCPT_03_up_to_a_seq():
    chat = Chat.group("ann", "bob")
    for number in range(3):
        chat.send("ann", str(number))
    assert chat.read("bob", 3).result["unread"] == 1
    assert chat.read("bob", 1_000_000).result == {"seq": 4, "at": START, "unread": 0}


@pytest.mark.parametrize("shape", ["one", "list", "seq", "all"])
def test_C_08_a_read_is_told_by_a_message_by_several_by_a_place_or_for_all(shape: str):
    chat = Chat.group("ann", "bob")
    first, last = chat.send("ann", "1"), chat.send("ann", "2")
    shapes = {
        "one": read_ids(last.id),
        "list": read_ids(first.id, last.id),
        "seq": ReadMessages(seq=last.seq),
        "all": ReadMessages(),
    }
    assert chat.do("bob", shapes[shape]).result == {"seq": last.seq, "at": START, "unread": 0}


def test_RCPT_04_nobody_marks_their_own_message():
    chat = Chat.group("ann", "bob")
    own = chat.send("ann", "1")
    assert chat.refuses("ann", read_ids(own.id)).code == "PERMISSION_DENIED"
    assert chat.refuses("ann", read_ids(own.id, NOWHERE)).code == "PERMISSION_DENIED"
    assert chat.refuses("ann", read_ids(NOWHERE)).code == "MESSAGE_NOT_FOUND"


def test_RCPT_04_nobody_else_marks_anything():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "1")
    for command in (read_ids(message.id), ReadMessages(), ReadMessages(seq=1), Acknowledge(seq=1)):
        assert chat.refuses("eve", command).code == "PERMISSION_DENIED"


def test_RCPT_05_the_first_time_is_kept():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "1")
    first = chat.do("bob", read_ids(message.id))
    chat.wait(60)
    for again in (read_ids(message.id), ReadMessages(), ReadMessages(seq=message.seq)):
        done = chat.do("bob", again)
        assert (done.effects, done.result) == ([], first.result)
    assert chat.state.marks == 1


def test_RCPT_05_a_mark_never_goes_back():
    chat = Chat.group("ann", "bob")
    for number in range(3):
        chat.send("ann", str(number))
    chat.read("bob")
    assert chat.read("bob", 2).effects == []
    assert chat.state.members["bob"].read_seq == 4


def test_RCPT_07_unread_by_send_read_and_delete():
    chat = Chat.group("ann", "bob")
    assert chat.unread("ann", "bob") == [0, 0]
    messages = [chat.send("ann", str(number)) for number in range(3)]
    assert chat.unread("ann", "bob") == [0, 3]
    chat.do("bob", read_ids(messages[0].id))
    assert chat.unread("ann", "bob") == [0, 2]
    chat.delete(messages[1])
    assert chat.unread("ann", "bob") == [0, 1]
    chat.send("bob", "answer")
    assert chat.unread("ann", "bob") == [1, 0]


def test_RCPT_07_only_messages_count():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "1")
    chat.read("bob")
    chat.edit(message, "one")
    chat.do("ann", AddMembers(users=["cid"]))
    chat.do("ann", RemoveMember(user="cid"))
    assert chat.unread("ann", "bob") == [0, 0]


def test_RCPT_07_joining_starts_at_zero_each_time():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    chat.do("ann", AddMembers(users=["cid"]))
    assert chat.unread("cid") == [0]
    chat.send("ann", "2")
    assert chat.unread("cid") == [1]
    chat.do("ann", RemoveMember(user="cid"))
    chat.send("ann", "3")
    chat.do("ann", AddMembers(users=["cid"]))
    assert chat.unread("cid") == [0]


def test_RCPT_10_C_07_readers_and_times_follow_from_the_marks():
    chat = Chat.group("ann", "bob", "cid")
    messages = [chat.send("ann", str(number)) for number in range(4)]
    chat.wait(1)
    chat.do("bob", read_ids(messages[1].id))
    chat.wait(1)
    chat.read("cid")
    chat.wait(1)
    chat.read("bob")

    def readers(seq: int) -> dict[str, int]:
        times: dict[str, int] = {}
        for mark in chat.marks:
            if mark.kind == "read" and mark.seq >= seq:
                times.setdefault(mark.user, mark.at - START)
        return times

    assert readers(messages[1].seq) == {"bob": 1000, "cid": 2000}
    assert readers(messages[2].seq) == {"cid": 2000, "bob": 3000}


def test_marks_are_numbered_so_that_a_device_can_ask_for_those_after():
    chat = Chat.group("ann", "bob", "cid")
    chat.send("ann", "1")
    chat.read("bob")
    chat.do("cid", Acknowledge(seq=2))
    members = chat.state.members
    assert [mark.n for mark in chat.marks] == [1, 2]
    assert (members["bob"].read_n, members["cid"].delivered_n, chat.state.marks) == (1, 2, 2)


def test_where_an_event_puts_the_mark_the_event_tells():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    chat.read("bob")
    chat.send("bob", "2")
    assert chat.state.members["bob"].read_n == 0
    chat.do("ann", RemoveMember(user="bob"))
    chat.do("ann", AddMembers(users=["bob"]))
    member = chat.state.members["bob"]
    assert (member.read_n, member.delivered_n) == (0, 0)


def test_SEND_18_delivered_is_a_mark_of_its_own():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    chat.wait(1)
    done = chat.do("bob", Acknowledge(seq=2))
    assert done.signals == [Emit(MessageDelivered(by="bob", seq=2, at=START + 1000), by="bob")]
    assert [(mark.kind, mark.seq) for mark in done.marks] == [("delivered", 2)]
    member = chat.state.members["bob"]
    assert (member.delivered_seq, member.delivered_at, member.read_seq) == (2, START + 1000, 1)
    assert chat.unread("bob") == [1]
    assert chat.do("bob", Acknowledge(seq=2)).effects == []
    assert chat.do("bob", Acknowledge(seq=1)).effects == []


def test_SEND_18_nobody_holds_what_is_not_there():
    chat = Chat.group("ann", "bob")
    chat.do("bob", Acknowledge(seq=2**60))
    chat.send("ann", "1")
    assert chat.state.members["bob"].delivered_seq == 1


def test_SEND_18_what_is_read_was_delivered():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    chat.read("bob")
    assert chat.state.members["bob"].delivered_seq == 2
    assert chat.do("bob", Acknowledge(seq=2)).effects == []


def test_sending_moves_the_own_mark_without_a_receipt():
    chat = Chat.group("ann", "bob")
    chat.send("ann", "1")
    chat.wait(1)
    answer = chat.send("bob", "2")
    member = chat.state.members["bob"]
    assert (member.read_seq, member.read_number, member.read_at) == (answer.seq, 2, START + 1000)
    assert (chat.marks, chat.state.marks) == ([], 0)
    assert chat.do("bob", Acknowledge(seq=answer.seq)).effects == [], "what is written is held"


# Who hears of it.


@pytest.mark.parametrize(
    ("audience", "by", "after"),
    [("members", None, None), ("others", "bob", None), ("senders", "bob", 1)],
)
def test_C_09_RCPT_06_who_hears_of_a_read(audience: str, by: str | None, after: int | None):
    """`after` is where the mark was before: who has sent something since hears."""
    chat = Chat.group("ann", "bob", receipts_audience=audience)
    chat.send("ann", "1")
    (receipt,) = chat.read("bob").signals
    assert (receipt.by, receipt.after) == (by, after)
    chat.send("ann", "2")
    (receipt,) = chat.do("bob", Acknowledge(seq=3)).signals
    assert (receipt.by, receipt.after) == ("bob", None if after is None else 2), "not oneself"


def test_C_09_where_everybody_s_last_message_is_outlives_a_snapshot():
    chat = Chat.group("ann", "bob")
    chat.send("bob", "1")
    sent = chat.send("ann", "2")
    for state in (chat.state, chat.reopened(), chat.reopened(chat.state.snapshot())):
        assert [state.members[user].sent_seq for user in ("ann", "bob")] == [sent.seq, 2]


# Several together (RCPT-09): before its batch is stored a mark counts for its reader alone.


def ahead(chat: Chat, user: str, seq: int, kind: str = "read") -> None:
    move = MoveMark(user, kind, seq, chat.position(seq))
    move_ahead(chat.state, move, chat.now)


def test_RCPT_09_what_is_ahead_counts_for_its_reader():
    chat = Chat.group("ann", "bob", "cid")
    sent = [chat.send("ann", str(number)) for number in range(5)]
    before = chat.state.snapshot()
    ahead(chat, "bob", sent[1].seq)
    assert chat.unread("bob", "cid") == [3, 5]
    assert chat.state.snapshot() == before, "it is no part of what is stored"
    chat.delete(sent[0])
    chat.delete(sent[3])
    assert chat.unread("bob", "cid") == [2, 3]
    (mark,) = take_ahead(chat.state)
    assert (mark.seq, mark.n, mark.excluded) == (sent[1].seq, 1, 1)
    assert chat.unread("bob", "cid") == [2, 3]
    assert take_ahead(chat.state) == []


def test_RCPT_05_RCPT_09_a_second_mark_of_the_same_batch_keeps_the_time():
    chat = Chat.group("ann", "bob")
    sent = [chat.send("ann", str(number)) for number in range(3)]
    chat.read("bob", 2)
    ahead(chat, "bob", sent[1].seq)
    chat.wait(1)
    for again in (ReadMessages(seq=sent[1].seq), ReadMessages(seq=2), read_ids(sent[0].id)):
        done = chat.do("bob", again)
        assert done.effects == []
        assert done.result == {"seq": 3, "at": START, "unread": 1, "durable": False}
    (further,) = chat.read("bob").effects
    assert isinstance(further, MoveMark)


def test_RCPT_09_the_last_of_each_member_and_kind_is_stored():
    chat = Chat.group("ann", "bob", "cid")
    for number in range(5):
        chat.send("ann", str(number))
    for user, seq, kind in [
        ("bob", 2, "read"),
        ("cid", 5, "delivered"),
        ("bob", 4, "read"),
        ("cid", 3, "read"),
        ("bob", 6, "delivered"),
    ]:
        ahead(chat, user, seq, kind)
        chat.wait(1)
    assert chat.do("bob", Acknowledge(seq=5)).effects == []
    marks = take_ahead(chat.state)
    moved = [(mark.user, mark.kind, mark.seq, mark.at - START) for mark in marks]
    assert moved == [
        ("bob", "read", 4, 2000),
        ("cid", "delivered", 5, 1000),
        ("cid", "read", 3, 3000),
        ("bob", "delivered", 6, 4000),
    ]
    assert [mark.n for mark in marks] == [1, 2, 3, 4]


def test_RCPT_09_who_answers_while_a_mark_waits_has_read_to_there():
    chat = Chat.group("ann", "bob")
    first = chat.send("ann", "1")
    chat.send("ann", "2")
    ahead(chat, "bob", first.seq)
    own = chat.send("bob", "3")
    assert chat.unread("ann", "bob") == [1, 0]
    assert chat.read("bob").result == {"seq": own.seq, "at": START, "unread": 0}
    assert take_ahead(chat.state) == [], "the others know by the message"
    assert chat.state.members["bob"].read_seq == own.seq


def test_RCPT_09_several_moves_are_told_by_one_signal():
    read, other = MessageRead(by="bob", seq=2, at=7), MessageRead(by="cid", seq=3, at=8)
    held = MessageDelivered(by="bob", seq=3, at=9)
    assert together([read]) is read
    assert together([read, held, other]).item("c1", START) == {
        "t": "message.receipts",
        "c": "c1",
        "ts": START,
        "d": {
            "read": [{"by": "bob", "seq": 2, "at": 7}, {"by": "cid", "seq": 3, "at": 8}],
            "delivered": [{"by": "bob", "seq": 3, "at": 9}],
        },
    }
    assert "delivered" not in together([read, other]).fields()
