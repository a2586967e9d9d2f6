"""A locked conversation is read, not written (CONV-21)."""

from typing import Any

import pytest

from palaver.protocol.commands import ConversationCommand, DurableCommand
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.conversation import GetConversation
from palaver.protocol.features.history import MessageHistory
from palaver.protocol.features.lock import LOCK, LockConversation, UnlockConversation
from palaver.protocol.features.marks import Acknowledge, ReadMessages
from palaver.protocol.features.members import LeaveConversation, ListMembers
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.system import PostMessage
from palaver.protocol.features.typing import StartTyping
from palaver.protocol.ids import HOST
from palaver.tests.protocol.features.test_conversation import PAYLOADS
from palaver.tests.support.machine import Chat

HOUR = 3600


def locked(for_s: int | None = None, **policy: Any) -> Chat:
    chat = Chat.group("ann", "bob", **policy)
    chat.send("ann", "hello")
    until = None if for_s is None else chat.now + for_s * 1000
    chat.do("ann", LockConversation(until=until))
    return chat


def test_CONV_21_locked_for_an_hour():
    chat = locked(HOUR)
    until = chat.now + HOUR * 1000
    assert chat.log[-1].item()["t"] == "conversation.locked"
    assert chat.log[-1].item()["d"] == {"id": chat.log[-1].id, "by": "ann", "until": until}
    chat.wait(HOUR - 1)
    for user in ("ann", "bob"):
        no = chat.refuses(user, SendMessage(text="x"))
        assert (no.code, no.retryable) == ("CONVERSATION_LOCKED", False), "its author is told"
        assert (no.details, no.retry_after) == ({"until": until}, 1.0)
    chat.wait(1)
    chat.send("bob", "it ended by itself")
    assert chat.do("ann", UnlockConversation()).events == []


def test_CONV_21_locked_until_it_is_unlocked():
    chat = locked()
    assert chat.log[-1].item()["d"] == {"id": chat.log[-1].id, "by": "ann"}
    chat.wait(1000 * HOUR)
    no = chat.refuses("ann", SendMessage(text="x"))
    assert (no.code, no.details, no.retry_after) == ("CONVERSATION_LOCKED", {"until": None}, None)
    event = chat.do("ann", UnlockConversation()).event
    assert event.item()["d"] == {"id": event.id, "by": "ann"}
    assert LOCK.of(chat.state) == {}
    chat.send("bob", "at last")


WRITES = sorted(
    name
    for name, kind in COMMANDS.items()
    if issubclass(kind, DurableCommand) and not kind.while_locked
)


@pytest.mark.parametrize("name", WRITES)
def test_CONV_21_whatever_would_be_an_event_is_refused(name: str):
    command = COMMANDS[name].model_validate(PAYLOADS.get(name, {}))
    assert isinstance(command, ConversationCommand)
    assert locked().refuses("ann", command).code == "CONVERSATION_LOCKED"


def test_CONV_21_so_is_what_was_made_of_it_later():
    assert {"message.send", "message.edit", "member.add", "conversation.rename"} <= set(WRITES)


def test_CONV_21_reading_marks_and_leaving_go_on():
    chat = locked()
    for command in (GetConversation(), MessageHistory(), ListMembers(), StartTyping()):
        chat.do("bob", command)
    assert chat.do("bob", ReadMessages()).marks
    assert chat.do("ann", Acknowledge(seq=3)).marks
    assert chat.do(HOST, PostMessage(text="This is being looked into.")).events
    assert chat.do("bob", LeaveConversation()).events


def test_CONV_21_a_second_lock_replaces_the_first():
    chat = locked(HOUR)
    assert chat.do("ann", LockConversation(until=chat.now + HOUR * 1000)).events == []
    assert chat.do("ann", LockConversation()).events
    assert chat.do("ann", LockConversation()).events == []
    assert chat.do("ann", LockConversation(until=chat.now + 1000)).events
    chat.wait(1)
    chat.send("bob", "x")
    assert chat.do("ann", LockConversation(until=chat.now + 1)).events


def test_CONV_21_a_lock_ends_in_the_future():
    chat = Chat.group("ann")
    no = chat.refuses("ann", LockConversation(until=chat.now))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "until"})


@pytest.mark.parametrize("command", [LockConversation(), UnlockConversation()])
def test_CONV_21_admins_and_the_host_lock(command: ConversationCommand):
    no = locked().refuses("bob", command)
    assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "lock_conversation"})
    chat = Chat.direct("ann", "bob")
    assert chat.refuses("ann", command).code == "PERMISSION_DENIED"
    chat.do(HOST, LockConversation())
    assert chat.refuses("ann", SendMessage(text="x")).code == "CONVERSATION_LOCKED"
    assert chat.do(HOST, UnlockConversation()).events


def test_CONV_18_CONV_21_strangers_learn_of_no_lock():
    assert locked().refuses("eve", SendMessage(text="x")).code == "PERMISSION_DENIED"
