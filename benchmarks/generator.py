"""The load generator as a process of its own: nothing else of the harness disturbs it."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from .case import Case
from .dialect import Refused
from .figures import Figures
from .target import Target


def measured(target: Target, case: Case) -> list[Figures]:
    """What `case` finds out about `target`, measured in a fresh process. A run that the server
    broke off has figures that say so."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_end_quietly) as process:
        return process.submit(_run, target, case).result()


def _end_quietly() -> None:
    """At Ctrl-C: whoever asked for it is told by the harness."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _run(target: Target, case: Case) -> list[Figures]:
    try:
        return case.measure(target, case)
    except (Refused, ValueError) as why:  # too few tokens are a ValueError
        return [case.failed(target.name, target.store, str(why))]
