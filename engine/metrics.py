"""What is measured. Depths and counts are read when asked for, so they cost nothing before.

Names follow Prometheus: base units, `_total` for counters. No label holds an id (SEC-15).
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ..actors.environment import Environment
from ..actors.jobs import JobCounters
from ..actors.registry import Registry

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """`registry` is what `/metrics` shows; a host may register more on it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commit_seconds = Histogram(
            "palaver_commit_seconds",
            "Time from handing a batch to the database until it is durable",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_rows = Histogram(
            "palaver_commit_rows",
            "Rows of one commit",
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
            registry=self.registry,
        )

        self.host_unanswered = Counter(
            "palaver_host_unanswered",
            "Questions to the product that were not answered, or not asked since it was away",
            ["asked"],
            registry=self.registry,
        )

    def watch(self, env: Environment, registry: Registry, jobs: JobCounters) -> None:
        """From now on show the depths of these actors."""
        self.registry.register(_Actors(env, registry, jobs))


class _Actors:
    def __init__(self, env: Environment, registry: Registry, jobs: JobCounters) -> None:
        self._env = env
        self._registry = registry
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        env, registry = self._env, self._registry
        sessions = list(env.hub.sessions.values())
        yield _gauge("conversations", "Conversations in memory", len(registry))
        yield _gauge(
            "mailbox_messages", "Messages waiting in mailboxes", sum(len(c) for c in registry)
        )
        yield _gauge("users_online", "Users with a session", sum(s.online for s in sessions))
        yield _gauge("devices", "Devices attached", sum(len(s.outboxes) for s in sessions))
        yield _gauge(
            "pending_conversations",
            "Conversations with writes not yet stored",
            len(env.store.journal.pending()),
        )
        condition = env.store.journal.condition()
        yield _gauge("storage_away", "1 while the store is away or slow", condition.status != "ok")
        yield _gauge("storage_waiting", "Writes not yet stored", condition.waiting)
        yield _gauge("storage_oldest_seconds", "Age of the oldest of them", condition.oldest_s)
        yield _gauge("spool_writes", "Those of them in the spool", condition.spooled)
        yield _gauge("spool_bytes", "Their size there", condition.spooled_bytes)
        yield _counter("actor_crashes", "Crashes of conversation actors", env.counters.crashes)
        yield _counter("quarantines", "Conversations set aside", env.counters.quarantines)
        yield _counter("reactor_dropped", "Events no reactor had room for", env.reactors.dropped)
        jobs = self._jobs
        yield _gauge("job_late_seconds", "How late the last job began", jobs.late_s)
        yield _counter("jobs_done", "Jobs done", jobs.done)
        yield _counter("job_failures", "Tries of jobs that failed", jobs.failed)
        yield _counter("jobs_dead", "Jobs given up", jobs.dead)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"palaver_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"palaver_{name}", text, value=value)
