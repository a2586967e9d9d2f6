"""Engine, Postgres, links and devices of one run, from the start through all faults to the stop."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import jwt
import trio

from .checker import Violation
from .device import Device
from .engine import EngineProcess
from .faults import Faults
from .history import History
from .link import Link
from .load import Load, create, groups
from .plan import LIMITS, Plan
from .polling import until
from .postgres import Postgres
from .schedule import schedule

_SECRET = "chaos-secret-of-more-than-thirty-two-bytes"
_HEALTH_EVERY = 0.1


@dataclass(slots=True)
class Progress:
    """Where a run stands, for whoever displays it."""

    phase: str = "starting"
    elapsed: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)


class World:
    """Engine, devices and what is between them. `problems` are violations that need no history."""

    def __init__(self, plan: Plan, directory: Path, postgres: Postgres | None) -> None:
        rng = Random(plan.seed)
        self.problems: list[Violation] = []
        self.progress = Progress()
        self.dsn = postgres.dsn if postgres is not None else plan.dsn or ""
        self._plan = plan
        self.history = History(directory / "history.msgpack")
        clock = directory / "clock"
        clock.write_text("0\n", "ascii")
        self._engine = EngineProcess(
            plan.arguments(directory, self.dsn, clock),
            LIMITS | {"PALAVER_AUTH__SECRET": _SECRET},
            directory / "engine.log",
            lambda: postgres.calm if postgres is not None else 0,
        )
        tag = uuid.uuid4().hex[:6]
        names = [f"u{number}-{tag}" for number in range(plan.users)]
        self._groups = groups(names, rng)
        # Two users of three have two devices.
        owners = [name for number, name in enumerate(names) for _ in range(1 + (number % 3 > 0))]
        self.users = dict(enumerate(owners))
        self._links = [Link(self._engine.target) for _ in owners]
        self._devices = [
            Device(
                number,
                user,
                jwt.encode({"sub": user}, _SECRET, algorithm="HS256"),
                link,
                self.history,
                lambda: self._engine.run,
                Random(rng.random()),
                syncs=number % 2 == 1,
            )
            for (number, user), link in zip(self.users.items(), self._links, strict=True)
        ]
        self._load = Load(self._devices, plan.rate)
        self.faults = Faults(
            self._engine, postgres, self._links, clock, self.history, Random(rng.random())
        )
        self._schedule = schedule(plan.seed, plan.seconds, postgres=postgres is not None)

    async def start(self, nursery: trio.Nursery) -> None:
        """Engine, links and devices run in `nursery`, and the conversations are made.

        Raises `NoStart` or `Setup`.
        """
        nursery.start_soon(self._engine.keep_running)
        await self._engine.listening()
        for link in self._links:
            await nursery.start(link.serve)
        for device in self._devices:
            nursery.start_soon(device.live)
        await create(self._devices, self._groups)

    async def break_and_mend(self) -> None:
        """Load and faults for as long as the plan says; then everything heals, and the engine is
        stopped the gentle way."""
        self.progress.phase = "breaking"
        ends = trio.current_time() + self._plan.seconds
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._load.run)
            await self.faults.run(self._schedule, self._plan.seconds)
            await trio.sleep_until(ends)
            nursery.cancel_scope.cancel()
        self.progress.phase = "mending"
        patience_s = self._plan.patience_s
        with trio.move_on_after(patience_s) as patience:
            await self._healed()
            await self._look_once_more()
        if patience.cancelled_caught:
            self._problem("unhealed", f"{patience_s:g} s after the last fault {self._unwell()}")
        for status in self._engine.died:
            self._problem("died", f"the engine ended by itself, with status {status}")
        self.progress.phase = "stopping"
        status = await self._engine.stop()
        if status != 0:
            self._problem("stop", f"the engine did not stop well: status {status}")

    async def _healed(self) -> None:
        """The engine is well, and every device has every answer and has caught up."""
        while True:
            if await trio.to_thread.run_sync(self._is_healthy):
                break
            await trio.sleep(_HEALTH_EVERY)
        await self._in_step()
        for device in self._devices:
            device.catch_up()
        await self._in_step()

    async def _in_step(self) -> None:
        await until(lambda: all(device.in_step for device in self._devices))

    def _is_healthy(self) -> bool:
        target = self._engine.http
        if target is None:
            return False
        connection = http.client.HTTPConnection(*target, timeout=2)
        try:
            connection.request("GET", "/v1/health")
            return bool(json.load(connection.getresponse())["status"] == "ok")
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()

    def _unwell(self) -> str:
        if self._engine.target() is None:
            return "the engine does not listen"
        if not self._is_healthy():
            return "the engine is not healthy"
        late = [device.number for device in self._devices if not device.in_step]
        return f"the devices {late} still wait for answers"

    async def _look_once_more(self) -> None:
        """Every device asks for what the checker compares with the database."""
        async with trio.open_nursery() as nursery:
            for device in self._devices:
                nursery.start_soon(self._ask, device)
        await self.history.synced()

    async def _ask(self, device: Device) -> None:
        for c in device.places:
            await device.ask("conversation.get", c, {}, "last")
        await device.ask("conversation.list", None, {"limit": 200}, "inbox")

    def _problem(self, rule: str, problem: str) -> None:
        self.problems.append(Violation(rule, problem))

    def conversations(self) -> list[str]:
        return sorted({c for device in self._devices for c in device.places})

    def counts(self) -> dict[str, int]:
        devices = self._devices
        return {
            "devices": len(devices),
            "conversations": len(self.conversations()),
            "engine runs": self._engine.run,
            "texts": self._load.texts,
            "taken": sum(device.taken for device in devices),
            "reconnects": sum(device.reconnects for device in devices),
            "records": self.history.records,
        }

    async def show(self, show: Callable[[Progress], None]) -> None:
        """Until cancelled."""
        while True:
            progress = self.progress
            progress.elapsed, progress.counts = self.history.now, self.counts()
            progress.active = list(self.faults.active)
            show(progress)
            await trio.sleep(0.25)
