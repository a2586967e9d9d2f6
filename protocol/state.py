"""The bounded state of one conversation: what `decide` reads and `apply` changes.

Never the messages: members, marks, counters, title and the slices of features. It is the same
whether it grew live, was replayed from the log, or was restored from a snapshot and a tail
(HIST-13); a property test holds it to that.

Counting, without ever looking at the messages: the countable ones carry a `number`. For a member

    unread = number - read_number - excluded

where `excluded` is how many countable messages after the mark are deleted or void. Own messages
never count, because sending moves one's own marks. What a member has hidden for themselves counts
for them no more (`Hidden`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from .last import last_of
from .message import Message
from .people import Aloof, Bar, RequestStatus
from .roles import PERMISSIONS, Least, Permission, Role

Kind = Literal["direct", "group", "thread", "external_group"]
"""`thread` is a group that is about something; the members of an `external_group` are the host's
to say. All are one model: only what one may do in them differs (CONV-01, GRP-17)."""
STATE_VERSION = 2
"""Of the snapshot's form. A snapshot of another version is ignored: the log is replayed instead."""

T = TypeVar("T")


@dataclass(slots=True)
class Member:
    """One user's place. `role` is None for somebody who has left.

    `intervals` are [joined, left] pairs of seq, both inclusive; the last one is open (None) for a
    current member. `read_n` and `delivered_n` number the moves of all marks of the conversation,
    so that a device can ask for the marks that moved after the last one it knows; 0 where an event
    put the mark (joining, an own message), since that event tells.
    """

    role: Role | None = None
    intervals: list[list[int | None]] = field(default_factory=list)
    read_seq: int = 0
    read_number: int = 0
    read_at: int = 0
    read_n: int = 0
    excluded: int = 0
    delivered_seq: int = 0
    delivered_at: int = 0
    delivered_n: int = 0
    sent_seq: int = 0
    """of the last countable message that the user has sent"""

    def join(self, role: Role, seq: int, number: int, at: int) -> None:
        """A member from the event at `seq` on, who has read and received all that came before."""
        self.role = role
        self.intervals.append([seq, None])
        self.read_seq = self.delivered_seq = seq
        self.read_at = self.delivered_at = at
        self.read_n = self.delivered_n = 0
        self.read_number = number
        self.excluded = 0

    def sees(self, seq: int) -> bool:
        """Whether the event at `seq` falls into a time of membership (HIST-11)."""
        return any(
            first is not None and first <= seq and (last is None or seq <= last)
            for first, last in self.intervals
        )


@dataclass(slots=True)
class Hidden:
    """What one member has hidden from themselves: everything up to `seq`, where the conversation's
    number was `number` (CONV-13), and single messages, each with whether it counts as unread for
    the others (MSG-09). `excluded` are the countable ones after `seq` that are deleted or void.
    """

    seq: int = 0
    number: int = 0
    excluded: int = 0
    messages: dict[int, bool] = field(default_factory=dict)

    def shows(self, seq: int) -> bool:
        return seq > self.seq and seq not in self.messages

    def exclude(self, seq: int, by: int) -> None:
        if seq > self.seq:
            self.excluded += by
        if seq in self.messages:
            self.messages[seq] = by < 0

    def uncounted(self, seq: int, number: int, excluded: int) -> int:
        """How many up to the head count no more for whoever has read up to `seq`, where the number
        was `number` and after which `excluded` do not count."""
        if seq < self.seq:
            seq, number, excluded = self.seq, self.number, self.excluded
        return number + excluded + sum(counts for at, counts in self.messages.items() if at > seq)


@dataclass(slots=True)
class Ahead:
    """Where a mark has moved to before that is stored or told to anybody else (RCPT-09)."""

    seq: int
    number: int
    excluded: int
    at: int


