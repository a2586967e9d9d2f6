"""A write on its way to the database, as it was when it was handed over."""

from __future__ import annotations

from ...protocol.message import Overlay
from ...protocol.records import MemberRow, Write
from ..merge import copy_member
from .rows import Row, overlay_row, snapshot_row

_ROW_BYTES = 300
"""Of a row besides its text, roughly, while it waits."""


class Parcel:
    """Events, heads and marks never change once made, so they stay as they are; overlays,
    intervals and state go on changing with their conversation and are copied here.

    `bytes` is an estimate, for bounding memory. `since` is trio's time of the hand-over. `void`
    says that the events are void and replace others. `entry` is its number in the spool.
    `incarnation` is that of the engine which made it, if another one than that which stores it.
    """

    __slots__ = (
        "answered",
        "bytes",
        "conversation",
        "delayed",
        "entry",
        "incarnation",
        "members",
        "overlays",
        "rows",
        "since",
        "snapshot",
        "spooled",
        "void",
        "write",
    )

    def __init__(self, write: Write, since: float, incarnation: int | None = None) -> None:
        self.write = write
        self.conversation = write.conversation
        self.since = since
        self.answered = False
        self.delayed = False
        self.spooled = False
        self.entry: int | None = None
        self.incarnation = incarnation
        self.void = False
        self.overlays: list[Row] = []
        self.members: list[MemberRow] = []
        self.snapshot: Row | None = None
        self.rows = write.rows
        self.bytes = self.rows * _ROW_BYTES
        for event in write.events:
            text: str | None = getattr(event.data, "text", None)
            if text is not None:
                self.bytes += len(text)
        if write.overlays:
            self.overlays = [overlay_row(write.conversation, each) for each in write.overlays]
        if write.members:
            self.members = [copy_member(member) for member in write.members]
        if write.snapshot is not None:
            self.snapshot = snapshot_row(write.conversation, write.snapshot)
            self.bytes += len(self.snapshot[-1])

    @property
    def says_anything(self) -> bool:
        """Whether something is lost if it is never stored: snapshots and heads can be made anew."""
        return bool(self.write.events or self.write.marks)

    def voided(self) -> Parcel:
        """What takes the place of this one: void events, which do not count."""
        write = self.write
        events = [event.voided() for event in write.events]
        overlays = [
            Overlay(event.seq, event.seq, deleted_at=event.at)
            for event in events
            if event.number is not None
        ]
        write = Write(write.conversation, write.done, events, overlays=overlays)
        void = Parcel(write, self.since, self.incarnation)
        void.void = True
        return void
