"""One's own conversations as lines (HTTP only)."""

import json
from typing import Any

import pytest
import trio

from palaver.gateway.rest.caller import Caller
from palaver.gateway.rest.export import AT_ONCE_OF_USER
from palaver.tests.support.engines import settled
from palaver.tests.support.web import Web, web


async def lines(here: Web, path: str, user: str = "ann") -> list[dict[str, Any]]:
    response = await here.ask("GET", path, user=user)
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


async def test_a_conversation_is_written_whole_oldest_first():
    async with web(policy={"max_messages_page": 7, "messages_page": 7}) as here:
        room = await here.room("bob", title="Ops")
        for n in range(20):
            await here.send(room, str(n))
        head, *middle, end = await lines(here, f"/conversations/{room}/export")
        assert (head["type"], head["title"]) == ("conversation", "Ops")
        assert [line["text"] for line in middle] == [str(n) for n in range(20)]
        assert end == {"type": "end", "messages": 20}


async def test_only_what_one_may_see_is_written():
    async with web() as here:
        room = await here.room("bob")
        await here.send(room, "before")
        await here.ok("POST", f"/conversations/{room}/members", {"users": ["cid"]})
        hidden = await here.send(room, "hidden")
        await here.send(room, "seen")
        await here.ok("DELETE", f"/messages/{hidden['id']}?scope=me", user="cid")
        written = await lines(here, f"/conversations/{room}/export", "cid")
        texts = [line["text"] for line in written if line.get("kind") == "message.sent"]
        assert texts == ["seen"]
        no = await here.no("GET", f"/conversations/{room}/export", user="eve")
        assert no["code"] == "PERMISSION_DENIED"


async def test_all_of_them_are_written():
    async with web(policy={"conversations_page": 2, "max_conversations_page": 2}) as here:
        rooms = [await here.room("bob") for _ in range(5)]
        for room in rooms:
            await here.send(room, "hi")
        await here.ok("PATCH", f"/conversations/{rooms[0]}", {"archived": True})
        await here.room("bob", user="cid")
        written = await lines(here, "/export")
        assert sorted(line["c"] for line in written if line["type"] == "conversation") == sorted(
            rooms
        )
        assert written[-1] == {"type": "end", "messages": 5}


async def test_an_export_that_cannot_go_on_says_so(monkeypatch: pytest.MonkeyPatch):
    async with web() as here:
        room = await here.room("bob")
        await here.send(room, "hi")
        submit = here.engine.submit

        def revoking(outbox: Any, item: Any) -> None:
            if item.kind == "conversation.get":
                here.engine.revoke(user="ann")
            submit(outbox, item)

        monkeypatch.setattr(here.engine, "submit", revoking)
        *_, last = await lines(here, f"/conversations/{room}/export")
        assert (last["type"], last["problem"]["code"]) == ("error", "SESSION_EXPIRED")


async def test_who_reads_slowly_keeps_nobody_else_from_theirs():
    async with web() as here:
        room = await here.room("bob")
        over = trio.Event()
        token = f"Bearer {here.here.token('ann')}".encode()
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/export",
            "query_string": b"",
            "headers": [(b"authorization", token)],
        }

        async def reads_nothing(message: Any) -> None:
            if message.get("body"):
                await over.wait()

        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE_OF_USER):
                nursery.start_soon(here.app, scope, trio.sleep_forever, reads_nothing)
            await settled()
            no = await here.no("GET", f"/conversations/{room}/export")
            assert (no["code"], no["retry_after"]) == ("OVERLOADED", 10.0)
            await lines(here, f"/conversations/{room}/export", user="bob")
            over.set()
        await lines(here, f"/conversations/{room}/export")


async def test_a_page_of_which_nothing_is_left_is_not_the_end(monkeypatch: pytest.MonkeyPatch):
    """Messages that disappear leave pages shorter than asked for, at last empty."""
    async with web(policy={"max_messages_page": 3, "messages_page": 3}) as here:
        room = await here.room("bob")
        for n in range(6):
            await here.send(room, str(n))
        ask = Caller.ask

        async def thinned(caller: Caller, command: str, *more: Any) -> dict[str, Any]:
            page = await ask(caller, command, *more)
            if command == "message.history" and more[0]["after"] == 0:
                page["messages"] = []
            return page

        monkeypatch.setattr(Caller, "ask", thinned)
        written = await lines(here, f"/conversations/{room}/export")
        assert [line["text"] for line in written if line["type"] == "message"] == [
            "2",
            "3",
            "4",
            "5",
        ]
