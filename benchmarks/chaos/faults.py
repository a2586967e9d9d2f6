"""The schedule, carried out on engine, Postgres, links and clock."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import trio

from .engine import EngineProcess
from .history import NOBODY, History
from .link import Link
from .polling import until
from .postgres import Postgres
from .schedule import Fault


@dataclass(slots=True)
class Faults:
    """Every fault mends itself; they overlap as their times say."""

    engine: EngineProcess
    postgres: Postgres | None
    links: Sequence[Link]
    clock: Path
    history: History
    rng: Random
    struck: dict[str, int] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)
    _ends: float = 0.0

    async def run(self, schedule: Sequence[Fault], seconds: float) -> None:
        """Return when the last one is mended. After `seconds` none begins."""
        started = trio.current_time()
        self._ends = started + seconds
        async with trio.open_nursery() as nursery:
            for fault in schedule:
                await trio.sleep_until(started + fault.at)
                nursery.start_soon(self._strike, fault)

    async def _strike(self, fault: Fault) -> None:
        with trio.move_on_at(self._ends) as ends:
            await until(lambda: self.engine.up_s >= fault.up_s)
        if ends.cancelled_caught:
            return
        self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
        self.active.append(fault.kind)
        await self._do(fault)
        self.active.remove(fault.kind)

    async def _do(self, fault: Fault) -> None:
        match fault.kind:
            case "kill_engine":
                await self._kill(fault.seconds)
            case "stop_postgres":
                await self._stop(fault.seconds)
            case "freeze_postgres":
                await self._freeze(fault.seconds)
            case "kill_both":
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._kill, fault.seconds * fault.share)
                    nursery.start_soon(self._stop, fault.seconds)
            case "cut_links":
                self._note("cut", fault.share)
                for link in self._some(fault.share):
                    link.cut()
            case "half_open_links" | "slow_links":
                await self._worsen(fault)
            case "jump_clock":
                await self._jump(fault)

    async def _kill(self, seconds: float) -> None:
        self._note("killed", self.engine.run)
        self.engine.hold()
        try:
            await trio.sleep(seconds)
        finally:
            self.engine.release()

    async def _stop(self, seconds: float) -> None:
        assert self.postgres is not None
        self._note("postgres", "stopped")
        await self.postgres.stop(seconds)
        self._note("postgres", "back")

    async def _freeze(self, seconds: float) -> None:
        assert self.postgres is not None
        self._note("postgres", "frozen")
        await self.postgres.freeze(seconds)
        self._note("postgres", "back")

    async def _worsen(self, fault: Fault) -> None:
        """A link that was worsened twice gets well with the first; so be it."""
        links, name = self._some(fault.share), fault.kind.removesuffix("_links")
        attribute = {"half_open": "deaf", "slow": "slow"}[name]
        self._note(name, fault.share)
        for link in links:
            setattr(link, attribute, True)
        await trio.sleep(fault.seconds)
        for link in links:
            setattr(link, attribute, False)
            if attribute == "deaf":
                link.cut()  # bytes were lost in the middle of the stream

    async def _jump(self, fault: Fault) -> None:
        for offset in (fault.jump_s, 0.0):
            self._note("clock", offset)
            self.clock.write_text(f"{offset}\n", "ascii")
            self.engine.signal(signal.SIGUSR1)
            if offset:
                await trio.sleep(fault.seconds)

    def _some(self, share: float) -> list[Link]:
        return self.rng.sample(list(self.links), max(1, round(share * len(self.links))))

    def _note(self, what: str, value: object) -> None:
        self.history.note("fault", NOBODY, [what, value])
