"""Polls."""

import random

import pytest

from palaver.engine.testing import Device, memory_engine
from palaver.protocol.features.members import AddMembers
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.polls import VotePoll
from palaver.protocol.message import Message
from palaver.tests.support.machine import NOWHERE, Chat

OPTIONS = ["the park", "the beach", "at home"]


def chat(*users: str) -> Chat:
    return Chat.group(*users, message_types=("text", "poll"))


def poll(chat: Chat, by: str = "ann") -> Message:
    return chat.send(by, "Where shall we go?", type="poll", metadata={"options": OPTIONS})


def vote(message: Message, option: int | None) -> VotePoll:
    return VotePoll(message_id=message.id, option=option)


def test_MSG_21_a_poll_is_a_message():
    group = chat("ann", "bob")
    asked = poll(group)
    sent = group.pushes[-1]["d"]
    assert (sent["type"], sent["text"]) == ("poll", "Where shall we go?")
    assert sent["metadata"] == {"options": OPTIONS}
    assert group.unread("bob") == [1]
    assert group.wire(asked)["metadata"] == {"options": OPTIONS}


def test_MSG_21_a_vote_changes_the_tally_and_tells_everybody():
    group = chat("ann", "bob", "cid")
    asked = poll(group)
    event = group.do("bob", vote(asked, 1)).event
    assert group.pushes[-1]["t"] == "poll.voted"
    assert group.pushes[-1]["d"] == {
        "id": event.id,
        "by": "bob",
        "message_id": asked.id,
        "message_seq": asked.seq,
        "option": 1,
        "tally": [0, 1, 0],
    }
    group.do("cid", vote(asked, 1))
    group.do("ann", vote(asked, 0))
    assert group.wire(asked)["tally"] == [1, 2, 0]
    assert group.wire(asked)["votes"] == {"bob": 1, "cid": 1, "ann": 0}


def test_MSG_21_a_second_vote_replaces_the_first():
    group = chat("ann", "bob")
    asked = poll(group)
    group.do("bob", vote(asked, 1))
    assert group.do("bob", vote(asked, 2)).event.item()["d"]["tally"] == [0, 0, 1]
    assert group.do("bob", vote(asked, 2)).events == [], "it is so already"
    assert group.wire(asked)["votes"] == {"bob": 2}


def test_a_vote_can_be_taken_back():
    group = chat("ann", "bob")
    asked = poll(group)
    assert group.do("bob", vote(asked, None)).events == []
    group.do("bob", vote(asked, 0))
    taken = group.do("bob", vote(asked, None)).event.item()["d"]
    assert "option" not in taken
    assert taken["tally"] == [0, 0, 0]
    assert group.wire(asked)["votes"] == {}


def test_MSG_21_tallies_equal_a_recount_after_1000_random_votes():
    users = ["ann", "bob", "cid", "dee"]
    group = chat(*users)
    asked = poll(group)
    dice = random.Random(21)
    votes: dict[str, int | None] = {}
    for _ in range(1000):
        user, option = dice.choice(users), dice.choice([0, 1, 2, None])
        done = group.do(user, vote(asked, option))
        assert bool(done.events) == (votes.get(user) != option)
        votes[user] = option
        recount = [sum(each == option for each in votes.values()) for option in range(3)]
        assert group.wire(asked).get("tally", [0, 0, 0]) == recount


def test_a_vote_is_not_unread_and_moves_nothing():
    group = chat("ann", "bob")
    asked = poll(group)
    before = group.unread("ann", "bob"), group.state.number, group.state.last
    group.do("bob", vote(asked, 0))
    assert (group.unread("ann", "bob"), group.state.number, group.state.last) == before


@pytest.mark.parametrize(
    "options",
    [
        None,
        [],
        ["only"],
        ["a", "a"],
        ["a", ""],
        ["a", "x" * 101],
        ["a", 1],
        [f"{n}" for n in range(13)],
    ],
)
def test_what_is_no_choice_is_no_poll(options: object):
    group = chat("ann")
    metadata = {} if options is None else {"options": options}
    no = group.refuses("ann", SendMessage(text="Well?", type="poll", metadata=metadata))
    assert no.code == "VALIDATION_FAILED"
    assert no.details is not None
    assert no.details["field"].startswith("metadata")


def test_a_poll_asks_something():
    asked = SendMessage(text="", type="poll", metadata={"options": OPTIONS})
    no = chat("ann").refuses("ann", asked)
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "text"})


@pytest.mark.parametrize("option", [3, 12])
def test_there_is_no_other_option(option: int):
    group = chat("ann")
    no = group.refuses("ann", vote(poll(group), option))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "option"})


def test_only_polls_are_voted_on():
    group = chat("ann", "bob")
    said = group.send("ann", "x")
    no = group.refuses("bob", vote(said, 0))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "message_id"})
    gone = poll(group)
    group.delete(gone)
    for id in (NOWHERE, gone.id):
        refused = group.refuses("bob", VotePoll(message_id=id, option=0))
        assert refused.code == "MESSAGE_NOT_FOUND"


def test_HIST_11_whoever_does_not_see_it_does_not_vote():
    group = chat("ann")
    asked = poll(group)
    group.do("ann", AddMembers(users=["bob"]))
    assert group.refuses("bob", vote(asked, 0)).code == "MESSAGE_NOT_FOUND"
    assert group.refuses("eve", vote(asked, 0)).code == "PERMISSION_DENIED"


def test_C_43_without_polls():
    asked = SendMessage(text="Where?", type="poll", metadata={"options": OPTIONS})
    no = Chat.group("ann").refuses("ann", asked)
    assert no.code == "INVALID_MESSAGE_TYPE"


async def test_MSG_21_every_device_sees_the_tally_live_and_in_history():
    async with memory_engine(policy={"message_types": ["text", "poll"]}) as engine:
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        room = await ann.create_group("Outing", ["bob"])
        phone, desk = Device(engine, "bob"), Device(engine, "bob")
        metadata = {"options": OPTIONS}
        asked = await ann.do(SendMessage(text="Where?", type="poll", metadata=metadata), room)
        await bob.do(VotePoll(message_id=asked["id"], option=2), room)
        for device in (phone, desk):
            assert device.items[-1]["d"]["tally"] == [0, 0, 1]
        (shown,) = await ann.history(room)
        assert (shown["tally"], shown["votes"]) == ([0, 0, 1], {"bob": 2})
