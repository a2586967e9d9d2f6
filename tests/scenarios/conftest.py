"""Products under a clock that jumps; what a scenario still waits for."""

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from palaver.tests.support.engines import jumping
from palaver.tests.support.product import Product, product


@pytest.hookimpl(trylast=True)  # trio_mode has marked them, too, and the mark in front holds
def pytest_collection_modifyitems(items: list[pytest.Item]):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.get_closest_marker("trio"):
            item.add_marker(pytest.mark.trio(run=jumping), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """What can be played already is played, and may fail; then it is said what is missing."""
    result = yield
    if (mark := pyfuncitem.get_closest_marker("waits_for")) is not None:
        pytest.skip(f"waits for {', '.join(mark.args)}")
    return result


@pytest.fixture
async def here(request: pytest.FixtureRequest) -> AsyncIterator[Product]:
    """The product of the file."""
    async with product(request.module.PROFILE) as there:
        yield there
