"""The database: whether it is there, fits this program, and keeps what it is given."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from ...persistence.asyncio_thread import AsyncioThread
from ...persistence.postgres.errors import DatabaseError
from ...persistence.postgres.examination import Examination, examine
from ...persistence.postgres.migrate import OLDEST
from ..settings import Settings
from .finding import Finding, ok, problem, warning

_TIMEOUT_S = 10.0
_OWN = 3
"""Connections of an engine besides its pool and its writers, at most: for starting, stopping, and
seeing whether the server answers."""
_SLOW_COMMIT_S = 0.02
_CLOCK_S = 1.0


def masked(dsn: str) -> str:
    """`dsn` without its password and without options, which may hold one."""
    try:
        parts = urlsplit(dsn)
        user = f"{parts.username}@" if parts.username else ""
        host = parts.hostname or "".join(parse_qs(parts.query).get("host", [])[:1])
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "storage.dsn"
    return f"postgresql://{user}{host}{port}{parts.path}"


async def check_postgres(dsn: str, settings: Settings) -> list[Finding]:
    """Looks and measures; writes nothing that stays."""
    try:
        async with AsyncioThread() as thread:
            found = await thread.run(examine, dsn, _TIMEOUT_S)
    except (DatabaseError, ValueError) as error:
        # What is no DSN is quoted in the error, perhaps with its password.
        is_text = isinstance(error, ValueError) or isinstance(error.__cause__, ValueError)
        reason = "it is no DSN: postgresql://user:password@host/database" if is_text else error
        return [
            problem(
                "Postgres",
                f"{masked(dsn)} cannot be used: {reason}",
                "Start it, correct storage.dsn, or see to the account and the network.",
            )
        ]
    return [
        ok("Postgres", f"{masked(dsn)} is version {found.version}"),
        *check_server(found),
        *check_schema(found),
        *check_connections(found, settings),
        *check_clock(found),
        *check_commits(found),
        *check_search(found),
    ]


def check_server(found: Examination) -> Iterator[Finding]:
    if found.version < OLDEST:
        yield problem("Postgres", f"it is version {found.version}", f"{OLDEST} or newer is needed.")
    if found.encoding != "UTF8":
        yield problem(
            "encoding",
            f"{found.database} is encoded in {found.encoding}: not every text can be stored",
            "Create another database: ENCODING 'UTF8' TEMPLATE template0.",
        )
    else:
        yield ok("encoding", f"UTF8, collation {found.collation} (ids are compared byte by byte)")
    if found.standby or found.read_only:
        what = "is a standby" if found.standby else "is read-only"
        yield problem(
            "writing",
            f"{found.database} {what}: nothing can be stored",
            "Name the primary in storage.dsn, or promote this one.",
        )
    elif not found.permitted:
        yield problem(
            "writing",
            f"this account may not write to {found.database}",
            "Make it the owner of the database, or use the account that migrated it.",
        )
    else:
        yield ok("writing", f"this account may write to {found.database}")
    for risk in found.risks:
        said, _, advice = risk.partition(". ")
        yield problem("durability", said, advice)
    if not found.risks:
        yield ok("durability", "fsync, full_page_writes and synchronous_commit are on")


def check_schema(found: Examination) -> Iterator[Finding]:
    if found.refused is not None:
        said, _, advice = found.refused.partition(". ")
        yield problem("migrations", said, advice or "Use the palaver that applied it.")
    elif found.missing:
        yield warning(
            "migrations",
            f"{len(found.missing)} are missing: {', '.join(found.missing)}",
            "The next start applies them; `palaver migrate` does it ahead of time.",
        )
    else:
        yield ok("migrations", "all are applied")


def check_connections(found: Examination, settings: Settings) -> Iterator[Finding]:
    needed = settings.storage.pool + settings.storage.writers + _OWN
    said = f"an engine takes up to {needed}, the server has {found.connections}"
    advice = "Raise max_connections, or lower storage.pool."
    if needed > found.connections:
        yield problem("connections", f"{said}: reads and writes would fail under load", advice)
    elif needed + found.others > found.connections:
        yield warning(
            "connections", f"{said}, of which others use {found.others}: there may be none", advice
        )
    else:
        yield ok("connections", f"{said}, others use {found.others}")


def check_clock(found: Examination) -> Iterator[Finding]:
    ahead = found.clock_ahead_s
    if abs(ahead) - found.clock_error_s > _CLOCK_S:
        yield warning(
            "clock",
            f"Postgres is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine: "
            "times of messages and of what the database notes do not fit together",
            "Let both follow a time server.",
        )
    else:
        yield ok(
            "clock",
            f"{1000 * abs(ahead):.0f} ms from this machine's (time zone {found.time_zone}, which "
            "does not matter)",
        )


def check_commits(found: Examination) -> Iterator[Finding]:
    if not found.commit_s:
        return
    median = statistics.median(found.commit_s)
    said = f"one takes {1000 * median:.1f} ms (at most {1000 * max(found.commit_s):.1f})"
    if median > _SLOW_COMMIT_S:
        yield warning(
            "commits",
            f"{said}: every reply to a send waits for one",
            "Give Postgres a faster disk, or bring it nearer.",
        )
    else:
        yield ok("commits", said)


def check_search(found: Examination) -> Iterator[Finding]:
    there = "is" if found.trigrams else "is not"
    yield ok("pg_trgm", f"{there} available; palaver does without")
