"""Settings for the whole suite.

``HYPOTHESIS_PROFILE=thorough`` searches fifty times longer than the default profile.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("thorough", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Asserts in shared helpers explain themselves like those in tests.
pytest.register_assert_rewrite("palaver.tests.support", "palaver.tests.stories")

from palaver.tests.support.postgres import as_shipped, fresh_database, postgres_dsn  # noqa: E402
from palaver.tests.support.quick_disk import prefer_memory  # noqa: E402

prefer_memory()

__all__ = ["as_shipped", "fresh_database", "postgres_dsn"]
