"""Where the engine's time goes while it is under load: `palaver bench --profile`.

With py-spy (in the extra `bench`) the running engine is sampled from outside, which costs it a few
per cent. Where py-spy is not there or may not look into the process (containers without
SYS_PTRACE), the engine has to be started under cProfile instead (profiled.py), which slows Python
code down by half and more, but counts calls exactly. Both leave a flame graph.

The figures of a profiled run are not comparable with others.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_RATE_HZ = 200
_PATIENCE_S = 30


class NotProfiled(Exception):
    """There is no profile; the text says why and what to do."""


def py_spy() -> str | None:
    """Where py-spy is: beside this interpreter, or on the path."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")


def under_cprofile(serve: Sequence[str], output: Path) -> list[str]:
    """The command that starts the engine under cProfile, instead of `serve`, which begins with the
    program. `output`.svg, .txt and .pstats are written when the engine has ended."""
    return [sys.executable, "-m", "palaver.benchmarks.profiled", str(output), *serve[1:]]


@contextmanager
def flame_graph(pid: int, output: Path) -> Iterator[None]:
    """Sample process `pid` during the block and leave a flame graph in `output`, an SVG.

    Raises `NotProfiled` at the end of the block if there is none.
    """
    program = py_spy()
    if program is None:
        raise NotProfiled("py-spy is missing; install palaver[bench].")
    command = [program, "record", "--pid", str(pid), "--output", str(output)]
    sampling = subprocess.Popen(
        [*command, "--format", "flamegraph", "--rate", str(_RATE_HZ)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C at the terminal is the harness's business
    )
    try:
        yield
    finally:
        complaint = _finish(sampling)
    if not output.exists():
        raise NotProfiled(f"py-spy could not sample the engine: {complaint}")


def _finish(sampling: subprocess.Popen[str]) -> str:
    """End py-spy, which then writes its picture. Returns the last that it said."""
    sampling.send_signal(signal.SIGINT)
    try:
        said = sampling.communicate(timeout=_PATIENCE_S)[1]
    except subprocess.TimeoutExpired:
        sampling.kill()
        said = sampling.communicate()[1]
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended with {sampling.returncode} and said nothing"
