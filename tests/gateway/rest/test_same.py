"""By socket or by HTTP: the same rows, events and refusals (SEND-01, ERR-01)."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from palaver.engine.testing import Device, TrioClock
from palaver.persistence.memory.disk import Disk
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import ERRORS
from palaver.tests.support.faults import Trap
from palaver.tests.support.web import Web, web

UNKNOWN = "8a3f0f6e-0000-5000-8000-000000000001"


def told(item: dict[str, Any], *differing: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in differing}


async def test_SEND_01_a_send_by_rest_and_one_by_socket_are_stored_and_told_alike():
    disk = Disk()
    async with web(store=MemoryStore(disk=disk), clock=TrioClock()) as here:
        room = await here.room("bob")
        quoted = (await here.send(room, "what?", user="bob"))["id"]
        ann, bob = await here.here.client("ann"), Device(here.engine, "bob")
        body = {
            "text": "so @bob https://example.org",
            "reply_to": quoted,
            "metadata": {"n": 1},
            "mentions": ["bob"],
        }
        sent = await here.ok(
            "POST", f"/conversations/{room}/messages", {**body, "client_id": "by rest"}
        )
        await ann.send({"t": "message.send", "id": 7, "c": room, "d": {**body, "client_id": "ws"}})
        while (await ann.item())["t"] != "reply":
            pass
        first, second = bob.of_kind("message.sent")
        assert (first["d"]["id"], first["seq"]) == (sent["id"], sent["seq"])
        own = ("id", "number", "client_id")
        assert told(first["d"], *own) == told(second["d"], *own)
        assert len(bob.of_kind("message.mentioned")) == 2
        one, other = disk.shelves[room].log[-2:]
        differing = ("id", "seq", "number", "client_id", "at")
        assert told(asdict(one), *differing) == told(asdict(other), *differing)


@dataclass
class Case:
    """One refusal, asked for in both ways: the payload is `body`, and `also` what the path says.
    `settings` make it possible; `before` leads up to it."""

    code: str
    command: str
    method: str
    path: str
    body: Any = None
    c: str | None = "{room}"
    also: dict[str, Any] = field(default_factory=dict)
    user: str = "ann"
    settings: dict[str, Any] = field(default_factory=dict)
    before: Callable[[Web, str, str], Awaitable[Any]] | None = None


HERE = "/conversations/{room}"
SEND = ("message.send", "POST", f"{HERE}/messages")
TO = ("message.send", "POST", "/messages")
TEXT = {"text": "x"}
LARGE = {"attachments": [{"type": "image", "url": "/i", "size": 10**9}], **TEXT}
ADD = ("member.add", "POST", f"{HERE}/members")


def policy(**values: Any) -> dict[str, Any]:
    return {"policy": values}


async def _sends_once(here: Web, room: str, id: str) -> None:
    await here.send(room, "first")


async def _locked(here: Web, room: str, id: str) -> None:
    await here.ok("POST", f"/conversations/{room}/lock", {"until": 4_000_000_000_000})


async def _forwarded(here: Web, room: str, id: str) -> None:
    await here.ok("POST", f"/messages/{id}/forward", {"to": room})


async def _edited(here: Web, room: str, id: str) -> None:
    await here.ok("PATCH", f"/messages/{id}", {"text": "y"})


async def _later(here: Web, room: str, id: str) -> None:
    clock = here.engine.now
    assert isinstance(clock, TrioClock)
    clock.jump(7200)


async def _private(here: Web, room: str, id: str) -> None:
    await here.ok("PUT", "/settings", {"messages_from": "no_one"}, user="bob")


ID = {"message_id": "{id}"}
CASES = [
    Case("VALIDATION_FAILED", *SEND, {"text": 1}),
    Case("MESSAGE_TOO_LONG", *SEND, {"text": "x" * 4001}),
    Case("INVALID_MESSAGE_TYPE", *SEND, {"type": "poll", **TEXT}),
    Case("INVALID_FILE_TYPE", *SEND, LARGE, settings=policy(attachment_limits={"video": 9})),
    Case("ATTACHMENT_TOO_LARGE", *SEND, LARGE),
    Case("SELF_MESSAGE", *TO, {"to": "ann", **TEXT}, None),
    Case("PERMISSION_DENIED", *SEND, TEXT, user="eve"),
    Case("PERMISSION_DENIED", *ADD, {"users": ["eve"]}, user="bob"),
    Case(
        *("PRIVACY_DENIED", *TO, {"to": "bob", **TEXT}, None),
        settings=policy(message_requests=True),
        before=_private,
    ),
    Case(
        *("EDIT_WINDOW_EXPIRED", "message.edit", "PATCH", "/messages/{id}", TEXT),
        also=ID,
        before=_later,
    ),
    Case(
        *("DELETE_WINDOW_EXPIRED", "message.delete", "DELETE", "/messages/{id}"),
        also=ID,
        settings=policy(delete_window_s=3600, permissions={"delete_any_message": "nobody"}),
        before=_later,
    ),
    Case(
        *("CONVERSATION_NOT_FOUND", "conversation.get", "GET", f"/conversations/{UNKNOWN}"),
        c=UNKNOWN,
    ),
    Case(
        *("MESSAGE_NOT_FOUND", "message.pin", "PUT", f"/messages/{UNKNOWN}/pin", {}),
        also={"message_id": UNKNOWN},
    ),
    Case(
        *("USER_NOT_FOUND", "member.remove", "DELETE", f"{HERE}/members/eve"),
        also={"user": "eve"},
    ),
    Case(
        *("FEATURE_DISABLED", "reaction.set", "PUT", "/messages/{id}/reactions/👍", {}),
        also={"emoji": "👍", **ID},
        settings=policy(reactions="off"),
    ),
    Case("GROUP_FULL", *ADD, {"users": ["eve"]}, settings=policy(max_members=2)),
    Case("LAST_ADMIN", "conversation.leave", "POST", f"{HERE}/leave", {}),
    Case(
        *("VERSION_CONFLICT", "message.edit", "PATCH", "/messages/{id}", {"version": 1, **TEXT}),
        also=ID,
        before=_edited,
    ),
    Case("CONVERSATION_LOCKED", *SEND, TEXT, before=_locked),
    Case(
        *("RATE_LIMITED", *SEND, TEXT),
        settings={"limits": {"messages_per_min": 2}},
        before=_sends_once,
    ),
    Case(
        *("FORWARD_LIMIT", "message.forward", "POST", "/messages/{id}/forward", {"to": "{room}"}),
        also=ID,
        settings=policy(max_forwards=1),
        before=_forwarded,
    ),
]


def put(value: Any, room: str, id: str) -> Any:
    """The placeholders of `value`, filled."""
    if isinstance(value, str):
        return value.replace("{room}", room).replace("{id}", id)
    if isinstance(value, dict):
        return {name: put(inner, room, id) for name, inner in value.items()}
    return value


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.command}")
async def test_ERR_01_ERR_02_SEND_01_the_same_refusal_by_both_ways(case: Case):
    async with web(clock=TrioClock(), **case.settings) as here:
        room = await here.room("bob")
        id = (await here.send(room, "hi"))["id"]
        if case.before is not None:
            await case.before(here, room, id)
        device = Device(here.engine, case.user, limited=True)
        payload = put({**(case.body or {}), **case.also}, room, id)
        reply = await device.ask(case.command, payload, c=case.c and put(case.c, room, id))
        error = reply["error"]
        assert error["code"] == case.code
        no = await here.no(
            case.method,
            put(case.path, room, id),
            put(case.body, room, id),
            user=case.user,
        )
        detail = error.pop("message")
        retry_after = error.pop("retry_after", None)
        assert (no.pop("retry_after", None) is None) == (retry_after is None)
        kind = ERRORS[case.code]
        assert no == {
            "type": f"urn:palaver:error:{case.code}",
            "title": kind.sentence,
            "status": kind.http,
            "detail": detail,
            **error,
        }


async def test_ERR_06_what_nobody_has_foreseen_is_INTERNAL_with_a_correlation():
    trap = Trap()
    async with web(guards=[trap]) as here:
        room, other = await here.room("bob"), await here.room("bob")
        trap.spring("boom")
        no = await here.no("POST", f"/conversations/{room}/messages", {"text": "boom"})
        assert (no["status"], no["code"], no["retryable"]) == (500, "INTERNAL", True)
        assert len(no["correlation"]) == 36
        await here.send(other, "goes on")


async def test_ERR_02_a_row_that_the_database_refuses_is_PERSIST_FAILED():
    store = MemoryStore()
    async with web(store=store) as here:
        room = await here.room("bob")
        store.refuse(lambda write: True)
        no = await here.no("POST", f"/conversations/{room}/messages", {"text": "x"})
        assert (no["status"], no["code"]) == (422, "PERSIST_FAILED")


async def test_ERR_02_SEC_05_a_store_that_is_away_is_UNAVAILABLE_and_says_for_how_long():
    store = MemoryStore()
    async with web(store=store) as here:
        store.go_away()
        response = await here.ask("GET", "/conversations")
        assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")
        assert response.headers["retry-after"] == "1"
        store.come_back()
