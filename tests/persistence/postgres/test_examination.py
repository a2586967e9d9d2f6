"""A look at a server finds what is so, and leaves nothing behind."""

import pytest

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.postgres.examination import COMMITS, Examination, examine
from palaver.persistence.postgres.migrate import migrate, migrations
from palaver.tests.persistence.contract.twins import execute

_EVERYTHING = "SELECT count(*), sum(reltuples) FROM pg_class"


async def look(dsn: str) -> Examination:
    async with AsyncioThread() as thread:
        return await thread.run(examine, dsn, 10.0)


@pytest.mark.usefixtures("as_shipped")
async def test_a_new_database_is_ready_to_be_migrated(fresh_database: str):
    before = await execute(fresh_database, _EVERYTHING)
    found = await look(fresh_database)
    assert await execute(fresh_database, _EVERYTHING) == before
    assert (found.encoding, found.standby, found.read_only) == ("UTF8", False, False)
    assert found.permitted
    assert found.risks == []
    assert found.refused is None
    assert len(found.missing) == len(migrations())
    assert len(found.commit_s) == COMMITS
    assert abs(found.clock_ahead_s) < 60


async def test_a_migrated_one_lacks_nothing(fresh_database: str):
    async with AsyncioThread() as thread:
        await thread.run(migrate, fresh_database, 10.0, None)
    found = await look(fresh_database)
    assert (found.missing, found.refused, found.permitted) == ([], None, True)
    await execute(fresh_database, "UPDATE migration SET checksum = 'other' WHERE version = 1")
    found = await look(fresh_database)
    assert found.refused is not None
    assert "0001" in found.refused


async def test_a_read_only_one_and_one_of_another_account(fresh_database: str):
    name = fresh_database.split("/")[3].split("?")[0]
    await execute(fresh_database, "CREATE TABLE log (n integer)")
    await execute(fresh_database, "REVOKE INSERT ON log FROM CURRENT_USER")
    await execute(fresh_database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    found = await look(fresh_database)
    assert found.read_only
    assert not found.permitted
    assert found.commit_s == ()
