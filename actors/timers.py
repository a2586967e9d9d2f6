"""What somebody does that lasts: told when it begins, and when it ends of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import trio

from ..protocol.commands import Emit, Hide, Show
from .fanout import FanOut

_FORGET = 64
"""Of so many that are over, it is looked whether they may be forgotten."""


@dataclass(slots=True)
class _Shown:
    off: Emit
    ends_at: float


class Timers:
    """What is shown in one conversation, by key; `fanout` tells the subscribers (RCPT-12, RCPT-13).

    What nobody would hear of is not kept either: there is no end of threads that one could name.
    What was told less than `every_s` ago is not told again: shown meanwhile, it only goes on, and
    if it is over, it stays so. Whoever goes on repeats it, and is heard then.
    """

    __slots__ = ("_fanout", "_quiet", "_shown", "deadline")

    def __init__(self, fanout: FanOut) -> None:
        self._fanout = fanout
        self._shown: dict[str, _Shown] = {}
        self._quiet: dict[str, float] = {}
        self.deadline = math.inf
        """when to `fire`, in trio's time: nothing ends before"""

    def __bool__(self) -> bool:
        """Whether anything will end of itself."""
        return bool(self._shown)

    def carry_out(self, effect: Show | Hide) -> None:
        if isinstance(effect, Hide):
            if effect.key in self._shown:
                self._end(effect.key)
        elif self._fanout.hears(effect.thread):
            self._show(effect)

    def _show(self, show: Show) -> None:
        now = trio.current_time()
        shown = self._shown.get(show.key)
        if now >= self._quiet.get(show.key, -math.inf):
            self._be_quiet(show.key, now, show.every_s)
            self._fanout.signals([Emit(show.on, show.by, show.thread, without=show.without)])
        elif shown is None:
            return
        ends_at = now + show.ttl_s
        off = Emit(show.off, show.by, show.thread, without=show.without)
        self._shown[show.key] = _Shown(off, ends_at)
        self.deadline = min(self.deadline, ends_at)

    def fire(self) -> None:
        """End what is due."""
        now = trio.current_time()
        if now < self.deadline:
            return
        for key in [key for key, each in self._shown.items() if each.ends_at <= now]:
            self._end(key)
        self.deadline = min((each.ends_at for each in self._shown.values()), default=math.inf)

    def _end(self, key: str) -> None:
        self._fanout.signals([self._shown.pop(key).off])

    def _be_quiet(self, key: str, now: float, every_s: float) -> None:
        if len(self._quiet) >= max(_FORGET, 2 * len(self._shown)):
            self._quiet = {key: until for key, until in self._quiet.items() if until > now}
        if every_s:
            self._quiet[key] = now + every_s
