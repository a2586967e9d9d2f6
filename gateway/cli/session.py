"""What goes on in `palaver chat`: one task follows the server, one the keyboard."""

from __future__ import annotations

import math
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import trio

from ..client import (
    Client,
    ClientEnded,
    DiskOutbox,
    Event,
    NoAnswer,
    Outbox,
    OutboxFull,
    OutboxUnusable,
    Outgoing,
    Push,
    Rejected,
    Reload,
    Signal,
    StateChange,
    UploadFailed,
    exponential,
)
from .access import Access
from .commands import Commands
from .inbox import Inbox
from .people import People
from .room import MARGIN, Room
from .screen import Screen, harmless, open_screen
from .words import Problem

PATIENCE = 5.0
READ_EVERY = 0.3
TYPING_EVERY = 3.0
LOOK_AT_KEYS = 0.5


@dataclass(frozen=True)
class Opening:
    """Where to begin: at most one of these is given, otherwise at the list."""

    to: str | None = None
    group: str | None = None
    members: list[str] = field(default_factory=list)
    conversation: str | None = None


async def run(access: Access, opening: Opening, outbox: Outbox | None = None) -> None:
    """Until the input ends or the server refuses; then `Problem`."""
    screen = open_screen()
    with screen.held():
        # Somebody sits in front of it, so it is less patient than an app in a pocket.
        client = access.client(backoff=partial(exponential, cap=PATIENCE), outbox=outbox)
        try:
            async with client:
                await Session(client, screen, access.url).run(opening)
        except (ClientEnded, OutboxUnusable) as error:
            raise Problem(f"{error}.") from None


