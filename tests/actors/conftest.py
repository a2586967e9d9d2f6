"""Time jumps in here: whenever everybody waits, it passes to the next timer."""

from pathlib import Path

import pytest

from palaver.tests.support.engines import jumping


@pytest.hookimpl(trylast=True)  # trio_mode has marked them, too, and the mark in front holds
def pytest_collection_modifyitems(items: list[pytest.Item]):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.get_closest_marker("trio"):
            item.add_marker(pytest.mark.trio(run=jumping), append=False)
