"""The database at the end of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """An event of the log. `data` is its payload without the text, which is `text`."""

    c: str
    seq: int
    id: str
    kind: str
    sender: str | None = None
    client_id: str | None = None
    number: int | None = None
    text: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the database says has become of the message at `seq`. `text` None: not edited."""

    c: str
    seq: int
    text: str | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class MarkRow:
    c: str
    user: str
    kind: str
    seq: int
    n: int


@dataclass(frozen=True, slots=True)
class Epochs:
    """`starts_after[i]` is the head of the log at the start of epoch i + 2."""

    epoch: int
    starts_after: tuple[int, ...] = ()

    def lost_above(self, seen_in: int) -> int | None:
        """What was seen in epoch `seen_in` above this seq may be gone since; None: nothing."""
        later = self.starts_after[seen_in - 1 :]
        return min(later) if later else None


@dataclass(slots=True)
class Message:
    """As it is for whoever reads it."""

    seq: int
    text: str | None
    deleted: bool = False
    version: int = 1


@dataclass(frozen=True)
class Truth:
    rows: list[Row]
    overlays: list[Overlay] = field(default_factory=list)
    marks: list[MarkRow] = field(default_factory=list)
    epochs: dict[str, Epochs] = field(default_factory=dict)

    @cached_property
    def log(self) -> dict[str, dict[int, Row]]:
        """By conversation and seq, in order."""
        found: dict[str, dict[int, Row]] = {}
        for row in sorted(self.rows, key=lambda row: row.seq):
            found.setdefault(row.c, {})[row.seq] = row
        return found

    @cached_property
    def messages(self) -> dict[str, dict[str, Message]]:
        """What the log alone makes of every message, by conversation and id."""
        found: dict[str, dict[str, Message]] = {}
        for c, log in self.log.items():
            messages = found.setdefault(c, {})
            for row in log.values():
                if row.kind == "message.sent":
                    messages[row.id] = Message(row.seq, row.text)
                elif row.kind == "message.edited":
                    message = messages.get(row.data["message_id"])
                    if message is not None and not message.deleted:
                        message.text, message.version = row.text, row.data["version"]
                elif row.kind == "message.deleted":
                    message = messages.get(row.data["message_id"])
                    if message is not None:
                        message.text, message.deleted = None, True
        return found

    def row(self, c: str, seq: int) -> Row | None:
        return self.log.get(c, {}).get(seq)

    def head(self, c: str) -> int:
        return max(self.log.get(c, {0: None}))

    def lost_above(self, c: str, seen_in: int) -> int | None:
        epochs = self.epochs.get(c)
        return None if epochs is None else epochs.lost_above(seen_in)