@dataclass(slots=True)
class ConversationState:
    """`seq` is the last applied event, 0 before the conversation exists.

    `epoch` and `starts_after` (the head at the start of epoch 2, 3, …) belong to the history of
    this conversation's openings and are kept beside the snapshot, not in it. So are the private
    facts of members: what some have `hidden`, whose marks are told to nobody (`reticent`), and who
    of a direct conversation keeps the other out (`aloof`).
    `permissions` is the product's table, and `reach` its word on how far back users may look: since
    when, in milliseconds (HIST-10). They are no state at all: whoever makes a state to decide upon
    puts them here.
    """

    id: str
    kind: Kind = "group"
    profile: str = "default"
    seq: int = 0
    number: int = 0
    numbered_seq: int = 0
    """seq of the last countable message"""
    title: str | None = None
    creator: str | None = None
    created_at: int = 0
    changed_at: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    member_count: int = 0
    last: dict[str, Any] | None = None
    """the last message, as the inbox shows it (`last.py`)"""
    marks: int = 0
    """how many times any mark has moved"""
    ahead: dict[tuple[str, str], Ahead] = field(default_factory=dict)
    """by user and kind, marks that wait to be stored: no part of the snapshot, and seen by nobody
    but the user, whose unread count they rule"""
    slices: dict[str, Any] = field(default_factory=dict)
    epoch: int = 1
    starts_after: list[int] = field(default_factory=list)
    hidden: dict[str, Hidden] = field(default_factory=dict)
    reticent: set[str] = field(default_factory=set)
    aloof: dict[str, Aloof] = field(default_factory=dict)
    permissions: Mapping[Permission, Least] = field(
        default_factory=lambda: PERMISSIONS, compare=False, repr=False
    )
    reach: Callable[[str], int] | None = field(default=None, compare=False, repr=False)

    @property
    def exists(self) -> bool:
        return self.seq > 0

    def unread(self, user: str) -> int:
        ahead = self.read_ahead(user) if self.ahead else None
        if ahead is None:
            member = self.members[user]
            seq, number, excluded = member.read_seq, member.read_number, member.excluded
        else:
            seq, number, excluded = ahead.seq, ahead.number, ahead.excluded
        if self.hidden and (hidden := self.hidden.get(user)) is not None:
            return self.number - hidden.uncounted(seq, number, excluded)
        return self.number - number - excluded

    def shows(self, user: str, seq: int) -> bool:
        """Whether the message at `seq`, if it is meant for all, is there for `user`: sent in their
        time as a member (HIST-11), and not hidden by themselves."""
        member = self.members.get(user)
        return member is not None and member.sees(seq) and not self.hides(user, seq)

    def may_see(self, user: str, message: Message) -> bool:
        """Whether `message` is there for `user`: the same, and it is meant for them, and not older
        than what they may look back to."""
        return (
            message.is_for(user)
            and self.shows(user, message.seq)
            and not self.outreaches(user, message.at)
        )

    def outreaches(self, user: str, at: int) -> bool:
        """Whether a message of the time `at` is older than what `user` may look back to."""
        return self.reach is not None and at < self.reach(user)

    def hides(self, user: str, seq: int) -> bool:
        """Whether `user` has hidden the message at `seq` from themselves."""
        hidden = self.hidden.get(user) if self.hidden else None
        return hidden is not None and not hidden.shows(seq)

    def last_for(self, user: str) -> dict[str, Any] | None:
        """The last message that was meant for `user`, if they may see it."""
        last = None if self.last is None else last_of(self.last, user)
        if last is None or not self.shows(user, last["seq"]) or self.outreaches(user, last["ts"]):
            return None
        return last

    def read_ahead(self, user: str) -> Ahead | None:
        """The user's read mark, if it is ahead of the one that the others know."""
        ahead = self.ahead.get((user, "read"))
        return ahead if ahead is not None and ahead.seq > self.members[user].read_seq else None

    def has_member(self, user: str) -> bool:
        """Whether `user` is a member now."""
        member = self.members.get(user)
        return member is not None and member.role is not None

    def current_members(self) -> list[str]:
        return [user for user, member in self.members.items() if member.role is not None]

    def set_bar(self, user: str, bar: Bar | None) -> None:
        """`user` keeps the other one out from now on, or does not."""
        self._set_aloof(user, replace(self.aloof.get(user, Aloof()), bar=bar))

    def set_request(
        self, user: str, status: RequestStatus | None, *, asked: bool | None = None
    ) -> None:
        """The conversation is a request to `user`, or is no more."""
        aloof = self.aloof.get(user, Aloof())
        asked = aloof.asked if asked is None else asked
        self._set_aloof(user, replace(aloof, request=status, asked=asked))

    def request_to(self, user: str) -> RequestStatus | None:
        aloof = self.aloof.get(user) if self.aloof else None
        return None if aloof is None else aloof.request

    def is_asked(self, user: str) -> bool:
        """Whether it is a request that `user` has not accepted, as its sender may know."""
        return self.request_to(user) is not None and self.aloof[user].asked

    def asks(self, user: str) -> bool:
        """Whether it is such a request of `user`."""
        return bool(self.aloof) and any(name != user and self.is_asked(name) for name in self.aloof)

    def _set_aloof(self, user: str, aloof: Aloof) -> None:
        if aloof.bar is None and aloof.request is None:
            self.aloof.pop(user, None)
        else:
            self.aloof[user] = aloof

    def exclude(
        self,
        seq: int,
        audience: Collection[str] | None = None,
        *,
        outside: bool = False,
        by: Literal[1, -1] = 1,
    ) -> None:
        """The countable message at `seq` does not count, any longer, for whoever has not read it:
        for those of its `audience`, to whom it did; or for those `outside` of that. `by` -1: it
        does so again.

        What lies after a member's mark they also see, since joining puts the mark.
        """

        def concerns(user: str) -> bool:
            return audience is None or (user in audience) is not outside

        for user, member in self.members.items():
            if member.read_seq < seq and concerns(user):
                member.excluded += by
        for user, hidden in self.hidden.items():
            if concerns(user):
                hidden.exclude(seq, by)
        for (user, _), ahead in self.ahead.items():
            if ahead.seq < seq and concerns(user):
                ahead.excluded += by

    def sent_by(self, user: str | None, seq: int, number: int, at: int) -> None:
        """A countable message: it takes `number` and moves its sender's own marks."""
        self.number = number
        self.numbered_seq = seq
        member = self.members.get(user) if user is not None else None
        if member is not None:
            member.read_seq = member.delivered_seq = member.sent_seq = seq
            member.read_at = member.delivered_at = at
            member.read_n = member.delivered_n = 0
            member.read_number = number
            member.excluded = 0

    def snapshot(self) -> dict[str, Any]:
        """As plain values, to be stored; `restore` is the inverse."""
        return {
            "kind": self.kind,
            "profile": self.profile,
            "seq": self.seq,
            "number": self.number,
            "numbered_seq": self.numbered_seq,
            "title": self.title,
            "creator": self.creator,
            "created_at": self.created_at,
            "changed_at": self.changed_at,
            "members": {
                user: [
                    m.role,
                    [list(interval) for interval in m.intervals],
                    *(m.read_seq, m.read_number, m.read_at, m.read_n, m.excluded),
                    *(m.delivered_seq, m.delivered_at, m.delivered_n, m.sent_seq),
                ]
                for user, m in self.members.items()
            },
            "last": self.last,
            "marks": self.marks,
            "slices": deepcopy(self.slices),
        }

    @classmethod
    def restore(cls, id: str, data: dict[str, Any]) -> ConversationState:
        values = dict(data)
        values["members"] = {user: Member(*fields) for user, fields in data["members"].items()}
        state = cls(id, **values)
        state.member_count = len(state.current_members())
        return state


class Slice(Generic[T]):
    """A feature's own part of the state, under the feature's name.

    The value must be made of what JSON knows, since it travels in snapshots; a `public` one also
    travels to the client in `conversation.get`: all of it, or what `view` lets a user see.
    """

    def __init__(
        self,
        name: str,
        default: Callable[[], T],
        *,
        public: bool = False,
        view: Callable[[T, ConversationState, str], T] = lambda value, state, user: value,
    ) -> None:
        self.name = name
        self.default = default
        self.public = public
        self.view = view

    def of(self, state: ConversationState) -> T:
        """The slice for reading."""
        value: T | None = state.slices.get(self.name)
        return self.default() if value is None else value

    def change(self, state: ConversationState) -> T:
        """The slice for changing in place, in `apply`."""
        value: T = state.slices.setdefault(self.name, self.default())
        return value
