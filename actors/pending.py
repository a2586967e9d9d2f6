"""Writes on their way to disk, and the answers that wait for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..protocol.commands import ConversationCommand, Emit, Notify
from ..protocol.errors import Rejected
from ..protocol.events import Event
from ..protocol.immutable import immutable
from ..protocol.machine import Mark
from ..protocol.message import Overlay
from ..protocol.records import Head, MemberRow, NewConversation, Outcome, Snapshot, Write
from .outbox import Push
from .request import Request


class ForeignWriter(Exception):
    """Somebody else writes this conversation, so this engine must not."""


@immutable
class Held:
    """An answer to be given only once all that it rests upon is stored."""

    give: Callable[[], None]
    refuse: Callable[[Rejected], None]


class Pending:
    """What one command changes, with the pushes and signals that belong to it, and the askers to be
    told of its end: more than one if the command was repeated meanwhile. `delayed` once they were
    told UNAVAILABLE; `durable` once it is in the spool. `held` are answers that rest upon it. With
    each push go the users who are members no longer.

    `write` makes what goes to the journal. That knows this one, by `done`, and not the other way
    round: else each message would leave a cycle behind for the garbage collector.
    """

    __slots__ = (
        "_settled",
        "conversation",
        "created",
        "delayed",
        "durable",
        "events",
        "head",
        "held",
        "marks",
        "members",
        "overlays",
        "pushes",
        "receipts",
        "requests",
        "result",
        "signals",
        "snapshot",
    )

    def __init__(
        self,
        conversation: str,
        request: Request[ConversationCommand] | None,
        settled: Callable[[Pending, Outcome], None],
    ) -> None:
        self.conversation = conversation
        self.requests = () if request is None else (request,)
        self.result: dict[str, Any] = {}
        self.events: list[Event] = []
        self.pushes: list[tuple[Push, tuple[str, ...]]] = []
        self.head: Head | None = None
        # Most writes have none of these.
        self.marks: Sequence[Mark] = ()
        self.overlays: tuple[Overlay, ...] = ()
        self.members: tuple[MemberRow, ...] = ()
        self.created: NewConversation | None = None
        self.snapshot: Snapshot | None = None
        self.receipts: Sequence[Emit] = ()
        self.signals: Sequence[Emit | Notify] = ()
        self.held: tuple[Held, ...] = ()
        self.delayed = False
        self.durable = False
        self._settled = settled

    @property
    def audience(self) -> tuple[str, ...] | None:
        """Who may see its last event, if not everybody."""
        return self.events[-1].audience if self.events else None

    def write(self) -> Write:
        return Write(
            self.conversation,
            self._done,
            self.events,
            self.head,
            self.overlays,
            self.marks,
            self.members,
            self.created,
            self.snapshot,
        )

    def _done(self, outcome: Outcome) -> None:
        self._settled(self, outcome)

    def hold(self, answer: Held) -> None:
        self.held = (*self.held, answer)

    def give_held(self) -> None:
        held, self.held = self.held, ()
        for answer in held:
            answer.give()

    def refuse_held(self, error: Rejected) -> None:
        held, self.held = self.held, ()
        for answer in held:
            answer.refuse(error)


class Unsettled:
    """All writes of one conversation that are not yet stored, in order of seq."""

    def __init__(self) -> None:
        self._queue: deque[Pending] = deque()
        self._by_seq: dict[int, Pending] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, pending: Pending) -> None:
        self._queue.append(pending)
        for event in pending.events:
            self._by_seq[event.seq] = pending

    def remove(self, pending: Pending) -> None:
        if self._queue[0] is pending:  # nearly always
            self._queue.popleft()
        else:
            self._queue.remove(pending)
        for event in pending.events:
            del self._by_seq[event.seq]

    def at(self, seq: int) -> Pending | None:
        """The write that the event at `seq` belongs to, if it is not yet stored."""
        return self._by_seq.get(seq)

    @property
    def durable(self) -> bool:
        """Whether all of them are in the spool, or there are none."""
        return not self._queue or self._queue[-1].durable  # they get there in order

    def hold(self, answer: Held) -> None:
        """Keep `answer` until everything that is here now is durable."""
        self._queue[-1].hold(answer)

    def refuse_held(self, error: Rejected) -> None:
        for pending in self._queue:
            pending.refuse_held(error)

    def give_up_waiting(self) -> list[Request[ConversationCommand]]:
        """Everybody who waits for a write, taken out: their writes go on without them."""
        requests = [request for pending in self._queue for request in pending.requests]
        for pending in self._queue:
            pending.requests = ()
            pending.delayed = True
        return requests
