"""A scripted server for each test that asks, under a clock that jumps when all wait."""

from collections.abc import AsyncIterator

import pytest
from trio.testing import MockClock

from palaver.tests.gateway.client.scripted import Server, scripted


@pytest.fixture
def clock() -> MockClock:
    """To be named by the test itself: pytest-trio looks no further."""
    return MockClock(autojump_threshold=0)


@pytest.fixture
async def server(clock: MockClock) -> AsyncIterator[Server]:
    async with scripted() as server:
        yield server
