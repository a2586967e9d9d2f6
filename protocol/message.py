"""A message as a reader sees it now: its row in the log with everything that changed it since.

Events that change a message say how in `change` (the features); the log keeps those events, and an
*overlay* row keeps their result, so that history is one page of log rows plus the few overlays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(slots=True)
class Overlay:
    """What has become of the message at `seq` up to and including the event at `changed_seq`.

    `text` replaces the logged one if not None; `data` holds whatever features keep (edited_at,
    pinned, …) made of what JSON knows, where None takes away what was sent. `deleted_at` (ms) set:
    neither text nor metadata is served.
    """

    seq: int
    changed_seq: int = 0
    text: str | None = None
    deleted_at: int | None = None
    deleted_by: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Message:
    """`sent` is the payload of the message as it was logged, without its text."""

    id: str
    seq: int
    number: int | None
    kind: str
    by: str | None
    at: int
    text: str | None
    sent: dict[str, Any]
    overlay: Overlay
    quotes: str | None = None
    """id of the message that it answers, whose preview is shown with it"""
    audience: tuple[str, ...] | None = None
    """who may see it, if not every member"""

    @property
    def views(self) -> Mapping[str, dict[str, Any]]:
        """By user, text and data of the overlay as they are for them, where something became of the
        message that was told to them alone (REQ-09)."""
        views: dict[str, dict[str, Any]] = self.overlay.data.get("views", {})
        return views

    def seen_by(self, user: str) -> Message:
        """The message as it is for `user`."""
        if (view := self.views.get(user)) is None:
            data = {name: value for name, value in self.overlay.data.items() if name != "views"}
            return replace(self, overlay=replace(self.overlay, data=data))
        overlay = replace(self.overlay, text=view["text"], data=dict(view["data"]))
        return replace(self, overlay=overlay)

    def keep_view(self, user: str, view: Message) -> None:
        """From now on it is for `user` as in `view`."""
        # Made anew, not in place: a row on its way to the store shares what is inside.
        seen = {"text": view.overlay.text, "data": view.overlay.data}
        self.overlay.data["views"] = {**self.views, user: seen}

    @property
    def deleted(self) -> bool:
        return self.overlay.deleted_at is not None

    def is_for(self, user: str) -> bool:
        return self.audience is None or user in self.audience

    def unseen(self) -> Message:
        """What it is to those who may not see it: as good as deleted."""
        return replace(self, text=None, sent={}, overlay=Overlay(self.seq, deleted_at=self.at))

    def is_listed(self, tombstones: bool) -> bool:
        """Whether it stands among others: of one that has expired not even a tombstone does."""
        return not self.deleted or (tombstones and "expired" not in self.overlay.data)

    @property
    def reactions(self) -> Mapping[str, list[str]]:
        """By emoji, the users who have put it on the message (MSG-16)."""
        reactions: dict[str, list[str]] = self.overlay.data.get("reactions", {})
        return reactions

    @property
    def forwards(self) -> Mapping[str, int]:
        """By user, how often they have forwarded it (MSG-17)."""
        forwards: dict[str, int] = self.overlay.data.get("forwards", {})
        return forwards

    @property
    def current_text(self) -> str | None:
        if self.deleted:
            return None
        return self.text if self.overlay.text is None else self.overlay.text

    def current(self, name: str) -> Any:
        """The field `name` of its payload as it is now; None if it has none."""
        data = self.overlay.data
        return data[name] if name in data else self.sent.get(name)

    def wire(self, quoted: Message | None = None, user: str | None = None) -> dict[str, Any]:
        """As `message.history` serves it to `user`: like the payload of its event, brought up to
        date."""
        if self.views:
            return self.seen_by(user or "").wire(quoted, user)
        item: dict[str, Any] = {"id": self.id, "seq": self.seq, "ts": self.at, "kind": self.kind}
        if self.by is not None:
            item["by"] = self.by
        if self.number is not None:
            item["number"] = self.number
        if self.deleted:
            item["deleted_at"] = self.overlay.deleted_at
            item["redacted"] = True
            # Where it stands is no content: in its thread, or above one, and what it is about.
            if thread := self.sent.get("thread") or self.overlay.data.get("thread"):
                item["thread"] = thread
            if context := self.current("context"):
                item["context"] = context
            return item
        item.update(self.sent)
        for name, value in self.overlay.data.items():
            if value is None:
                item.pop(name, None)
            else:
                item[name] = value
        if reactions := item.pop("reactions", None):
            item["reactions"] = {emoji: len(users) for emoji, users in reactions.items()}
            item["reacted"] = [emoji for emoji, users in reactions.items() if user in users]
        if self.forwards:
            item["forwards"] = sum(self.forwards.values())
        if (text := self.current_text) is not None:
            item["text"] = text
        if quoted is not None:
            item["preview"] = quoted.preview(user)
        return item

    def preview(self, user: str | None = None) -> dict[str, Any]:
        """What a reply to this message shows of it (MSG-13), to everybody or to `user`."""
        if user is not None and user in self.views:
            return self.seen_by(user).preview()
        if self.deleted:
            return {"unavailable": True}
        preview: dict[str, Any] = {"by": self.by, "text": (self.current_text or "")[:PREVIEW_CHARS]}
        if (type := self.sent.get("type")) is not None:
            preview["type"] = type
        if attachments := self.current("attachments"):
            preview["attachments"] = attachment_types(attachments)
        return preview


PREVIEW_CHARS = 140


def attachment_types(attachments: Iterable[Mapping[str, Any]]) -> list[str]:
    """What stands for `attachments` where their message is only mentioned."""
    return [each["type"] for each in attachments]
