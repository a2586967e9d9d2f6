"""Settings for the whole suite.

``HYPOTHESIS_PROFILE=thorough`` searches fifty times longer than the default profile.
"""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("thorough", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Asserts in shared helpers explain themselves like those in tests.
pytest.register_assert_rewrite("palaver.tests.support", "palaver.tests.stories")

from palaver.tests.support import described  # noqa: E402
from palaver.tests.support.postgres import as_shipped, fresh_database, postgres_dsn  # noqa: E402
from palaver.tests.support.quick_disk import prefer_memory  # noqa: E402

prefer_memory()
described.watch()

__all__ = ["as_shipped", "fresh_database", "postgres_dsn"]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """A test that saw what docs/asyncapi.yaml does not describe has failed."""
    described.PROBLEMS.clear()
    result = yield
    assert not described.PROBLEMS, described.PROBLEMS[:3]
    return result
