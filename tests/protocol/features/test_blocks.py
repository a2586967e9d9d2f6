"""Blocking, restricting, and what comes of what people do then: decided without an engine."""

import pytest

from palaver.protocol.commands import MoveMark, Show
from palaver.protocol.features.blocks import BlockChanged, BlockUser, RestrictUser, UnblockUser
from palaver.protocol.features.marks import Acknowledge, ReadMessages
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.pins import PinMessage, UnpinMessage, pins_of
from palaver.protocol.features.reactions import SetReaction
from palaver.protocol.features.typing import StartTyping, StopTyping
from palaver.protocol.people import Bar
from palaver.protocol.personal import Personal, UserContext
from palaver.protocol.policy import Policy
from palaver.tests.support.machine import Chat

BARS: list[Bar] = ["blocked", "restricted"]


def kept_apart(bar: Bar, **policy: object) -> Chat:
    """Ann has said something, then bob keeps her out."""
    chat = Chat.direct("ann", "bob", blocks="silent", **policy)
    chat.send("ann", "hello")
    chat.state.set_bar("bob", bar)
    return chat


@pytest.mark.parametrize("bar", BARS)
def test_REQ_09_what_is_said_is_for_its_sender_alone(bar: Bar):
    chat = kept_apart(bar)
    unread = chat.state.unread("bob")
    message = chat.send("ann", "psst")
    assert message.audience == ("ann",)
    assert chat.state.unread("bob") == unread
    assert chat.state.last_for("ann")["text"] == "psst"  # type: ignore[index]
    assert chat.state.last_for("bob")["text"] == "hello"  # type: ignore[index]
    chat.edit(message, "psst!")
    assert chat.state.last_for("ann")["text"] == "psst!"  # type: ignore[index]
    chat.delete(message)
    assert chat.state.unread("bob") == unread, "what did not count cannot cease to"
    assert {event.audience for event in chat.log[2:]} == {("ann",)}
    chat.state.set_bar("bob", None)
    assert chat.reopened() == chat.state == chat.reopened(chat.state.snapshot())


@pytest.mark.parametrize("bar", BARS)
def test_REQ_09_what_becomes_of_older_messages_is_for_whoever_did_it_but_to_delete(bar: Bar):
    chat = kept_apart(bar)
    (hello,) = chat.messages.values()
    chat.edit(hello, "bye")
    chat.do("ann", SetReaction(message_id=hello.id, emoji="🔥"))
    chat.do("ann", PinMessage(message_id=hello.id))
    assert {event.audience for event in chat.log[2:]} == {("ann",)}
    mine, theirs = chat.wire(hello, "ann"), chat.wire(hello, "bob")
    assert (mine["text"], mine["reactions"], mine["pinned"]) == ("bye", {"🔥": 1}, True)
    assert (theirs["text"], theirs.keys() & {"reactions", "pinned", "edited_at"}) == (
        "hello",
        set(),
    )
    assert chat.refuses("ann", SetReaction(message_id=hello.id, emoji="x")).details is not None
    assert chat.do("ann", SetReaction(message_id=hello.id, emoji="🔥")).events == [], "it is there"
    assert (pins_of(chat.state, "ann"), pins_of(chat.state, "bob")) == ({hello.id: hello.seq}, {})
    chat.state.set_bar("bob", None)
    chat.do("bob", SetReaction(message_id=hello.id, emoji="🔥"))
    assert chat.wire(hello, "ann")["reactions"] == {"🔥": 2}
    assert chat.wire(hello, "bob")["reactions"] == {"🔥": 1}
    chat.do("bob", PinMessage(message_id=hello.id))
    chat.do("bob", UnpinMessage(message_id=hello.id))
    assert pins_of(chat.state, "ann") == pins_of(chat.state, "bob") == {}
    assert chat.reopened() == chat.reopened(chat.state.snapshot()) == chat.state
    chat.state.set_bar("bob", bar)
    assert chat.delete(hello).event.audience is None
    assert all("text" not in chat.wire(hello, user) for user in ("ann", "bob"))
    assert "bye" not in str(hello)


@pytest.mark.parametrize("bar", BARS)
def test_REQ_08_nothing_shows_of_what_one_reads_or_types(bar: Bar):
    chat = kept_apart(bar)
    for command in (ReadMessages(), Acknowledge(seq=2), StartTyping(), StopTyping()):
        assert chat.do("bob", command).effects == []
    assert chat.do("bob", ReadMessages()).result["unread"] == 1
    (show,) = chat.do("ann", StartTyping()).effects
    assert isinstance(show, Show)
    assert show.without == {"bob"}
    chat.send("ann", "psst")
    chat.state.set_bar("bob", None)
    chat.send("bob", "what?")
    chat.state.set_bar("bob", bar)
    (move,) = chat.do("ann", ReadMessages()).effects
    assert isinstance(move, MoveMark)
    assert move.receipt is not None
    assert move.receipt.without == {"bob"}


def test_REQ_08_REQ_10_who_blocks_says_nothing_and_who_restricts_may():
    chat = kept_apart("blocked")
    chat.state.set_bar("bob", "blocked")
    no = chat.refuses("bob", SetReaction(message_id=next(iter(chat.messages)), emoji="🔥"))
    assert no.code == "PERMISSION_DENIED"
    chat.state.set_bar("bob", "restricted")
    assert chat.send("bob", "yes?").audience is None


@pytest.mark.parametrize("user", ["ann", "bob"])
def test_SEND_22_form_is_looked_at_before_blocks(user: str):
    chat = kept_apart("blocked", max_chars=10)
    chat.policy = Policy(blocks="forbidden", max_chars=10)
    assert chat.refuses(user, SendMessage(text="x")).code == "PERMISSION_DENIED"
    assert chat.refuses(user, SendMessage(text="x" * 11)).code == "MESSAGE_TOO_LONG"


def test_REQ_08_the_last_word_holds_and_says_since_when():
    personal, policy = Personal(), Policy(blocks="silent")

    def do(command: BlockUser | UnblockUser, seen: int) -> list[BlockChanged]:
        events = list(command.decide(personal, UserContext("bob", 9, policy, seen=seen)))
        for event in events:
            event.apply(personal)
        return [event for event in events if isinstance(event, BlockChanged)]

    (blocked,) = do(BlockUser(user="ann"), 5)
    assert (blocked.level, blocked.seen) == ("blocked", 5)
    assert do(BlockUser(user="ann"), 6) == []
    (restricted,) = do(RestrictUser(user="ann"), 7)
    assert (restricted.level, restricted.seen) == ("restricted", 5), "for ann nothing changes"
    assert restricted.subject == blocked.subject
    (over,) = do(UnblockUser(user="ann"), 8)
    assert (over.level, personal.barred, personal.barred_in) == ("none", {}, set())
    assert do(UnblockUser(user="ann"), 8) == []
