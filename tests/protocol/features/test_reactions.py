"""Reacting to messages."""

import random
from collections import Counter

import emoji as unicode_emoji
import pytest

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.members import AddMembers
from palaver.protocol.features.reactions import SetReaction, spelled
from palaver.protocol.features.system import PostMessage
from palaver.protocol.ids import HOST
from palaver.protocol.message import Message
from palaver.tests.support.machine import NOWHERE, Chat

THUMB, HEART = "👍", "❤️"


def on(message: Message, emoji: str = THUMB) -> SetReaction:
    return SetReaction(message_id=message.id, emoji=emoji)


def off(message: Message, emoji: str = THUMB) -> SetReaction:
    return SetReaction(message_id=message.id, emoji=emoji, on=False)


def test_MSG_14_everybody_gets_the_reaction():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    event = chat.do("bob", on(message)).event
    assert chat.pushes[-1] == event.item()
    assert event.item()["t"] == "reaction.changed"
    assert event.item()["d"] == {
        "id": event.id,
        "by": "bob",
        "message_id": message.id,
        "message_seq": message.seq,
        "emoji": THUMB,
        "on": True,
        "count": 1,
    }


def test_MSG_14_the_same_reaction_twice_counts_once():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    assert chat.do("bob", on(message)).events
    assert chat.do("bob", on(message)).events == []
    assert chat.wire(message)["reactions"] == {THUMB: 1}


def test_MSG_14_the_same_emoji_of_two_users_counts_two():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    chat.do("ann", on(message))
    chat.do("bob", on(message))
    chat.do("bob", on(message, HEART))
    assert chat.wire(message)["reactions"] == {THUMB: 2, HEART: 1}
    assert chat.wire(message, "ann")["reacted"] == [THUMB]
    assert chat.wire(message, "bob")["reacted"] == [THUMB, HEART]
    assert chat.wire(message, "cid")["reacted"] == []


def test_MSG_14_taking_it_off_is_an_event():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    chat.do("ann", on(message))
    chat.do("bob", on(message))
    payload = chat.do("bob", off(message)).event.item()["d"]
    assert (payload["on"], payload["count"]) == (False, 1)
    assert chat.wire(message)["reactions"] == {THUMB: 1}
    assert chat.do("bob", off(message)).events == []
    chat.do("ann", off(message))
    assert not {"reactions", "reacted"} & chat.wire(message).keys()


def test_MSG_14_two_spellings_of_an_emoji_are_one():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    plain = HEART.removesuffix("\N{VARIATION SELECTOR-16}")
    assert plain != HEART
    chat.do("ann", on(message, plain))
    chat.do("bob", on(message, HEART))
    assert chat.wire(message)["reactions"] == {HEART: 2}
    chat.do("bob", off(message, plain))
    assert chat.wire(message)["reactions"] == {HEART: 1}


def test_every_emoji_has_one_spelling():
    status = unicode_emoji.STATUS
    for each, data in unicode_emoji.EMOJI_DATA.items():
        again = spelled(each)
        assert spelled(again) == again
        if data["status"] <= status["fully_qualified"]:
            assert again == each
        else:
            assert unicode_emoji.EMOJI_DATA[again]["en"] == data["en"]


@pytest.mark.parametrize("emoji", [THUMB, HEART, "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "☺"])
def test_MSG_15_any_emoji(emoji: str):
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    assert chat.do("ann", on(message, emoji)).events


@pytest.mark.parametrize(
    "emoji", ["x", "1", " ", "ok", "👍👍", "👍 ", "like", ":like:", "\N{ZERO WIDTH JOINER}", "<b>"]
)
def test_MSG_15_what_is_no_emoji_is_no_reaction(emoji: str):
    chat = Chat.group("ann")
    no = chat.refuses("ann", on(chat.send("ann", "x"), emoji))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "emoji"})


def test_MSG_15_a_list_of_names():
    chat = Chat.group("ann", reactions="listed")
    message = chat.send("ann", "x")
    for name in chat.policy.listed_reactions:
        chat.do("ann", on(message, name))
    assert len(chat.policy.listed_reactions) == 10
    assert chat.wire(message)["reactions"] == dict.fromkeys(chat.policy.listed_reactions, 1)
    for unknown in ("adore", "Like", THUMB, ":parrot:"):
        assert chat.refuses("ann", on(message, unknown)).code == "VALIDATION_FAILED"


def test_MSG_15_custom_ones_where_they_are_enabled():
    chat = Chat.group("ann", reactions="listed", custom_reactions=True)
    message = chat.send("ann", "x")
    for emoji in ("like", "🦄", ":party-parrot:"):
        assert chat.do("ann", on(message, emoji)).events
    for unknown in ("adore", ":Parrot:", "::", f":{'x' * 33}:"):
        assert chat.refuses("ann", on(message, unknown)).code == "VALIDATION_FAILED"


