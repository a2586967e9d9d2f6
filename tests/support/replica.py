"""What one device keeps of one conversation, by the client rule and nothing else.

    seq == last + 1    take it
    seq <= last        drop it; but a `void` takes back the event that it is `of` whenever it comes
    seq >  last + 1    resume; what lies beyond the gap is dropped meanwhile
    conversation.head  of another epoch, or ahead: resume

It shares no code with the engine, and fails as soon as the engine breaks a promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]

SETTINGS = ("description", "icon", "who_may_send", "who_may_add")
CONTENT = (
    *("text", "metadata", "preview", "version", "edited_at", "pinned", "reply_to"),
    "reactions",
)


@dataclass(frozen=True)
class Ask:
    """`turn` tells what was asked for since from what was given up: its answer means nothing."""

    kind: str
    payload: dict[str, Any]
    turn: int


@dataclass
class Copy:
    """The conversation as this device believes it to be."""

    title: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    pins: dict[str, int] = field(default_factory=dict)
    number: int = 0
    messages: dict[str, Item] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """What two devices of the same position must agree upon."""
        return {
            "title": self.title,
            "settings": dict(sorted(self.settings.items())),
            "roles": dict(sorted(self.roles.items())),
            "pins": dict(sorted(self.pins.items())),
            "number": self.number,
            "messages": dict(sorted(self.messages.items())),
        }

    def raise_mark(self, marks: dict[str, int], user: str, seq: int) -> None:
        marks[user] = max(seq, marks.get(user, 0))


class Replica:
    """`receive` takes what comes, in order; what it wants to ask is in `asks`, to be sent by who
    owns the connection, who gives the answers to `answered`. Everything asked is lost with the
    connection; `connected` begins anew."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.copy = Copy()
        self.epoch = 0
        self.seq: int | None = None
        self.marks = 0
        self.taken: list[tuple[int, str]] = []
        self.reloads: list[str] = []
        self.asks: list[Ask] = []
        self.is_member = True
        self._resuming = False
        self._loading = False
        self._complete = False
        self._turns = {"resume": 0, "load": 0}
        self._again: Callable[[], None] | None = None

    @property
    def at_rest(self) -> bool:
        """Nothing is asked for, and nothing has to be."""
        busy = self._resuming or self._loading or self._again is not None or bool(self.asks)
        return not busy and (self._complete or not self.is_member)

    @property
    def unread(self) -> int:
        read = self.copy.reads[self.user]
        return sum(
            message["seq"] > read and message["by"] != self.user and "redacted" not in message
            for message in self.copy.messages.values()
            if message["number"] is not None
        )

    def forget(self) -> None:
        """Begin from nothing at the next connection."""
        self.seq = None

    def connected(self) -> None:
        self.asks.clear()
        self._resuming = self._loading = False
        self._again = None
        if self.seq is None or not self._complete:
            self.seq = None
            self._load()
        else:
            self._resume()

    def nudge(self) -> None:
        """Ask again what could not be answered."""
        if self._again is not None:
            again, self._again = self._again, None
            again()

    def receive(self, item: Item) -> None:
        kind, data = item["t"], item["d"]
        if "seq" in item:
            self._event(item, data)
        elif kind == "conversation.head":
            if self.seq is None:
                self._load()
            elif data["epoch"] != self.epoch or data["seq"] > self.seq:
                self._resume()
        elif kind in ("message.read", "message.delivered"):
            self._mark(kind, data)
        elif kind == "message.receipts":
            for one in ("read", "delivered"):
                for move in data.get(one, ()):
                    self._mark(f"message.{one}", move)

    def _mark(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "message.read":
            self.copy.raise_mark(self.copy.reads, data["by"], data["seq"])
        self.copy.raise_mark(self.copy.delivered, data["by"], data["seq"])

    # Events.

    def _event(self, item: Item, data: dict[str, Any]) -> None:
        kind, seq = item["t"], item["seq"]
        if self.seq is None:
            self._load()
            return
        first = data["from"] if kind == "skipped" else seq
        if kind == "void" and seq <= self.seq:
            self._take_back(data["of"])
        if first <= self.seq + 1 <= seq:
            self.seq = seq
            self._take(item, data)
        elif first > self.seq + 1:
            self._resume()

    def _take(self, item: Item, data: dict[str, Any]) -> None:
        kind, seq, copy = item["t"], item["seq"], self.copy
        if kind == "skipped":
            return
        self.taken.append((seq, data["id"]))
        if "number" in data:
            copy.number = data["number"]
            copy.raise_mark(copy.reads, data["by"], seq)
            copy.raise_mark(copy.delivered, data["by"], seq)
        if kind == "conversation.created":
            copy.title, copy.roles = data.get("title"), dict(data["roles"])
        elif kind == "conversation.renamed":
            copy.title = data["title"]
        elif kind == "conversation.settings_changed":
            new = {name: value for name, value in data.items() if name in SETTINGS}
            copy.settings = {k: v for k, v in {**copy.settings, **new}.items() if v}
        elif kind == "member.added":
            for user in data["users"]:
                if user not in copy.roles:
                    copy.roles[user] = data["role"]
                    copy.reads[user] = copy.delivered[user] = seq
            if self.user in data["users"]:
                self._load()  # what happened meanwhile was not for this user
        elif kind == "member.removed":
            copy.roles.pop(data["user"], None)
            if data["user"] == self.user:
                self._leave()
        elif kind == "member.role_changed":
            if data["user"] in copy.roles:
                copy.roles[data["user"]] = data["role"]
        elif kind == "message.sent":
            copy.messages[data["id"]] = _message({**data, "seq": seq})
        elif kind == "message.edited":
            self._change(data, lambda m: m.update(text=data["text"], version=data["version"]))
        elif kind == "message.deleted":
            self._change(data, _redact)
        elif kind == "message.pinned":
            copy.pins[data["message_id"]] = data["message_seq"]
            self._change(data, lambda m: m.update(pinned=True))
        elif kind == "message.unpinned":
            copy.pins.pop(data["message_id"], None)
            self._change(data, lambda m: m.update(pinned=False))
        elif kind == "reaction.changed":
            count = {data["emoji"]: data["count"]} if data["count"] else {}
            self._change(data, lambda m: m["reactions"].pop(data["emoji"], None))
            self._change(data, lambda m: m["reactions"].update(count))
        else:
            assert kind == "void", kind

    def _change(self, data: dict[str, Any], change: Callable[[Item], None]) -> None:
        message = self.copy.messages.get(data["message_id"])
        if message is not None and "redacted" not in message and "redacted" not in data:
            change(message)

    def _take_back(self, id: str) -> None:
        self.copy.messages.pop(id, None)

    # Resuming.

    def _resume(self) -> None:
        if self._resuming or (self._loading and self.seq is None):
            return
        self._resuming = True
        payload = {"epoch": self.epoch, "seq": self.seq, "marks": self.marks}
        self._ask("conversation.resume", payload)

    def _ask(self, kind: str, payload: dict[str, Any]) -> None:
        self.asks.append(Ask(kind, payload, self._turn(kind)))

    def _turn(self, kind: str) -> int:
        return self._turns["resume" if kind == "conversation.resume" else "load"]

    def _resumed(self, answer: dict[str, Any]) -> None:
        self._resuming = False
        if answer["recovered"]:
            assert self.seq == answer["seq"], "everything comes before the answer, and no more"
            self.epoch = answer["epoch"]
            self.marks = answer["marks"]["n"]
            for move in answer["marks"]["moved"]:
                self.copy.raise_mark(self.copy.reads, move["user"], move["read"])
                self.copy.raise_mark(self.copy.delivered, move["user"], move["delivered"])
            return
        self.reloads.append(answer["reason"])
        if answer["reason"] == "not_member":
            self._leave()
        else:
            self.seq = None
            self._loading = False
            self._load()

    # Loading: the position first, then page by page what lies before it.

    def _load(self) -> None:
        self._complete = False
        self.is_member = True
        if not self._loading:
            self._loading = True
            self._turns["load"] += 1
            self._ask("conversation.get", {})

    def _loaded(self, view: dict[str, Any]) -> None:
        assert self.seq is None or view["seq"] >= self.seq, "the state is not behind what was told"
        self.epoch, self.seq, self.marks = view["epoch"], view["seq"], view["marks"]
        self.taken = []
        self.copy = copy = Copy(view["title"], dict(view["settings"]))
        copy.number, copy.pins = view["number"], dict(view["pins"])
        for user, member in view["members"].items():
            copy.roles[user] = member["role"]
            copy.reads[user] = member["read"]["seq"]
            copy.delivered[user] = member["delivered"]["seq"]
        self._page(view["seq"] + 1)

    def _page(self, before: int) -> None:
        self._ask("message.history", {"before": before, "limit": 3})

    def _paged(self, before: int, page: dict[str, Any]) -> None:
        for message in page["messages"]:
            assert message["seq"] < before
            self.copy.messages.setdefault(message["id"], _message(message))
        if page["more"]:
            self._page(page["messages"][0]["seq"])
        else:
            self._loading, self._complete = False, True

    def _leave(self) -> None:
        self.is_member = self._complete = self._loading = self._resuming = False
        self._again = None
        self._turns = {what: turn + 1 for what, turn in self._turns.items()}
        self.seq = None
        self.copy = Copy()

    # Answers.

    def answered(self, ask: Ask, reply: Item) -> None:
        """The Reply to `ask`, in line with what else has come."""
        if ask.turn != self._turn(ask.kind):
            return
        if "error" in reply:
            self._refused(ask, reply["error"])
        elif ask.kind == "conversation.resume":
            self._resumed(reply["ok"])
        elif ask.kind == "conversation.get":
            self._loaded(reply["ok"])
        else:
            self._paged(ask.payload["before"], reply["ok"])

    def _refused(self, ask: Ask, error: dict[str, Any]) -> None:
        if error["code"] == "PERMISSION_DENIED":
            self._leave()
            return
        assert error["retryable"], error
        if ask.kind == "conversation.resume":
            self._resuming = False
            self._again = self._resume
        else:
            self._loading = False
            self._again = self._load


def _message(data: Item) -> Item:
    """A message out of an event or out of a page: the same either way."""
    message = {"id": data["id"], "seq": data["seq"], "by": data["by"], "number": data["number"]}
    if "redacted" in data:
        message["redacted"] = True
        return message
    return {
        **message,
        "text": data["text"],
        "version": data.get("version", 1),
        "pinned": data.get("pinned", False),
        "reply_to": data.get("reply_to"),
        "reactions": dict(data.get("reactions", {})),
    }


def _redact(message: Item) -> None:
    for name in CONTENT:
        message.pop(name, None)
    message["redacted"] = True
