"""The spool: what still waits for Postgres, and what Postgres would not take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from ...persistence.spool import SpoolRefused
from ...persistence.spool.glance import glance
from .finding import Finding, ok, problem, warning

_ABOUT = "spool"


def check_spool(directory: Path) -> Iterator[Finding]:
    try:
        found = glance(directory)
    except SpoolRefused as refused:
        yield problem(
            _ABOUT,
            str(refused),
            "It may hold messages that were replied to: keep it, see to its owner and to the disk.",
        )
        return
    if found is None:
        yield ok(_ABOUT, "there is none yet: nothing waits for Postgres")
        return
    if found.refused:
        yield warning(
            _ABOUT,
            f"Postgres refused {found.refused:,} writes in it; their senders may believe them sent",
            f"Look at the table `refused` of {directory}: each has its problem beside it.",
        )
    if found.waiting:
        age = time.time() - (found.oldest or 0) / 1000
        yield warning(
            _ABOUT,
            f"{found.waiting:,} writes wait for Postgres, the oldest for {age:,.0f} s",
            "Bring Postgres back. A running engine then stores them; if none runs, start it.",
        )
    elif not found.refused:
        yield ok(_ABOUT, "nothing waits for Postgres")
