"""docs/commands.md is made from the commands."""

from palaver.tests.docs.command_page import PAGE, page


def test_the_page_of_commands_is_current():
    assert PAGE.read_text() == page(), "run `make commands`"
