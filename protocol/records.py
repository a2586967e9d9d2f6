"""What crosses between the actors and a store: plain records that both know.

A store is truth at rest; a resident conversation is truth in motion. Every read of a conversation
says `as_of`, the last seq it has seen, and the actor overlays what is newer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .commands import Position
from .events import Event
from .immutable import immutable
from .last import last_of
from .machine import Mark
from .message import Message, Overlay
from .people import Aloof, RequestStatus
from .personal import UserEventData
from .references import Reference, refers
from .state import Hidden, Kind, Member


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
    """The row of a conversation that is being created; `request`: to whom it is one, and whether
    they are `asked` (`people.Aloof`)."""

    id: str
    kind: Kind
    profile: str
    direct_key: str | None
    creator: str | None
    at: int
    request: str | None = None
    asked: bool = True


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
    context: dict[str, str | None] | None = None

    def seen_by(self, user: str, intervals: list[list[int | None]], hidden: Hidden | None) -> Head:
        """As `user`, a member of these times, may see it: with the last message that was meant for
        them, but not if it comes from outside of their times (HIST-11), or they have hidden it."""
        last = None if self.last is None else last_of(self.last, user)
        if last is not None:
            seq = last["seq"]
            if not Member(intervals=intervals).sees(seq) or (hidden and not hidden.shows(seq)):
                last = None
        return self if last is self.last else replace(self, last=last)


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

    `marks` are the latest of each (user, kind), with `excluded` counted as of `tail`'s end, as it
    is in `hidden`: what users have hidden from themselves. `reticent` members tell no marks;
    `aloof` ones of a direct conversation keep the other out.
    """

    epoch: int
    starts_after: list[int]
    snapshot: Snapshot | None
    tail: list[Event]
    marks: list[Mark]
    hidden: dict[str, Hidden] = field(default_factory=dict)
    reticent: set[str] = field(default_factory=set)
    aloof: dict[str, Aloof] = field(default_factory=dict)


@dataclass(slots=True)
class Events:
    """Consecutive events; `as_of` is the head of the log in the same snapshot of the database."""

    events: list[Event]
    as_of: int


@dataclass(slots=True)
class Deleted:
    """A message deleted `at` a time (ms), by the events that say what it said last: its own, and
    of those that have replaced that the last one for each audience."""

    at: int
    events: list[Event]


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
    lag behind the log until it is opened again. `pinned_at` (ms, 0 for not) goes into the order.
    `request`: it is one to this user."""

    conversation: str
    kind: Kind
    epoch: int
    role: str
    members: list[str]
    head: Head
    unread: int
    stale: bool = False
    pinned_at: int = 0
    request: RequestStatus | None = None


@immutable
class Selection:
    """Which rows of the inbox are wanted (CONV-15): all that are not archived, of those the unread
    ones, or the archived ones; or requests that are not answered, which are in none of these; and
    among them those whose title has a word, or who have another member whose id, that begins with
    `text` (SRCH-08); and that refer to the thing `about`."""

    filter: Literal["all", "unread", "archived", "requests"] = "all"
    text: str | None = None
    about: Reference | None = None

    def has(self, archived: bool, unread: bool, request: RequestStatus | None = None) -> bool:
        """Whether `filter` lets such a row through."""
        if request is not None or self.filter == "requests":
            return request == "pending" and self.filter == "requests"
        if self.filter == "archived":
            return archived
        return not archived and (unread or self.filter == "all")

    def refers(self, context: Mapping[str, str | None] | None) -> bool:
        """Whether a conversation with this context is about the thing."""
        return self.about is None or refers(context, self.about)

    def finds(self, title: str | None, others: Iterable[str]) -> bool:
        """Whether `text` leads to a conversation of this title and these other members."""
        if self.text is None:
            return True
        word = f" {title or ''}".lower()
        return f" {self.text}".lower() in word or any(user.startswith(self.text) for user in others)


EVERYTHING = Selection()


@dataclass(slots=True)
class Inbox:
    rows: list[InboxRow]
    next: str | None


@immutable
class UserEvent:
    """A private change of one user (a draft, a star, a setting), in their own log. `n` counts from
    1 and only rises; what a later one has replaced is there no more. `at` is in ms."""

    user: str
    n: int
    data: UserEventData
    at: int


@dataclass(slots=True)
class Remembered:
    """What a user's log has of the kinds that `Personal` is made of; `n` is its last number."""

    events: list[UserEvent]
    n: int


@dataclass(slots=True)
class Starred:
    """A message that a user has starred, `n` being the place of that in their log, as it is now;
    `as_of` is the head of its conversation in the same snapshot."""

    n: int
    at: int
    conversation: str
    message: Message
    as_of: int


@immutable
class Referring:
    """What refers to a thing: a message, or, with `message` None, its conversation."""

    conversation: str
    seq: int
    message: str | None


@dataclass(slots=True)
class Changes:
    rows: list[InboxRow]
    cursor: str
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
