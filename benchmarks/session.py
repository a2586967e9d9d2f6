"""A whole session: every case, on every server in turn, again and again."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from .case import Case
from .figures import Figures
from .generator import measured
from .postgres import Postgres, temporary_data
from .profiling import Profiling
from .target import Contender

_POSTGRES = ("server_version", "fsync", "synchronous_commit")


class Session:
    """`runs` and `conditions` grow while it runs. Contenders take turns within a repeat, and in
    which order changes with each, so that all of them meet the same machine."""

    def __init__(
        self,
        cases: Sequence[Case],
        contenders: Sequence[Contender],
        repeats: int,
        profiling: Profiling | None = None,
    ) -> None:
        self.runs: list[Figures] = []
        self.conditions: dict[str, None] = {}
        self._profiling = profiling
        self._plan = list(_plan(cases, contenders, repeats))

    def __len__(self) -> int:
        """So many servers are started."""
        return len(self._plan)

    def run(self, begins: Callable[[str], None]) -> None:
        """`begins` is told the name of each run before it."""
        for case, contender in self._plan:
            words = (f"{name}={value}" for name, value in case.parameters.items())
            begins(f"{contender.name}: {case.workload} {' '.join(words)}")
            try:
                self.runs += self._one(case, contender)
            except RuntimeError as why:  # it did not start
                store = "postgres" if case.postgres else "memory"
                self.runs.append(case.failed(contender.name, store, str(why)))

    def _one(self, case: Case, contender: Contender) -> list[Figures]:
        with ExitStack() as stack:
            postgres = None
            if case.postgres:
                data = stack.enter_context(temporary_data())
                server = stack.enter_context(Postgres(data))
                postgres = server.dsn, server.pid
                self._note(_about(server))
            if self._profiling is not None:
                self._profiling.prepare(contender, case)
            target = stack.enter_context(contender.start(postgres, case.settings))
            self._note(target.conditions)
            if self._profiling is not None:
                stack.enter_context(self._profiling.around(target))
            return measured(target, case)

    def _note(self, conditions: Sequence[str]) -> None:
        self.conditions |= dict.fromkeys(conditions)


def _plan(
    cases: Sequence[Case], contenders: Sequence[Contender], repeats: int
) -> Iterator[tuple[Case, Contender]]:
    for repeat in range(repeats):
        for case in cases:
            able = [each for each in contenders if case.workload in each.workloads]
            shift = repeat % max(len(able), 1)
            for contender in able[shift:] + able[:shift]:
                yield case, contender


def _about(postgres: Postgres) -> list[str]:
    settings = [f"{name} {postgres.query(f'SHOW {name}')[0][0]}" for name in _POSTGRES]
    return [f"postgres: {', '.join(settings)}"]


def machine() -> dict[str, str]:
    """What all of it ran on."""
    return {
        "CPU": _cpu(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
