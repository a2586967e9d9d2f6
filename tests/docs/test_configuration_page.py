"""docs/configuration.md is made from the settings."""

from palaver.tests.docs.configuration import PAGE, page


def test_the_page_of_settings_is_current():
    assert PAGE.read_text() == page(), "run `make configuration`"
