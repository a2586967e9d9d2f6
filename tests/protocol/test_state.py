"""Snapshots, membership in time, and slices."""

import json
from typing import Any

import msgpack
import pytest

from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.marks import Acknowledge
from palaver.protocol.features.members import AddMembers, LeaveConversation, RemoveMember
from palaver.protocol.features.pins import PinMessage
from palaver.protocol.state import ConversationState, Member, Slice
from palaver.tests.support.machine import CONVERSATION, Chat


def through_msgpack(value: Any) -> Any:
    return msgpack.unpackb(msgpack.packb(value))


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def through_jsonb(value: Any) -> Any:
    """Postgres keeps the keys of an object in an order of its own."""
    return json.loads(json.dumps(value, sort_keys=True))


def eventful() -> Chat:
    chat = Chat.group("zoe", "ann", "bob")
    first = chat.send("ann", "1")
    chat.do("zoe", PinMessage(message_id=first.id))
    chat.read("bob")
    chat.do("zoe", AddMembers(users=["cid"]))
    second = chat.send("zoe", "2")
    chat.do("cid", Acknowledge(seq=3))
    chat.do("zoe", DeleteMessage(message_id=second.id))
    chat.do("zoe", RemoveMember(user="bob"))
    chat.send("cid", "3")
    return chat


@pytest.mark.parametrize("travel", [through_msgpack, through_json, through_jsonb])
def test_HIST_13_a_snapshot_restores_the_same_state(travel: Any):
    state = eventful().state
    snapshot = state.snapshot()
    again = ConversationState.restore(CONVERSATION, travel(snapshot))
    assert again == state
    assert again.snapshot() == snapshot
    assert again.member_count == 3


def test_a_snapshot_does_not_change_with_the_state():
    chat = eventful()
    snapshot = chat.state.snapshot()
    before = json.dumps(snapshot)
    message = chat.send("ann", "4")
    chat.do("zoe", PinMessage(message_id=message.id))
    chat.edit(message, "5")
    chat.do("cid", LeaveConversation())
    chat.read("zoe")
    assert json.dumps(snapshot) == before


def test_HIST_13_a_snapshot_and_the_events_after_it_give_the_same_state():
    chat = eventful()
    snapshot = through_jsonb(chat.state.snapshot())
    message = chat.send("ann", "4")
    chat.read("zoe")
    chat.do("zoe", DeleteMessage(message_id=message.id))
    chat.do("zoe", AddMembers(users=["bob"]))
    assert chat.reopened(snapshot) == chat.state == chat.reopened()


@pytest.mark.parametrize("travel", [through_json, through_jsonb])
def test_GRP_09_the_successor_is_the_same_after_a_restart(travel: Any):
    one, other = Chat.group("zoe", "cid", "ann"), Chat.group("zoe", "cid", "ann")
    other.state = other.reopened(travel(other.state.snapshot()))
    for chat in (one, other):
        chat.do("zoe", LeaveConversation(confirm=True))
    assert one.state == other.state


def test_the_state_is_bounded_by_its_members_not_by_its_messages():
    chat = Chat.group("ann", "bob")
    sizes = []
    for _ in range(3):
        for _ in range(50):
            chat.send("ann", "x" * 1000)
        sizes.append(len(msgpack.packb(chat.state.snapshot())))
    assert max(sizes) - min(sizes) < 20


def test_epochs_are_kept_beside_the_snapshot():
    chat = Chat.group("ann")
    chat.state.epoch, chat.state.starts_after = 3, [4, 7]
    again = ConversationState.restore(CONVERSATION, chat.state.snapshot())
    assert (again.epoch, again.starts_after) == (1, [])


@pytest.mark.parametrize(
    ("seq", "seen"),
    [(1, False), (2, True), (5, True), (6, False), (8, False), (9, True), (99, True)],
)
def test_HIST_11_a_member_sees_what_fell_into_their_time(seq: int, seen: bool):
    assert Member("member", [[2, 5], [9, None]]).sees(seq) == seen


def test_who_has_never_been_in_sees_nothing():
    assert not Member().sees(1)


def test_excluding_counts_for_whoever_has_not_read_it():
    chat = Chat.group("ann", "bob", "cid", "dee")
    chat.send("ann", "1")
    message = chat.send("ann", "2")
    chat.read("bob")
    chat.do("cid", LeaveConversation())
    chat.do("ann", AddMembers(users=["eve"]))
    chat.state.exclude(message.seq)
    excluded = {user: member.excluded for user, member in chat.state.members.items()}
    assert excluded == {"ann": 0, "bob": 0, "cid": 1, "dee": 1, "eve": 0}
    assert chat.unread("ann", "bob", "dee", "eve") == [0, 0, 1, 0]


def test_slices():
    part = Slice[list[int]]("numbers", list)
    state = ConversationState(CONVERSATION)
    assert part.of(state) == []
    assert state.slices == {}, "reading makes nothing"
    part.change(state).append(1)
    part.change(state).append(2)
    assert part.of(state) == [1, 2]
    assert ConversationState.restore(CONVERSATION, state.snapshot()) == state
