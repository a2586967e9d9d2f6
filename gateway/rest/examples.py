"""A body for each endpoint that takes one; the tests hold them to the commands."""

from __future__ import annotations

from typing import Any, Final

from .answers import CONVERSATION_ID

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "createConversation": {"kind": "group", "title": "Ops", "members": ["bob"]},
    "changeConversation": {"title": "Operations"},
    "leaveConversation": {"confirm": True},
    "lockConversation": {"until": "2030-01-31T12:00:00Z"},
    "readConversation": {"seq": 42},
    "startTyping": {},
    "addMembers": {"users": ["cid"]},
    "changeRole": {"role": "admin"},
    "sendMessage": {"text": "lunch?", "client_id": "k1"},
    "sendMessageTo": {"to": "bob", "text": "lunch?", "client_id": "k2"},
    "sendTemplate": {"variables": {"name": "Bob"}},
    "editMessage": {"text": "lunch at one?"},
    "readMessage": {},
    "forwardMessage": {"to": CONVERSATION_ID},
    "restoreMessage": {},
    "votePoll": {"option": 0},
    "saveDraft": {"text": "lun"},
    "scheduleMessage": {
        "conversation": CONVERSATION_ID,
        "id": "k7",
        "send_at": "2030-01-31T12:00:00Z",
        "message": {"text": "good morning"},
    },
    "changeSettings": {"read_receipts": False},
    "setPresence": {"presence": "nobody"},
    "blockUser": {"level": "restricted"},
}
