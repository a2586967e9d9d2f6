"""What a port is made with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import trio

from ...protocol.policy import Policy
from ..metrics import Metrics
from ..settings import Host
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
        self, what: str, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]
    ) -> Facts[K, V]:
        """The host's words as `ask` gets them, remembered."""
        return Facts(ask, self.asking(what), self.nursery, self.settings)
