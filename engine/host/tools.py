"""What a port is made with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import trio

from ...actors.ports import Clock
from ...protocol.policy import Policy
from ..clock import SystemClock
from ..metrics import Metrics
from ..sections import Host
from ..storage import StartupError
from .asking import Asking
from .callback import Callback
from .claims import Claims
from .facts import Facts

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Tools:
    """`calls` are there if the settings say where to."""

    settings: Host
    policy: Policy
    nursery: trio.Nursery
    metrics: Metrics
    claims: Claims
    calls: Callback | None
    now: Clock = field(default_factory=SystemClock)

    @property
    def callback(self) -> Callback:
        """For a port that cannot do without. Raises `StartupError`."""
        if self.calls is None:
            raise StartupError("a callback needs an address: set host.url and host.secret")
        return self.calls

    def asking(self, what: str) -> Asking:
        """A way to ask; `what` is for log and metrics."""
        count = self.metrics.host_unanswered.labels(asked=what).inc
        return Asking(what, self.settings, count)

    def facts(
        self,
        what: str,
        ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        ttl_s: float | None = None,
    ) -> Facts[K, V]:
        """The host's words as `ask` gets them, remembered: for `ttl_s`, by default as long as the
        settings say of all ports."""
        return Facts(ask, self.asking(what), self.nursery, self.settings, ttl_s)
