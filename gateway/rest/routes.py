"""The table of endpoints: one line for each thing that can be asked for by HTTP (REST-01).

All but what belongs to a socket (`SOCKET_BOUND`) is here; a test holds it to the commands that
there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from ...protocol.commands import Command
from ...protocol.features.attachments import ListAttachments
from ...protocol.features.blocks import BlockUser, ListBlocks, RestrictUser, UnblockUser
from ...protocol.features.conversation import (
    CreateConversation,
    GetConversation,
    RenameConversation,
)
from ...protocol.features.deletes import DeleteMessage
from ...protocol.features.drafts import SaveDraft
from ...protocol.features.edits import EditMessage, MessageVersions
from ...protocol.features.forwards import ForwardMessage
from ...protocol.features.group_settings import ChangeSettings
from ...protocol.features.hides import HideMessage
from ...protocol.features.history import MessageHistory, Resume
from ...protocol.features.inbox import GetPresence, ListConversations, ListOnline, SyncChanges
from ...protocol.features.lock import LockConversation, UnlockConversation
from ...protocol.features.marks import MessageReaders, ReadMessages
from ...protocol.features.media import ListMedia
from ...protocol.features.members import (
    AddMembers,
    ChangeRole,
    LeaveConversation,
    ListMembers,
    RemoveMember,
)
from ...protocol.features.messages import SendMessage
from ...protocol.features.pins import ListPins, PinMessage, UnpinMessage
from ...protocol.features.polls import VotePoll
from ...protocol.features.preferences import HideConversation, SetPreference
from ...protocol.features.reactions import SetReaction
from ...protocol.features.requests import AcceptRequest, DeclineRequest
from ...protocol.features.restores import RestoreMessage
from ...protocol.features.schedule import CancelScheduled, ListScheduled, ScheduleMessage
from ...protocol.features.search import SearchMessages
from ...protocol.features.settings import GetSettings, SetSettings
from ...protocol.features.stars import ListStars, StarMessage, UnstarMessage
from ...protocol.features.templates import ListTemplates, SendTemplate
from ...protocol.features.threads import ListThread
from ...protocol.features.typing import StartTyping, StopTyping
from ...protocol.features.users import GetUsers, SearchUsers
from .endpoint import Endpoint, Method

SOCKET_BOUND = frozenset({"conversation.subscribe", "conversation.unsubscribe", "ack"})
"""Commands about one connection; `GET /v1/sync` has its own ways for them."""

_HERE = "/conversations/{conversation}"
_MESSAGE = "/messages/{message_id}"


def _on(method: Method) -> Callable[..., Endpoint]:
    def endpoint(
        path: str,
        id: str,
        commands: type[Command] | tuple[type[Command], ...],
        answers: str,
        summary: str,
        **more: Any,
    ) -> Endpoint:
        several = commands if isinstance(commands, tuple) else (commands,)
        return Endpoint(method, path, id, summary, several, answers, **more)

    return endpoint


_get, _post, _put, _patch, _delete = map(_on, get_args(Method))

ENDPOINTS: tuple[Endpoint, ...] = (
    # Conversations.
    _get("/conversations", "listConversations", ListConversations, "Inbox", "A page of the inbox"),
    _post(
        "/conversations",
        "createConversation",
        CreateConversation,
        "NewConversation",
        "Begin a conversation",
        status=201,
        makes="conversation",
    ),
    _get(
        _HERE, "getConversation", GetConversation, "Conversation", "One conversation as it stands"
    ),
    _patch(
        _HERE,
        "changeConversation",
        (RenameConversation, ChangeSettings, SetPreference),
        "Changed",
        "Rename it, change its settings, or how one keeps it: one of the three at a time",
    ),
    _delete(_HERE, "hideConversation", HideConversation, "Own", "Delete it from one's own inbox"),
    _post(f"{_HERE}/leave", "leaveConversation", LeaveConversation, "Changed", "Leave it"),
    _post(
        f"{_HERE}/lock",
        "lockConversation",
        LockConversation,
        "Changed",
        "Lock it, for a time or for good",
    ),
    _delete(f"{_HERE}/lock", "unlockConversation", UnlockConversation, "Changed", "Unlock it"),
    _post(
        f"{_HERE}/read",
        "readConversation",
        ReadMessages,
        "ReadMark",
        "Mark as read, up to a place or wholly",
    ),
    _post(
        f"{_HERE}/typing",
        "startTyping",
        StartTyping,
        "Nothing",
        "One is typing; repeat while it goes on",
        status=204,
    ),
    _delete(
        f"{_HERE}/typing",
        "stopTyping",
        StopTyping,
        "Nothing",
        "One is not typing any more",
        status=204,
    ),
    _get(
        f"{_HERE}/presence", "getPresence", GetPresence, "Presence", "Who of the members is online"
    ),
    _get(
        f"{_HERE}/events", "resumeConversation", Resume, "Resumed", "Every event after a position"
    ),
    _get(
        f"{_HERE}/media",
        "listMedia",
        ListMedia,
        "Messages",
        "Messages with attachments, newest first",
    ),
    _get(f"{_HERE}/pins", "listPins", ListPins, "Messages", "Pinned messages"),
    # Members.
    _get(f"{_HERE}/members", "listMembers", ListMembers, "Members", "Members, in order of user id"),
    _post(f"{_HERE}/members", "addMembers", AddMembers, "Changed", "Bring users in"),
    _patch(
        f"{_HERE}/members/{{user:path}}",
        "changeRole",
        ChangeRole,
        "Changed",
        "Give a member another role",
    ),
    _delete(
        f"{_HERE}/members/{{user:path}}",
        "removeMember",
        RemoveMember,
        "Changed",
        "Put a member out",
    ),
    # Messages.
    _get(f"{_HERE}/messages", "listMessages", MessageHistory, "Messages", "A page of messages"),
    _post(
        f"{_HERE}/messages",
        "sendMessage",
        SendMessage,
        "NewMessage",
        "Send a message",
        status=201,
        makes="message",
    ),
    _post(
        "/messages",
        "sendMessageTo",
        SendMessage,
        "NewMessage",
        "Send a message to a user",
        status=201,
        makes="message",
    ),
    _post(
        f"{_HERE}/templates/{{template}}",
        "sendTemplate",
        SendTemplate,
        "NewMessage",
        "Send a suggested text",
        status=201,
        makes="message",
    ),
    _get(
        f"{_HERE}/threads/{{message_id}}/messages",
        "listThread",
        ListThread,
        "Messages",
        "Replies in the thread under a message",
    ),
    _patch(_MESSAGE, "editMessage", EditMessage, "Changed", "Say it anew"),
    _delete(
        _MESSAGE,
        "deleteMessage",
        (DeleteMessage, HideMessage),
        "Changed",
        "Delete it for everyone, or for oneself",
        choice=("scope", "everyone", "me"),
    ),
    _post(
        f"{_MESSAGE}/read",
        "readMessage",
        ReadMessages,
        "ReadMark",
        "Mark as read up to this message",
        only=(),
    ),
    _get(
        f"{_MESSAGE}/receipts",
        "listReaders",
        MessageReaders,
        "Readers",
        "Who has read it, and when",
    ),
    _get(
        f"{_MESSAGE}/attachments",
        "listAttachments",
        ListAttachments,
        "Loadables",
        "Addresses to load its attachments from",
    ),
    _get(
        f"{_MESSAGE}/versions",
        "listVersions",
        MessageVersions,
        "Versions",
        "What it said before it was edited",
    ),
    _post(
        f"{_MESSAGE}/forward",
        "forwardMessage",
        ForwardMessage,
        "NewMessage",
        "A copy to another conversation",
        status=201,
        makes="message",
    ),
    _post(
        f"{_MESSAGE}/restore", "restoreMessage", RestoreMessage, "Changed", "Take its deletion back"
    ),
    _put(f"{_MESSAGE}/pin", "pinMessage", PinMessage, "Changed", "Pin it"),
    _delete(f"{_MESSAGE}/pin", "unpinMessage", UnpinMessage, "Changed", "Unpin it"),
    _put(f"{_MESSAGE}/star", "starMessage", StarMessage, "Own", "Star it for oneself"),
    _delete(f"{_MESSAGE}/star", "unstarMessage", UnstarMessage, "Own", "Take one's star off"),
    _put(
        f"{_MESSAGE}/reactions/{{emoji}}",
        "addReaction",
        SetReaction,
        "Changed",
        "React to it",
        fixed={"on": True},
    ),
    _delete(
        f"{_MESSAGE}/reactions/{{emoji}}",
        "removeReaction",
        SetReaction,
        "Changed",
        "Take one's own off",
        fixed={"on": False},
    ),
    _post(
        f"{_MESSAGE}/votes",
        "votePoll",
        VotePoll,
        "Changed",
        "Vote in a poll, or take the vote back",
    ),
    # One's own.
    _get("/starred", "listStarred", ListStars, "Starred", "One's starred messages"),
    _put(
        "/drafts/{conversation}", "saveDraft", SaveDraft, "Own", "Keep what one has begun to write"
    ),
    _delete(
        "/drafts/{conversation}",
        "clearDraft",
        SaveDraft,
        "Own",
        "Let it go",
        fixed={"text": ""},
        only=(),
    ),
    _post(
        "/scheduled", "scheduleMessage", ScheduleMessage, "Own", "Send a message later", needs=True
    ),
    _get("/scheduled", "listScheduled", ListScheduled, "Scheduled", "One's messages for later"),
    _delete("/scheduled/{id:path}", "cancelScheduled", CancelScheduled, "Own", "Do not send it"),
    _get("/settings", "getSettings", GetSettings, "Settings", "One's settings"),
    _put("/settings", "changeSettings", SetSettings, "Own", "Change what is given of them"),
    _get("/presence", "listOnline", ListOnline, "Online", "Who is online of those one writes with"),
    _post(
        "/presence",
        "setPresence",
        SetSettings,
        "Own",
        "Say who may know that one is online",
        only=("presence",),
    ),
    _get(
        "/requests",
        "listRequests",
        ListConversations,
        "Inbox",
        "First messages that one has not accepted yet",
        fixed={"filter": "requests"},
    ),
    _post("/requests/{conversation}/accept", "acceptRequest", AcceptRequest, "Own", "Accept one"),
    _post(
        "/requests/{conversation}/decline", "declineRequest", DeclineRequest, "Own", "Decline one"
    ),
    _get("/blocks", "listBlocks", ListBlocks, "Blocks", "Whom one keeps out"),
    _put(
        "/blocks/{user:path}",
        "blockUser",
        (BlockUser, RestrictUser),
        "Own",
        "Keep a user out",
        choice=("level", "blocked", "restricted"),
    ),
    _delete("/blocks/{user:path}", "unblockUser", UnblockUser, "Own", "No longer"),
    # Finding.
    _get("/search/messages", "searchMessages", SearchMessages, "Hits", "One's messages that match"),
    _get(
        "/search/conversations",
        "searchConversations",
        ListConversations,
        "Inbox",
        "One's conversations by title or member",
    ),
    _get("/search/users", "searchUsers", SearchUsers, "FoundUsers", "Users to write to"),
    _get("/users", "getUsers", GetUsers, "Users", "Who these are"),
    _get(
        "/templates", "listTemplates", ListTemplates, "Templates", "Texts that the product suggests"
    ),
    _get("/changes", "listChanges", SyncChanges, "Changes", "What changed since a cursor"),
)
