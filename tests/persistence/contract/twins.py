"""The two stores with one handle: opened, crashed, restarted and made to refuse alike."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

import trio

from palaver.actors.ports import Store
from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.memory.store import MemoryStore
from palaver.persistence.postgres.connection import connect
from palaver.persistence.postgres.rows import Record
from palaver.persistence.postgres.store import PostgresStore
from palaver.protocol.events import EventData
from palaver.protocol.policy import Durability

POISON = "poison"
"""A text, or name of a file, that `refuse` makes the store refuse."""


class Twin(Protocol):
    @property
    def store(self) -> Store: ...

    async def open(self, durability: Durability = "write_behind") -> None:
        """A new store on the same disk: the one before stays open, not knowing that it is over."""

    async def restart(self) -> None:
        """A clean stop, and a new start."""

    async def refuse(self) -> None:
        """From now on the database refuses the text `POISON`, and attachments of that name."""

    def one_batch(self) -> AbstractContextManager[None]:
        """What is appended inside, without any await, is stored together."""


class MemoryTwin:
    def __init__(self) -> None:
        self.store = MemoryStore()

    async def open(self, durability: Durability = "write_behind") -> None:
        self.store = MemoryStore(durability=durability, disk=self.store._disk)

    async def restart(self) -> None:
        self.store = self.store.restarted()

    async def refuse(self) -> None:
        self.store.refuse(lambda write: any(_is_poison(event.data) for event in write.events))

    @contextmanager
    def one_batch(self) -> Iterator[None]:
        self.store.hold()
        yield
        self.store.release()


class PostgresTwin:
    store: PostgresStore

    def __init__(self, dsn: str, nursery: trio.Nursery) -> None:
        self.dsn = dsn
        self._nursery = nursery
        self._stop = trio.Event()
        self._stopped = trio.Event()

    async def open(self, durability: Durability = "write_behind") -> None:
        self._stop, self._stopped = trio.Event(), trio.Event()
        await self._nursery.start(self._serve, durability, self._stop, self._stopped)

    async def restart(self) -> None:
        self._stop.set()
        await self._stopped.wait()
        await self.open()

    async def refuse(self) -> None:
        await execute(
            self.dsn,
            f"ALTER TABLE log ADD CHECK (body <> '{POISON}')",
            f"ALTER TABLE attachment ADD CHECK (name <> '{POISON}')",
        )

    def one_batch(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def _serve(
        self,
        durability: Durability,
        stop: trio.Event,
        stopped: trio.Event,
        task_status: trio.TaskStatus[None],
    ) -> None:
        async with PostgresStore(self.dsn, durability=durability) as self.store:
            task_status.started()
            await stop.wait()
        stopped.set()


def _is_poison(data: EventData) -> bool:
    said = getattr(data, "text", ""), *(medium.get("name") for medium in data.media)
    return POISON in said


async def execute(dsn: str, *statements: str) -> list[Record]:
    """Run SQL from outside; the rows of the last statement."""

    async def run() -> list[Record]:
        connection = await connect(dsn, 10)
        try:
            rows: list[Record] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()

    async with AsyncioThread() as thread:
        return await thread.run(run)
