"""Three deliberate bugs, to show that `palaver chaos` finds such bugs.

`plant(name)` replaces one method of the product for the rest of the process. Nothing in the
product knows of it; only the hidden option `palaver serve --sabotage` comes here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from ...actors.fanout import FanOut
from ...actors.outbox import Push
from ...actors.resident import Resident
from ...actors.resume import ResumeRead
from ...persistence.postgres.writer import Writer
from ...protocol.records import Write

_EVERY = 50
"""Of what is sabotaged: often enough to be found within seconds."""


def plant(name: str) -> None:
    """Plant the bug of this name. Raises `ValueError` if there is none."""
    if name not in BUGS:
        raise ValueError(f"there is no bug {name!r}, only {', '.join(BUGS)}")
    BUGS[name]()


def _drop_commit() -> None:
    """A message is answered, and was never stored."""
    genuine, number = Writer.append, count(1)

    @functools.wraps(genuine)
    def append(self: Writer, write: Write) -> None:
        message = any(event.number is not None for event in write.events)
        if message and next(number) % _EVERY == 0:
            write = replace(write, events=[])
        genuine(self, write)

    Writer.append = append  # type: ignore[method-assign]


def _repeat_seq() -> None:
    """A message is pushed under the seq of the event before it."""
    genuine, number = FanOut.event, count(1)

    @functools.wraps(genuine)
    def event(self: FanOut, push: Push, gone: Any = ()) -> None:
        assert push.event is not None
        if push.event.number is not None and next(number) % _EVERY == 0:
            repeated = replace(push.event, seq=push.event.seq - 1)
            push = Push(repeated.item(), push.event)
        genuine(self, push, gone)

    FanOut.event = event  # type: ignore[method-assign]


def _skip_on_resume() -> None:
    """A device that is caught up is not given the last event that it missed."""
    genuine = ResumeRead.answer

    @functools.wraps(genuine)
    def answer(self: ResumeRead, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        pushes, result = genuine(self, resident)
        return pushes[:-1], result

    ResumeRead.answer = answer  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "drop-commit": _drop_commit,
    "repeat-seq": _repeat_seq,
    "skip-on-resume": _skip_on_resume,
}
