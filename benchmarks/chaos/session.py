"""One call of `palaver chaos`: a directory, a run, a verdict."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path

import trio
from rich.console import Console

from ...gateway.cli.words import Problem
from ...persistence.data_directory import StartRefused
from .engine import NoStart
from .load import Setup
from .plan import Plan
from .report import as_json, display, introduction, tell
from .run import run

__all__ = ["Plan", "carry_out"]


def carry_out(plan: Plan, directory: Path | None, *, json: bool, quiet: bool) -> bool:
    """Run `plan`; print the verdict on standard output, all else on standard error. Whether it was
    clean. What is on disk is removed then, and kept otherwise. Raises `Problem`."""
    console = Console(stderr=True, quiet=quiet)
    console.print(introduction(plan), highlight=False)
    place = _place(directory)
    # Like Ctrl-C, so that nothing is left behind: engine and Postgres have sessions of their own.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with display(plan, console) as show:
            verdict = trio.run(run, plan, place, show)
    except BaseException as error:
        raise _alone(error) from None
    finally:
        shutil.rmtree(place / "postgres", ignore_errors=True)
    (place / "verdict.json").write_text(as_json(verdict) + "\n", "utf-8")
    if json:
        Console(soft_wrap=True).print(as_json(verdict), highlight=False, markup=False)
    else:
        tell(verdict, Console())
    if verdict.clean:
        shutil.rmtree(place, ignore_errors=True)
    return verdict.clean


def _alone(error: BaseException) -> BaseException:
    """What is in a group of one; a `Problem` if it is to be told in words."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return Problem(str(error)) if isinstance(error, (StartRefused, Setup, NoStart)) else error


def _place(directory: Path | None) -> Path:
    """An empty directory that the account of an embedded Postgres can get to."""
    if directory is None:
        made = Path(tempfile.mkdtemp(prefix="palaver-chaos-"))
    else:
        made = directory
        made.mkdir(parents=True, exist_ok=True)
        if any(made.iterdir()):
            raise Problem(f"{made} is not empty.")
    made.chmod(0o755)
    return made.resolve()
