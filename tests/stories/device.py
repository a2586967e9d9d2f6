"""A chat application as somebody would write it with the shipped client: it shows what it is told.

It knows nothing of the engine and nothing of other devices. What it shows must be what the same
user sees who has just signed in: `Device.state` against `loaded`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import trio

from palaver.gateway.client import (
    Address,
    Client,
    Event,
    NoAnswer,
    Rejected,
    Reload,
    Signal,
    StateChange,
)
from palaver.gateway.client.connection import tcp

PAGE = 100


@dataclass
class View:
    """One conversation on the screen. `messages` by id; what was deleted has no text. Marks are
    those of the others: signals do not go to who causes them, one's own show as what is unread."""

    user: str
    seq: int = field(compare=False)
    """of the last event shown; what one may not see moves the position on as well"""
    title: str | None = None
    roles: dict[str, str] = field(default_factory=dict)
    pins: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    taken: list[Event] = field(default_factory=list, compare=False)

    def take(self, event: Event) -> None:
        self.seq = event.seq
        self.taken.append(event)
        self._apply(event)

    def show(self, page: Mapping[str, Any]) -> None:
        """A page is as of its own `seq`: what was told since then changes what is new here."""
        for message in page["messages"]:
            self.messages.setdefault(message["id"], shown(message))
        for event in self.taken:
            if event.seq > page["seq"]:
                self._apply(event)

    def _apply(self, event: Event) -> None:
        """Every event sets things, so applying one twice does no harm."""
        data = event.data
        match event.kind:
            case "conversation.renamed":
                self.title = data["title"]
            case "member.added":
                for user in data["users"]:
                    self.roles[user] = data["role"]
                    self.mark("read", user, event.seq)
                    self.mark("delivered", user, event.seq)
            case "member.removed":
                for members in (self.roles, self.read, self.delivered):
                    members.pop(data["user"], None)
            case "member.role_changed":
                self.roles[data["user"]] = data["role"]
            case "message.sent":
                self.messages.setdefault(data["id"], shown({**data, "seq": event.seq}))
                self.mark("read", data["by"], event.seq)
                self.mark("delivered", data["by"], event.seq)
            case "message.edited" if "text" in data:
                message = self.messages.get(data["message_id"], {})
                if "text" in message:
                    message.update(text=data["text"], version=data["version"])
            case "message.deleted":
                message = self.messages.get(data["message_id"], {})
                message.pop("text", None)
                message.pop("version", None)
            case "message.pinned":
                self.pins[data["message_id"]] = data["message_seq"]
            case "message.unpinned":
                self.pins.pop(data["message_id"], None)
            case "void":
                self.messages.pop(data["of"], None)

    def mark(self, kind: str, user: str, seq: int) -> None:
        marks = self.read if kind == "read" else self.delivered
        if user in self.roles and user != self.user:
            marks[user] = max(seq, marks.get(user, 0))


def shown(message: dict[str, Any]) -> dict[str, Any]:
    """A message as the screen shows it, out of an event or out of a page."""
    view = {"seq": message["seq"], "by": message.get("by")}
    if "text" in message:
        view.update(text=message["text"], version=message.get("version", 1))
    return view


async def load(client: Client, c: str, pages: float = float("inf")) -> View:
    """First the position and what belongs to it, then what was said, newest page first."""
    state = await client.get(c)
    assert client.user is not None
    view = View(client.user, state["seq"], state["title"], pins=state["pins"])
    for user, member in state["members"].items():
        view.roles[user] = member["role"]
        view.mark("read", user, member["read"]["seq"])
        view.mark("delivered", user, member["delivered"]["seq"])
    before = None
    while pages > 0:
        page = await client.history(c, before=before, limit=PAGE)
        view.show(page)
        if not page["more"]:
            break
        before = page["messages"][0]["seq"]
        pages -= 1
    return view


async def rows(client: Client) -> dict[str, int]:
    """The user's conversations, and what is unread in each."""
    found: dict[str, int] = {}
    cursor = None
    while True:
        page = await client.conversations(limit=PAGE, cursor=cursor)
        found |= {row["c"]: row["unread"] for row in page["conversations"]}
        cursor = page["next"]
        if cursor is None:
            return found


State = dict[str, tuple[View, int]]
"""By conversation: how it looks, and how much of it is unread."""


