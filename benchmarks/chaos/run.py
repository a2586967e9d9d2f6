"""One run: start, break, mend, stop, and check what is left."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import trio

from .checker import Expectations, Facts, Violation, check
from .checker.check import Loss
from .dump import dump
from .history import read
from .plan import Plan
from .postgres import Postgres, own_postgres
from .world import Progress, World


@dataclass(slots=True)
class Verdict:
    """What came of `plan`. Everything that it rests on is in `directory`."""

    plan: Plan
    violations: list[Violation]
    counts: dict[str, int]
    faults: dict[str, int]
    loss: Loss
    directory: Path

    @property
    def clean(self) -> bool:
        return not self.violations


async def run(plan: Plan, directory: Path, show: Callable[[Progress], None]) -> Verdict:
    """Carry out `plan`, keeping everything in `directory`, which is empty.

    Raises persistence's `StartRefused` or `load.Setup` if it cannot even begin.
    """
    async with _postgres(plan, directory) as postgres:
        world = World(plan, directory, postgres)
        with world.history:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(world.show, show)
                await world.start(nursery)
                await world.break_and_mend()
                nursery.cancel_scope.cancel()
        truth = await dump(world.dsn, world.conversations())
    (directory / "database.json").write_text(json.dumps(asdict(truth)), "utf-8")
    show(Progress("checking", plan.seconds, world.counts()))
    facts = await trio.to_thread.run_sync(Facts.of, world.users, read(world.history.path))
    expected = Expectations(plan.durability, plan.relaxed_bound_s)
    result = await trio.to_thread.run_sync(check, facts, truth, expected)
    counts = world.counts() | {"log rows": len(truth.rows), "seen": len(facts.seen)}
    counts |= {"answered": len(facts.answers), "gaps": facts.gaps()}
    counts |= {"reloads": len(facts.reloads)}
    counts |= {f"told {code}": count for code, count in sorted(facts.refusals.items())}
    return Verdict(
        plan,
        result.violations + world.problems,
        counts,
        world.faults.struck,
        result.loss,
        directory,
    )


@asynccontextmanager
async def _postgres(plan: Plan, directory: Path) -> AsyncGenerator[Postgres | None]:
    if plan.dsn is not None:
        yield None
        return
    async with own_postgres(directory / "postgres") as postgres:
        yield postgres
