"""How Postgres finds jobs among many."""

import pytest

from palaver.persistence.postgres.jobs import AHEAD, DEAD, OWNED, TAKE
from palaver.persistence.postgres.store import PostgresStore
from palaver.tests.persistence.contract.twins import execute

# Most wait for later; few are due, few were given up.
FILL = """
    INSERT INTO job (id, due, next_at, priority, attempts, kind, state, owner, data)
    SELECT
        gen_random_uuid(), at, at, n % 3, 0, 'message.send',
        CASE WHEN n % 1000 = 0 THEN 'dead' WHEN n % 3 = 0 THEN 'done' ELSE 'pending' END,
        'user-' || n % 200, '{}'
    FROM (
        SELECT n, timestamptz '2030-01-01' + n * interval '1 s' AS at
        FROM generate_series(1, 30000) AS n
    ) AS each
"""
TIME = "timestamptz '2030-01-01 00:01'"
ID = "uuid '00000000-0000-0000-0000-000000000000'"
QUERIES = {
    "take": (TAKE, f"{TIME}, 64, {TIME}, 3, '', 1", {"job_next"}),
    "owned": (OWNED, f"'user-7', 'message.send', '{{pending}}', {TIME}, {ID}, 50", {"job_owner"}),
    "ahead": (AHEAD, f"'user-7', 'message.send', {TIME}, {ID}", {"job_owner"}),
    "dead": (DEAD, "100", {"job_dead"}),
}


@pytest.mark.timeout(120)
async def test_DB_08_jobs_are_found_by_indexes(fresh_database: str):
    async with PostgresStore(fresh_database):
        pass
    await execute(fresh_database, FILL, "ANALYZE job")
    for name, (sql, arguments, indexes) in QUERIES.items():
        for mode in ("force_generic_plan", "force_custom_plan"):
            rows = await execute(
                fresh_database,
                f"SET plan_cache_mode = {mode}",
                f"PREPARE {name} AS {sql}",
                f"EXPLAIN EXECUTE {name}({arguments})",
            )
            plan = "\n".join(row[0] for row in rows)
            assert "Seq Scan on job" not in plan, plan
            assert all(index in plan for index in indexes), plan
