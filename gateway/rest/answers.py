"""What is answered, by example: the schema of each answer is made from its example.

A client is to ignore fields that it does not know, so more may come than stands here.
"""

from __future__ import annotations

from typing import Any, Final

from .like import By, Maybe, One, Perhaps, Rarely, Ref, Time

CONVERSATION_ID: Final = "8a3f0f6e-0000-5000-8000-000000000001"
MESSAGE_ID: Final = "01934f5e-0000-7000-8000-000000000001"

_TIME: Final = Time()
_PLACE: Final = {"c": CONVERSATION_ID, "seq": 42, "id": MESSAGE_ID, "ts": _TIME}
_USERS: Final = {"users": Perhaps(By("ann", By("name", One(("Ann", 1, True, None)))))}
_LIMITED: Final = {"limited": Perhaps(True)}
_PAGE: Final = {"more": False, "seq": 42, **_LIMITED, **_USERS}
_NUMBERED: Final = {"page": 1, "limit": 20, "total": 1, "total_pages": 1}
_MARK: Final = {"seq": 42, "at": Maybe(_TIME)}
_MARKS: Final = [{"user": "bob", "read": 42, "delivered": 42}]
_ATTACHMENT: Final = {
    "type": "image",
    "url": "https://example.org/a.jpg",
    "thumbnail_url": Perhaps("https://example.org/a-300.jpg"),
    "name": Perhaps("a.jpg"),
    "mime": Perhaps("image/jpeg"),
    "size": Perhaps(123_456),
    "width": Perhaps(640),
    "height": Perhaps(480),
    "duration_s": Rarely(3.5),
    "waveform": Rarely([0, 17, 255]),
}
_MESSAGE: Final[dict[str, Any]] = {
    "id": MESSAGE_ID,
    "seq": 42,
    "ts": _TIME,
    "kind": "message.sent",
    "by": Perhaps("ann"),
    "number": Perhaps(17),
    "text": Perhaps("lunch?"),
    "type": Rarely("image"),
    "format": Rarely("markdown"),
    "metadata": Rarely(By("yours", Any)),
    "attachments": Rarely([_ATTACHMENT]),
    "mentions": Rarely(["bob"]),
    "entities": Rarely(
        [{"kind": "link", "offset": 0, "length": 19, "url": Perhaps("https://example.org")}]
    ),
    "context": Rarely(By("listing", Maybe("5"))),
    "reply_to": Rarely({"id": MESSAGE_ID, "seq": 41}),
    "preview": Rarely(
        {
            "by": Perhaps(Maybe("bob")),
            "text": Perhaps("hungry?"),
            "type": Perhaps("image"),
            "attachments": Perhaps(["image"]),
            "unavailable": Perhaps(True),
        }
    ),
    "thread": Rarely(
        One(
            (
                {"id": MESSAGE_ID, "seq": 40},  # of a reply in a thread: its root
                {"count": 3, "last": Perhaps({"seq": 44, "by": Maybe("bob"), "ts": _TIME})},
            )
        )
    ),
    "reactions": Perhaps(By("👍", 1)),
    "reacted": Perhaps(["👍"]),
    "tally": Rarely([2, 1]),
    "votes": Rarely(By("bob", 0)),
    "pinned": Rarely(True),
    "edited_at": Rarely(_TIME),
    "version": Rarely(2),
    "forwarded": Rarely({"hops": 1}),
    "forwards": Rarely(1),
    "expires_at": Rarely(_TIME),
    "deleted_at": Rarely(_TIME),
    "redacted": Rarely(True),
    # Of what happened to members and settings, if that is asked for.
    "user": Rarely("bob"),
    "users": Rarely(["bob"]),
    "role": Rarely("member"),
    "title": Rarely("Ops"),
    "description": Rarely("Who is on call"),
    "icon": Rarely("https://example.org/ops.png"),
    "who_may_send": Rarely("admins"),
    "who_may_add": Rarely("admins"),
    "until": Rarely(_TIME),
}
_LAST: Final = {
    "id": MESSAGE_ID,
    "seq": 42,
    "ts": _TIME,
    "by": Perhaps(Maybe("ann")),
    "text": Perhaps(Maybe("lunch?")),
    "type": Rarely("image"),
    "attachments": Rarely(["image"]),
    "deleted": Rarely(True),
}
_CONVERSATION: Final = {
    "c": CONVERSATION_ID,
    "kind": "group",
    "title": Maybe("Ops"),
    "created_at": _TIME,
    "epoch": 1,
    "seq": 42,
    "number": 17,
    "role": "member",
    "members": By("ann", {"role": "owner", "read": Perhaps(_MARK), "delivered": Perhaps(_MARK)}),
    "member_count": 2,
    "unread": 3,
    "last": Maybe(Perhaps(_LAST)),
    "marks": 12,
    "context": By("listing", Maybe("5")),
    "pins": By(MESSAGE_ID, 42),
    "settings": By("who_may_send", "admins"),
    "lock": By("until", Maybe(_TIME)),
    "request": Perhaps("pending"),
    **_USERS,
}
_ROW: Final = {
    "c": CONVERSATION_ID,
    "kind": "group",
    "epoch": 1,
    "seq": 42,
    "number": 17,
    "unread": 3,
    "title": Maybe("Ops"),
    "context": By("listing", Maybe("5")),
    "role": "member",
    "members": ["ann", "bob"],
    "last": Maybe(_LAST),
    "ts": _TIME,
    "preference": Rarely(
        {
            "muted_until": Perhaps(_TIME),
            "pinned_at": Perhaps(_TIME),
            "archived": Perhaps(True),
            "unread": Perhaps(True),
            "hidden_seq": Perhaps(12),
            "hidden_number": Perhaps(5),
        }
    ),
    "request": Rarely("pending"),
}
_OVERVIEW: Final = {
    name: value for name, value in _CONVERSATION.items() if name not in ("role", "unread", "users")
}
_ITEM: Final = {
    "t": "message.sent",
    "c": Perhaps(CONVERSATION_ID),
    "seq": Perhaps(43),
    "n": Rarely(7),
    "ts": Perhaps(_TIME),
    "d": Perhaps(By("text", Any)),
}

