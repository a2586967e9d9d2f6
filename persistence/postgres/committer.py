"""Brings parcels into the database and tells what became of each. Runs in the asyncio thread.

Nearly always that is one statement. Where the database says no, the log is asked which of the
writes it holds already, in which way (`verdict.py`); what is still refused is halved until the
guilty write stands alone, and void rows take its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import structlog

from ...protocol.events import Event
from ...protocol.records import Duplicate, Foreign, Outcome, Refused
from ..asyncio_thread import AsyncioThread
from ..payload import UnreadableEvent
from ..verdict import COMMITTED, halts, is_voided, judge
from .batch import Batch
from .connection import Connection, connect
from .errors import (
    DatabaseError,
    DatabaseUnavailable,
    RowRefused,
    TransientConflict,
    database_errors,
)
from .incarnation import Incarnation
from .parcel import Parcel
from .rows import EVENT_COLUMNS, LOG_WITH_OVERLAY, event_of

_log = structlog.get_logger(__name__)

_FAREWELL = 1.0
"""Seconds for a connection to be closed in good order."""

PATIENCE = 3
"""Attempts that may fail for a reason that nobody foresaw, before somebody is blamed for it."""

_HEADS = """
    SELECT conversation, max(seq) AS seq FROM log
    WHERE conversation = ANY ($1::uuid[])
    GROUP BY conversation
"""

_STANDING = f"""
    SELECT l.conversation, {EVENT_COLUMNS}
    FROM unnest($1::uuid[], $2::bigint[]) AS mine (conversation, seq)
    JOIN {LOG_WITH_OVERLAY}
        ON l.conversation = mine.conversation AND l.seq = mine.seq
    UNION ALL
    SELECT l.conversation, {EVENT_COLUMNS}
    FROM unnest($3::uuid[], $4::text[], $5::text[]) AS mine (conversation, sender, client_id)
    JOIN {LOG_WITH_OVERLAY}
        ON l.conversation = mine.conversation
        AND l.sender = mine.sender
        AND l.client_id = mine.client_id
