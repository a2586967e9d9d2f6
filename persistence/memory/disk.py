"""What the in-memory store has "on disk": it survives the store that wrote it, as a disk would.

Values go in and come out as JSON where Postgres would store JSON, so that a test sees what a
restart would make of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ...protocol.events import Event
from ...protocol.features.blocks import BlockChanged
from ...protocol.features.hides import MessageHidden
from ...protocol.features.requests import RequestAnswered
from ...protocol.jobs import Job
from ...protocol.machine import Mark
from ...protocol.message import Message, Overlay
from ...protocol.people import Bar, RequestStatus
from ...protocol.personal import PreferenceChanged, SettingsChanged
from ...protocol.records import (
    Duplicate,
    Foreign,
    Head,
    MemberRow,
    NewConversation,
    Outcome,
    Refused,
    Snapshot,
    UserEvent,
    Write,
)
from ...protocol.state import Hidden
from ...protocol.uploads import Upload
from ..merge import merge_members
from ..payload import subject
from ..verdict import COMMITTED, is_voided, judge


@dataclass(slots=True)
class Shelf:
    """One conversation: the row in `conversation` and everything filed under it."""

    row: NewConversation | None = None
    opened_in: int = 0
    epoch: int = 1
    starts_after: list[int] = field(default_factory=list)
    log: list[Event] = field(default_factory=list)
    clients: dict[tuple[str, str], int] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)
    overlays: dict[int, Overlay] = field(default_factory=dict)
    marks: dict[tuple[str, str], list[Mark]] = field(default_factory=dict)
    members: dict[str, MemberRow] = field(default_factory=dict)
    head: Head | None = None
    snapshot: Snapshot | None = None
    narrow: list[Event] = field(default_factory=list)
    """countable ones that were not for everybody"""
    head_commit: int = 0
    member_commits: dict[str, int] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        return len(self.log)

    def events(self, after: int, limit: int | None = None) -> list[Event]:
        """In order, those about a deleted message redacted."""
        end = None if limit is None else after + limit
        return [
            event.redact() if self.is_deleted(event) and not event.data.erases else event
            for event in self.log[after:end]
        ]

    def is_deleted(self, event: Event) -> bool:
        about = subject(event)
        return about is not None and self._deleted_at(about[1]) is not None

    def message(self, event: Event) -> Message:
        overlay = self.overlays.get(event.seq) or Overlay(event.seq)
        deleted = overlay.deleted_at is not None
        message = (event.redact() if deleted else event).as_message()
        message.overlay = copy_overlay(overlay)
        if deleted:
            message.text = None
        return message

    def context(self, event: Event) -> dict[str, str | None] | None:
        """What a message is about now; None for anything else."""
        return self.message(event).current("context") if event.data.is_message else None

    def excluded(self, after: int, user: str) -> int:
        """Countable messages after seq `after` that no longer count, or were not for `user`."""
        gone = {
            seq
            for seq, overlay in self.overlays.items()
            if overlay.deleted_at is not None and self.log[seq - 1].number is not None
        }
        gone.update(event.seq for event in self.narrow if not event.is_for(user))
        return sum(seq > after for seq in gone)

    def _deleted_at(self, seq: int) -> int | None:
        overlay = self.overlays.get(seq)
        return overlay.deleted_at if overlay is not None else None

    def store(self, write: Write, events: Iterable[Event], commit: int) -> None:
        """All of `write`, with `events` for its own."""
        for event in events:
            self._add(event)
            if event.client_id is not None and event.sender is not None:
                self.clients[event.sender, event.client_id] = event.seq
            if event.data.is_message:
                self.subjects[event.id] = event.seq
        for overlay in write.overlays:
            old = self.overlays.get(overlay.seq)
            if old is None or old.changed_seq < overlay.changed_seq:
                self.overlays[overlay.seq] = copy_overlay(overlay)
        for mark in write.marks:
            moves = self.marks.setdefault((mark.user, mark.kind), [])
            if not moves or moves[-1].seq < mark.seq:
                moves.append(mark)
        for member in write.members:
            known = self.members.get(member.user)
            if (merged := merge_members(known, member)) != known:
                self.members[member.user] = merged
                self.member_commits[member.user] = commit
        if write.head is not None and (self.head is None or self.head.seq <= write.head.seq):
            self.head, self.head_commit = write.head, commit
        if write.snapshot is not None and (
            self.snapshot is None or self.snapshot.seq <= write.snapshot.seq
        ):
            self.snapshot = replace(write.snapshot, state=copy_json(write.snapshot.state))

    def _add(self, event: Event) -> None:
        self.log.append(event)
        if event.audience is not None and event.number is not None:
            self.narrow.append(event)

    def void(self, events: list[Event], commit: int) -> None:
        """`events`, which are void, and that those of them with a number do not count."""
        for event in events:
            self._add(event)
            if event.number is not None:
                self.overlays[event.seq] = Overlay(event.seq, event.seq, deleted_at=event.at)
            if self.head is not None:
                number = max(self.head.number, event.number or 0)
                self.head = replace(self.head, seq=event.seq, number=number)
                self.head_commit = commit


@dataclass(slots=True)
class Disk:
    """`ended` maps an incarnation to None (running), True (ended cleanly) or False. `spool` holds
    what was not stored, each with the incarnation that wrote it."""

    shelves: dict[str, Shelf] = field(default_factory=dict)
    ended: dict[int, bool | None] = field(default_factory=dict)
    commits: int = 0
    user_log: dict[str, list[UserEvent]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    spool: list[tuple[int, Write]] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    next_at: dict[str, int] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def start(self) -> int:
        """A new incarnation; one that still runs is fenced off and counts as ended uncleanly. What
        is in the spool is stored first."""
        for id, clean in self.ended.items():
            if clean is None:
                self.ended[id] = False
        id = len(self.ended) + 1
        self.ended[id] = None
        spool, self.spool = self.spool, []
        for writer, write in spool:
            self.commit(write, id, opened_in=writer)
        return id

    def commit(self, write: Write, incarnation: int, opened_in: int | None = None) -> Outcome:
        """Store `write` if it can be; say what became of it. `opened_in` is the incarnation that
        made it, if that is an earlier one."""
        if self.ended[incarnation] is not None:
            return Foreign(f"incarnation {incarnation} has ended")
        outcome = self._decided(write)
        if outcome is not None:
            return outcome
        shelf = self._shelf(write)
        if write.events and write.events[0].seq != shelf.seq + 1:
            # Postgres does not look: a gap is a mistake of the caller, so it is told here.
            return Foreign(f"seq {write.events[0].seq} cannot follow {shelf.seq}")
        if write.created is not None and shelf.row is None:
            shelf.row, shelf.opened_in = write.created, opened_in or incarnation
        self.commits += 1
        shelf.store(write, write.events, self.commits)
        for event in write.events:
            for job in event.data.jobs(event):
                self.add_job(job)
        return COMMITTED

    def add_job(self, job: Job) -> None:
        """Unless it is there; `next_at` says when it may be taken, `holders` who has taken it."""
        if job.id not in self.jobs:
            self.jobs[job.id] = replace(job, data=copy_json(job.data))
            self.next_at[job.id] = job.due

    def refuse(self, write: Write, problem: str, voidable: bool) -> Outcome:
        """Store `void` rows for `write`, unless that is not possible either."""
        outcome = self._decided(write)
        if outcome is not None:
            return outcome
        if write.created is not None or not voidable:
            return Refused(problem, voided=False)
        self.void(write)
        return Refused(problem)

    def _decided(self, write: Write) -> Outcome | None:
        """What the log decides already; a duplicate leaves `void` rows."""
        outcome = judge(write, self)
        if isinstance(outcome, Duplicate) and not is_voided(write, self):
            self.void(write)
        return outcome

    def void(self, write: Write) -> None:
        self.commits += 1
        voided = [event.voided() for event in write.events]
        self._shelf(write).void(voided, self.commits)

    def at(self, conversation: str, seq: int) -> Event | None:
        shelf = self.shelves.get(conversation)
        return shelf.log[seq - 1] if shelf is not None and 1 <= seq <= shelf.seq else None

    def under(self, conversation: str, sender: str, client_id: str) -> Event | None:
        shelf = self.shelves.get(conversation)
        seq = shelf.clients.get((sender, client_id)) if shelf is not None else None
        return self.at(conversation, seq) if seq is not None else None

    def of(self, user: str, conversations: Collection[str] | None = None) -> list[Shelf]:
        """Conversations that `user` is, or has been, a member of."""
        ids = self.shelves if conversations is None else conversations
        shelves = (self.shelves.get(id) for id in ids)
        return [shelf for shelf in shelves if shelf is not None and user in shelf.members]

    def preferences(self, user: str) -> dict[str, PreferenceChanged]:
        """How `user` keeps conversations, by conversation."""
        changes = (event.data for event in self.user_log.get(user, ()))
        return {data.conversation: data for data in changes if isinstance(data, PreferenceChanged)}

    def settings(self, user: str) -> SettingsChanged:
        changes = [event.data for event in self.user_log.get(user, ())]
        found = [data for data in changes if isinstance(data, SettingsChanged)]
        return found[0] if found else SettingsChanged()

    def blocks(self, user: str) -> dict[str, BlockChanged]:
        """Whom `user` keeps out."""
        changes = (event.data for event in self.user_log.get(user, ()))
        return {each.user: each for each in changes if isinstance(each, BlockChanged) and each.bar}

    def barring(self, conversation: str) -> dict[str, Bar]:
        """Who keeps the other out of a direct conversation."""
        return {
            user: block.bar
            for user in self.user_log
            for block in self.blocks(user).values()
            if block.conversation == conversation and block.bar
        }

    def request_to(self, user: str, shelf: Shelf) -> RequestStatus | None:
        """Whether the conversation is a request to `user`."""
        if shelf.row is None or shelf.row.request != user:
            return None
        changes = (event.data for event in self.user_log.get(user, ()))
        answers = (each for each in changes if isinstance(each, RequestAnswered))
        left = (each.left for each in answers if each.conversation == shelf.row.id)
        return next(left, "pending")

    def hidden_by(self, user: str) -> dict[str, Hidden]:
        """What `user` has hidden, by conversation."""
        found: dict[str, Hidden] = {}
        for id, preference in self.preferences(user).items():
            if seq := preference.hidden_seq:
                excluded = self.shelves[id].excluded(seq, user)
                found[id] = Hidden(seq, preference.hidden_number, excluded)
        for event in self.user_log.get(user, ()):
            if isinstance(data := event.data, MessageHidden):
                shelf, seq = self.shelves[data.conversation], data.message_seq
                counts = data.counted and not shelf.is_deleted(shelf.log[seq - 1])
                found.setdefault(data.conversation, Hidden()).messages[seq] = counts
        return found

    def _shelf(self, write: Write) -> Shelf:
        return self.shelves.setdefault(write.conversation, Shelf())


def copy_overlay(overlay: Overlay) -> Overlay:
    return replace(overlay, data=copy_json(overlay.data))


def copy_json(value: Any) -> Any:
    return json.loads(json.dumps(value))
