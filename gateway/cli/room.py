"""The conversation that `palaver chat` shows: what is known of it, and how it is printed."""

from __future__ import annotations

import time
from typing import Any

from ..client import Client, Event, Outgoing, Signal
from .people import People
from .screen import Screen, Words, harmless

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red")
HISTORY = 20


MARGIN = " " * 6


def place(seq: int | str, milliseconds: int) -> Words:
    """The margin of a message: where it stands, and when it was said."""
    clock = time.strftime("%H:%M", time.localtime(milliseconds / 1000))
    return f"{seq:>4}  {clock} ", "dim"


def title_of(row: dict[str, Any], user: str, people: People) -> str:
    """How a conversation is called: its title, or the other one in it."""
    if row.get("title"):
        return harmless(row["title"])
    others = [people.name(member) for member in row.get("members", ()) if member != user]
    return ", ".join(others) or "(only you)"


def said(message: dict[str, Any]) -> str:
    """Its text and files; of what has neither, its type."""
    files = [
        each if isinstance(each, str) else each.get("name") or each["type"]
        for each in message.get("attachments") or ()
    ]
    words = [message["text"], *(f"[{file}]" for file in files)]
    return " ".join(filter(None, words)) or f"[{message.get('type', 'message')}]"


class Room:
    """Prints history, then events and signals as they come. Keeps the messages it has shown, so
    that commands can name them by their seq."""

    def __init__(self, client: Client, screen: Screen, people: People, conversation: str) -> None:
        self.id = conversation
        self.title = ""
        self.shown = 0
        """The greatest seq that was printed: what there is to mark as read."""
        self._client = client
        self._screen = screen
        self._people = people
        self._messages: dict[int, str] = {}
        self._own: list[int] = []
        self._roles: dict[str, str] = {}
        self._read: dict[str, int] = {}
        self._typing: set[str] = set()
        self._early: list[Event] | None = []

    async def open(self, limit: int = HISTORY) -> None:
        """Position first, then history; events that come meanwhile are printed after it."""
        self._early = []
        await self._client.subscribe(self.id)
        state = await self._client.get(self.id)
        self._people.meet(state)
        self.title = title_of(state, self._client.user or "", self._people)
        self._roles = {user: member["role"] for user, member in state["members"].items()}
        # Some let nobody know what they have read.
        told = {user: member for user, member in state["members"].items() if "read" in member}
        self._read = {user: member["read"]["seq"] for user, member in told.items()}
        count = state["member_count"]
        members = "1 member" if count == 1 else f"{count} members"
        kind = "direct" if state["kind"] == "direct" else members
        self._screen.show((f"{self.title} ", "bold"), (f"({kind})", "dim"), margin=("── ", "bold"))
        await self.history(limit=limit)
        early, self._early = self._early, None
        for event in early:
            self.event(event)
        for outgoing in self._client.outbox.waiting:
            if outgoing.conversation == self.id and outgoing.name == "message.send":
                self.waiting(outgoing)

    def waiting(self, outgoing: Outgoing) -> None:
        """Show a message that cannot be sent yet; it comes again as an event, with its seq."""
        text = harmless(outgoing.payload["text"])
        name = self._name(self._client.user or "?")
        margin = place("…", round(outgoing.at * 1000))
        self._screen.show(name, ": ", text, ("  (waiting)", "dim"), margin=margin)

    async def history(self, limit: int, before: int | None = None) -> None:
        page = await self._client.history(self.id, before=before, limit=limit)
        self._people.meet(page)
        if page["more"]:
            self._screen.show(("   …", "dim"))
        for message in page["messages"]:
            if before is not None or message["seq"] > self.shown:
                self._message(message["seq"], message["ts"], message)
        self.shown = max(self.shown, page["seq"])

    @property
    def oldest(self) -> int | None:
        return min(self._messages, default=None)

    def message(self, seq: int | None) -> str | None:
        """The id of the message at `seq`, or of one's own last one."""
        if seq is None:
            return self._messages.get(self._own[-1]) if self._own else None
        return self._messages.get(seq)

    def members(self) -> None:
        for user, role in sorted(self._roles.items()):
            self._screen.show("   ", self._name(user), (f"  {role}", "dim"))

    async def who(self) -> None:
        """Who is online, and up to where those have read who let it be known."""
        known = (await self._client.presence(self.id))["users"]
        for user in sorted(self._roles):
            here = "here" if known.get(user, {}).get("online") else "away"
            seq = self._read.get(user)
            read = f", read {seq}" if seq else ""
            self._screen.show("   ", self._name(user), (f"  {here}{read}", "dim"))

    def event(self, event: Event) -> None:
        """Print what has happened, unless history has it already."""
        if self._early is not None:
            self._early.append(event)
            return
        if event.seq <= self.shown and event.kind != "void":
            return
        self.shown = max(self.shown, event.seq)
        data = event.data
        match event.kind:
            case "message.sent":
                self._typing.discard(data.get("by", ""))
                self._message(event.seq, event.at, data)
            case "message.posted":
                self._line(event, (harmless(data["text"]), "dim"))
            case "reaction.changed":
                verb = "puts" if data["on"] else "takes away"
                self._line(event, (f"{verb} {data['emoji']} {data['message_seq']}", "dim"))
            case "message.edited":
                text = data.get("text")
                if text is not None:
                    note = f"edited {data['message_seq']}: "
                    self._line(event, (note, "dim"), harmless(text))
            case "message.restored":
                note = f"restored {data['message_seq']}: "
                self._line(event, (note, "dim"), harmless(data.get("text", "")))
            case "message.deleted":
                self._line(event, (f"deleted {data['message_seq']}", "dim"))
            case "message.pinned" | "message.unpinned":
                self._line(event, (f"{event.kind[8:]} {data['message_seq']}", "dim"))
            case "conversation.renamed":
                self.title = harmless(data["title"])
                self._line(event, ("calls this ", "dim"), self.title)
            case "conversation.settings_changed":
                self._line(event, ("changed the settings", "dim"))
            case "conversation.locked" | "conversation.unlocked":
                self._line(event, (f"{event.kind[13:]} this", "dim"))
            case "member.added":
                self._roles.update((user, data["role"]) for user in data["users"])
                added = ", ".join(map(self._people.name, data["users"]))
                self._line(event, (f"added {added}", "dim"))
            case "member.removed":
                self._roles.pop(data["user"], None)
                left = data["user"] == data.get("by")
                removed = f"removed {self._people.name(data['user'])}"
                self._line(event, ("left" if left else removed, "dim"))
            case "member.role_changed":
                self._roles[data["user"]] = data["role"]
                name = self._people.name(data["user"])
                self._line(event, (f"made {name} {data['role']}", "dim"))
            case "void":
                self._screen.show((f"{event.seq:>4}  was not stored after all", "red"))

    def signal(self, signal: Signal) -> None:
        by = signal.data.get("by", "")
        match signal.kind:
            case "typing.started" if by not in self._typing:
                self._typing.add(by)
                self._show_typing()
            case "typing.stopped" if by in self._typing:
                self._typing.discard(by)
                self._show_typing()
            case "message.read":
                self._mark(by, signal.data["seq"])
            case "presence.changed":
                online = "is here" if signal.data["online"] else "has gone"
                self._note(f"{self._people.name(signal.data['user'])} {online}")

    def _show_typing(self) -> None:
        if not self._typing:
            self._screen.clear_passing()
            return
        who = " and ".join(map(self._people.name, sorted(self._typing)))
        verb = "is" if len(self._typing) == 1 else "are"
        self._note(f"{who} {verb} typing …")

    def _mark(self, by: str, seq: int) -> None:
        """Say so when somebody has read one's last message."""
        before = self._read.get(by, 0)
        self._read[by] = max(before, seq)
        last = self._own[-1] if self._own else 0
        if by != self._client.user and before < last <= seq:
            self._note(f"read by {self._people.name(by)}")

    def _note(self, text: str) -> None:
        self._screen.show((text, "dim"), margin=MARGIN, passing=True)

    def _message(self, seq: int, at: int, data: dict[str, Any]) -> None:
        self._messages[seq] = data["id"]
        by = data.get("by", "")
        if by == self._client.user:
            self._own = sorted({*self._own, seq})
        text = data.get("text")
        body: Words = ("deleted", "dim italic") if text is None else harmless(said(data))
        edited = ("  (edited)", "dim") if data.get("edited_at") else ""
        quote: list[Words] = []
        if preview := data.get("preview"):
            gone = preview.get("unavailable")
            what = "(gone)" if gone else f"{self._people.name(preview['by'])}: {said(preview)}"
            quote = [(f"↪ {harmless(what)[:60]}".replace("\n", " "), "dim"), "\n"]
        self._screen.show(*quote, self._name(by), ": ", body, edited, margin=place(seq, at))

    def _line(self, event: Event, *words: Words) -> None:
        name = self._name(event.data.get("by", ""))
        self._screen.show(name, " ", *words, margin=place(event.seq, event.at))

    def _name(self, user: str) -> tuple[str, str]:
        if user == self._client.user:
            return self._people.name(user), "bold"
        return self._people.name(user), f"bold {_COLOURS[sum(user.encode()) % len(_COLOURS)]}"
