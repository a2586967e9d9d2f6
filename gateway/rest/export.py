"""A user's own conversations, whole, as lines of JSON: one page in memory at a time.

What is written is what the user may see at that moment. The last line says that it is all; without
it the rest is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from ...protocol.codec import JsonCodec
from ...protocol.errors import Rejected
from . import problems, times
from .caller import Caller
from .desk import Desk

MEDIA_TYPE: Final = "application/x-ndjson"
AT_ONCE: Final = 16
"""Exports of this process at a time."""
AT_ONCE_OF_USER: Final = 2
"""Of one user: who reads slowly must not keep others from theirs."""

_json = JsonCodec()
Lines = AsyncGenerator[dict[str, Any]]


class _Stream(StreamingResponse):
    """Lets go of its lines also if the client goes away before the last one."""

    async def stream_response(self, send: Send) -> None:
        assert isinstance(self.body_iterator, AsyncGenerator)
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


class Export:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._gateway = desk.gateway
        self._limit = desk.gateway.settings.policy.max_messages_page
        self._open = Counter[str]()

    async def conversation(self, request: Request, caller: Caller) -> Response:
        id = request.path_params["conversation"]
        state = await caller.ask("conversation.get", None, id)  # so that a refusal is one
        return self._stream(caller, self._conversation(caller, id, state))

    async def everything(self, request: Request, caller: Caller) -> Response:
        return self._stream(caller, self._everything(caller))

    def _stream(self, caller: Caller, lines: Lines) -> Response:
        user = caller.user
        if self._open[user] >= AT_ONCE_OF_USER or self._open.total() >= AT_ONCE:
            raise Rejected("OVERLOADED", retry_after=10.0)

        async def written() -> AsyncGenerator[bytes]:
            count = 0
            self._open[user] += 1
            try:
                async with aclosing(lines):
                    async for line in lines:
                        yield _line(line)
                        count += line["type"] == "message"
                yield _line({"type": "end", "messages": count})
            except Rejected as no:
                problem = problems.body(no, wording=self._desk.wording)
                yield _line({"type": "error", "problem": problem})
            finally:
                self._open -= Counter([user])  # forgets who has none

        return _Stream(written(), media_type=MEDIA_TYPE)

    async def _everything(self, caller: Caller) -> Lines:
        seen: set[str] = set()  # one may be put away while it is written
        for chosen in ("all", "archived", "requests"):
            query = {"filter": chosen}
            while True:
                page = await caller.ask("conversation.list", query)
                for id in (row["c"] for row in page["conversations"] if row["c"] not in seen):
                    seen.add(id)
                    try:
                        state = await caller.ask("conversation.get", None, id)
                    except Rejected as no:
                        if no.code == "PERMISSION_DENIED":
                            continue  # left it just now
                        raise
                    async with aclosing(self._conversation(caller, id, state)) as lines:
                        async for line in lines:
                            yield line
                if page["next"] is None:
                    break
                query["cursor"] = page["next"]

    async def _conversation(self, caller: Caller, id: str, state: dict[str, Any]) -> Lines:
        yield {"type": "conversation", **state}
        after, more = 0, True
        while more:
            self._gateway.authenticator.confirm(caller.identity)
            query = {"after": after, "limit": self._limit, "system": True}
            page = await caller.ask("message.history", query, id)
            # A page of which all has just disappeared is passed by as what it was: so many seqs.
            after += 0 if page["messages"] else self._limit
            for message in page["messages"]:
                after = message["seq"]
                yield {"type": "message", "c": id, **message}
            more = page["more"]


def _line(value: dict[str, Any]) -> bytes:
    return _json.encode(times.shown(value)) + b"\n"
