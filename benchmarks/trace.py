"""What became of each message that was sent on a schedule."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that `percent` of them do not exceed; NaN of
    none."""
    if not values:
        return math.nan
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the messages that were due in some span of time. Latencies in ms, from when a message was
    due, not from when the generator got round to sending it."""

    sent: int
    errors: dict[str, int]
    unanswered: int
    late_p99: float
    """What of the latencies is the generator's own: it got round to sending so late."""
    reply_p50: float
    reply_p99: float
    reply_max: float
    delivery_p50: float
    delivery_p99: float


class Trace:
    """Message k was due at k / `rate` seconds. Times are in seconds since the beginning."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.sent = 0
        self.answered = 0
        self.lateness = array("d")
        self.reply_latency = array("d")
        self.errors: dict[int, str] = {}
        self.places: dict[int, tuple[str, int]] = {}
        """Where the reply says that it stands: conversation, seq."""
        self._delivered = array("L")
        self._delivery_latency = array("d")

    def due(self, k: int) -> float:
        return k / self.rate

    def add(self, at: float) -> int:
        """The number of one more, sent now."""
        self.lateness.append(at - self.due(self.sent))
        self.reply_latency.append(math.nan)
        self.sent += 1
        return self.sent - 1

    def replied(self, k: int, at: float, place: tuple[str, int]) -> None:
        self._answered(k, at)
        self.places[k] = place

    def refused(self, k: int, at: float, code: str) -> None:
        self._answered(k, at)
        self.errors[k] = code

    def delivered(self, k: int, at: float) -> None:
        """To one device."""
        self._delivered.append(k)
        self._delivery_latency.append(at - self.due(k))

    @property
    def deliveries(self) -> int:
        return len(self._delivered)

    def summary(self, begin: float = 0.0, end: float = math.inf) -> Summary:
        """Of what was due from `begin` to before `end`."""
        ks = [k for k in range(self.sent) if begin <= self.due(k) < end]
        replies = [each for k in ks if not math.isnan(each := self.reply_latency[k])]
        deliveries = [
            latency
            for k, latency in zip(self._delivered, self._delivery_latency, strict=True)
            if begin <= self.due(k) < end
        ]
        return Summary(
            len(ks),
            dict(Counter(self.errors[k] for k in ks if k in self.errors)),
            len(ks) - len(replies),
            1000 * percentile([self.lateness[k] for k in ks], 99),
            *(1000 * percentile(replies, percent) for percent in (50, 99, 100)),
            *(1000 * percentile(deliveries, percent) for percent in (50, 99)),
        )

    def _answered(self, k: int, at: float) -> None:
        if math.isnan(self.reply_latency[k]):
            self.answered += 1
            self.reply_latency[k] = at - self.due(k)
