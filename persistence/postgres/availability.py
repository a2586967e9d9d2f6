"""Whether Postgres answers, told to everybody who would otherwise wait for it one by one.

A broken connection is a suspicion, and so is an answer that takes longer than `stall_s`: a stalled
server (stopped, cut off, its disk hanging) says nothing. A probe on a connection of its own then
decides, so that neither one lost connection nor a long query is taken for an outage.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import structlog
import trio

from .errors import DatabaseError, database_errors

_log = structlog.get_logger(__name__)

_PAUSE_S: Final = 0.25

Probe = Callable[[], Awaitable[None]]
"""Asks the server something; raises `DatabaseError` if it does not answer."""


class Availability:
    """`away` from the probe that Postgres did not answer until it has answered one, or stored a
    batch. Works while `run` runs."""

    def __init__(self, probe: Probe, stall_s: float) -> None:
        self.problem: str | None = None
        self.changed: Callable[[], None] = lambda: None
        """called when it was lost or found"""
        self._away_since: float | None = None
        self._probe = probe
        self._stall_s = stall_s
        self._under_way: dict[object, float] = {}
        self._readers: set[trio.CancelScope] = set()
        self._suspected = False
        self._idle = False
        self._wake = trio.Event()

    @property
    def away(self) -> bool:
        return self._away_since is not None

    def away_for(self) -> float:
        """Seconds; 0 if it is not away."""
        return 0.0 if self._away_since is None else trio.current_time() - self._away_since

    def suspect(self) -> None:
        """It may be gone: ask it now."""
        self._suspected = True
        self._wake.set()

    def lost(self, problem: str) -> None:
        """It is gone; every read under way is given up."""
        if not self.away:
            _log.warning("Postgres is away", problem=problem)
            self._away_since = trio.current_time()
        self.problem = problem
        for scope in self._readers:
            scope.cancel()
        self._wake.set()
        self.changed()

    def found(self) -> None:
        """It has answered."""
        if self.away:
            _log.info("Postgres is back")
            self._away_since = self.problem = None
            self.changed()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Round work that Postgres does for us."""
        key = object()
        if self._idle:
            self._wake.set()  # there is something to watch
        self._under_way[key] = trio.current_time()
        try:
            yield
        finally:
            del self._under_way[key]

    @contextmanager
    def reading(self) -> Iterator[trio.CancelScope]:
        """Likewise, but given up when Postgres is lost: then the scope has caught that."""
        with self.working(), trio.CancelScope() as scope:
            self._readers.add(scope)
            try:
                yield scope
            finally:
                self._readers.discard(scope)

    async def run(self) -> NoReturn:
        """Watch what is under way, and look out for a server that is away."""
        while True:
            self._wake = trio.Event()
            self._idle = not self._under_way and not self.away
            if not self._suspected:
                with trio.move_on_after(math.inf if self._idle else _PAUSE_S):
                    await self._wake.wait()
            if self._suspected or self.away or self._stalled():
                self._suspected = False
                await self._ask()

    def _stalled(self) -> bool:
        # The first one is the oldest: they are in the order of their beginning.
        oldest = next(iter(self._under_way.values()), None)
        return oldest is not None and oldest + self._stall_s <= trio.current_time()

    async def _ask(self) -> None:
        try:
            with database_errors(), trio.fail_after(self._stall_s):
                await self._probe()
        except trio.TooSlowError:
            self.lost("it does not answer")
        except DatabaseError as error:
            self.lost(str(error))
        else:
            self.found()
