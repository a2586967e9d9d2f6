"""Looking at a conversation."""

from palaver.protocol.commands import Subscribe
from palaver.protocol.features.members import RemoveMember
from palaver.protocol.features.subscriptions import (
    ConversationHead,
    PresenceChanged,
    SubscribeConversation,
    UnsubscribeConversation,
)
from palaver.tests.support.machine import START, Chat


def test_CONN_11_members_subscribe():
    chat = Chat.group("ann", "bob")
    assert chat.do("bob", SubscribeConversation()).effects == [Subscribe(on=True)]
    assert chat.do("bob", UnsubscribeConversation()).effects == [Subscribe(on=False)]


def test_CONN_11_nobody_else_does():
    chat = Chat.group("ann", "bob")
    chat.do("ann", RemoveMember(user="bob"))
    for user in ("bob", "eve"):
        for command in (SubscribeConversation(), UnsubscribeConversation()):
            assert chat.refuses(user, command).code == "PERMISSION_DENIED"
    assert Chat().refuses("ann", SubscribeConversation()).code == "CONVERSATION_NOT_FOUND"


def test_signals_as_they_travel():
    online = PresenceChanged(user="bob", online=True).item("c1", START)
    assert online == {
        "t": "presence.changed",
        "c": "c1",
        "ts": START,
        "d": {"user": "bob", "online": True},
    }
    offline = PresenceChanged(user="bob", online=False, last_seen=5).item(None, START)
    assert offline["d"] == {"user": "bob", "online": False, "last_seen": 5}
    assert "c" not in offline
    assert ConversationHead(epoch=2, seq=7).item("c1", START)["d"] == {"epoch": 2, "seq": 7}
