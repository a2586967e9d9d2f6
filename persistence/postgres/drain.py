"""What the last engine left in the spool goes into the log before anything else does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog
import trio

from ...protocol.records import Foreign, Outcome, Refused, Write
from ..asyncio_thread import AsyncioThread
from ..payload import UnreadableEvent
from ..spool.file import SpoolFile, SpoolRefused
from ..spool.record import Entry, UnreadableRecord, write_of
from ..verdict import halts
from .committer import PATIENCE, Committer
from .errors import DatabaseError, DatabaseUnavailable, database_errors
from .parcel import Parcel
from .retry import repeated

_log = structlog.get_logger(__name__)

_ENTRIES: Final = 200
"""Stored in one transaction."""


async def drain(
    file: SpoolFile,
    thread: AsyncioThread,
    committer: Committer,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Store all that waits in `file`, in order, and take it out; returns how many writes that were.

    May end and be repeated anywhere: what is stored already is known again. What Postgres refuses
    is set aside in the file, loudly. Raises `DatabaseError`, or `SpoolRefused` for an entry that
    cannot be read; then it and all that follows stays where it is.
    """
    waiting = (await trio.to_thread.run_sync(file.summary)).waiting
    done = 0
    ends: dict[str, int] = {}
    halted: dict[str, str] = {}
    while entries := await trio.to_thread.run_sync(file.entries, 0, _ENTRIES):
        parcels = [Parcel(_write(file, entry), 0.0, entry.incarnation) for entry in entries]
        unknown = {each.conversation for each in parcels} - ends.keys()
        with database_errors():
            ends |= dict.fromkeys(unknown, 0)
            ends |= await thread.run(committer.heads, sorted(unknown))
        problems: dict[int, str] = {}
        for n, each in enumerate(parcels):
            if problem := halted.get(each.conversation) or _gap(each.write, ends):
                problems[n] = problem
        sound = [n for n in range(len(parcels)) if n not in problems]
        outcomes = await _store(thread, committer, [parcels[n] for n in sound])
        for n, outcome in zip(sound, outcomes, strict=True):
            if isinstance(outcome, Refused | Foreign):
                problems[n] = outcome.problem
                if halts(outcome):
                    halted[parcels[n].conversation] = outcome.problem
        refused = [(entries[n].n, problem) for n, problem in problems.items()]
        if refused:
            _log.error("writes that were replied to are refused", writes=len(refused))
            await trio.to_thread.run_sync(file.refuse, refused)
        stored = [entry.n for n, entry in enumerate(entries) if n not in problems]
        await trio.to_thread.run_sync(file.change, (), stored)
        done += len(entries)
        progress(done, waiting)
    return done


def _write(file: SpoolFile, entry: Entry) -> Write:
    try:
        return write_of(entry)
    except (UnreadableRecord, UnreadableEvent) as error:
        raise SpoolRefused(
            f"{file.path} cannot be read: {error}. It may hold messages that were replied to and "
            "are not in Postgres: keep it, and move it away to start without it."
        ) from error


def _gap(write: Write, ends: dict[str, int]) -> str | None:
    """What is missing between the log and `write`: if the database was set back to an older state,
    nothing can follow. `ends` moves on."""
    end = ends[write.conversation]
    if write.events:
        if write.events[0].seq > end + 1:
            return f"the log ends at {end}, so seq {write.events[0].seq} cannot follow"
        end = ends[write.conversation] = max(end, write.events[-1].seq)
    if any(mark.seq > end for mark in write.marks):
        return f"the log ends at {end}, before what was read"
    return None


async def _store(
    thread: AsyncioThread, committer: Committer, parcels: Sequence[Parcel]
) -> list[Outcome]:
    async def attempt() -> list[Outcome]:
        with database_errors():
            return await thread.run(committer.store, parcels)

    for _ in range(PATIENCE):
        try:
            return await repeated(attempt)
        except DatabaseError as error:
            if isinstance(error, DatabaseUnavailable):
                raise
    return await repeated(attempt)