def test_MSG_15_a_list_of_emoji_in_any_spelling():
    chat = Chat.group("ann", reactions="listed", listed_reactions=("❤", THUMB))
    message = chat.send("ann", "x")
    chat.do("ann", on(message, "❤"))
    chat.do("ann", on(message, THUMB))
    assert chat.wire(message)["reactions"] == {HEART: 1, THUMB: 1}
    assert chat.refuses("ann", on(message, "🦄")).code == "VALIDATION_FAILED"


def test_C_41_without_reactions():
    chat = Chat.group("ann", reactions="off")
    message = chat.send("ann", "x")
    for command in (on(message), off(message)):
        assert chat.refuses("ann", command).code == "FEATURE_DISABLED"


def test_what_is_no_longer_in_the_vocabulary_can_be_taken_off():
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    chat.do("ann", on(message))
    chat.policy = chat.policy.model_copy(update={"reactions": "listed"})
    assert chat.do("ann", off(message)).events
    assert chat.refuses("ann", on(message)).code == "VALIDATION_FAILED"


def test_there_are_so_many_different_ones():
    chat = Chat.group("ann", "bob", max_reactions=2)
    message = chat.send("ann", "x")
    chat.do("ann", on(message, "🍎"))
    chat.do("ann", on(message, "🍐"))
    assert chat.refuses("bob", on(message, "🍊")).code == "VALIDATION_FAILED"
    assert chat.do("bob", on(message, "🍎")).events, "it is there already"
    chat.do("ann", off(message, "🍐"))
    assert chat.do("bob", on(message, "🍊")).events


def test_MSG_16_what_cannot_be_remembered_is_not_counted_either():
    chat = Chat.group("ann", "bob", "cid", max_reactors=2)
    message = chat.send("ann", "x")
    chat.do("ann", on(message))
    chat.do("bob", on(message))
    assert chat.refuses("cid", on(message)).code == "VALIDATION_FAILED"
    assert chat.do("bob", on(message)).events == []
    chat.do("bob", off(message))
    chat.do("cid", on(message))
    assert chat.wire(message)["reactions"] == {THUMB: 2}


def test_MSG_16_counts_equal_a_recount_after_1000_random_changes():
    users = ["ann", "bob", "cid", "dee", "eve"]
    chat = Chat.group(*users)
    messages = [chat.send("ann", text) for text in "123"]
    there: set[tuple[str, str, str]] = set()
    dice = random.Random(16)
    for _ in range(1000):
        user, message = dice.choice(users), dice.choice(messages)
        emoji, wanted = dice.choice(["👍", "❤️", "🔥", "😀"]), dice.random() < 0.5
        done = chat.do(user, SetReaction(message_id=message.id, emoji=emoji, on=wanted))
        row = message.id, emoji, user
        assert bool(done.events) == (wanted != (row in there))
        (there.add if wanted else there.discard)(row)
        if done.events:
            count = sum(other[:2] == row[:2] for other in there)
            assert done.event.item()["d"]["count"] == count
    for message in messages:
        recount = Counter(emoji for id, emoji, _ in there if id == message.id)
        assert chat.wire(message)["reactions"] == recount
        for user in users:
            own = {emoji for id, emoji, by in there if (id, by) == (message.id, user)}
            assert set(chat.wire(message, user)["reacted"]) == own


def test_what_is_not_there_gets_no_reaction():
    chat = Chat.group("ann", "bob")
    deleted = chat.send("ann", "x")
    chat.do("bob", on(deleted))
    chat.delete(deleted)
    for id in (NOWHERE, deleted.id):
        no = chat.refuses("ann", SetReaction(message_id=id, emoji=THUMB))
        assert no.code == "MESSAGE_NOT_FOUND"
    assert "reactions" not in chat.wire(deleted)


def test_HIST_11_what_one_may_not_see_gets_no_reaction():
    chat = Chat.group("ann")
    message = chat.send("ann", "x")
    chat.do("ann", AddMembers(users=["bob"]))
    assert chat.refuses("bob", on(message)).code == "MESSAGE_NOT_FOUND"
    assert chat.refuses("eve", on(message)).code == "PERMISSION_DENIED"


def test_a_message_of_the_system_may_have_reactions():
    chat = Chat.group("ann")
    posted = chat.do(HOST, PostMessage(text="deployed")).event
    chat.do("ann", SetReaction(message_id=posted.id, emoji="🎉"))
    assert chat.wire(chat.messages[posted.id])["reactions"] == {"🎉": 1}


def test_a_reaction_is_not_unread_and_moves_nothing():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    before = chat.unread("ann", "bob"), chat.state.number, chat.state.last
    chat.do("bob", on(message))
    assert (chat.unread("ann", "bob"), chat.state.number, chat.state.last) == before


@pytest.mark.parametrize("emoji", ["", "👍" * 65])
def test_the_form_is_checked_at_the_edge(emoji: str):
    with pytest.raises(Rejected, match="VALIDATION_FAILED"):
        parse_command(SetReaction, {"message_id": NOWHERE, "emoji": emoji})