def differences(state: State, fresh: State, *, whole: bool = True) -> list[object]:
    """What a device has (`state`) and should have (`fresh`), where they differ. Unless `whole`, it
    need not have every message; those that it has are compared."""
    if state.keys() != fresh.keys():
        return [("conversations", state.keys(), fresh.keys())]
    found: list[object] = []
    for c, (view, unread) in state.items():
        expected, expected_unread = fresh[c]
        if unread != expected_unread:
            found.append(("unread", unread, expected_unread))
        for each in fields(View):
            has, should = getattr(view, each.name), getattr(expected, each.name)
            if each.name == "messages":
                if not whole:
                    should = {id: should.get(id) for id in has}
                found += [
                    ("message", has.get(id), should.get(id))
                    for id in has | should
                    if has.get(id) != should.get(id)
                ]
            elif each.compare and has != should:
                found.append((each.name, has, should))
    return found


async def loaded(url: str, token: str) -> State:
    """What a user sees who signs in now."""
    async with Client(url, token, pushes=False) as client:
        return {c: (await load(client, c), unread) for c, unread in (await rows(client)).items()}


class Device:
    """`drop` cuts its connection, and it stays away until `come_back`. `pages`: how much of a
    conversation it loads by itself."""

    def __init__(self, url: str, token: str, pages: float = float("inf")) -> None:
        self.client = Client(url, token, connector=self._connect, random=lambda: 0.0)
        self.views: dict[str, View] = {}
        self.unread: dict[str, int] = {}
        self.reloads: list[str] = []
        self.kinds: set[str] = set()
        self.changed = trio.Event()
        self._pages = pages
        self._there = trio.Event()
        self._there.set()
        self._stream: trio.abc.Stream | None = None

    @property
    def state(self) -> State:
        return {c: (view, self.unread.get(c, 0)) for c, view in self.views.items()}

    @property
    def away(self) -> bool:
        return not self._there.is_set()

    async def drop(self) -> None:
        """As in a tunnel: no close, nothing of what is on the way arrives."""
        self._there = trio.Event()
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)

    def come_back(self) -> None:
        self._there.set()

    async def _connect(self, address: Address) -> trio.abc.Stream:
        await self._there.wait()
        self._stream = await tcp(address)
        return self._stream

    @asynccontextmanager
    async def on(self) -> AsyncIterator[Device]:
        """Switched on: it follows until the end of the block."""
        async with self.client, trio.open_nursery() as nursery:
            nursery.start_soon(self._follow)
            await self.client.connected()
            yield self
            nursery.cancel_scope.cancel()

    async def until_it_shows(self, c: str) -> View:
        while c not in self.views:
            await self.changed.wait()
        return self.views[c]

    async def until_all_is_sent(self) -> None:
        while self.client.outbox.waiting:
            await self.changed.wait()

    async def _follow(self) -> None:
        async for push in self.client:
            match push:
                case StateChange("connected"):
                    await self._list()
                case Reload(c, reason):
                    self.reloads.append(reason)
                    await self._load(c)
                case Event():
                    self.kinds.add(push.kind)
                    await self._event(push)
                case Signal("unread.changed", data={"conversations": counts}):
                    self.unread |= counts
                case Signal("message.read" | "message.delivered", c, data=data) if c in self.views:
                    kind = push.kind.removeprefix("message.")
                    self.views[c].mark(kind, data["by"], data["seq"])
            self.changed.set()
            self.changed = trio.Event()

    async def _event(self, event: Event) -> None:
        view = self.views.get(event.conversation)
        joined = event.kind == "member.added" and self.client.user in event.data["users"]
        if view is None or (joined and event.seq > view.seq):
            await self._load(event.conversation)
        elif event.kind == "member.removed" and event.data["user"] == self.client.user:
            self._forget(event.conversation)
        elif event.seq > view.seq or event.kind == "void":
            view.take(event)

    async def _list(self) -> None:
        """What is unread, and conversations that are new; what changed in the others comes."""
        while True:
            try:
                self.unread = await rows(self.client)
                break
            except NoAnswer:
                pass
        for c in self.unread.keys() - self.views.keys():
            await self._load(c)

    async def _load(self, c: str) -> None:
        while True:
            try:
                await self.client.subscribe(c)
                self.views[c] = await load(self.client, c, self._pages)
                return
            except Rejected as no:
                if no.code != "PERMISSION_DENIED":
                    raise
                self._forget(c)
                return
            except NoAnswer:
                pass

    def _forget(self, c: str) -> None:
        self.views.pop(c, None)
        self.unread.pop(c, None)
