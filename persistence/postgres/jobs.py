"""Jobs in Postgres. Whoever takes some locks their rows and passes over those that others have
locked, so any number of processes may take at once and no job is handed out twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from ...protocol.jobs import LEASE_RAN_OUT, Job, JobState, Taken, Tried
from .database import Rows
from .incarnation import Incarnation
from .rows import job_of, job_row

_ADD = "INSERT INTO job SELECT new.* FROM unnest($1::job[]) AS new ON CONFLICT DO NOTHING"

_CLASSES = "unnest('{2,1,0}'::smallint[]) AS class (priority)"

# $1 now, $2 how many, $3 end of the lease, $4 tries, $5 why there are no more, $6 incarnation: one
# that has ended could do nothing with them, and the next start waits until this is done. Each class
# of priority is read from its oldest job on and no further than the limit, however many are due or
# wait for later.
TAKE = f"""
    WITH me AS MATERIALIZED (
        SELECT id FROM incarnation WHERE id = $6 AND ended_at IS NULL FOR SHARE
    ),
    chosen AS MATERIALIZED (
        SELECT found.id
        FROM me
        CROSS JOIN {_CLASSES}
        CROSS JOIN LATERAL (
            SELECT id, next_at FROM job
            WHERE state = 'pending' AND job.priority = class.priority AND next_at <= $1
            ORDER BY next_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        ) AS found
        ORDER BY class.priority DESC, found.next_at
        LIMIT $2
    ),
    taken AS (
        UPDATE job SET
            state = CASE WHEN attempts < $4 THEN state ELSE 'dead' END,
            error = CASE WHEN attempts < $4 THEN error ELSE $5 END,
            attempts = least(attempts + 1, $4),
            next_at = $3,
            holder = $6
        FROM chosen WHERE job.id = chosen.id
        RETURNING job.*
    )
    SELECT upcoming.next, (SELECT count(*) FROM chosen) AS chosen, taken.*
    FROM (
        SELECT min(earliest.next_at) AS next
        FROM {_CLASSES}
        CROSS JOIN LATERAL (
            SELECT next_at FROM job
            WHERE state = 'pending' AND job.priority = class.priority AND next_at > $1
            ORDER BY next_at
            LIMIT 1
        ) AS earliest
    ) AS upcoming
    LEFT JOIN taken ON taken.state = 'pending'
    ORDER BY taken.priority DESC, taken.due, taken.id
"""

# A try counts only for who still holds the job. What it held of a message goes when it is over,
# also from its owner's log.
_SETTLE = """
    WITH tried AS (
        SELECT *
        FROM unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::text[], $5::boolean[])
            AS tried (id, attempts, again, error, begun)
    ),
    held AS MATERIALIZED (
        SELECT job.id, job.owner, tried.error, tried.again, tried.begun
        FROM job JOIN tried ON tried.id = job.id AND tried.attempts = job.attempts
        WHERE job.state = 'pending' AND job.holder = $6
        ORDER BY job.id
        FOR UPDATE OF job
    ),
    gone AS (
        DELETE FROM job USING held
        WHERE job.id = held.id AND held.error IS NULL AND held.owner IS NULL
    ),
    kept AS (
        UPDATE job SET
            state = CASE
                WHEN held.error IS NULL THEN 'done'
                WHEN held.again IS NULL THEN 'dead'
                ELSE 'pending'
            END,
            next_at = coalesce(held.again, job.next_at),
            attempts = job.attempts - CASE WHEN held.begun THEN 0 ELSE 1 END,
            holder = NULL,
            error = held.error,
            data = CASE WHEN held.error IS NULL THEN job.data - 'message' ELSE job.data END
        FROM held
        WHERE job.id = held.id AND (held.error IS NOT NULL OR held.owner IS NOT NULL)
    )
    UPDATE user_log SET data = user_log.data - 'message'
    FROM held
    WHERE held.error IS NULL
        AND user_log.user_id = held.owner AND user_log.subject = 'schedule ' || held.id
"""

OWNED = """
    SELECT * FROM job
    WHERE owner = $1 AND kind = $2 AND state = ANY ($3) AND (due, id) > ($4, $5::uuid)
    ORDER BY due, id
    LIMIT $6
"""

AHEAD = """
    SELECT count(*) AS ahead FROM job
    WHERE owner = $1 AND kind = $2 AND state = 'pending' AND due > $3 AND id <> $4
"""

_RECLAIM = """
    UPDATE job SET next_at = $1, holder = NULL
    FROM incarnation
    WHERE job.holder = incarnation.id AND incarnation.ended_at IS NOT NULL AND state = 'pending'
"""

DEAD = "SELECT * FROM job WHERE state = 'dead' ORDER BY due, id LIMIT $1"

_RETRY = """
    UPDATE job SET state = 'pending', attempts = 0, next_at = $1, holder = NULL
    WHERE state = 'dead' AND ($2::uuid[] IS NULL OR id = ANY ($2))
    RETURNING id
"""


class Reads(Protocol):
    """Where statements are sent: a `Database`, or a connection of whoever only looks at jobs."""

    async def fetch(self, sql: str, *arguments: Any) -> Rows: ...


class PostgresJobs:
    """Implements `Jobs`. Every method is one statement."""

    def __init__(self, database: Reads, incarnation: Incarnation) -> None:
        self._database = database
        self._incarnation = incarnation

    async def add(self, jobs: Sequence[Job]) -> None:
        await self._database.fetch(_ADD, [job_row(job) for job in jobs])

    async def reclaim(self, now: int) -> None:
        await self._database.fetch(_RECLAIM, now)

    async def take(self, now: int, limit: int, until: int, tries: int) -> Taken:
        me = self._incarnation.id
        rows = await self._database.fetch(TAKE, now, limit, until, tries, LEASE_RAN_OUT, me)
        jobs = [job_of(row) for row in rows if row["id"] is not None]
        return Taken(jobs, rows[0]["next"], rows[0]["chosen"] >= limit)

    async def settle(self, results: Sequence[Tried]) -> None:
        await self._database.fetch(
            _SETTLE,
            [tried.job.id for tried in results],
            [tried.job.attempts for tried in results],
            [tried.again for tried in results],
            [tried.error for tried in results],
            [tried.begun for tried in results],
            self._incarnation.id,
        )

    async def owned(
        self,
        owner: str,
        kind: str,
        states: Collection[JobState],
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[Job]:
        due, id = after or (0, "00000000-0000-0000-0000-000000000000")
        rows = await self._database.fetch(OWNED, owner, kind, list(states), due, id, limit)
        return [job_of(row) for row in rows]

    async def ahead(self, owner: str, kind: str, now: int, *, besides: str) -> int:
        (row,) = await self._database.fetch(AHEAD, owner, kind, now, besides)
        ahead: int = row["ahead"]
        return ahead

    async def dead(self, limit: int) -> list[Job]:
        return [job_of(row) for row in await self._database.fetch(DEAD, limit)]

    async def retry(self, now: int, ids: Collection[str] | None = None) -> int:
        wanted = None if ids is None else list(ids)
        return len(await self._database.fetch(_RETRY, now, wanted))
