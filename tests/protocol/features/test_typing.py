"""Somebody is typing: relayed, never stored, over by itself."""

from palaver.protocol.commands import After, Cancel, Emit
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
    assert start.signals == [Emit(TypingStarted(by="bob"), by="bob")]
    assert stop.signals == [Emit(TypingStopped(by="bob"), by="bob")]
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


def test_RCPT_12_typing_ends_by_itself():
    chat = Chat.group("ann", "bob")
    timers = [effect for effect in chat.do("bob", StartTyping()).effects if type(effect) is After]
    assert timers == [After("typing:bob", 10.0, TypingStopped(by="bob"), "bob")]


def test_RCPT_12_typing_on_puts_the_end_off():
    """The same key: a timer set anew replaces the one before."""
    chat = Chat.group("ann", "bob", typing_ttl_s=2.5)
    first, second = chat.do("bob", StartTyping()), chat.do("bob", StartTyping())
    assert first.effects == second.effects
    other = chat.do("ann", StartTyping())
    keys = {e.key: e.delay_s for done in (first, other) for e in done.effects if type(e) is After}
    assert keys == {"typing:bob": 2.5, "typing:ann": 2.5}


def test_RCPT_12_stopping_cancels_the_timer():
    chat = Chat.group("ann", "bob")
    assert Cancel("typing:bob") in chat.do("bob", StopTyping()).effects


def test_CONV_18_only_members_type():
    chat = Chat.group("ann")
    for command in (StartTyping(), StopTyping()):
        assert chat.refuses("eve", command).code == "PERMISSION_DENIED"
