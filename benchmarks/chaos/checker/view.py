"""One device's picture of one conversation, replayed from its history by the rules of the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .truth import Message

Item = dict[str, Any]


@dataclass(slots=True)
class View:
    """`base` is the position of the last load; what came by seq since is in `events`."""

    base: int | None = None
    position: int | None = None
    epoch: int | None = None
    events: dict[int, Item] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    gaps: int = 0

    def event(self, item: Item) -> bool:
        """Take `item`, or drop it; whether it was taken."""
        seq = item["seq"]
        if item["t"] == "void":
            self.messages.pop(item["d"]["of"], None)
            if seq in self.events:
                self.events[seq] = item
                return True
        if self.position is None:
            if seq != 1:
                return False
            self.base = 0
        elif item["t"] == "skipped":
            if not item["d"]["from"] <= self.position + 1 <= seq:
                return False
            self.base, self.events = seq, {}  # what is kept stays contiguous
        elif seq <= self.position:
            return False
        elif seq > self.position + 1:
            self.gaps += 1
            return False
        self.position = seq
        if item["t"] != "skipped":
            self.events[seq] = item
            self._apply(item)
        return True

    def load(self, epoch: int, seq: int) -> None:
        """Begin anew at this position."""
        self.base = self.position = seq
        self.epoch = epoch
        self.events, self.messages = {}, {}

    def page(self, messages: list[Item]) -> None:
        """A page of history: messages as they are now."""
        for each in messages:
            if each["kind"] != "message.sent":
                continue
            message = Message(
                each["seq"], each.get("text"), "deleted_at" in each, each.get("version", 1)
            )
            known = self.messages.get(each["id"])
            if known is None or message.deleted or message.version > known.version:
                self.messages[each["id"]] = message

    def _apply(self, item: Item) -> None:
        kind, payload = item["t"], item["d"]
        if kind == "message.sent":
            if payload["id"] not in self.messages:  # a page may have been newer
                self.messages[payload["id"]] = Message(item["seq"], payload.get("text"))
        elif kind == "message.edited":
            message = self.messages.get(payload["message_id"])
            newer = message is not None and payload["version"] > message.version
            if message is not None and newer and not message.deleted and "text" in payload:
                message.text, message.version = payload["text"], payload["version"]
        elif kind == "message.deleted":
            message = self.messages.get(payload["message_id"])
            if message is not None:
                message.text, message.deleted = None, True
