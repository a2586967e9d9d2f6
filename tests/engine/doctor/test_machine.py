"""The limit of open files against the connections that are allowed."""

import resource

import pytest

from palaver.engine.doctor.machine import check_open_files
from palaver.engine.sections import Connections
from palaver.engine.settings import Settings


@pytest.mark.parametrize(
    ("limit", "level"),
    [(1_024, "warning"), (1_099, "warning"), (1_100, "ok"), (resource.RLIM_INFINITY, "ok")],
)
def test_too_few_files_for_the_connections(limit: int, level: str):
    settings = Settings(connections=Connections(max_total=1_000))
    (finding,) = check_open_files(settings, limit)
    assert finding.level == level
