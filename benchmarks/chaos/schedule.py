"""Which fault strikes when: a pure function of the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "kill_engine",
    "stop_postgres",
    "freeze_postgres",
    "kill_both",
    "cut_links",
    "half_open_links",
    "slow_links",
    "jump_clock",
]

KINDS: Final[tuple[Kind, ...]] = Kind.__args__  # type: ignore[attr-defined]
OF_POSTGRES: Final = frozenset[Kind]({"stop_postgres", "freeze_postgres", "kill_both"})

_FIRST = 1.0
_PAUSE = (0.4, 2.8)
"""Shorter than most faults last, so that they overlap."""
_LASTS: Final[dict[Kind, tuple[float, float]]] = {
    "kill_engine": (0.0, 1.5),
    "stop_postgres": (0.2, 4.0),
    "freeze_postgres": (0.1, 4.0),
    "kill_both": (0.2, 3.0),
    "cut_links": (0.0, 0.0),
    "half_open_links": (1.0, 5.0),
    "slow_links": (1.0, 6.0),
    "jump_clock": (0.5, 4.0),
}
_JUMP_S = (0.5, 7200.0)
_UP_S = (0.2, 2.5)
_BLIND = 0.15
"""The part of faults that strike whatever is up, for example an engine that is just starting."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` strikes `at` seconds after the start and lasts `seconds`, then is mended.

    One that would find nobody to hurt waits until the engine has served clients for `up_s` seconds:
    how long a restart takes is the machine's business, and what is down already cannot be broken.
    `share` is the part of all links that it strikes, `jump_s` how far the clock is set, forward or
    backward; both mean nothing for other kinds.
    """

    at: float
    kind: Kind
    seconds: float
    share: float
    jump_s: float
    up_s: float


def schedule(seed: int, seconds: float, *, postgres: bool = True) -> list[Fault]:
    """The faults of a run of `seconds`, in order; every kind comes before any comes again.

    With `postgres` False, none that needs the Postgres to be ours.
    """
    rng = random.Random(seed)
    kinds = [kind for kind in KINDS if postgres or kind not in OF_POSTGRES]
    faults: list[Fault] = []
    bag: list[Kind] = []
    at = _FIRST
    while at < seconds:
        if not bag:
            bag = rng.sample(kinds, len(kinds))
        kind = bag.pop()
        jump = rng.uniform(*_JUMP_S) * rng.choice((-1, 1))
        lasts = round(rng.uniform(*_LASTS[kind]), 3)
        up = 0.0 if rng.random() < _BLIND else rng.uniform(*_UP_S)
        share = rng.uniform(0.2, 1.0)
        faults.append(Fault(at, kind, lasts, share, round(jump, 3), up))
        at = round(at + rng.uniform(*_PAUSE), 3)
    return faults
