"""Python's garbage collector, set for a process that holds very many objects for very long."""

from __future__ import annotations

import gc

_YOUNG = 10_000
"""So many more objects than before, and the young ones are looked at. At Python's default of 700, a
busy server spends a fifth of its time on objects that have only just begun to live; at 50,000, one
that only grows, as in an outage of Postgres, stops for 30 ms each time."""
_MIDDLE = 2
"""Young collections to a middle one, which looks at all that has come since the last: 20 would be a
stop of half a second for every million objects."""
_FULL = 5000
"""Middle collections to a full one."""


def tune() -> None:
    """Collect rarely, and never look again at what exists now. For a process of one's own, after
    it has started: `palaver serve` calls it; an embedding host may.

    Reference counting frees nearly everything at once. What is left are cycles: the collector still
    finds those, later.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _FULL)
