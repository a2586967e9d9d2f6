"""Somebody is typing: relayed, never stored, over by itself."""

import pytest

from palaver.protocol.commands import Hide, Show
from palaver.protocol.features.typing import (
    StartTyping,
    StopTyping,
    TypingStarted,
    TypingStopped,
)
from palaver.tests.support.machine import START, Chat


def test_RCPT_11_typing_is_relayed_to_the_others_and_not_stored():
    chat = Chat.group("ann", "bob")
    before = chat.state.snapshot()
    start, stop = chat.do("bob", StartTyping()), chat.do("bob", StopTyping())
    (show,) = start.effects
    assert isinstance(show, Show)
    assert (show.on, show.off) == (TypingStarted(by="bob"), TypingStopped(by="bob"))
    assert (show.by, stop.effects) == ("bob", [Hide(show.key)])
    for done in (start, stop):
        assert (done.events, done.marks, done.result) == ([], [], {})
    assert chat.state.snapshot() == before
    assert not StartTyping.writes
    assert not StopTyping.writes


def test_RCPT_11_as_it_travels():
    assert TypingStarted(by="bob").item("c1", START) == {
        "t": "typing.started",
        "c": "c1",
        "ts": START,
        "d": {"by": "bob"},
    }


def test_RCPT_12_RCPT_13_how_long_and_how_often_is_the_product_s():
    (usual,) = Chat.group("ann", "bob").do("bob", StartTyping()).effects
    chat = Chat.group("ann", "bob", typing_ttl_s=2.5, typing_min_interval_s=0.5)
    (chosen,) = chat.do("bob", StartTyping()).effects
    assert isinstance(usual, Show)
    assert isinstance(chosen, Show)
    assert (usual.ttl_s, usual.every_s) == (10.0, 1.0)
    assert (chosen.ttl_s, chosen.every_s) == (2.5, 0.5)


def test_RCPT_12_each_user_types_for_themselves():
    chat = Chat.group("ann", "bob")
    keys = [e.key for user in ("ann", "bob", "ann") for e in chat.do(user, StartTyping()).effects]  # type: ignore[union-attr]
    assert keys[0] == keys[2] != keys[1]


def test_CONV_18_only_members_type():
    chat = Chat.group("ann")
    for command in (StartTyping(), StopTyping()):
        assert chat.refuses("eve", command).code == "PERMISSION_DENIED"


@pytest.mark.parametrize("command", [StartTyping(), StopTyping()])
def test_C_39_typing_can_be_switched_off(command: StartTyping | StopTyping):
    chat = Chat.group("ann", typing_enabled=False)
    assert chat.refuses("ann", command).code == "FEATURE_DISABLED"
    assert chat.refuses("eve", command).code == "PERMISSION_DENIED", "membership comes first"
