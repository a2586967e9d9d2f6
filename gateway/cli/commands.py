"""What is said to `palaver chat` itself: the lines that begin with a slash."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .room import Room
from .screen import harmless

if TYPE_CHECKING:
    from .session import Session

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
/reply SEQ TEXT       to the message with this number
/react SEQ EMOJI      put it on a message
/unreact SEQ EMOJI    take yours off
/edit [SEQ] TEXT      change a message, by default your last
/delete [SEQ]         take one back, by default your last
/title TITLE          call this group so
/add USER …           bring them into this group
/remove USER          take one out of it
/leave
/help
/quit                 or Ctrl-D"""


Doing = Callable[[list[str], str], Awaitable[Any]]


class Commands:
    """Each gets its words as a shell would split them, and what was written as it is. Raises
    `IndexError` or `ValueError` if that does not suit."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._client, self._screen = session.client, session.screen
        self._people, self._inbox = session.people, session.inbox
        self._known: dict[str, Doing] = {
            "help": self._help,
            "list": lambda words, rest: self._inbox.show(),
            "open": self._open,
            "unread": lambda words, rest: self._inbox.show(unread=True),
            "search": lambda words, rest: self._inbox.search(rest, session.room),
            "find": self._find,
            "group": lambda words, rest: session.open_group(words[0], words[1:]),
            "history": self._history,
            "members": self._members,
            "who": lambda words, rest: session.here().who(),
            "send": self._send,
            "reply": self._reply,
            "react": partial(self._react, on=True),
            "unreact": partial(self._react, on=False),
            "edit": self._edit,
            "delete": self._delete,
            "title": lambda words, rest: self._client.rename(session.here().id, rest),
            "add": lambda words, rest: self._client.add_members(session.here().id, words),
            "remove": lambda words, rest: self._client.remove_member(session.here().id, words[0]),
            "leave": lambda words, rest: self._client.leave(session.here().id),
        }

    async def carry_out(self, line: str) -> None:
        """`line` begins with a slash."""
        name, _, rest = line[1:].partition(" ")
        command = self._known.get(name)
        if command is None:
            self._session.note(f"there is no /{name}; /help shows what there is")
            return
        rest = rest.strip()
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        try:
            await self._session.attempt(self._obey(command, words, rest))
        except (IndexError, ValueError):
            usage = next(line for line in HELP.splitlines() if line.split()[0] == f"/{name}")
            self._session.note(f"say it like this: {usage}")

    async def _obey(self, command: Doing, words: list[str], rest: str) -> None:
        await command(words, rest)

    async def _help(self, words: list[str], rest: str) -> None:
        self._session.note(HELP)

    async def _open(self, words: list[str], rest: str) -> None:
        if words[0].isdigit():
            number = int(words[0])
            if not self._inbox.rows:
                await self._inbox.learn()
            if not 0 < number <= len(self._inbox.rows):
                self._session.note(f"there is no {number} in the list")
                return
            await self._session.open(self._inbox.rows[number - 1]["c"])
        else:
            await self._session.open_direct(words[0])

    async def _history(self, words: list[str], rest: str) -> None:
        room = self._session.here()
        await room.history(limit=int(words[0]) if words else 20, before=room.oldest)

    async def _find(self, words: list[str], rest: str) -> None:
        found = await self._client.search_users(rest)
        self._people.meet(found)
        for user in found["found"]:
            name = self._people.name(user)
            self._screen.show(name, (f"  /open {harmless(user)}", "dim"), margin="   ")

    async def _members(self, words: list[str], rest: str) -> None:
        self._session.here().members()

    async def _send(self, words: list[str], rest: str) -> None:
        room, path = self._session.here(), _expanded(words[0])
        try:
            id = await self._client.upload(path)
        except OSError as error:
            self._session.note(f"{path}: {error.strerror}", "red")
        else:
            await self._client.send(room.id, " ".join(words[1:]), uploads=[id])

    async def _reply(self, words: list[str], rest: str) -> None:
        room, text = self._session.here(), rest.partition(" ")[2].strip()
        if not text:
            raise ValueError
        if (message := self._id(room, int(words[0]))) is not None:
            await self._session.say(room, text, message)

    async def _react(self, words: list[str], rest: str, *, on: bool) -> None:
        room, emoji = self._session.here(), words[1]
        if (message := self._id(room, int(words[0]))) is not None:
            await self._client.react(room.id, message, emoji, on)

    async def _edit(self, words: list[str], rest: str) -> None:
        room = self._session.here()
        seq = int(words[0]) if len(words) > 1 and words[0].isdigit() else None
        text = rest if seq is None else rest.partition(" ")[2].strip()
        if not text:
            raise ValueError
        if (message := self._id(room, seq)) is not None:
            await self._client.edit(room.id, message, text)

    async def _delete(self, words: list[str], rest: str) -> None:
        room = self._session.here()
        if (message := self._id(room, int(words[0]) if words else None)) is not None:
            await self._client.delete(room.id, message)

    def _id(self, room: Room, seq: int | None) -> str | None:
        if (message := room.message(seq)) is None:
            unknown = "there is no message of this number on the screen"
            self._session.note("you have not written here yet" if seq is None else unknown)
        return message


def _expanded(path: str) -> str:
    """As a shell would have it."""
    return str(Path(path).expanduser())
