"""Long polling: what a socket would have brought, for where there is none (CONN-13).

Every event comes once and in order, or the client is told what to load anew. A poll compares what
its cursor knows with what there is, by the same two commands by which a device catches up after a
reconnect (`sync.changes`, `conversation.resume`). So there is nothing between two polls that could
be lost, and an answer that did not arrive is had again under the same cursor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import trio
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from ...protocol.commands import bad_field
from ...protocol.disconnects import GOING_AWAY
from ...protocol.errors import Rejected, invalid
from ...protocol.ids import ConversationId
from .bodies import answer
from .caller import Caller
from .cursor import MAX_POSITIONS, Cursor, Position
from .desk import Desk
from .poll import Poll

MAX_WAIT_S: Final = 30
MAX_WATCHED: Final = 20
MAX_ITEMS: Final = 1000
"""After so many items an answer ends; the rest comes with the next one, at once."""
_GONE: Final = frozenset({"PERMISSION_DENIED", "CONVERSATION_NOT_FOUND"})


class SyncQuery(BaseModel):
    """`wait` is in seconds. `watch` are the conversations that the client shows: their signals and
    marks come, too."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = None
    wait: int = Field(default=0, ge=0, le=MAX_WAIT_S)
    watch: list[ConversationId] = Field(default_factory=list, max_length=MAX_WATCHED)


@dataclass
class News:
    """What one poll tells."""

    items: list[dict[str, Any]] = field(default_factory=list)
    resync: list[dict[str, Any]] = field(default_factory=list)
    marks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.items or self.resync or self.marks)


class Sync:
    def __init__(self, desk: Desk) -> None:
        self._gateway = desk.gateway
        self._known = min(MAX_POSITIONS, desk.gateway.settings.policy.max_conversations_page)

    async def respond(self, request: Request, caller: Caller) -> Response:
        query = _query(request)
        if query.cursor is None:
            cursor, news = await _begin(caller, query.watch, self._known)
        else:
            cursor = Cursor.unpack(query.cursor, caller.user)
            news = await _compare(caller, cursor, query.watch)
            if not news and query.wait:
                news = await self._wait(request, caller, cursor, query)
        cursor.trim(query.watch)
        told = {"cursor": cursor.pack(caller.user), "more": news.more, "items": news.items}
        return answer(request.headers, {**told, "resync": news.resync, "marks": news.marks})

    async def _wait(
        self, request: Request, caller: Caller, cursor: Cursor, query: SyncQuery
    ) -> News:
        poll = Poll(self._gateway, caller.identity)
        news, refused = News(), None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_until_gone, request, poll)
            try:
                with self._gateway.polling(poll), self._gateway.engine.listening(poll):
                    news = await _next(poll, caller, cursor, query)
            except Rejected as no:
                refused = no  # the nursery would wrap it
            nursery.cancel_scope.cancel()
        if refused is not None:
            raise refused
        return news


