"""Writes on their way to disk, and the answers that wait for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ..protocol.commands import ConversationCommand
from ..protocol.records import Outcome, Write
from .outbox import Push
from .request import Request


class Pending:
    """One write, the pushes that belong to it, and the askers to be told of its end: more than
    one if the command was repeated meanwhile. `delayed` once they were told UNAVAILABLE."""

    __slots__ = ("_settled", "delayed", "outcomes", "pushes", "requests", "result", "write")

    def __init__(
        self,
        conversation: str,
        request: Request[ConversationCommand] | None,
        settled: Callable[[Pending], None],
    ) -> None:
        self.requests = [] if request is None else [request]
        self.result: dict[str, Any] = {}
        self.pushes: list[Push] = []
        self.outcomes: list[Outcome] = []
        self.delayed = False
        self._settled = settled
        self.write = Write(conversation, self._done)

    def _done(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._settled(self)


class Unsettled:
    """All writes of one conversation that are not yet stored, in order of seq."""

    def __init__(self) -> None:
        self._queue: deque[Pending] = deque()
        self._by_seq: dict[int, Pending] = {}
        self._held: deque[tuple[int, Request[ConversationCommand], Push | None]] = deque()

    def __len__(self) -> int:
        return len(self._queue) + len(self._held)

    def add(self, pending: Pending) -> None:
        self._queue.append(pending)
        for event in pending.write.events:
            self._by_seq[event.seq] = pending

    def remove(self, pending: Pending) -> None:
        self._queue.remove(pending)  # nearly always the first
        for event in pending.write.events:
            del self._by_seq[event.seq]

    def at(self, seq: int) -> Pending | None:
        """The write that the event at `seq` belongs to, if it is not yet stored."""
        return self._by_seq.get(seq)

    def hold(self, seq: int, request: Request[ConversationCommand], reply: Push | None) -> None:
        """Keep `reply` until everything up to `seq` is stored."""
        self._held.append((seq, request, reply))

    def release(self, stored: int) -> list[tuple[Request[ConversationCommand], Push | None]]:
        """The held replies that may go now."""
        released = []
        while self._held and self._held[0][0] <= stored:
            _, request, reply = self._held.popleft()
            released.append((request, reply))
        return released

    def waiting(self) -> list[Request[ConversationCommand]]:
        """Everybody who waits here, taken out: their writes go on without them."""
        requests = [request for pending in self._queue for request in pending.requests]
        requests += [request for _, request, _ in self._held]
        for pending in self._queue:
            pending.requests = []
            pending.delayed = True
        self._held.clear()
        return requests
