"""What the actors need from the world, named here and built elsewhere.

Each port has two adapters in `persistence/`: Postgres and its in-memory twin, held to the same
contract by one test suite. Reads raise `Rejected("UNAVAILABLE")` while the store is away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from ..protocol.events import Event
from ..protocol.jobs import Job, JobState, Taken, Tried
from ..protocol.people import Bar, Standing
from ..protocol.personal import UserEventData
from ..protocol.records import (
    EVERYTHING,
    Changes,
    Condition,
    Deleted,
    Events,
    Found,
    Inbox,
    Loaded,
    Messages,
    NumberedPage,
    PositionAt,
    Referring,
    Remembered,
    Search,
    Selection,
    Starred,
    UserEvent,
    Write,
)
from ..protocol.references import Reference
from .files import Uploads

Clock = Callable[[], int]
"""The time in milliseconds since 1970, UTC. Never goes back within one process."""

NewId = Callable[[], str]
"""A new UUIDv7 string."""


class Journal(Protocol):
    """The write side. `append` never blocks: capacity is asked for before a decision is made."""

    @property
    def has_room(self) -> bool:
        """Whether another slice of writes may be appended now."""
        ...

    async def room(self) -> None:
        """Return when `has_room`, or raise `Rejected("UNAVAILABLE")` after a bounded wait."""
        ...

    def append(self, write: Write) -> None:
        """Take `write`, to be stored after all earlier ones of its conversation."""
        ...

    async def settled(self, conversation: str) -> None:
        """Return when nothing appended for `conversation` is pending any more; raises
        `Rejected("UNAVAILABLE")` after a bounded wait."""
        ...

    def pending(self) -> Collection[str]:
        """Conversations that have writes not yet stored."""
        ...

    def condition(self) -> Condition:
        """How it is, and how much waits."""
        ...


class Conversations(Protocol):
    """The read side of one conversation. Deleted messages come redacted."""

    async def load(self, conversation: str, version: int) -> Loaded | None:
        """Everything needed to open it, or None if it does not exist.

        Opening registers it with this incarnation. If it was open when an earlier incarnation
        ended uncleanly, and could have shown events that were lost, it gets a new epoch, whose
        start is the head now.
        """
        ...

    async def renew(self, conversation: str, after: int) -> None:
        """Give it a new epoch: what devices hold of it after seq `after` may not be what is stored.
        A conversation that does not exist stays so."""
        ...

    async def events(self, conversation: str, after: int, limit: int) -> Events:
        """At most `limit` events after seq `after`, in order."""
        ...

    async def find(self, conversation: str, sender: str, client_id: str) -> Event | None:
        """The event that a client id already led to."""
        ...

    async def messages(self, conversation: str, ids: Sequence[str]) -> Messages:
        """Those of `ids` that are messages of this conversation, as they are now."""
        ...

    async def where(self, message: str, user: str) -> str | None:
        """The conversation of this message, if `user` is or was a member of it."""
        ...

    async def page(
        self,
        conversation: str,
        *,
        spans: Sequence[tuple[int, int]],
        limit: int,
        before: int | None = None,
        after: int | None = None,
        before_time: int | None = None,
        deleted: bool = True,
        system: bool = False,
        about: Reference | None = None,
    ) -> Messages:
        """At most `limit` messages within `spans` (inclusive ranges of seq), in ascending order.

        With `after` the ones that follow it; otherwise the newest ones before `before` (a seq) or
        `before_time` (ms). `deleted` says whether deleted ones come, too, and `system` whether
        events that are shown like messages do. Void ones never do. With `about` only messages that
        refer to that thing, at the cost of the page, however few they are.
        """
        ...

    async def edits(self, conversation: str, message: str, limit: int) -> Events:
        """The last `limit` edits of one message, in order."""
        ...

    async def replies(
        self,
        conversation: str,
        root: str,
        *,
        spans: Sequence[tuple[int, int]],
        after: int,
        limit: int,
        deleted: bool = True,
    ) -> Messages:
        """The same of the replies in the thread under message `root` that follow seq `after`.

        At the cost of the page, however long the conversation or the thread is.
        """
        ...

    async def media(
        self,
        conversation: str,
        user: str,
        *,
        spans: Sequence[tuple[int, int]],
        limit: int,
        before: int | None = None,
    ) -> Messages:
        """The newest `limit` messages before seq `before` that show something besides their text,
        are not deleted, lie within `spans` and are meant for `user`; in ascending order.

        At the cost of the page, however rare they are.
        """
        ...

    async def numbered_page(
        self,
        conversation: str,
        user: str,
        *,
        spans: Sequence[tuple[int, int]],
        offset: int,
        limit: int,
        newest_first: bool,
        before: int | None = None,
        before_time: int | None = None,
        deleted: bool = True,
        system: bool = False,
        about: Reference | None = None,
    ) -> NumberedPage:
        """At most `limit` messages after the first `offset` ones, counted from the newest or the
        oldest of those that `user` may see within `spans`; and how many there are. The rest is as
        for `page`."""
        ...

    async def position(self, conversation: str, user: str, seq: int) -> PositionAt:
        """How many countable messages lie up to `seq`, and how many after it are excluded, or were
        not for `user`."""
        ...

    async def read_at(
        self, conversation: str, seq: int, marks: Mapping[str, int]
    ) -> dict[str, int]:
        """When each user of `marks`, where their read marks are now, first had read up to `seq`:
        the time (ms) of their first read mark there or above, or of the first message of theirs,
        whichever came first. Who has neither is left out."""
        ...


class Inboxes(Protocol):
    """What a user sees across conversations, of what is at rest."""

    async def inbox(
        self, user: str, limit: int, cursor: str | None, selection: Selection = EVERYTHING
    ) -> Inbox:
        """The chosen ones of a user's conversations, without those that were hidden and have no
        newer message: last pinned first, then newest activity first. `cursor` is the `next` of the
        page before; a malformed one is VALIDATION_FAILED."""
        ...

    async def changes(self, user: str, cursor: str | None) -> Changes:
        """Conversations whose head or whose caller's membership changed since `cursor`, and those
        that were open when an engine died, at least once each. Without a cursor: no rows, the
        cursor of now.
        """
        ...

    async def rows(self, user: str, conversations: Collection[str] | None = None) -> Inbox:
        """The rows of all, or of these, of the user's conversations, in no order."""
        ...

    async def peers(self, user: str, after: str, limit: int) -> list[str]:
        """The others who are in a conversation with `user` now, if it is no request to them: the
        first `limit` of them after `after`, in order of user id."""
        ...

    async def seen(self, at: Mapping[str, int]) -> None:
        """Keep when users were last online; the latest that was told holds."""
        ...

    async def last_seen(self, users: Collection[str]) -> dict[str, int]:
        """When they were last online, for those of whom it is known and may be told."""
        ...


