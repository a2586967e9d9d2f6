"""What tests of the actors and of the engine share: time that jumps, and engines that can die."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
import trio
import trio.testing

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine, numbered_ids
from palaver.engine.user import Sent
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected

T = TypeVar("T")

NOWHERE = "ffffffff-0000-5000-8000-000000000000"
"""An id that no conversation has."""


def jumping(main: Callable[[], Awaitable[T]], **options: Any) -> T:
    """Like `trio.run`, on a clock that jumps to the next timer whenever everybody waits."""
    options["clock"] = options.get("clock") or trio.testing.MockClock(autojump_threshold=0)
    return trio.run(main, **options)


async def settled() -> None:
    """Everything that is under way has happened, without any time passing."""
    await trio.testing.wait_all_tasks_blocked()


async def group(engine: Engine, *users: str) -> str:
    """A group of `users`, the first of whom is its admin."""
    return await engine.as_user(users[0]).create_group("Room", users[1:])


async def say(engine: Engine, room: str, user: str, *texts: str) -> list[Sent]:
    """Messages of `user`, one after another."""
    sender = engine.as_user(user)
    return [await sender.send(room, text) for text in texts]


async def refused(call: Awaitable[Any]) -> Rejected:
    """The `Rejected` that `call` raises."""
    with pytest.raises(Rejected) as no:
        await call
    return no.value


def seqs(device: Device, room: str | None = None) -> list[int]:
    return [item["seq"] for item in device.events(room)]


class Lives:
    """Engines one after another over the same disk, as after restarts and crashes.

    `store` is the one of the present life; `crash` and `restart` replace it, to be called when the
    engine before is left. An engine of `life` gives up draining at once, so a crashed one is soon
    gone.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = {**settings, "storage": {"close_timeout_s": 0.001}}
        self._new_id = numbered_ids()
        self.durability = settings.get("policy", {}).get("durability", "write_behind")
        self.store = MemoryStore(durability=self.durability)

    @asynccontextmanager
    async def life(
        self, *, guards: Sequence[Any] = (), clock: TrioClock | None = None
    ) -> AsyncGenerator[Engine]:
        more = {"guards": guards, "clock": clock, **self._settings}
        async with memory_engine(store=self.store, new_id=self._new_id, **more) as engine:
            yield engine

    def crash(self) -> None:
        """kill -9: what is not stored is lost. The engine that is still there can do no harm."""
        self.store = self.store.crashed()

    def restart(self) -> None:
        self.store = self.store.restarted()
