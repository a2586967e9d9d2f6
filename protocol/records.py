"""What crosses between the actors and a store: plain records that both know.

A store is truth at rest; a resident conversation is truth in motion. Every read of a conversation
says `as_of`, the last seq it has seen, and the actor overlays what is newer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .commands import Position
from .events import Event
from .immutable import immutable
from .machine import Mark
from .message import Message, Overlay
from .state import Kind, Member


@immutable
class Committed:
    """On disk, as `commit` promises it. A replay of what is there already counts as this."""


@immutable
class Duplicate:
    """(conversation, sender, client id) stands in the log already, as `first`.

    Nothing of the write was stored, except `void` rows at its seqs.
    """

    first: Event


@immutable
class Refused:
    """The database will never take this write (PERSIST_FAILED).

    `voided` says that `void` rows were stored at its seqs; if not, the conversation must halt.
    """

    problem: str
    voided: bool = True


@immutable
class Foreign:
    """Another event holds one of these seqs, or this engine is no longer the current incarnation:
    somebody else writes this conversation. It must stop here, loudly."""

    problem: str


@immutable
class Delayed:
    """Not an end: the store is away, the write is kept and goes on being tried. Sent at most once,
    so that the sender can be told UNAVAILABLE instead of waiting longer."""


@immutable
class Spooled:
    """Not an end either: the store is away, and the write is durable in the local spool. It will be
    stored, by this engine or the next one, before anything newer of its conversation. Sent at most
    once; never under `commit`."""


Outcome = Committed | Duplicate | Refused | Foreign | Delayed | Spooled

JournalStatus = Literal["ok", "spooling", "unavailable"]
"""All well; the store is away or slow and the spool takes what is written; nothing takes it."""


@immutable
class Condition:
    """How the journal is. `waiting` writes are not stored yet, the oldest since `oldest_s`
    seconds; `spooled` of them, with `spooled_bytes` in all, are in the spool. `problem` says in
    words what is wrong, if anything is."""

    status: JournalStatus = "ok"
    waiting: int = 0
    oldest_s: float = 0.0
    spooled: int = 0
    spooled_bytes: int = 0
    problem: str | None = None


@immutable
class NewConversation:
    """The row of a conversation that is being created."""

    id: str
    kind: Kind
    profile: str
    direct_key: str | None
    creator: str | None
    at: int


@immutable
class MemberRow:
    """A member as of `changed_seq`; `read_*` are the mark that counting uses."""

    user: str
    role: str | None
    intervals: list[list[int | None]]
    changed_seq: int
    read_seq: int
    read_number: int


@immutable
class Head:
    """Where a conversation stands: what the inbox is ordered by and shows."""

    seq: int
    number: int
    at: int
    title: str | None
    last: dict[str, Any] | None

    def within(self, intervals: list[list[int | None]]) -> Head:
        """As a member of these times may see it: not the last message from outside of them
        (HIST-11)."""
        if self.last is None or Member(intervals=intervals).sees(self.last["seq"]):
            return self
        return replace(self, last=None)


@immutable
class Snapshot:
    seq: int
    version: int
    state: dict[str, Any]


@dataclass(slots=True)
class Write:
    """What one command changes, stored as one unit: all of it or nothing.

    Writes of one conversation are stored in the order in which they were appended. Storing one
    again is harmless: rows are versioned by seq. `done` is called in trio's thread, synchronously,
    in that same order; it must not raise and cannot await.
    """

    conversation: str
    done: Callable[[Outcome], None]
    events: Sequence[Event] = ()
    head: Head | None = None
    overlays: Sequence[Overlay] = ()
    marks: Sequence[Mark] = ()
    members: Sequence[MemberRow] = ()
    created: NewConversation | None = None
    snapshot: Snapshot | None = None

    @property
    def rows(self) -> int:
        return len(self.events) + len(self.marks) + len(self.overlays) + len(self.members) + 1


@dataclass(slots=True)
class Loaded:
    """A cold conversation: its last snapshot of the asked version, and everything after it.

    `marks` are the latest of each (user, kind), with `excluded` counted as of `tail`'s end.
    """

    epoch: int
    starts_after: list[int]
    snapshot: Snapshot | None
    tail: list[Event]
    marks: list[Mark]


@dataclass(slots=True)
class Events:
    """Consecutive events; `as_of` is the head of the log in the same snapshot of the database."""

    events: list[Event]
    as_of: int


@dataclass(slots=True)
class Messages:
    """Messages in order of seq; `more` says that the page was cut by its limit."""

    messages: list[Message]
    as_of: int
    more: bool = False


@dataclass(slots=True)
class NumberedPage:
    """One page of `total` messages, in order of seq. Nothing here is newer than `as_of`."""

    messages: list[Message]
    total: int
    as_of: int


@dataclass(slots=True)
class PositionAt:
    position: Position
    as_of: int


@dataclass(slots=True)
class InboxRow:
    """One conversation in a user's inbox. `stale`: it was open when an engine died, so counts may
    lag behind the log until it is opened again."""

    conversation: str
    kind: Kind
    epoch: int
    role: str
    members: list[str]
    head: Head
    unread: int
    stale: bool = False


@dataclass(slots=True)
class Inbox:
    rows: list[InboxRow]
    next: str | None


@dataclass(slots=True)
class UserEvent:
    """A private change of one user (a draft, a star, a setting), in their own log, since nobody
    else may see that it happened. `n` counts from 1."""

    user: str
    n: int
    kind: str
    data: dict[str, Any]
    at: int


@dataclass(slots=True)
class Changes:
    rows: list[InboxRow]
    cursor: str
    user_events: list[UserEvent]
    left: list[str] = field(default_factory=list)
    """conversations that the user has left, or was removed from, since"""


@immutable
class Search:
    """What `user` looks for, in `conversation` or in all of theirs: words in `mode` "fts", a
    substring in "trgm". `after` and `before` are in milliseconds, exclusive."""

    user: str
    text: str
    mode: Literal["fts", "trgm"]
    conversation: str | None = None
    by: str | None = None
    after: int | None = None
    before: int | None = None
    offset: int = 0
    limit: int = 20


@dataclass(slots=True)
class Hit:
    conversation: str
    message: Message


@dataclass(slots=True)
class Found:
    """One page of `total` hits."""

    hits: list[Hit]
    total: int
