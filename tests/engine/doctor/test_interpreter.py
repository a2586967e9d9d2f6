"""Python and libraries below their lower bounds are named, with what to type."""

import importlib.metadata

import pytest

from palaver.engine.doctor.interpreter import check_libraries, check_python


def test_an_old_python_is_a_problem():
    (finding,) = check_python((3, 10, 12))
    assert (finding.level, "3.11" in finding.advice) == ("problem", True)


def test_this_installation_is_in_order():
    assert [finding.level for finding in (*check_python(), *check_libraries())] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("installed", "level"),
    [
        ("0.27", "ok"),
        ("0.27.1", "ok"),
        ("0.100rc1", "ok"),
        ("1", "ok"),
        ("0.26.9", "problem"),
        ("0.3", "problem"),
    ],
)
def test_versions_compare_as_numbers(installed: str, level: str):
    (finding,) = check_libraries(["hypercorn[trio]>=0.27"], lambda _: installed)
    assert finding.level == level
    if level == "problem":
        assert "hypercorn>=0.27" in finding.advice
        assert f"{installed} is installed" in finding.what


def test_a_library_that_is_not_there_is_a_problem():
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    assert [finding.level for finding in check_libraries(["trio>=0.27"], missing)] == ["problem"]
    extra = ['pytest>=8.3; extra == "test"']
    assert [finding.level for finding in check_libraries(extra, missing)] == ["ok"]
