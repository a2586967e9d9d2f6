"""What goes on in `palaver chat`: one task follows the server, one the keyboard."""

from __future__ import annotations

import math
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
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
from .inbox import Inbox
from .people import People
from .room import Room
from .screen import Screen, harmless
from .words import Problem

PATIENCE = 5.0
READ_EVERY = 0.3
TYPING_EVERY = 3.0
LOOK_AT_KEYS = 0.5

HELP = """\
/list                 conversations
/open NUMBER | USER   go to one
/unread               those with something new
/search WORDS         messages that say this, here or else anywhere
/find TEXT            whom one can write to
/group TITLE USER …   make a group
/history [COUNT]      what came before
/members              who is here
/who                  who of them is online, and how far they have read
/send FILE [TEXT]     as an attachment
/edit [SEQ] TEXT      change a message, by default your last
/delete [SEQ]         take one back, by default your last
/help
/quit                 or Ctrl-D"""


@dataclass(frozen=True)
class Opening:
    """Where to begin: at most one of these is given, otherwise at the list."""

    to: str | None = None
    group: str | None = None
    members: list[str] = field(default_factory=list)
    conversation: str | None = None


async def run(access: Access, opening: Opening, outbox: Outbox | None = None) -> None:
    """Until the input ends or the server refuses; then `Problem`."""
    screen = Screen()
    with screen.restored():
        # Somebody sits in front of it, so it is less patient than an app in a pocket.
        client = access.client(backoff=partial(exponential, cap=PATIENCE), outbox=outbox)
        try:
            async with client:
                await Session(client, screen).run(opening)
        except (ClientEnded, OutboxUnusable) as error:
            raise Problem(f"{error}.") from None


