"""docs/profiles.md is true."""

import pytest

from palaver.engine.profiles import NAMES
from palaver.tests.scenarios.account import ITEMS, PAGE, page, scenarios, values, waiting
from palaver.tests.scenarios.waiting import CAPABILITIES


def test_the_page_is_what_files_and_tests_say():
    """If not: `make profiles`."""
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("name", ITEMS)
def test_every_scenario_has_its_test(name: str):
    assert [each.number for each in scenarios(name)] == list(range(1, ITEMS[name] + 1))


@pytest.mark.parametrize("profile", NAMES)
def test_what_a_profile_sets_or_waits_for_has_its_reason(profile: str):
    assert all(each.why for each in values(profile))
    assert {what for what, _ in waiting(profile)} <= CAPABILITIES.keys()