ANSWERS: Final[dict[str, Any]] = {
    "Message": {"c": Perhaps(CONVERSATION_ID), **_MESSAGE},
    "Hit": {"c": CONVERSATION_ID, **_MESSAGE},
    "NewMessage": {**_MESSAGE, **_PLACE, "kind": Perhaps(_MESSAGE["kind"])},
    "Conversation": _CONVERSATION,
    "NewConversation": {name: Perhaps(value) for name, value in _CONVERSATION.items()},
    "Row": _ROW,
    "Overview": {name: Perhaps(value) for name, value in _OVERVIEW.items()},
    "Overviews": {"found": [Ref("Overview")], "more": False},
    "Posted": _PLACE,
    "Told": {"messages": [_PLACE]},
    "Token": {"token": "eyJ0…", "ttl_s": 3600},
    "UserHere": {
        "user": "ann",
        "online": True,
        "connections": 2,
        "last_seen": Maybe(_TIME),
        "conversation_count": 12,
    },
    "Item": _ITEM,
    "Inbox": {"conversations": [Ref("Row")], "next": Maybe("eyJ0…"), "unread": 3, **_USERS},
    "Changed": {name: Perhaps(value) for name, value in {**_PLACE, "n": 7}.items()},
    "Own": {"n": Perhaps(7)},
    "ReadMark": {"seq": 42, "at": Maybe(_TIME), "unread": 0},
    "Messages": {
        "messages": [Ref("Message")],
        **{name: Perhaps(value) for name, value in _NUMBERED.items()},
        **_PAGE,
    },
    "Members": {"members": [{"user": "ann", "role": "owner"}], **_PAGE},
    "Readers": {"readers": [{"user": "bob", "at": _TIME}], **_PAGE},
    "Loadable": {
        "url": f"/v1/files/{MESSAGE_ID}?expires=1763766000&signature=5e…",
        "thumbnail_url": Maybe(f"/v1/files/{MESSAGE_ID}/300?expires=1763766000&signature=a1…"),
        "filename": Maybe("cat.jpg"),
        "mime": Maybe("image/jpeg"),
        "size": Maybe(123_456),
        "expires_in_seconds": 3600,
    },
    "Loadables": {"attachments": [Ref("Loadable")], "seq": 42},
    "Upload": {"id": MESSAGE_ID, "type": "image", "name": "cat.jpg", "size": 123_456},
    "Filled": {"id": MESSAGE_ID, "bytes": 123_456},
    "Completed": {
        "id": MESSAGE_ID,
        "type": "image",
        "url": f"/v1/files/{MESSAGE_ID}",
        "thumbnail_url": Perhaps(f"/v1/files/{MESSAGE_ID}/300"),
        "name": "cat.jpg",
        "mime": "image/jpeg",
        "size": 123_456,
        "width": Perhaps(640),
        "height": Perhaps(480),
    },
    "Versions": {"versions": [{"version": 1, "text": "lunch", "ts": _TIME}], "seq": 42},
    "Resumed": {
        "recovered": True,
        "epoch": 1,
        "seq": 43,
        "events": [Ref("Item")],
        "marks": Perhaps({"n": 12, "moved": _MARKS}),
        "reason": Perhaps("diverged"),
        "reload_after": Perhaps(40),
    },
    "Presence": {"users": By("bob", {"online": False, "last_seen": Maybe(_TIME)})},
    "Online": {"online": ["bob"], "more": False, **_USERS},
    "Starred": {
        "stars": [{"c": CONVERSATION_ID, "ts": _TIME, "message": Ref("Message")}],
        "next": Maybe(7),
        **_LIMITED,
        **_USERS,
    },
    "Scheduled": {
        "scheduled": [
            {
                "id": "k7",
                "c": CONVERSATION_ID,
                "send_at": _TIME,
                "status": "pending",
                "client_id": "5d0c…",
                "message": Perhaps(By("text", Any)),
                "error": Rarely("PERMISSION_DENIED"),
            }
        ],
        "next": Maybe("1700003600000 5d0c…"),
    },
    "Settings": {"read_receipts": True, "presence": "everyone", "messages_from": "everyone"},
    "Blocks": {"blocks": [{"user": "cid", "level": "blocked"}], "more": False},
    "Hits": {
        "hits": [Ref("Hit")],
        **_NUMBERED,
        **_LIMITED,
        **_USERS,
    },
    "FoundUsers": {"found": ["bob"], **_USERS},
    "Users": {"users": By("bob", By("name", One(("Bob", 1, True, None))))},
    "Templates": {"templates": [{"name": "hello", "text": "Hello {name}", "variables": ["name"]}]},
    "Changes": {
        "conversations": [Ref("Row")],
        "left": [CONVERSATION_ID],
        "cursor": "812",
        "log": [{"n": 7, "kind": "draft.saved", "data": By("text", Any), "ts": _TIME}],
        "more": False,
        "unread": Perhaps(3),
        **_USERS,
    },
    "Draft": {"conversation": CONVERSATION_ID, "text": "lun", "ts": Perhaps(_TIME)},
    "Sync": {
        "cursor": "lAGjODEyB5A",
        "more": False,
        "items": [Ref("Item")],
        "resync": [
            {
                "reason": "new",
                "c": Perhaps(CONVERSATION_ID),
                "epoch": Perhaps(1),
                "seq": Perhaps(7),
                "reload_after": Rarely(Maybe(40)),
            }
        ],
        "marks": By(CONVERSATION_ID, _MARKS),
    },
    "Line": {"type": "message", "c": Perhaps(CONVERSATION_ID)},
    "Problem": {
        "type": "urn:palaver:error:VALIDATION_FAILED",
        "title": "A field of the command is not acceptable.",
        "status": 400,
        "detail": "text: Field required",
        "code": "VALIDATION_FAILED",
        "retryable": False,
        "details": Perhaps(By("field", Any)),
        "retry_after": Perhaps(One((1, 1.5))),
        "correlation": Perhaps(MESSAGE_ID),
    },
}