"""


class Fenced(Exception):
    """This incarnation has ended: another engine writes this database now."""


class Committer:
    """One connection, opened when it is needed and thrown away when something is wrong with it.

    `store` may be repeated as it is after any failure, also one in the middle of a commit.
    """

    def __init__(
        self, thread: AsyncioThread, dsn: str, incarnation: Incarnation, timeout_s: float
    ) -> None:
        self._thread = thread
        self._dsn = dsn
        self._incarnation = incarnation
        self._timeout_s = timeout_s
        self._connection: Connection | None = None
        self._generation = 0
        self._unforeseen = 0

    async def store(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """The outcome of each, in order. Raises `DatabaseUnavailable`, `TransientConflict` or
        `DatabaseError`; then it is not known what is stored, but each write is whole or absent."""
        healthy = False
        try:
            outcomes = await self._store(list(parcels))
            healthy = True
            self._unforeseen = 0
            return outcomes
        except Fenced:
            healthy = True
            problem = f"incarnation {self._incarnation.id} has ended; another engine has started"
            return [Foreign(problem)] * len(parcels)
        except DatabaseError as error:
            healthy = not isinstance(error, DatabaseUnavailable)
            raise
        finally:
            # Also when this task is cancelled because its thread dies.
            if not healthy:
                self.terminate()

    async def heads(self, conversations: Sequence[str]) -> dict[str, int]:
        """Where the log of each ends; those without one are left out. Raises `DatabaseError`."""
        connection = await self._connected()
        with database_errors():
            rows = await connection.fetch(_HEADS, conversations)
        return {str(row["conversation"]): row["seq"] for row in rows}

    def terminate(self) -> None:
        """Drop the connection; a statement under way on it fails as unavailable."""
        connection = self._living()
        self._connection = None
        if connection is not None:
            connection.terminate()

    async def abort(self) -> None:
        self.terminate()

    async def close(self) -> None:
        connection = self._living()
        self._connection = None
        if connection is not None:
            await connection.close(timeout=_FAREWELL)

    async def _store(self, parcels: list[Parcel]) -> list[Outcome]:
        if not parcels:
            return []
        try:
            sql, arguments = Batch(parcels, self._incarnation.id).statement()
        except (TypeError, ValueError) as error:  # not JSON; its text may be a message
            return await self._sort_out(parcels, type(error).__qualname__)
        try:
            await self._execute(sql, arguments)
        except RowRefused as error:
            return await self._sort_out(parcels, str(error))
        except (DatabaseUnavailable, TransientConflict):
            raise
        except DatabaseError as error:
            # Nobody foresaw it. It may pass; it may be about one write, which then fails alone; and
            # if everything fails so, it is the database, and what is kept is tried again.
            self._unforeseen += 1
            alone = len(parcels) == 1 and parcels[0].void
            if error.is_of_schema or alone or self._unforeseen <= PATIENCE:
                raise
            return await self._sort_out(parcels, str(error))
        return [COMMITTED] * len(parcels)

    async def _sort_out(self, parcels: list[Parcel], problem: str) -> list[Outcome]:
        """The outcomes of `parcels`, which could not be stored as they are because of `problem`."""
        try:
            log = await self._standing(parcels)
        except UnreadableEvent as error:
            if len(parcels) == 1:
                return [Foreign(str(error))]
            return await self._halve(parcels)
        outcomes = log.judge(parcels)
        if not any(outcomes):
            if len(parcels) == 1:
                return [await self._void(parcels[0], problem)]
            return await self._halve(parcels)
        # Something was learned, so there is less to store now: what is new, and void rows.
        rest: dict[int, Parcel] = {}
        for index, (parcel, outcome) in enumerate(zip(parcels, outcomes, strict=True)):
            if outcome is None:
                rest[index] = parcel
            elif isinstance(outcome, Duplicate) and not is_voided(parcel.write, log):
                rest[index] = parcel.voided()
        stored = await self._store(list(rest.values()))
        for index, outcome in zip(rest, stored, strict=True):
            if outcomes[index] is None or outcome is not COMMITTED:
                outcomes[index] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    async def _halve(self, parcels: list[Parcel]) -> list[Outcome]:
        middle = len(parcels) // 2
        outcomes = await self._store(parcels[:middle])
        halted = {
            parcel.conversation: outcome
            for parcel, outcome in zip(parcels, outcomes, strict=False)
            if halts(outcome)
        }
        second = parcels[middle:]
        stored = iter(
            await self._store([each for each in second if each.conversation not in halted])
        )
        return outcomes + [halted.get(each.conversation) or next(stored) for each in second]

    async def _void(self, parcel: Parcel, problem: str) -> Outcome:
        """Void rows in the place of what is refused for good. A conversation that could not even
        be created has no place for them."""
        _log.error("write refused", problem=problem)
        if parcel.void or parcel.write.created is not None:
            return Refused(problem, voided=False)
        if parcel.write.events:
            outcome, *_ = await self._store([parcel.voided()])
            if outcome is not COMMITTED:
                return outcome
        return Refused(problem)

    async def _execute(self, sql: str, arguments: list[Any]) -> None:
        connection = await self._connected()
        with database_errors():
            current = await connection.fetchval(sql, *arguments)
        if current is None:
            raise Fenced

    async def _standing(self, parcels: list[Parcel]) -> Standing:
        events = [event for parcel in parcels for event in parcel.write.events]
        named = [event for event in events if event.client_id is not None]
        connection = await self._connected()
        with database_errors():
            rows = await connection.fetch(
                _STANDING,
                [event.conversation for event in events],
                [event.seq for event in events],
                [event.conversation for event in named],
                [event.sender for event in named],
                [event.client_id for event in named],
            )
        return Standing(event_of(str(row["conversation"]), row) for row in rows)

    def _living(self) -> Connection | None:
        """The connection, unless it died with its thread."""
        return self._connection if self._generation == self._thread.generation else None

    async def _connected(self) -> Connection:
        connection = self._living()
        if connection is None:
            self._generation = self._thread.generation
            with database_errors():
                connection = await connect(self._dsn, self._timeout_s)
            self._connection = connection
        return connection


class Standing:
    """What the log holds at the places and under the client ids of a batch."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._at: dict[tuple[str, int], Event] = {}
        self._under: dict[tuple[str, str, str], Event] = {}
        for event in events:
            self._add(event)

    def at(self, conversation: str, seq: int) -> Event | None:
        return self._at.get((conversation, seq))

    def under(self, conversation: str, sender: str, client_id: str) -> Event | None:
        return self._under.get((conversation, sender, client_id))

    def judge(self, parcels: Iterable[Parcel]) -> list[Outcome | None]:
        """None for what is new, also to the parcels before it."""
        outcomes: list[Outcome | None] = []
        halted: dict[str, Outcome] = {}
        for parcel in parcels:
            outcome = halted.get(parcel.conversation) or judge(parcel.write, self)
            if outcome is None:
                for event in parcel.write.events:
                    self._add(event)
            elif halts(outcome):
                halted[parcel.conversation] = outcome
            outcomes.append(outcome)
        return outcomes

    def _add(self, event: Event) -> None:
        self._at[event.conversation, event.seq] = event
        if event.client_id is not None and event.sender is not None:
            self._under[event.conversation, event.sender, event.client_id] = event
