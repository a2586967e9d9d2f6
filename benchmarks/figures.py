"""What one run found out, the medians of several, and how two of them compare.

`Figures` holds what was counted; every derived number has a name in `values()`, and tables,
medians, ratios and reports know figures by these names only.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from .histogram import Histogram

Parameters = Mapping[str, int | float | str]

PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}

GENERATOR_BOUND = 0.9
"""A generator that used more than this part of a core may have been the bottleneck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One run of one workload against one target. Times in seconds, memory in bytes."""

    workload: str
    target: str
    parameters: Parameters
    """What tells this run from others of the workload: `members`, `bytes`, `mode` ("saturated" or
    "paced"), `rate`, `store` ("memory" or "postgres") …"""
    seconds: float
    """Of the measured part, until the last thing that was begun in it had ended."""
    messages: int = 0
    deliveries: int = 0
    requests: int = 0
    """Other things that were done and counted: handshakes, resumes, pages."""
    cpu: Mapping[str, float] = field(default_factory=dict)
    """By group of processes: "server" (all of them), "postgres"; empty if it cannot be known."""
    rss: Mapping[str, int] = field(default_factory=dict)
    """By group, at the end."""
    generator_cpu: float = 0.0
    writes: int | None = None
    """Calls of write(2) of the server; None where the system or the server does not tell."""
    latencies: Mapping[str, Histogram] = field(default_factory=dict)
    """By kind: "delivery", "reply", "late" (what of them is the generator's own), "handshake",
    "page" …. Counted from when a message was due where `mode` is "paced"."""
    more: Mapping[str, float] = field(default_factory=dict)
    """Further figures by name, `kib_per_connection` for instance."""
    problems: Sequence[str] = ()
    """Why this run does not count; empty if it does."""

    @property
    def valid(self) -> bool:
        return not self.problems

    @property
    def key(self) -> str:
        """The same for all runs that may be compared: workload and parameters."""
        return " ".join([self.workload, *(f"{k}={v}" for k, v in sorted(self.parameters.items()))])

    def values(self) -> dict[str, float]:
        """Every figure of this run that is known, by name.

        `…_per_s` are rates; `us_per_…` is CPU of the server in µs, `us_per_…_all` with Postgres;
        `generator` is the part of a core that it used; `{latency}_{p50|p99|p99.9|max}_ms`.
        """
        found: dict[str, float] = {}
        counts = {"message": self.messages, "delivery": self.deliveries, "request": self.requests}
        plural = {"message": "messages", "delivery": "deliveries", "request": "requests"}
        for unit, count in counts.items():
            if not count:
                continue
            found[f"{plural[unit]}_per_s"] = count / self.seconds
            if "server" in self.cpu:
                found[f"us_per_{unit}"] = self.cpu["server"] / count * 1e6
                if len(self.cpu) > 1:
                    found[f"us_per_{unit}_all"] = sum(self.cpu.values()) / count * 1e6
        if self.writes and self.deliveries:
            found["frames_per_write"] = (self.deliveries + self.messages) / self.writes
        for kind, histogram in self.latencies.items():
            if histogram.count:
                for name, percent in PERCENTILES.items():
                    found[f"{kind}_{name}_ms"] = histogram.percentile(percent)
        found |= {f"{group}_mib": size / 2**20 for group, size in self.rss.items()}
        if self.seconds:
            found["generator"] = self.generator_cpu / self.seconds
        return found | dict(self.more)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, and `values` on top for whoever reads the file otherwise."""
        whole = {each.name: getattr(self, each.name) for each in fields(self)}
        whole["latencies"] = {name: each.to_json() for name, each in self.latencies.items()}
        return whole | {"values": self.values()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        known = {name: value for name, value in data.items() if name != "values"}
        known["latencies"] = {
            name: Histogram.from_json(each) for name, each in data["latencies"].items()
        }
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Summary:
    """Repeats of the same: `medians`, `lows` and `highs` of the valid runs by name of the figure.
    Latencies are of all their samples together."""

    workload: str
    target: str
    parameters: Parameters
    key: str
    runs: int
    invalid: Sequence[str]
    """Of the runs that do not count: why."""
    medians: Mapping[str, float]
    lows: Mapping[str, float]
    highs: Mapping[str, float]
    latencies: Mapping[str, Histogram]


def summaries(runs: Iterable[Figures]) -> list[Summary]:
    """One for each target and key, in the order of their first runs."""
    groups: dict[tuple[str, str], list[Figures]] = {}
    for run in runs:
        groups.setdefault((run.key, run.target), []).append(run)
    return [_summary(group) for group in groups.values()]


def _summary(runs: Sequence[Figures]) -> Summary:
    good = [run for run in runs if run.valid]
    values = [run.values() for run in good]
    names = [name for name in (values[0] if values else ()) if all(name in each for each in values)]
    columns = {name: [each[name] for each in values] for name in names}
    kinds = {kind for run in good for kind in run.latencies}
    return Summary(
        runs[0].workload,
        runs[0].target,
        runs[0].parameters,
        runs[0].key,
        len(good),
        [problem for run in runs for problem in run.problems],
        {name: statistics.median(column) for name, column in columns.items()},
        {name: min(column) for name, column in columns.items()},
        {name: max(column) for name, column in columns.items()},
        {
            kind: Histogram.merged(r.latencies[kind] for r in good if kind in r.latencies)
            for kind in sorted(kinds)
        },
    )


def ratios(ours: Summary, theirs: Summary) -> dict[str, float]:
    """Ours divided by theirs, for each median that both know. Above 1 is better for `…_per_s`,
    worse for everything else."""
    return {
        name: value / theirs.medians[name]
        for name, value in ours.medians.items()
        if theirs.medians.get(name)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole session: what `--json` prints and `--report` is made of."""

    command: str
    began: str
    """ISO 8601."""
    version: str
    """Of palaver."""
    machine: Mapping[str, str]
    """What it ran on: CPU, cores, memory, system, Python."""
    conditions: Sequence[str]
    """What was set for it: limits, Postgres' settings, versions of the peers."""
    runs: Sequence[Figures]

    @property
    def summaries(self) -> list[Summary]:
        return summaries(self.runs)

    def to_json(self) -> str:
        whole = {each.name: getattr(self, each.name) for each in fields(self)}
        whole["runs"] = [run.to_json() for run in self.runs]
        return json.dumps(whole, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        whole = json.loads(text)
        return cls(**whole | {"runs": [Figures.from_json(run) for run in whole["runs"]]})
