"""What the operating system lets a process have."""

from __future__ import annotations

import resource
from collections.abc import Iterator

from ..settings import Settings
from .finding import Finding, ok, warning

_OTHER_FILES = 100
"""Besides connections: the database, logs, listeners, libraries."""


def check_open_files(settings: Settings, limit: int | None = None) -> Iterator[Finding]:
    """`limit` None: that of this process, which `palaver serve` has too if started alike."""
    if limit is None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        yield ok("open files", "there is no limit")
        return
    most = settings.connections.max_total
    if limit < most + _OTHER_FILES:
        yield warning(
            "open files",
            f"a process may open {limit:,}, and connections.max_total is {most:,}: clients beyond "
            f"some {max(limit - _OTHER_FILES, 0):,} could not be accepted",
            f"Raise the limit (ulimit -n {most + 1000}, LimitNOFILE= of systemd), or lower "
            "connections.max_total.",
        )
    else:
        yield ok("open files", f"a process may open {limit:,}, for {most:,} connections")
