"""What the gateway counts, shown on the engine's registry beside the engine's own figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import trio
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ..actors.outbox import Push

WINDOW_S = 60.0


class Counters:
    """Plain integers, so that counting costs next to nothing; read when they are asked for.

    No label is chosen by a client: the codes are the server's own, or one of a few words.
    """

    def __init__(self, connections: Callable[[], int]) -> None:
        self._connections = connections
        self.opened = 0
        self.messages = 0
        self.replies = 0
        self.dropped = 0
        self.refused: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._samples = [(trio.current_time(), 0, 0)]

    def replied(self, replies: Sequence[Push]) -> None:
        self.replies += len(replies)
        for reply in replies:
            if (error := reply.item.get("error")) is not None:
                self.errors[error["code"]] += 1

    def rates(self) -> dict[str, object]:
        """Replies and errors since the latest time of asking that lies a minute back, or since the
        beginning."""
        now = trio.current_time()
        errors = self.errors.total()
        samples = self._samples
        while len(samples) > 1 and samples[1][0] <= now - WINDOW_S:
            del samples[0]
        since, replies_then, errors_then = samples[0]
        if now - samples[-1][0] >= 1.0:
            samples.append((now, self.replies, errors))
        replied, failed = self.replies - replies_then, errors - errors_then
        return {
            "seconds": round(now - since, 1),
            "replies": replied,
            "errors": failed,
            "error_rate": round(failed / replied, 4) if replied else 0.0,
        }

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "palaver_connections", "Sockets open", value=float(self._connections())
        )
        yield _counter("connections_opened", "WebSocket handshakes that succeeded", self.opened)
        yield _counter("messages_received", "WebSocket messages from clients", self.messages)
        yield _counter("replies", "Replies to commands", self.replies)
        yield _counter("signals_dropped", "Signals left out for slow clients", self.dropped)
        yield _labelled("handshakes_refused", "HTTP answers other than 101", "status", self.refused)
        yield _labelled("connections_closed", "Ends of connections", "code", self.closed)
        yield _labelled("http_requests", "Requests with a token, answered", "status", self.requests)
        yield _labelled("errors", "Replies that say no", "code", self.errors)


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"palaver_{name}", text, value=float(value))


def _labelled(name: str, text: str, label: str, values: Counter[str]) -> Metric:
    family = CounterMetricFamily(f"palaver_{name}", text, labels=[label])
    for key, value in list(values.items()):
        family.add_metric([key], float(value))
    return family
