"""The load generator as a process of its own: nothing else of the harness disturbs it."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context

from .case import Case
from .dialect import Refused
from .figures import Figures
from .target import Target


def measured(target: Target, case: Case) -> list[Figures]:
    """What `case` finds out about `target`, measured in a fresh process. A run that the server
    broke off has figures that say so."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_prepare) as process:
        return process.submit(_run, target, case).result()


def _prepare() -> None:
    """Ctrl-C ends it without a word, which is the harness's business; and where it may, it goes
    before others: a generator that waits for a core measures its own waiting."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(OSError):
        os.nice(-5)


def _run(target: Target, case: Case) -> list[Figures]:
    try:
        return case.measure(target, case)
    except (Refused, ValueError) as why:  # too few tokens are a ValueError
        return [case.failed(target.name, target.store, str(why))]