class UserLogs(Protocol):
    """What is a user's own (`protocol/personal.py`)."""

    async def append(self, user: str, data: UserEventData, at: int) -> UserEvent:
        """Add to the user's log, in place of what it replaces, and to all that follows from it:
        all of it or nothing. Returns when it is durable."""
        ...

    async def after(self, user: str, n: int, limit: int) -> list[UserEvent]:
        """At most `limit` events after `n`, in order."""
        ...

    async def remembered(self, user: str) -> Remembered:
        """The events that `Personal` is made of, in order, and where the log stands."""
        ...

    async def reticent(self, users: Collection[str]) -> set[str]:
        """Those of `users` who let nobody know what they have read."""
        ...

    async def standings(self, user: str, others: Collection[str]) -> dict[str, Standing]:
        """How each of `others` stands to `user`, without the relation of the two."""
        ...

    async def barring(self, conversation: str) -> dict[str, Bar]:
        """Who keeps the other out of a direct conversation, which need not be there."""
        ...

    async def stars(self, user: str, limit: int, before: int | None) -> list[Starred]:
        """At most `limit` starred messages that the user may see, the last starred first; of those
        that were starred before `before`, the `n` of one."""
        ...


class Searches(Protocol):
    """Finding messages by what they say now, or refer to."""

    async def search(self, search: Search) -> Found:
        """A page of the messages that match, of conversations that the user is a member of, within
        their times of membership, without those that are deleted or not meant for them.

        "fts": all words occur, in any inflection; what has them more often or closer together comes
        first, then the newest. "trgm": the text occurs as it is, but for upper and lower case;
        the newest first. `total` is exact, over all pages.
        """
        ...

    async def referring(
        self, to: Reference, limit: int, after: tuple[str, int] | None = None
    ) -> list[Referring]:
        """At most `limit` messages and conversations that refer to the thing `to`, in order of
        conversation and seq; with `after`, those behind that place. Void ones do not."""
        ...

    async def caught_up(self) -> None:
        """Return when everything that is stored by now can be found (SRCH-11)."""
        ...


class Contents(Protocol):
    """What deleted messages said, as long as it is kept."""

    async def deleted(self, conversation: str, message: str) -> Deleted | None:
        """A deleted message; None if there is none of this id, or it is not deleted. Once it is
        erased it says nothing."""
        ...

    async def erase(self, conversation: str, message: str, deleted_at: int) -> None:
        """Remove it for good from everything that is stored of the message and its edits, if it is
        deleted, since `deleted_at`. Who, when and where stays. Again it changes nothing."""
        ...


class Jobs(Protocol):
    """What is to be done at a time to come (`protocol/jobs.py`). Several processes may take at
    once; their clocks must agree better than a lease is long. Times are in ms."""

    async def add(self, jobs: Sequence[Job]) -> None:
        """Those whose id is there already change nothing. Returns when they are durable."""
        ...

    async def reclaim(self, now: int) -> None:
        """What engines had taken that have ended since is due again, and not only when their leases
        are over: whatever they may still do, they can store nothing any more."""
        ...

    async def take(self, now: int, limit: int, until: int, tries: int) -> Taken:
        """At most `limit` of those that are due, for the caller alone `until` then: of higher
        priority first, then the oldest. One that has begun `tries` times and is due again, since
        its lease ran out, is given up instead. An engine that was fenced off gets none."""
        ...

    async def settle(self, results: Sequence[Tried]) -> None:
        """How tries ended. One whose job somebody else has taken or reclaimed since counts no
        more."""
        ...

    async def owned(
        self,
        owner: str,
        kind: str,
        states: Collection[JobState],
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[Job]:
        """At most `limit` of a user's, by `due` and id; of those behind `after`, these two."""
        ...

    async def dead(self, limit: int) -> list[Job]:
        """At most `limit` of those given up, by `due` and id."""
        ...

    async def retry(self, now: int, ids: Collection[str] | None = None) -> int:
        """Try those given up, or `ids` of them, from the beginning; how many they are."""
        ...


class Store(Protocol):
    """All of it, opened and closed together."""

    @property
    def journal(self) -> Journal: ...

    @property
    def conversations(self) -> Conversations: ...

    @property
    def inboxes(self) -> Inboxes: ...

    @property
    def user_logs(self) -> UserLogs: ...

    @property
    def searches(self) -> Searches: ...

    @property
    def contents(self) -> Contents: ...

    @property
    def jobs(self) -> Jobs: ...

    @property
    def uploads(self) -> Uploads: ...
