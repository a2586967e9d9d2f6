"""A whole history, sorted into what the rules ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .view import Item, View

Record = tuple[str, int, float, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """`rule` was broken: `problem`. The rest says where to look in the history."""

    rule: str
    problem: str
    c: str | None = None
    seq: int | None = None
    device: int | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A durable command and what it was answered for good."""

    device: int
    run: int
    asked: float
    time: float
    command: Item
    reply: Item

    @property
    def c(self) -> str:
        c: str = self.reply.get("c") or self.command.get("c") or ""
        return c

    @property
    def client_id(self) -> str | None:
        client_id: str | None = self.command["d"].get("client_id")
        return client_id


@dataclass(frozen=True, slots=True)
class Seen:
    """A numbered item that reached a device, whether taken or not."""

    device: int
    run: int
    time: float
    item: Item
    epoch: int
    """in which it was seen, or an earlier one"""


@dataclass(slots=True)
class Facts:
    """`of` reads a history. `users` says whose each device is."""

    users: dict[int, str]
    seen: list[Seen] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    unanswered: list[tuple[int, Item]] = field(default_factory=list)
    views: dict[tuple[int, str], View] = field(default_factory=dict)
    kept: list[tuple[int, Item]] = field(default_factory=list)
    """what devices held below the point from which they were told to reload"""
    reloads: list[tuple[int, str, Item]] = field(default_factory=list)
    holes: list[tuple[int, str, int, Item]] = field(default_factory=list)
    """a resume was answered «recovered», and the device was at this seq instead"""
    marks: list[tuple[int, int, Item]] = field(default_factory=list)
    """device, number of its connection, signal"""
    last: dict[tuple[int, str], Item] = field(default_factory=dict)
    """what `conversation.get` said at the very end"""
    inboxes: dict[int, list[Item]] = field(default_factory=dict)
    crashes: dict[int, float] = field(default_factory=dict)
    """when each run of the engine was killed"""
    outages: list[tuple[float, float]] = field(default_factory=list)
    """of Postgres: from, to"""
    refusals: Counter[str] = field(default_factory=Counter)
    """how often each error code came"""
    epochs: dict[tuple[int, str], int] = field(default_factory=dict)
    """the least epoch that anybody was told, by run of the engine and conversation"""

    @classmethod
    def of(cls, users: dict[int, str], records: Iterable[Record]) -> Facts:
        facts = cls(users)
        reader = _Reader(facts)
        for what, device, time, value in records:
            reader.read(what, device, time, value)
        reader.end()
        return facts

    def gaps(self) -> int:
        return sum(view.gaps for view in self.views.values())


class _Reader:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._run: dict[int, int] = {}
        self._connection: dict[int, int] = {}
        self._asked: dict[tuple[int, str], tuple[float, Item]] = {}
        self._seen: list[tuple[int, int, float, Item, int]] = []
        self._down: float | None = None

    def read(self, what: str, device: int, time: float, value: Any) -> None:
        if what == "got":
            self._got(device, time, value)
        elif what == "sent":
            if ":" in (id := str(value.get("id", ""))):
                first, _ = self._asked.get((device, id), (time, value))
                self._asked[device, id] = first, value
        elif what == "open":
            self._run[device] = value[0]
            self._connection[device] = self._connection.get(device, 0) + 1
        elif what == "fault":
            self._fault(time, *value)

    def end(self) -> None:
        facts = self._facts
        facts.unanswered = [
            (device, item) for (device, id), (_, item) in self._asked.items() if id[:3] == "do:"
        ]
        if self._down is not None:
            facts.outages.append((self._down, float("inf")))
        for device, run, time, item, known in self._seen:
            epoch = facts.epochs.get((run, item["c"]), known)
            facts.seen.append(Seen(device, run, time, item, epoch))

    def _fault(self, time: float, what: str, value: Any) -> None:
        if what == "killed":
            self._facts.crashes.setdefault(value, time)
        elif what == "postgres" and value == "back":
            if self._down is not None:
                self._facts.outages.append((self._down, time))
            self._down = None
        elif what == "postgres" and self._down is None:
            self._down = time

    def _got(self, device: int, time: float, item: Item) -> None:
        kind = item["t"]
        if kind == "reply":
            self._reply(device, time, item)
        elif kind in ("message.read", "message.delivered"):
            self._facts.marks.append((device, self._connection[device], item))
        elif kind == "conversation.head":
            self._told(device, item["c"], item["d"]["epoch"])
        elif "seq" in item:
            view = self._view(device, item["c"])
            known = view.epoch or 1
            self._seen.append((device, self._run[device], time, item, known))
            view.event(item)

    def _view(self, device: int, c: str) -> View:
        return self._facts.views.setdefault((device, c), View())

    def _told(self, device: int, c: str, epoch: int) -> None:
        key = self._run[device], c
        self._facts.epochs[key] = min(epoch, self._facts.epochs.get(key, epoch))

    def _reply(self, device: int, time: float, reply: Item) -> None:
        id = str(reply.get("id"))
        purpose = id.partition(":")[0]
        if "error" in reply:
            self._facts.refusals[reply["error"]["code"]] += 1
        if purpose == "do":
            self._answered(device, time, id, reply)
            return
        found = self._asked.pop((device, id), None)
        if found is None or "ok" not in reply:
            return
        ok, c = reply["ok"], reply.get("c", "")
        if purpose in ("load", "resume", "last"):
            self._told(device, c, ok["epoch"])
        if purpose == "load":
            self._view(device, c).load(ok["epoch"], ok["seq"])
        elif purpose == "page":
            self._view(device, c).page(ok["messages"])
        elif purpose == "resume":
            self._resumed(device, c, ok)
        elif purpose == "last":
            self._facts.last[device, c] = ok
        elif purpose == "inbox":
            self._facts.inboxes.setdefault(device, []).extend(ok["conversations"])

    def _resumed(self, device: int, c: str, ok: Item) -> None:
        view = self._view(device, c)
        if ok["recovered"]:
            if view.position != ok["seq"]:
                self._facts.holes.append((device, c, view.position or 0, ok))
            view.epoch = ok["epoch"]
            return
        self._facts.reloads.append((device, c, ok))
        right = ok["reload_after"]
        self._facts.kept += [(device, each) for seq, each in view.events.items() if seq <= right]

    def _answered(self, device: int, time: float, id: str, reply: Item) -> None:
        """An answer that says «later» leaves the command as undetermined as none at all."""
        if "error" in reply and reply["error"]["retryable"]:
            return
        found = self._asked.pop((device, id), None)
        if found is not None:
            asked, command = found
            run = self._run[device]
            self._facts.answers.append(Answer(device, run, asked, time, command, reply))