def example(like: Any) -> Any:
    """What `like` stands for, as it may arrive."""
    match like:
        case Maybe() | Perhaps():
            return example(like.value)
        case By():
            return {like.key: example(like.value)}
        case Ref():
            return example(ANSWERS[like.name])
        case One():
            return example(like.of[0])
        case Time():
            return "2026-01-31T12:00:00.000Z"
        case dict():
            return {
                name: example(value)
                for name, value in like.items()
                if not isinstance(value, Rarely)
            }
        case list():
            return [example(each) for each in like]
        case _:
            return "…" if like is Any else like


_TYPES: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}


def schema(like: Any) -> dict[str, Any]:
    """Of what `like` stands for, as JSON Schema."""
    match like:
        case None:
            return {"type": "null"}
        case Maybe():
            return {"anyOf": [schema(like.value), {"type": "null"}]}
        case Perhaps():
            return schema(like.value)
        case By():
            return {"type": "object", "additionalProperties": schema(like.value)}
        case Ref():
            return {"$ref": f"#/components/schemas/{like.name}"}
        case One():
            return {"anyOf": [schema(each) for each in like.of]}
        case Time():
            return {"type": "string", "format": "date-time"}
        case dict():
            required = [name for name, value in like.items() if not isinstance(value, Perhaps)]
            properties = {name: schema(value) for name, value in like.items()}
            told: dict[str, Any] = {"type": "object", "properties": properties}
            return {**told, "required": required} if required else told
        case list():
            return {"type": "array", "items": schema(like[0])}
        case _:
            return {} if like is Any else {"type": _TYPES[type(like)]}
