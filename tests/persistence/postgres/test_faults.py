"""The writer against a connection that fails, in every way at every step: what is stored and what
is answered is what it would have been without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
import trio

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.postgres import committer, shard
from palaver.persistence.postgres.availability import Availability
from palaver.persistence.postgres.committer import Committer
from palaver.persistence.postgres.connection import Connection, connect
from palaver.persistence.postgres.errors import DatabaseError, DatabaseFull, TransientConflict
from palaver.persistence.postgres.incarnation import Incarnation
from palaver.persistence.postgres.parcel import Parcel
from palaver.persistence.postgres.shard import Shard
from palaver.persistence.postgres.store import PostgresStore
from palaver.persistence.postgres.writer import WriterSettings
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.records import Committed, Delayed, Duplicate, Outcome, Refused, Write
from palaver.tests.persistence.contract.chat import Chat, Ticket
from palaver.tests.persistence.contract.twins import POISON, execute

Exchange = Callable[..., Awaitable[Any]]
Fault = Callable[[Connection, Exchange], Awaitable[Any]]


async def cut_before_sending(connection: Connection, exchange: Exchange) -> Any:
    connection.terminate()
    return await exchange()


async def cut_after_sending(connection: Connection, exchange: Exchange) -> Any:
    """The server has done it, and nobody hears of it."""
    await exchange()
    connection.terminate()
    raise ConnectionResetError("reset by peer")


async def conflict(connection: Connection, exchange: Exchange) -> Any:
    raise TransientConflict("deadlock detected (40P01)", sqlstate="40P01")


async def full(connection: Connection, exchange: Exchange) -> Any:
    raise DatabaseFull("no space left on device (53100)", sqlstate="53100")


async def no_right(connection: Connection, exchange: Exchange) -> Any:
    raise DatabaseError("permission denied for table log (42501)", sqlstate="42501")


async def unforeseen(connection: Connection, exchange: Exchange) -> Any:
    raise DatabaseError("cache lookup failed (XX000)", sqlstate="XX000")


async def hang_before(connection: Connection, exchange: Exchange) -> Any:
    raise TimeoutError


async def hang_after(connection: Connection, exchange: Exchange) -> Any:
    await exchange()
    raise TimeoutError


FAULTS: list[Fault] = [
    cut_before_sending,
    cut_after_sending,
    conflict,
    full,
    no_right,
    unforeseen,
    hang_before,
    hang_after,
]


class Faulty:
    """Connections whose exchanges with the server are counted; the `at`-th of them fails."""

    def __init__(self, fault: Fault | None = None, at: int = 0) -> None:
        self.count = 0
        self._fault = fault
        self._at = at

    async def connect(self, dsn: str, timeout_s: float) -> Any:
        if self._fails():
            raise ConnectionRefusedError("nobody listens")
        return Through(self, await connect(dsn, timeout_s))

    async def exchange(self, connection: Connection, exchange: Exchange) -> Any:
        if self._fails():
            assert self._fault is not None
            return await self._fault(connection, exchange)
        return await exchange()

    def _fails(self) -> bool:
        self.count += 1
        return self.count == self._at


class Via(str):
    """A dsn that leads through `faulty`."""

    __slots__ = ("faulty",)
    faulty: Faulty

    @classmethod
    def of(cls, dsn: str, faulty: Faulty) -> Via:
        via = cls(dsn)
        via.faulty = faulty
        return via

    async def connect(self, timeout_s: float) -> Any:
        return await self.faulty.connect(str(self), timeout_s)


class Through:
    def __init__(self, faulty: Faulty, connection: Connection) -> None:
        self._faulty = faulty
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connection, name)
        if name not in ("fetch", "fetchval"):
            return method
        return lambda *args: self._faulty.exchange(self._connection, lambda: method(*args))


class Lane:
    """A store that is one shard and nothing else."""

    def __init__(self, shard: Shard) -> None:
        self.journal = self
        self._shard = shard

    def append(self, write: Write) -> None:
        self._shard.put(Parcel(write, 0.0))


def deliver(parcels: Sequence[Parcel], outcomes: Sequence[Outcome], _report: object) -> None:
    for parcel, outcome in zip(parcels, outcomes, strict=True):
        parcel.write.done(outcome)


async def nothing() -> None:
    """A probe that is never asked."""


def told(outcome: Outcome) -> str:
    match outcome:
        case Duplicate(first):
            return f"duplicate of {first.seq}"
        case Refused(_, voided):
            return f"refused, voided: {voided}"
        case _:
            return type(outcome).__name__


async def scenario(lane: Shard) -> tuple[list[list[str]], list[str]]:
    """Three batches with a duplicate and a refused row in them: the answers, the conversations."""
    one, other = (Chat(Lane(lane), ["ann", "bob"]) for _ in range(2))  # type: ignore[arg-type]
    create = CreateConversation(kind="group", members=["bob"])
    tickets: list[Ticket] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lane.run)
        tickets += [one.do("ann", create), other.do("ann", create)]
        await tickets[-1].outcome()
        tickets += [
            one.send("ann", "first", client_id="k"),
            one.send("bob", POISON),
            other.send("ann", "elsewhere"),
            one.send("ann", "again", client_id="k"),
            one.send("ann", "last"),
        ]
        await tickets[-1].outcome()
        tickets += [
            one.edit(one.sent[0], "edited"),
            one.delete(one.sent[-1]),
            one.read("bob", 2),
        ]
        await tickets[-1].outcome()
        nursery.cancel_scope.cancel()
    await lane.close()
    answers = [[told(outcome) for outcome in each.outcomes] for each in tickets]
    return answers, [one.id, other.id]


async def stored(connection: Connection, ids: list[str]) -> list[tuple[Any, ...]]:
    return [tuple(row) for id in ids for sql in STORED for row in await connection.fetch(sql, id)]


COLUMNS = {
    "log": "seq, kind, sender, client_id, number, body, incarnation",
    "conversation_head": "seq, number",
    "overlay": "seq, changed_seq, deleted_by, text",
    "mark": "n, user_id, kind, seq, number",
    "member": "user_id, role, intervals, changed_seq, read_seq, read_number",
}
STORED = ["SELECT opened_in, epoch, kind FROM conversation WHERE id = $1"] + [
    f"SELECT {columns} FROM {table} WHERE conversation = $1 ORDER BY 1"
    for table, columns in COLUMNS.items()
]


@pytest.mark.timeout(120)
async def test_SEND_19_SEND_20_any_fault_at_any_step_changes_nothing(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
):
    """All faults at one step side by side: most of the time is spent waiting for the disk."""
    monkeypatch.setattr(shard, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(committer, "connect", Via.connect)
    async with PostgresStore(fresh_database) as store, AsyncioThread() as thread:
        await execute(fresh_database, f"ALTER TABLE log ADD CHECK (body <> '{POISON}')")
        incarnation = Incarnation(store.incarnation)

        reader = await thread.run(connect, fresh_database, 10.0)

        async def run(faulty: Faulty) -> tuple[list[list[str]], list[tuple[Any, ...]]]:
            dsn = Via.of(fresh_database, faulty)
            storing = Committer(thread, dsn, incarnation, 10.0)
            answers, ids = await scenario(
                Shard(thread, storing, Availability(nothing, 1.0), 500, deliver)
            )
            async with reading:
                return answers, await thread.run(stored, reader, ids)

        async def fails(fault: Fault, at: int) -> None:
            faulty = Faulty(fault, at)
            result = await run(faulty)
            assert faulty.count >= at, (fault.__name__, at)
            assert result == expected, (fault.__name__, at)

        reading = trio.Lock()
        sound = Faulty()
        expected = await run(sound)
        assert expected[0] == [
            *[["Committed"]] * 3,
            ["refused, voided: True"],
            ["Committed"],
            ["duplicate of 2"],
            *[["Committed"]] * 4,
        ]
        assert sound.count > 10
        for at in range(1, sound.count + 1):
            async with trio.open_nursery() as nursery:
                for fault in FAULTS:
                    nursery.start_soon(fails, fault, at)
        await thread.run(reader.close)


async def test_an_unforeseen_error_over_one_write_fails_that_one_alone(fresh_database: str):
    async with PostgresStore(fresh_database) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await execute(
            fresh_database,
            """CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.body = 'poison' THEN RAISE EXCEPTION 'not this one'; END IF;
                RETURN NEW;
            END $$""",
            "CREATE TRIGGER picky BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION picky()",
        )
        tickets = [chat.send("ann", text) for text in ("one", POISON, "two", "three")]
        answers = [told(await ticket.outcome()) for ticket in tickets]
    assert answers == ["Committed", "refused, voided: True", "Committed", "Committed"]


@pytest.mark.parametrize("table", ["log", "member", "conversation_head"])
async def test_an_unforeseen_error_over_all_writes_refuses_none_of_them(
    fresh_database: str, table: str
):
    async with PostgresStore(fresh_database, writer=WriterSettings(answer_timeout_s=0.3)) as store:
        chat = await Chat(store, ["ann", "bob"]).create()
        await execute(fresh_database, f"ALTER TABLE {table} RENAME TO gone")
        new = Chat(store, ["ann", "cid"])
        tickets = [
            new.do("ann", CreateConversation(kind="group", members=["cid"])),
            new.send("ann", "hello"),
            chat.send("ann", "hello"),
            chat.read("bob"),
        ]
        assert await tickets[0].told() == Delayed()
        await execute(fresh_database, f"ALTER TABLE gone RENAME TO {table}")
        assert [await ticket.outcome() for ticket in tickets] == [Committed()] * 4
