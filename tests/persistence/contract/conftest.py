"""Every test of this directory runs against both stores: they answer to one contract."""

import pytest
import trio

from palaver.tests.persistence.contract.twins import MemoryTwin, PostgresTwin, Twin


@pytest.fixture(params=["memory", "postgres"])
def dsn(request: pytest.FixtureRequest) -> str | None:
    """An empty database, or None for the in-memory store."""
    if request.param == "memory":
        return None
    dsn: str = request.getfixturevalue("fresh_database")
    return dsn


@pytest.fixture
async def twin(dsn: str | None, nursery: trio.Nursery) -> Twin:
    """A store that is open, and what can be done to it from outside."""
    twin: MemoryTwin | PostgresTwin
    twin = MemoryTwin() if dsn is None else PostgresTwin(dsn, nursery)
    await twin.open()
    return twin