async def _until_gone(request: Request, poll: Poll) -> None:
    """Whoever does not wait any more is not to take the place of who does."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    poll.close(GOING_AWAY)


async def _next(poll: Poll, caller: Caller, cursor: Cursor, query: SyncQuery) -> News:
    """The first news, or none after `wait` seconds."""
    for conversation in query.watch:
        await poll.ask("conversation.subscribe", None, conversation)
    # Again, since it may have happened just before `poll` was there.
    news = await _compare(caller, cursor, query.watch)
    ttl = caller.identity.ttl()
    with trio.move_on_after(query.wait if ttl is None else min(query.wait, ttl)):
        while not (news or poll.items):
            await poll.news()
            touched, poll.touched = poll.touched, set()
            # Not to be cut off half way: what the cursor knows by then would not be told.
            with trio.CancelScope(shield=True):
                news = await _compare(caller, cursor, [*query.watch, *touched])
    news.items += poll.items
    return news


async def _begin(caller: Caller, watched: Sequence[str], limit: int) -> tuple[Cursor, News]:
    """The client is to load its inbox now: of what happens from here on nothing is lost."""
    cursor, news = Cursor(), News(resync=[{"reason": "begin"}])
    await _changes(caller, cursor, news)
    inbox = await caller.ask("conversation.list", {"limit": limit})
    for row in reversed(inbox["conversations"]):
        cursor.know(row["c"], Position(row["epoch"], row["seq"]))
    await _resume(caller, cursor, news, watched)
    return cursor, news


async def _compare(caller: Caller, cursor: Cursor, looked_at: Sequence[str]) -> News:
    """What there is that `cursor` does not know; it does then."""
    news, before = News(), cursor.feed
    moved = await _changes(caller, cursor, news)
    await _resume(caller, cursor, news, dict.fromkeys([*moved, *looked_at]))
    if news.more:
        cursor.feed = before  # so that it tells the rest, too; what was told is known by position
    return news


async def _changes(caller: Caller, cursor: Cursor, news: News) -> list[str]:
    """The conversations that moved; one's own log goes into `news`."""
    payload = {"n": cursor.n} if cursor.feed is None else {"n": cursor.n, "cursor": cursor.feed}
    changes = await caller.ask("sync.changes", payload)
    for entry in changes["log"]:
        cursor.n = entry["n"]
        news.items.append(
            {"t": entry["kind"], "n": entry["n"], "ts": entry["ts"], "d": entry["data"]}
        )
    news.more = changes["more"]
    for conversation in changes["left"]:
        if cursor.positions.pop(conversation, None) is not None:
            news.resync.append({"c": conversation, "reason": "not_member"})
    cursor.feed = changes["cursor"]
    return [row["c"] for row in changes["conversations"] if _differs(row, cursor)]


def _differs(row: Mapping[str, Any], cursor: Cursor) -> bool:
    at = cursor.positions.get(row["c"])
    return at is None or (at.epoch, at.seq) != (row["epoch"], row["seq"])


async def _resume(
    caller: Caller, cursor: Cursor, news: News, conversations: Sequence[str] | dict[str, None]
) -> None:
    for id in conversations:
        if len(news.items) >= MAX_ITEMS:
            news.more = True
            return
        try:
            at = cursor.positions.get(id)
            if at is None:
                await _found(caller, cursor, news, id)
            else:
                await _follow(caller, cursor, news, id, at)
        except Rejected as no:
            if no.code not in _GONE:
                raise
            cursor.positions.pop(id, None)
            news.resync.append({"c": id, "reason": "not_member"})


async def _found(caller: Caller, cursor: Cursor, news: News, id: str) -> None:
    """One of which the cursor does not know how much the client has."""
    state = await caller.ask("conversation.get", None, id)
    cursor.know(id, Position(state["epoch"], state["seq"], state["marks"]))
    news.resync.append({"c": id, "reason": "new", "epoch": state["epoch"], "seq": state["seq"]})


async def _follow(caller: Caller, cursor: Cursor, news: News, id: str, at: Position) -> None:
    known = {"epoch": at.epoch, "seq": at.seq, "marks": at.marks}
    answer = await caller.ask("conversation.resume", known, id)
    if not answer.pop("recovered"):
        news.resync.append({"c": id, **answer})
        if answer["reason"] == "not_member":
            del cursor.positions[id]
        else:
            cursor.know(id, Position(answer["epoch"], answer["seq"]))
        return
    news.items += caller.pushed
    marks = answer["marks"]
    # A position without marks is one from the inbox: what it is told first is how they stand.
    if marks["moved"]:
        news.marks[id] = marks["moved"]
    now = Position(answer["epoch"], answer["seq"], marks["n"])
    if now != at:
        cursor.know(id, now)


def _query(request: Request) -> SyncQuery:
    given: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name == "watch":
            given.setdefault("watch", []).append(text)
        elif name in given:
            raise invalid(name[:100], "given twice")
        else:
            given[name] = text
    try:
        return SyncQuery.model_validate(given)
    except ValidationError as error:
        raise bad_field(error) from None
