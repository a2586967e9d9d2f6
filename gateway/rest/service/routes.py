"""The table of what the host does by commands."""

from __future__ import annotations

from typing import Any

from ....protocol.commands import Command
from ....protocol.features.conversation import CreateConversation, GetConversation
from ....protocol.features.deletes import DeleteMessage
from ....protocol.features.inspection import FindConversations, InspectUser
from ....protocol.features.lock import LockConversation, UnlockConversation
from ....protocol.features.members import AddMembers, ChangeRole, ListMembers, RemoveMember
from ....protocol.features.system import PostMessage
from ..endpoint import Endpoint, Method

_ALL = "/service/conversations"
_HERE = f"{_ALL}/{{conversation}}"
_MEMBERS = f"{_HERE}/members"


def _line(
    method: Method,
    path: str,
    id: str,
    command: type[Command],
    answers: str,
    summary: str,
    **more: Any,
) -> Endpoint:
    return Endpoint(method, path, f"service.{id}", summary, (command,), answers, **more)


ENDPOINTS: tuple[Endpoint, ...] = (
    _line(
        "GET",
        _ALL,
        "findConversations",
        FindConversations,
        "Overviews",
        "Conversations about things, or with users, or both",
    ),
    _line(
        "POST",
        _ALL,
        "createConversation",
        CreateConversation,
        "Overview",
        "Create one, of any kind but a direct one, and be no member of it",
        status=201,
        makes="conversation",
    ),
    _line("GET", _HERE, "getConversation", GetConversation, "Overview", "One as it stands"),
    _line("POST", f"{_HERE}/lock", "lock", LockConversation, "Changed", "Lock it"),
    _line("DELETE", f"{_HERE}/lock", "unlock", UnlockConversation, "Changed", "Unlock it"),
    _line(
        "POST",
        f"{_HERE}/messages",
        "postMessage",
        PostMessage,
        "Posted",
        "Post a message of the system",
        status=201,
    ),
    _line(
        "DELETE",
        f"{_HERE}/messages/{{message_id}}",
        "deleteMessage",
        DeleteMessage,
        "Changed",
        "Delete any message, for everyone",
    ),
    _line("GET", _MEMBERS, "listMembers", ListMembers, "Members", "Its members"),
    _line("POST", _MEMBERS, "addMembers", AddMembers, "Changed", "Bring users in"),
    _line(
        "PATCH",
        f"{_MEMBERS}/{{user:path}}",
        "changeRole",
        ChangeRole,
        "Changed",
        "Give a member another role",
    ),
    _line(
        "DELETE",
        f"{_MEMBERS}/{{user:path}}",
        "removeMember",
        RemoveMember,
        "Changed",
        "Put a member out",
    ),
    _line(
        "GET",
        "/service/users/{user:path}",
        "inspectUser",
        InspectUser,
        "UserHere",
        "Whether a user is here, and in how many conversations",
    ),
)
