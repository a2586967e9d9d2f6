"""When to look after something although nothing comes in: one task and one heap for all actors.

A cancel scope round every wait would cost each lone message a tenth of its time, to say nearly
always «not yet». Here moving an alarm to a later time is an assignment: the entry in the heap stays
where it is, and when it comes up the alarm is only put back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

import trio


class Alarm:
    """Calls `wake` at its time, or somewhat later, once; then it is silent until it is set again.
    `wake` must neither wait nor raise."""

    __slots__ = ("_alarms", "_due", "_entered", "_wake")

    def __init__(self, alarms: Alarms, wake: Callable[[], None]) -> None:
        self._alarms = alarms
        self._wake = wake
        self._due = math.inf
        self._entered = math.inf

    def set(self, at: float) -> None:
        """For `at`, in trio's time, instead of what it was set for; infinity is never."""
        self._due = at
        if at < self._entered:
            self._enter()

    def _enter(self) -> None:
        self._entered = self._due
        self._alarms.enter(self._due, self)

    def come_up(self, at: float, now: float) -> None:
        """For `Alarms` only: its entry for `at` is due."""
        if at != self._entered:
            return  # it has been set for an earlier time, which has passed
        self._entered = math.inf
        if self._due <= now:
            self._due = math.inf
            self._wake()
        elif self._due < math.inf:
            self._enter()


class Alarms:
    """`run` is the task of all alarms."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Alarm]] = []
        self._numbers = count()
        self._earlier = trio.Event()

    def __len__(self) -> int:
        """Entries in the heap."""
        return len(self._heap)

    def enter(self, at: float, alarm: Alarm) -> None:
        """For `Alarm` only."""
        heappush(self._heap, (at, next(self._numbers), alarm))
        if self._heap[0][2] is alarm:
            self._earlier.set()

    async def run(self) -> None:
        while True:
            now = trio.current_time()
            while self._heap and self._heap[0][0] <= now:
                at, _, alarm = heappop(self._heap)
                alarm.come_up(at, now)
            self._earlier = trio.Event()
            with trio.move_on_at(self._heap[0][0] if self._heap else math.inf):
                await self._earlier.wait()
