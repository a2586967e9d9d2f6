"""docs/python-reference.md is made from the docstrings."""

from palaver.tests.docs.python_page import PAGE, page


def test_the_page_of_classes_is_current():
    assert PAGE.read_text() == page(), "run `make python-reference`"
