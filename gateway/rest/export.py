"""A user's own conversations, whole, as lines of JSON: one page in memory at a time.

What is written is what the user may see at that moment. The last line says that it is all; without
it the rest is missing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...protocol.codec import JsonCodec
from ...protocol.errors import Rejected
from . import problems, times
from .caller import Caller
from .desk import Desk

MEDIA_TYPE: Final = "application/x-ndjson"
AT_ONCE: Final = 16
"""Exports of this process at a time."""

_json = JsonCodec()
Lines = AsyncGenerator[dict[str, Any]]


class Export:
    def __init__(self, desk: Desk) -> None:
        self._gateway = desk.gateway
        self._limit = desk.gateway.settings.policy.max_messages_page
        self._open = 0

    async def conversation(self, request: Request, caller: Caller) -> Response:
        id = request.path_params["conversation"]
        state = await caller.ask("conversation.get", None, id)  # so that a refusal is one
        return self._stream(caller, self._conversation(caller, id, state))

    async def everything(self, request: Request, caller: Caller) -> Response:
        return self._stream(caller, self._everything(caller))

    def _stream(self, caller: Caller, lines: Lines) -> Response:
        if self._open >= AT_ONCE:
            raise Rejected("OVERLOADED", retry_after=10.0)

        async def written() -> AsyncGenerator[bytes]:
            count = 0
            self._open += 1
            try:
                async for line in lines:
                    yield _line(line)
                    count += line["type"] == "message"
                yield _line({"type": "end", "messages": count})
            except Rejected as no:
                yield _line({"type": "error", "problem": problems.body(no)})
            finally:
                self._open -= 1
                await lines.aclose()

        return StreamingResponse(written(), media_type=MEDIA_TYPE)

    async def _everything(self, caller: Caller) -> Lines:
        for chosen in ("all", "archived", "requests"):
            cursor = None
            while True:
                query = (
                    {"filter": chosen} if cursor is None else {"filter": chosen, "cursor": cursor}
                )
                page = await caller.ask("conversation.list", query)
                for row in page["conversations"]:
                    state = await caller.ask("conversation.get", None, row["c"])
                    async for line in self._conversation(caller, row["c"], state):
                        yield line
                if (cursor := page["next"]) is None:
                    break

    async def _conversation(self, caller: Caller, id: str, state: dict[str, Any]) -> Lines:
        yield {"type": "conversation", **state}
        after, more = 0, True
        while more:
            self._gateway.authenticator.confirm(caller.identity)
            query = {"after": after, "limit": self._limit, "system": True}
            page = await caller.ask("message.history", query, id)
            for message in page["messages"]:
                after = message["seq"]
                yield {"type": "message", "c": id, **message}
            more = page["more"]


def _line(value: dict[str, Any]) -> bytes:
    return _json.encode(times.shown(value)) + b"\n"