class Session:
    def __init__(self, client: Client, screen: Screen) -> None:
        self._client = client
        self._screen = screen
        self._people = People(client)
        self._room: Room | None = None
        self._inbox = Inbox(client, screen, self._people)
        self._greeted = False
        self._outages = 0
        self._seen = trio.Event()

    async def run(self, opening: Opening) -> None:
        end: ClientEnded | None = None
        async with trio.open_nursery() as nursery:

            async def converse() -> None:
                nonlocal end
                try:
                    nursery.start_soon(self._mark_read)
                    nursery.start_soon(self._tell_typing)
                    for outgoing in self._client.outbox.waiting:  # from the last time
                        nursery.start_soon(self._follow, outgoing)
                    await self._begin(opening)
                    await self._read_input(nursery)
                    await self._finish()
                except ClientEnded as ended:
                    end = ended
                nursery.cancel_scope.cancel()

            nursery.start_soon(converse)
            try:
                async for push in self._client:
                    await self._take(push)
            except ClientEnded as ended:
                end = ended
                nursery.cancel_scope.cancel()
        if end is not None:
            raise end

    # From the server.

    async def _take(self, push: Push) -> None:
        room = self._room
        match push:
            case StateChange():
                self._state(push)
            case Reload(conversation, reason) if room is not None and conversation == room.id:
                self._note(f"reading anew ({reason.replace('_', ' ')})")
                room.shown = 0
                await self._attempt(room.open())
                self._seen.set()
            case Event(conversation=conversation) if room is not None and conversation == room.id:
                await self._people.look_up(push.data)
                room.event(push)
                self._seen.set()
            case Signal(conversation=conversation) if room and conversation == room.id:
                room.signal(push)
            case Event("message.sent", conversation):
                by, text = push.data.get("by", ""), push.data.get("text") or ""
                if by != self._client.user:
                    if conversation not in self._inbox.names:
                        await self._attempt(self._inbox.learn())
                    await self._people.look_up(push.data)
                    name = self._people.name(by)
                    where = self._inbox.names.get(conversation, "elsewhere")
                    where = "" if where == name else f" in {where}"
                    self._note(f"{name}{where}: {harmless(text)[:60]}   (/list)")

    def _state(self, change: StateChange) -> None:
        match change.state:
            case "connected" if not self._greeted:
                self._greeted, self._outages = True, 0
                hint = "; /help shows what there is" if self._screen.interactive else ""
                self._note(f"connected as {harmless(self._client.user or '?')}{hint}")
            case "connected":
                self._note("connected again")
                self._outages = 0
            case "disconnected" if change.retry_in is not None:
                # Said once; further attempts only where they do not pile up.
                self._outages += 1
                if self._screen.interactive or self._outages == 1:
                    wait = f"{change.retry_in:.0f} s" if change.retry_in >= 1 else "a moment"
                    text = f"{change.reason}; next attempt in {wait}"
                    self._note(text, "yellow", passing=self._outages > 1)

    async def _mark_read(self) -> None:
        """What was shown is read; said at most every `READ_EVERY` seconds."""
        while True:
            await self._seen.wait()
            self._seen = trio.Event()
            await trio.sleep(READ_EVERY)
            if (room := self._room) is not None and room.shown:
                try:
                    await self._client.read(room.id, room.shown)
                except (Rejected, NoAnswer):
                    pass  # the next message says it again

    async def _tell_typing(self) -> None:
        """While the line being typed changes, say so now and then."""
        if not self._screen.interactive:
            return
        before, told = "", -TYPING_EVERY
        while True:
            await trio.sleep(LOOK_AT_KEYS)
            typed, now = self._screen.typed(), trio.current_time()
            online = self._client.state == "connected"
            if online and typed != before and self._room and not typed.startswith("/"):
                try:
                    if not typed:
                        told = -TYPING_EVERY
                        await self._client.typing(self._room.id, on=False)
                    elif now - told >= TYPING_EVERY:
                        told = now
                        await self._client.typing(self._room.id)
                except (Rejected, NoAnswer):
                    pass
            before = typed

    # From the keyboard.

    async def _begin(self, opening: Opening) -> None:
        await self._client.connected()
        if opening.conversation is not None:
            await self._attempt(self._open(opening.conversation))
        elif opening.to is not None:
            await self._attempt(self._open_direct(opening.to))
        elif opening.group is not None:
            await self._attempt(self._open_group(opening.group, opening.members))
        else:
            await self._attempt(self._inbox.show())

    async def _read_input(self, nursery: trio.Nursery) -> None:
        commands: dict[str, Callable[[list[str], str], Awaitable[None]]] = {
            "list": lambda words, rest: self._inbox.show(),
            "open": self._command_open,
            "unread": lambda words, rest: self._inbox.show(unread=True),
            "search": lambda words, rest: self._inbox.search(rest, self._room),
            "group": lambda words, rest: self._open_group(words[0], words[1:]),
            "history": self._command_history,
            "find": self._command_find,
            "members": self._command_members,
            "who": lambda words, rest: self._here().who(),
            "send": self._command_send,
            "edit": self._command_edit,
            "delete": self._command_delete,
        }
        async for line in self._screen.lines():
            text = line.strip()
            if text in ("/quit", "/exit", "/q"):
                break
            if text == "/help":
                self._note(HELP)
            elif text.startswith("/"):
                name, _, rest = text[1:].partition(" ")
                await self._command(commands.get(name), name, rest.strip())
            elif text and self._room is None:
                self._note("to whom? /list shows conversations, /open USER begins one")
            elif text and self._room is not None:
                await self._attempt(self._say(nursery, self._room, text))

    async def _say(self, nursery: trio.Nursery, room: Room, text: str) -> None:
        """A person can go on typing while a message is on its way; a script takes it in turn."""
        outgoing = await self._client.enqueue(room.id, text)
        if self._client.state != "connected":
            room.waiting(outgoing)
        if self._screen.interactive:
            nursery.start_soon(self._follow, outgoing)
        else:
            await self._follow(outgoing)

    async def _follow(self, outgoing: Outgoing) -> None:
        """Until it has its answer; a no is shown with what it is about."""
        try:
            await outgoing.answer()
        except (Rejected, NoAnswer) as error:
            reason = error.message if isinstance(error, Rejected) else f"{error}"
            text = harmless(outgoing.payload.get("text", outgoing.name))[:60]
            self._note(f"not sent: {text}\n{reason}", "red")
        except ClientEnded:
            pass  # whoever follows the server meets it as well

    async def _finish(self) -> None:
        """What is on its way is waited for, as long as it would be lost otherwise."""
        outbox = self._client.outbox
        kept = isinstance(outbox, DiskOutbox)
        if outbox.waiting and self._client.state != "connected" and not kept:
            self._note(f"{len(outbox.waiting)} not sent yet; Ctrl-C gives them up")
        with trio.move_on_after(PATIENCE if kept else math.inf):
            for outgoing in outbox.waiting:
                try:
                    await outgoing.answer()
                except (Rejected, NoAnswer):
                    pass  # who follows it shows it
        if outbox.waiting:
            self._note(f"{len(outbox.waiting)} not sent yet; they wait in {outbox.where}")

    async def _command(
        self, command: Callable[[list[str], str], Awaitable[None]] | None, name: str, rest: str
    ) -> None:
        if command is None:
            self._note(f"there is no /{name}; /help shows what there is")
            return
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        try:
            await self._attempt(command(words, rest))
        except (IndexError, ValueError):
            usage = next((line for line in HELP.splitlines() if line.startswith(f"/{name}")), "")
            self._note(f"say it like this: {usage}")

    async def _command_open(self, words: list[str], rest: str) -> None:
        if words[0].isdigit() and self._inbox.rows:
            await self._open(self._inbox.rows[int(words[0]) - 1]["c"])
        else:
            await self._open_direct(words[0])

    async def _open_direct(self, user: str) -> None:
        await self._open(await self._client.create_direct(user))

    async def _open_group(self, title: str, members: list[str]) -> None:
        """The group of this title that one is in; otherwise a new one."""
        rows = (await self._client.conversations(limit=200))["conversations"]
        known = [row["c"] for row in rows if row["kind"] == "group" and row.get("title") == title]
        await self._open(known[0] if known else await self._client.create_group(members, title))

    async def _open(self, conversation: str) -> None:
        before = self._room
        self._room = Room(self._client, self._screen, self._people, conversation)
        try:
            await self._room.open()
        except (Rejected, NoAnswer):
            self._room = before
            raise
        self._inbox.names[conversation] = self._room.title
        if before is not None and before.id != conversation:
            await self._client.unsubscribe(before.id)
        self._seen.set()

    async def _command_history(self, words: list[str], rest: str) -> None:
        room = self._here()
        await room.history(limit=int(words[0]) if words else 20, before=room.oldest)

    async def _command_find(self, words: list[str], rest: str) -> None:
        found = await self._client.search_users(rest)
        self._people.meet(found)
        for user in found["found"]:
            self._screen.show("   ", self._people.name(user), (f"  /open {harmless(user)}", "dim"))

    async def _command_members(self, words: list[str], rest: str) -> None:
        self._here().members()

    async def _command_send(self, words: list[str], rest: str) -> None:
        room, path = self._here(), _expanded(words[0])
        try:
            id = await self._client.upload(path)
        except OSError as error:
            self._note(f"{harmless(path)}: {error.strerror}", "red")
        else:
            await self._client.send(room.id, " ".join(words[1:]), uploads=[id])

    async def _command_edit(self, words: list[str], rest: str) -> None:
        room = self._here()
        seq = int(words[0]) if len(words) > 1 and words[0].isdigit() else None
        text = rest if seq is None else rest.partition(" ")[2].strip()
        if not text:
            raise ValueError
        if (message := self._find(room, seq)) is not None:
            await self._client.edit(room.id, message, text)

    async def _command_delete(self, words: list[str], rest: str) -> None:
        room = self._here()
        if (message := self._find(room, int(words[0]) if words else None)) is not None:
            await self._client.delete(room.id, message)

    def _find(self, room: Room, seq: int | None) -> str | None:
        if (message := room.message(seq)) is None:
            self._note("no such message on the screen" if seq else "you have not written here yet")
        return message

    def _here(self) -> Room:
        if self._room is None:
            raise _Nowhere
        return self._room

    async def _attempt(self, action: Awaitable[Any]) -> None:
        """Do it; a no is shown, and the chat goes on."""
        try:
            await action
        except Rejected as rejection:
            self._note(rejection.message, "red")
        except (NoAnswer, OutboxFull, OutboxUnusable, UploadFailed) as error:
            self._note(f"{error}", "red")
        except _Nowhere:
            self._note("no conversation is open; /list shows them")

    def _note(self, text: str, style: str = "dim", *, passing: bool = False) -> None:
        indented = "\n".join(f"      {line}" for line in text.split("\n"))
        self._screen.show((indented, style), passing=passing)


class _Nowhere(Exception):
    """A command needs an open conversation."""


def _expanded(path: str) -> str:
    """As a shell would have it."""
    return str(Path(path).expanduser())
