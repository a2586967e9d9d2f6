"""Requests, decided without an engine."""

import pytest

from palaver.protocol.commands import MakeRequest
from palaver.protocol.errors import Rejected
from palaver.protocol.features.marks import ReadMessages
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.people import Level, Relation, Standing, asks_first
from palaver.protocol.policy import Policy
from palaver.protocol.state import ConversationState
from palaver.tests.support.machine import CONVERSATION, Chat


@pytest.mark.parametrize("level", ["everyone", "friends", "following", "no_one"])
@pytest.mark.parametrize("bars", [None, "blocked", "restricted"])
def test_REQ_11_whoever_is_denied_is_so_blocked_or_not(level: Level, bars: None):
    standing = Standing(bars=bars, messages_from=level)
    if level == "everyone":
        assert asks_first(standing)
    else:
        with pytest.raises(Rejected, match="PRIVACY_DENIED"):
            asks_first(standing)


def test_REQ_02_who_follows_does_not_ask():
    assert not asks_first(Standing(relation=Relation(follows=True)))
    assert asks_first(Standing(relation=Relation(followed=True)))


def test_REQ_03_a_request_is_made_with_its_conversation_and_only_then():
    chat = Chat(message_requests=True)
    first = SendMessage(text="hello", to="bob")
    assert first.needs(chat.state).people == ("bob",)
    context = chat._context("ann", first)
    context.people = {"bob": Standing()}
    assert MakeRequest("bob", asked=True) in list(first.decide(chat.state, context))
    chat.do("ann", first)
    assert first.needs(chat.state).people == ()


def test_REQ_05_a_request_is_read_by_nobody_until_it_is_accepted():
    chat = Chat.direct("ann", "bob")
    chat.state.set_request("bob", "pending")
    message = chat.send("ann", "hello")
    assert message.audience is None
    assert chat.read("bob").effects == []
    chat.state.set_request("bob", None)
    assert chat.read("bob").marks[0].seq == message.seq


def test_REQ_07_after_a_request_was_declined_nothing_arrives():
    chat = Chat.direct("ann", "bob")
    chat.state.set_request("bob", "declined")
    assert chat.send("ann", "hello").audience == ("ann",)
    assert chat.do("bob", ReadMessages()).effects == []
    assert chat.send("bob", "hi").audience is None


def test_aloof_is_who_has_a_reason():
    state = ConversationState(CONVERSATION)
    state.set_bar("bob", "blocked")
    state.set_request("bob", "pending")
    state.set_bar("bob", None)
    assert state.request_to("bob") == "pending"
    state.set_request("bob", None)
    assert state.aloof == {}
    assert Policy().blocks == "off"
