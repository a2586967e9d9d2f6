"""What processes have used: read before and after, the difference is what a run cost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psutil


class Processes:
    """Groups of processes, each with their children. Those that end meanwhile stay counted."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self._groups = {
            name: [psutil.Process(pid) for pid in pids] for name, pids in groups.items()
        }

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU, user and system, by group."""
        return {name: sum(map(_cpu, self._all(name))) for name in self._groups}

    def rss(self) -> dict[str, int]:
        """Bytes of memory of the server's processes. Not of Postgres', which share theirs."""
        names = self._groups.keys() - {"postgres"}
        return {
            name: sum(process.memory_info().rss for process in self._all(name)) for name in names
        }

    def writes(self) -> int | None:
        """Calls of write(2) and writev(2) so far, of the server; None where nobody counts them.
        What goes out by send(2), as asyncio does it, is not among them."""
        try:
            return sum(process.io_counters().write_count for process in self._all("server"))
        except (AttributeError, psutil.Error):
            return None

    def _all(self, name: str) -> Iterator[psutil.Process]:
        for process in self._groups.get(name, ()):
            yield process
            yield from process.children(recursive=True)


def _cpu(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        # Of children that have ended, too; not every system tells.
        ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        return float(times.user + times.system + ended)
    return 0.0


def settle(groups: Mapping[str, Sequence[int]], limit_s: float = 180.0) -> None:
    """Return when the processes have used less than 5 % of a core for a second, or after `limit_s`:
    what they still do of the past is not to be charged to what comes next."""
    processes = Processes(groups)
    end = time.perf_counter() + limit_s
    used = sum(processes.cpu().values())
    while time.perf_counter() < end:
        time.sleep(1.0)
        before, used = used, sum(processes.cpu().values())
        if used - before < 0.05:
            return


class Meter:
    """From its making to `stop`: what the fields of `Figures` are called."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self._processes = Processes(groups)
        self._known = bool(groups)
        self._began = self._now()

    def stop(self, frames: int = 0) -> dict[str, Any]:
        """`frames`: how many the server has written; if its calls of write are far fewer, it does
        not use them, and their number says nothing."""
        (at, own, cpu, writes), (at0, own0, cpu0, writes0) = self._now(), self._began
        written = None if writes is None or writes0 is None else writes - writes0
        return {
            "seconds": at - at0,
            "generator_cpu": own - own0,
            "cpu": {name: cpu[name] - cpu0[name] for name in cpu},
            "rss": self._processes.rss(),
            "writes": written if written and written * 1000 > frames else None,
        }

    def _now(self) -> tuple[float, float, dict[str, float], int | None]:
        own = os.times()
        writes = self._processes.writes() if self._known else None
        return time.perf_counter(), own.user + own.system, self._processes.cpu(), writes
