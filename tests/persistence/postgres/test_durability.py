"""A reply is as durable as the commits of the server: what weakens them is said."""

import pytest

from palaver.persistence.asyncio_thread import AsyncioThread
from palaver.persistence.postgres.connection import connect
from palaver.persistence.postgres.durability import risks, weaknesses
from palaver.tests.persistence.contract.twins import execute


async def weak(dsn: str) -> list[str]:
    async with AsyncioThread() as thread:
        return await thread.run(weaknesses, dsn, 10.0)


@pytest.mark.usefixtures("as_shipped")
async def test_our_own_server_has_none(fresh_database: str):
    assert await weak(fresh_database) == []


@pytest.mark.usefixtures("as_shipped")
async def test_our_connections_commit_synchronously_whatever_the_role_says(fresh_database: str):
    name = fresh_database.split("/")[3].split("?")[0]
    await execute(fresh_database, f"ALTER DATABASE {name} SET synchronous_commit = off")
    assert await weak(fresh_database) == []

    async def shown() -> str:
        connection = await connect(fresh_database, 10.0)
        try:
            value: str = await connection.fetchval("SHOW synchronous_commit")
            return value
        finally:
            await connection.close()

    async with AsyncioThread() as thread:
        assert await thread.run(shown) == "on"


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_each_switch_that_is_off_is_named(name: str):
    on = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    assert risks(on) == []
    (said,) = risks(on | {name: "off"})
    assert f"{name} = off" in said
