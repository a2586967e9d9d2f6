"""What tests of an outage share: a Postgres store with a spool, and what became of the writes."""

import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from palaver.persistence.postgres.store import PostgresStore, SpoolSettings
from palaver.persistence.postgres.writer import WriterSettings
from palaver.persistence.spool import SpoolFile
from palaver.persistence.spool.record import Entry
from palaver.protocol.errors import Rejected
from palaver.protocol.records import JournalStatus
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import execute

T = TypeVar("T")


def with_spool(
    dsn: str, directory: Path, *, max_bytes: int = 1 << 26, after_s: float = 0.05, **more
) -> PostgresStore:
    """A store that is quick to notice an outage."""
    writer = WriterSettings(
        answer_timeout_s=more.pop("answer_timeout_s", 1e6),
        wait_s=0.2,
        statement_timeout_s=more.pop("statement_timeout_s", 2.0),
        spool_after_s=after_s,
        shards=more.pop("shards", 1),
    )
    more = {"stall_s": 0.2, "start_timeout_s": 10.0, **more}
    return PostgresStore(dsn, writer=writer, spool=SpoolSettings(directory, max_bytes), **more)


async def until(store: PostgresStore, condition: Callable[[], bool]) -> None:
    """Return when `condition`, of the store's journal, holds."""
    await store.journal._backlog.until(condition)


async def journal_is(store: PostgresStore, status: JournalStatus) -> None:
    await until(store, lambda: store.journal.condition().status == status)


async def served(read: Callable[[], Awaitable[T]]) -> T:
    """Ask as a client does, until it is not UNAVAILABLE: a busy machine may take its time."""
    while True:
        try:
            return await read()
        except Rejected as no:
            if no.code != "UNAVAILABLE":
                raise


async def stored(dsn: str, chat: Chat) -> list[tuple[int, str]]:
    """seq and id of what the log holds."""
    id = uuid.UUID(chat.id)
    rows = await execute(
        dsn, f"SELECT seq, event_id FROM log WHERE conversation = '{id}' ORDER BY seq"
    )
    return [(row["seq"], str(row["event_id"])) for row in rows]


def logged(chat: Chat) -> list[tuple[int, str]]:
    """The same of what was said."""
    return [(event.seq, event.id) for event in chat.log]


def waiting(directory: Path) -> list[Entry]:
    """What a closed spool holds."""
    with SpoolFile(directory) as spool:
        return spool.entries(0, 100_000)
