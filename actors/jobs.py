"""The one runner of jobs: takes what is due, does it, and says how that went (AUTO-07).

It sleeps until the next job is due, and is woken when this engine adds one that is due earlier. For
what others add, it looks every `poll_s`. That is what LISTEN would spare, at the price of a
connection of its own, which a pooler in between would break; and who else adds jobs is rare, since
a database has one engine at a time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import structlog
import trio

from ..protocol.errors import Rejected
from ..protocol.events import Event
from ..protocol.jobs import Job, Tried
from .logs import stack
from .ports import Clock, Jobs, NewId

_log = structlog.get_logger("palaver.jobs")

_AGAIN_S: Final = 1.0

Handler = Callable[[Job], Awaitable[None]]
"""Does a job, however often it is asked to, once. Raises `Rejected` if it cannot: it is tried again
if that is retryable, and not before its `retry_after`."""


class Bell:
    """Wakes the runner when a job is stored that is due earlier than what it waits for."""

    def __init__(self) -> None:
        self._due = math.inf
        self._rung = trio.Event()

    def ring(self, due: float) -> None:
        """A job is stored, due at `due` (ms)."""
        if due < self._due:
            self._due = due
            self._rung.set()

    def ring_for(self, events: Iterable[Event]) -> None:
        """These are stored, with the jobs that follow from them."""
        for event in events:
            for job in event.jobs():
                self.ring(job.due)

    def silence(self) -> None:
        """Forget what was rung for: the jobs are about to be looked at."""
        self._due = math.inf

    async def wait(self, until: float, clock: Clock) -> None:
        """Until that time (ms), or the one that it is rung for since `silence` or meanwhile."""
        while (left := min(until, self._due) - clock()) > 0:
            self._rung = trio.Event()
            with trio.move_on_after(left / 1000):
                await self._rung.wait()


@dataclass(frozen=True, slots=True)
class JobLimits:
    """The bounds of the runner; `engine.settings.Jobs` says what each means."""

    concurrency: int = 256
    tries: int = 3
    backoff_s: float = 2.0
    lease_s: float = 60.0
    poll_s: float = 5.0


@dataclass(slots=True)
class JobCounters:
    """For metrics. `late_s`: how long after its time the last job began."""

    done: int = 0
    failed: int = 0
    dead: int = 0
    late_s: float = 0.0


class JobRunner:
    """At most `concurrency` jobs at a time. Each is cut off when half of its lease is over, so that
    nobody else has begun with it."""

    def __init__(
        self,
        jobs: Jobs,
        clock: Clock,
        new_id: NewId,
        bell: Bell,
        handlers: Mapping[str, Handler],
        limits: JobLimits,
        given_up: Mapping[str, Handler] = MappingProxyType({}),
    ) -> None:
        """`given_up` is told, by kind, of jobs that are; of one whose engines have all died over it
        nobody is."""
        self.counters = JobCounters()
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id
        self._bell = bell
        self._handlers = handlers
        self._given_up = given_up
        self._limits = limits
        self._running = 0
        self._ended: list[Tried] = []
        self._some_ended = trio.Event()
        self._some_settled = trio.Event()
        self._begun = False
        self._stopping = False
        self._stopped = trio.Event()

    async def stop(self) -> None:
        """Take nothing new; return when everything that was taken is settled."""
        self._stopping = True
        self._bell.ring(-math.inf)
        await self._stopped.wait()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._settle)
            while not self._stopping:
                await self._take(nursery)
            while self._running:
                await self._room()
            nursery.cancel_scope.cancel()
        self._stopped.set()

    async def _take(self, nursery: trio.Nursery) -> None:
        """Begin with what is due; then wait for what comes next, or for room."""
        limits, now = self._limits, self._clock()
        self._bell.silence()
        next_at: float = now + limits.poll_s * 1000
        try:
            if not self._begun:
                await self._jobs.reclaim(now)
                self._begun = True
            until = now + round(limits.lease_s * 1000)
            free = limits.concurrency - self._running
            taken = await self._jobs.take(now, free, until, limits.tries)
        except Rejected:
            next_at = now + _AGAIN_S * 1000  # the store is away
        except Exception as error:
            _log.error("no job can be taken", stack=stack(error))
        else:
            for job in taken.jobs:
                self._running += 1
                self.counters.late_s = (now - job.due) / 1000
                nursery.start_soon(self._do, job)
            if taken.more:
                # A statement for each job that ends would be dear: wait until there are several.
                while self._running > limits.concurrency // 2:
                    await self._room()
                return
            if taken.next is not None:
                next_at = min(next_at, taken.next)
        if not self._stopping:
            await self._bell.wait(next_at, self._clock)
        while self._running == limits.concurrency:
            await self._room()

    async def _room(self) -> None:
        """Until some are settled."""
        self._some_settled = trio.Event()
        await self._some_settled.wait()

    async def _do(self, job: Job) -> None:
        error, again, not_before = None, False, 0.0
        with trio.move_on_after(self._limits.lease_s / 2) as deadline:
            try:
                handler = self._handlers.get(job.kind)
                if handler is None:
                    raise Rejected("UNSUPPORTED_COMMAND")
                await handler(job)
            except Rejected as no:
                error, again, not_before = no.code, no.retryable, no.retry_after or 0.0
            except Exception as crash:
                correlation = self._new_id()
                _log.error("job failed", kind=job.kind, correlation=correlation, stack=stack(crash))
                error, again = f"INTERNAL {correlation}", True
        if deadline.cancelled_caught:
            error, again = "UNAVAILABLE", True
        tried = self._tried(job, error, again, not_before)
        if tried.error is not None and tried.again is None:
            await self._tell_given_up(replace(job, error=tried.error))
        self._ended.append(tried)
        self._some_ended.set()

    async def _tell_given_up(self, job: Job) -> None:
        """Before that is settled, so that it is told at least once."""
        tell = self._given_up.get(job.kind)
        if tell is None:
            return
        with trio.move_on_after(self._limits.lease_s / 4):
            while True:
                try:
                    await tell(job)
                    return
                except Rejected as no:
                    if not no.retryable:
                        break
                    await trio.sleep(_AGAIN_S)
                except Exception as error:
                    _log.error("telling failed", kind=job.kind, stack=stack(error))
                    return
        _log.warning("nobody was told of a job given up", kind=job.kind, job=job.id)

    def _tried(self, job: Job, error: str | None, again: bool, not_before: float) -> Tried:
        counters, limits = self.counters, self._limits
        if error is None:
            counters.done += 1
            return Tried(job)
        begun = error != "OVERLOADED"
        counters.failed += 1
        if not again or (begun and job.attempts >= limits.tries):
            counters.dead += 1
            _log.warning("job given up", kind=job.kind, job=job.id, tries=job.attempts, error=error)
            return Tried(job, error)
        wait_s = limits.backoff_s
        if begun:
            wait_s *= 4 ** (job.attempts - 1)
        wait_s = max(wait_s * random.uniform(0.75, 1.25), not_before * random.uniform(1.0, 1.25))
        return Tried(job, error, self._clock() + round(wait_s * 1000), begun)

    async def _settle(self) -> None:
        """All that ended during one statement go into the next."""
        while True:
            if not self._ended:
                self._some_ended = trio.Event()
                await self._some_ended.wait()
            ended, self._ended = self._ended, []
            try:
                await self._jobs.settle(ended)
            except Rejected:
                self._ended = ended + self._ended
                await trio.sleep(_AGAIN_S)
                continue
            except Exception as error:  # they are done again when their leases are over
                _log.error("jobs cannot be settled", stack=stack(error))
            for tried in ended:
                if tried.again is not None:
                    self._bell.ring(tried.again)
            self._running -= len(ended)
            self._some_settled.set()
