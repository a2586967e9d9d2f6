"""`palaver bench --profile`: a flame graph of the engine for every case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .case import Case
from .own_server import Palaver
from .profiler import NotProfiled, flame_graph, py_spy
from .target import Contender, Target


class Profiling:
    """Leaves `profile-WORKLOAD-PARAMETERS.svg` in `directory`: by py-spy, or where that may not
    look, by cProfile from the next case on. `notes` say which."""

    def __init__(self, directory: Path) -> None:
        self.notes = ["profiled: figures are not comparable with others"]
        self._directory = directory
        self._path = directory
        self._spies = py_spy() is not None
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def left(self) -> list[Path]:
        """The pictures, once the servers have ended."""
        return sorted(self._directory.glob("profile-*.svg"))

    def prepare(self, contender: Contender, case: Case) -> None:
        """Before the server is started."""
        words = (str(value) for value in case.parameters.values())
        self._path = self._directory / "-".join(["profile", case.workload, *words])
        if isinstance(contender, Palaver):
            contender.profile = None if self._spies else self._path

    @contextmanager
    def around(self, target: Target) -> Iterator[None]:
        """While it is measured."""
        if not self._spies or target.name != Palaver.name:
            yield
            return
        try:
            with flame_graph(target.processes["server"][0], self._path.with_suffix(".svg")):
                yield
        except NotProfiled as why:
            self.notes.append(f"{why} From the next case on it is cProfile.")
            self._spies = False
