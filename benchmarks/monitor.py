"""What the engine uses and says of itself while it is under load, sampled beside the generator."""

from __future__ import annotations

import threading
import time
import urllib.request
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from .server import Server


@dataclass(frozen=True, slots=True)
class Sample:
    """`at` on the clock `time.perf_counter`; `metrics` by name, those of the wanted prefix."""

    at: float
    rss: int
    metrics: dict[str, float]


class Monitor:
    """Samples every `interval` seconds in a thread, from entering to leaving. An engine that does
    not answer shows no metrics; its memory is seen all the same."""

    def __init__(self, server: Server, prefix: str = "palaver_spool", interval: float = 0.5):
        self.samples: list[Sample] = []
        self._server = server
        self._prefix = prefix
        self._interval = interval
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def rss(self, begin: float, end: float) -> list[int]:
        """Bytes of memory of the engine from `begin` to `end`."""
        return [sample.rss for sample in self.samples if begin <= sample.at <= end]

    def peaks(self) -> dict[str, float]:
        """The greatest value of each metric."""
        found: dict[str, float] = {}
        for sample in self.samples:
            for name, value in sample.metrics.items():
                found[name] = max(value, found.get(name, value))
        return found

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            rss = self._server.rss()
            self.samples.append(Sample(time.perf_counter(), rss, self._metrics()))

    def _metrics(self) -> dict[str, float]:
        try:
            with urllib.request.urlopen(f"{self._server.http_url}/metrics", timeout=2) as answer:
                text: str = answer.read().decode()
        except OSError:
            return {}
        return metrics(text, self._prefix)


def metrics(text: str, prefix: str) -> dict[str, float]:
    """The figures whose names begin with `prefix`, of Prometheus' text format; labels are part of
    the name."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith(prefix))
    return {name: float(value) for name, _, value in lines}
