"""Directories in which the embedded Postgres can work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from palaver.tests.support.postgres import temporary_data


@pytest.fixture
def data() -> Iterator[Path]:
    """Where a data directory may be made; not there yet."""
    with temporary_data() as path:
        yield path


@pytest.fixture(scope="module")
def used_data() -> Iterator[Path]:
    """The same, for the tests of one file in turn: only the first has to make a cluster."""
    with temporary_data() as path:
        yield path