class Session:
    """`room` is the conversation that is open."""

    def __init__(self, client: Client, screen: Screen, url: str = "the server") -> None:
        self._url = url
        self.client = client
        self.screen = screen
        self.people = People(client)
        self.room: Room | None = None
        self.inbox = Inbox(client, screen, self.people)
        self._greeted = False
        self._outages = 0
        self._seen = trio.Event()

    async def run(self, opening: Opening) -> None:
        end: ClientEnded | None = None
        async with trio.open_nursery() as nursery:
            self._nursery = nursery

            async def converse() -> None:
                nonlocal end
                try:
                    nursery.start_soon(self._mark_read)
                    nursery.start_soon(self._tell_typing)
                    for outgoing in self.client.outbox.waiting:  # from the last time
                        nursery.start_soon(self._follow, outgoing)
                    await self._begin(opening)
                    await self._read_input()
                    await self._finish()
                except ClientEnded as ended:
                    end = ended
                nursery.cancel_scope.cancel()

            nursery.start_soon(converse)
            try:
                async for push in self.client:
                    await self._take(push)
            except ClientEnded as ended:
                end = ended
                nursery.cancel_scope.cancel()
        if end is not None:
            raise end

    # From the server.

    async def _take(self, push: Push) -> None:
        room = self.room
        match push:
            case StateChange():
                self._state(push)
            case Reload(conversation, reason) if room is not None and conversation == room.id:
                self.note(f"reading anew ({reason.replace('_', ' ')})")
                room.shown = 0
                await self.attempt(room.open())
                self._seen.set()
            case Event(conversation=conversation) if room is not None and conversation == room.id:
                await self.people.look_up(push.data)
                room.event(push)
                self._seen.set()
            case Signal(conversation=conversation) if room and conversation == room.id:
                room.signal(push)
            case Event("message.sent", conversation):
                by, text = push.data.get("by", ""), push.data.get("text") or ""
                if by != self.client.user:
                    if conversation not in self.inbox.names:
                        await self.attempt(self.inbox.learn())
                    await self.people.look_up(push.data)
                    name = self.people.name(by)
                    where = self.inbox.names.get(conversation, "elsewhere")
                    where = "" if where == name else f" in {where}"
                    self.note(f"{name}{where}: {text[:60]}   (/list)")

    def _state(self, change: StateChange) -> None:
        match change.state:
            case "connected" if not self._greeted:
                self._greeted, self._outages = True, 0
                hint = "; /help shows what there is" if self.screen.interactive else ""
                self.note(f"connected as {self.client.user or '?'}{hint}")
            case "connected":
                self.note("connected again")
                self._outages = 0
            case "disconnected" if change.retry_in is not None:
                # Said once; further attempts only where they do not pile up.
                self._outages += 1
                if self.screen.interactive or self._outages == 1:
                    wait = f"{change.retry_in:.0f} s" if change.retry_in >= 1 else "a moment"
                    far = "" if self._greeted else f"no connection to {self._url}: "
                    text = f"{far}{change.reason}; next attempt in {wait}"
                    self.note(text, "yellow", passing=self._outages > 1)

    async def _mark_read(self) -> None:
        """What was shown is read; said at most every `READ_EVERY` seconds."""
        while True:
            await self._seen.wait()
            self._seen = trio.Event()
            await trio.sleep(READ_EVERY)
            if (room := self.room) is not None and room.shown:
                try:
                    await self.client.read(room.id, room.shown)
                except (Rejected, NoAnswer):
                    pass  # the next message says it again

    async def _tell_typing(self) -> None:
        """While the line being typed changes, say so now and then."""
        if not self.screen.interactive:
            return
        before, told = "", -TYPING_EVERY
        while True:
            await trio.sleep(LOOK_AT_KEYS)
            typed, now = self.screen.typed(), trio.current_time()
            online = self.client.state == "connected"
            if online and typed != before and self.room and not typed.startswith("/"):
                try:
                    if not typed:
                        told = -TYPING_EVERY
                        await self.client.typing(self.room.id, on=False)
                    elif now - told >= TYPING_EVERY:
                        told = now
                        await self.client.typing(self.room.id)
                except (Rejected, NoAnswer):
                    pass
            before = typed

    # From the keyboard.

    async def _begin(self, opening: Opening) -> None:
        await self.client.connected()
        if opening.conversation is not None:
            await self.attempt(self.open(opening.conversation))
        elif opening.to is not None:
            await self.attempt(self.open_direct(opening.to))
        elif opening.group is not None:
            await self.attempt(self.open_group(opening.group, opening.members))
        else:
            await self.attempt(self.inbox.show())

    async def _read_input(self) -> None:
        commands = Commands(self)
        async for line in self.screen.lines():
            text = line.strip()
            if text.startswith("/") and self.screen.interactive:
                self.screen.show((harmless(text), "dim"), margin="> ")
            if text in ("/quit", "/exit", "/q"):
                break
            if text.startswith("/"):
                await commands.carry_out(text)
            elif text and self.room is None:
                self.note("to whom? /list shows conversations, /open USER begins one")
            elif text and self.room is not None:
                await self.attempt(self.say(self.room, text))

    async def say(self, room: Room, text: str, reply_to: str | None = None) -> None:
        """A person can go on typing while a message is on its way; a script takes it in turn."""
        outgoing = await self.client.enqueue(room.id, text, reply_to=reply_to)
        if self.client.state != "connected":
            room.waiting(outgoing)
        if self.screen.interactive:
            self._nursery.start_soon(self._follow, outgoing)
        else:
            await self._follow(outgoing)

    async def _follow(self, outgoing: Outgoing) -> None:
        """Until it has its answer; a no is shown with what it is about."""
        try:
            await outgoing.answer()
        except (Rejected, NoAnswer) as error:
            reason = error.message if isinstance(error, Rejected) else f"{error}"
            text = outgoing.payload.get("text", outgoing.name)[:60]
            self.note(f"not sent: {text}\n{reason}", "red")
        except ClientEnded:
            pass  # whoever follows the server meets it as well

    async def _finish(self) -> None:
        """What is on its way is waited for, as long as it would be lost otherwise."""
        outbox = self.client.outbox
        kept = isinstance(outbox, DiskOutbox)
        if outbox.waiting and self.client.state != "connected" and not kept:
            self.note(f"{len(outbox.waiting)} not sent yet; Ctrl-C gives them up")
        with trio.move_on_after(PATIENCE if kept else math.inf):
            for outgoing in outbox.waiting:
                try:
                    await outgoing.answer()
                except (Rejected, NoAnswer):
                    pass  # who follows it shows it
        if outbox.waiting:
            self.note(f"{len(outbox.waiting)} not sent yet; they wait in {outbox.where}")

    async def open_direct(self, user: str) -> None:
        await self.open(await self.client.create_direct(user))

    async def open_group(self, title: str, members: list[str]) -> None:
        """The group of this title that one is in; otherwise a new one."""
        rows = (await self.client.conversations(limit=200))["conversations"]
        known = [row["c"] for row in rows if row["kind"] == "group" and row.get("title") == title]
        await self.open(known[0] if known else await self.client.create_group(members, title))

    async def open(self, conversation: str) -> None:
        before = self.room
        self.room = Room(self.client, self.screen, self.people, conversation)
        try:
            await self.room.open()
        except (Rejected, NoAnswer):
            self.room = before
            raise
        self.inbox.names[conversation] = self.room.title
        if before is not None and before.id != conversation:
            await self.client.unsubscribe(before.id)
        self._seen.set()

    def here(self) -> Room:
        if self.room is None:
            raise _Nowhere
        return self.room

    async def attempt(self, action: Awaitable[Any]) -> None:
        """Do it; a no is shown, and the chat goes on."""
        try:
            await action
        except Rejected as rejection:
            self.note(rejection.message, "red")
        except (NoAnswer, OutboxFull, OutboxUnusable, UploadFailed) as error:
            self.note(f"{error}", "red")
        except _Nowhere:
            self.note("no conversation is open; /list shows them")

    def note(self, text: str, style: str = "dim", *, passing: bool = False) -> None:
        self.screen.show((harmless(text), style), margin=MARGIN, passing=passing)


class _Nowhere(Exception):
    """A command needs an open conversation."""
