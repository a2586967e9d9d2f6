"""Python's garbage collector, set for a process that holds very many objects for very long."""

from __future__ import annotations

import gc

_YOUNG = 50_000
"""Objects made between two young collections. At Python's default of 700, a busy server spends a
fifth of its time looking at objects that have only just begun to live."""


def tune() -> None:
    """Collect rarely, and never look again at what exists now. For a process of one's own, after
    it has started: `palaver serve` calls it; an embedding host may.

    Reference counting frees nearly everything at once. What is left are cycles: the collector still
    finds those, later.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
