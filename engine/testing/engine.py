"""An engine for tests: everything in memory, ids that count, time that tests control."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, cast

from ...actors.guards import Guard
from ...actors.guards.masking import Mask
from ...actors.ports import Store
from ...actors.reactors import Reactor
from ...persistence.memory.store import MemoryStore
from ..engine import Engine
from ..host.ports import Ports
from ..settings import Settings
from .clock import TrioClock

PORTS = Ports.__optional_keys__


def numbered_ids() -> Callable[[], str]:
    """Ids of the form of UUIDv7 that count from 1, so that a failure reads well."""
    numbers = count(1)
    return lambda: f"00000000-0000-7000-8000-{next(numbers):012x}"


@asynccontextmanager
async def memory_engine(
    *,
    store: Store | None = None,
    clock: TrioClock | None = None,
    guards: Sequence[Guard] = (),
    masks: Sequence[Mask] = (),
    reactors: Sequence[Reactor] = (),
    new_id: Callable[[], str] | None = None,
    **settings: Any,
) -> AsyncGenerator[Engine]:
    """A running engine. `settings` are sections: `memory_engine(policy={"max_chars": 10})`; a port
    to the host goes by its name.

    Engines that share a `store`, one after another, must share `new_id`, too: ids are unique.
    """
    ports = cast(Ports, {name: settings.pop(name) for name in PORTS & settings.keys()})
    settings["storage"] = {"memory": True, **settings.get("storage", {})}
    # Nobody else adds jobs, and a clock that jumps would spend its days with looking for some.
    settings["jobs"] = {"poll_s": 86_400.0, **settings.get("jobs", {})}
    settings["files"] = {"sweep_s": math.inf, **settings.get("files", {})}
    chosen = Settings(**settings)
    if store is None:
        store = MemoryStore(durability=chosen.policy.durability)
    async with Engine(
        chosen,
        store=store,
        guards=guards,
        masks=masks,
        reactors=reactors,
        clock=clock or TrioClock(),
        new_id=new_id or numbered_ids(),
        **ports,
    ) as engine:
        yield engine
