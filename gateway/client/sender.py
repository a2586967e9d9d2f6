"""Sends what the outbox holds: of each conversation one command at a time, the oldest first.

The next one leaves when this one has its answer, so none overtakes another, whatever is refused
or repeated on the way. Conversations do not wait for each other, except for the user's rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import trio

from ...protocol.errors import Rejected
from .calls import WINDOW, Calls, may_have_happened
from .errors import CallTimeout, ClientEnded, ConnectionLost, Expired
from .inbox import Inbox
from .outbox import Outbox
from .outgoing import Lane, Outgoing
from .pushes import Failed, Sent
from .reconnect import delay, exponential

SLOTS = WINDOW // 2
"""Commands in flight; the other half of the window is for calls."""


class Sender:
    """`tells`: what becomes of a command is pushed, in line with the events that it led to."""

    def __init__(
        self,
        outbox: Outbox,
        calls: Calls,
        inbox: Inbox,
        random: Callable[[], float],
        *,
        tells: bool,
    ) -> None:
        self._outbox = outbox
        self._calls = calls
        self._inbox = inbox
        self._random = random
        self._tells = tells
        self._slots = trio.Semaphore(SLOTS)
        self._lanes: dict[Lane, deque[Outgoing]] = {}
        self._nursery: trio.Nursery | None = None
        self._why: Callable[[], ClientEnded] | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Begin with what was left from the last time."""
        self._nursery = nursery
        for outgoing in self._outbox.waiting:
            self._add(outgoing)

    async def enqueue(self, outgoing: Outgoing) -> Outgoing:
        kept = await self._outbox.keep(outgoing)
        if kept is outgoing:
            self._add(outgoing)
        return kept

    def end(self, why: Callable[[], ClientEnded]) -> None:
        """This client sends nothing any more; what is kept stays so."""
        self._why = why
        for outgoing in self._outbox.waiting:
            outgoing.fail(why())

    def _add(self, outgoing: Outgoing) -> None:
        if self._why is not None:
            outgoing.fail(self._why())
        elif (waiting := self._lanes.get(outgoing.lane)) is not None:
            waiting.append(outgoing)
        else:
            assert self._nursery is not None, "the outbox is open, so the client runs"
            waiting = self._lanes[outgoing.lane] = deque([outgoing])
            self._nursery.start_soon(self._serve, outgoing.lane, waiting)

    async def _serve(self, lane: Lane, waiting: deque[Outgoing]) -> None:
        while waiting:
            outgoing = waiting[0]
            try:
                await self._send(outgoing)
            except ClientEnded:
                return
            except (Rejected, Expired) as error:
                self._failed(outgoing, error)
            await self._outbox.drop(waiting.popleft())
        del self._lanes[lane]

    async def _send(self, outgoing: Outgoing) -> None:
        """Until it has its answer. Raises a final `Rejected`, `Expired` or `ClientEnded`."""
        for bound in exponential():
            with trio.move_on_at(outgoing.deadline) as patience:
                await self._slots.acquire()
            if patience.cancelled_caught:
                raise self._expired(outgoing)
            try:
                rejection = await self._try(outgoing)
                if rejection is None:
                    return
                wait = delay(bound, self._random, rejection.retry_after)
                again = min(trio.current_time() + wait, outgoing.deadline)
                if rejection.code == "RATE_LIMITED":
                    await trio.sleep_until(again)  # it is the user's rate: more would be refused
            finally:
                self._slots.release()
            await trio.sleep_until(again)

    async def _try(self, outgoing: Outgoing) -> Rejected | None:
        """The no after which it may be tried again, if any."""
        command = outgoing.name, outgoing.payload, outgoing.conversation
        then = partial(self._sent, outgoing)
        while True:
            self._inbox.poke()
            timeout = max(outgoing.deadline - trio.current_time(), 0.0)
            try:
                await self._calls.perform(*command, timeout=timeout, then=then)
            except Rejected as rejection:
                if not rejection.retryable:
                    raise
                if may_have_happened(rejection):
                    outgoing.may_have_happened()
                return rejection
            except CallTimeout as late:
                if late.sent:
                    outgoing.may_have_happened()
                raise self._expired(outgoing, sent=late.sent) from None
            except ConnectionLost:
                pass  # it cannot say that it is a repetition, and need not
            else:
                return None

    def _expired(self, outgoing: Outgoing, *, sent: bool = False) -> Expired:
        sent = sent or outgoing.payload.get("attempt", 1) > 1
        return Expired(outgoing.name, outgoing.payload, outgoing.conversation, sent=sent)

    def _sent(self, outgoing: Outgoing, result: dict[str, Any]) -> None:
        outgoing.succeed(result)
        if self._tells:
            self._inbox.force(Sent(outgoing, result))

    def _failed(self, outgoing: Outgoing, error: Exception) -> None:
        outgoing.fail(error)
        if self._tells:
            self._inbox.force(Failed(outgoing, error))
