"""docs/requirements.md is true."""

import re

import pytest

from palaver.tests.requirements.account import (
    CATALOGUE,
    PAGE,
    Holder,
    catalogue,
    counts,
    files_of_tests,
    named,
    page,
    state,
)

AREAS, ROWS = catalogue(CATALOGUE.read_text())


def test_the_page_is_what_the_tests_say():
    """If not: `make requirements`."""
    assert PAGE.read_text() == page(AREAS, ROWS, named(files_of_tests()))


def test_no_test_names_a_row_that_does_not_exist():
    assert named(files_of_tests()).keys() <= {row.id for row in ROWS}


def test_a_name_in_capitals_is_that_of_a_row():
    """`test_MSG_4_…` and `test_MSG04_…` would count for nothing."""
    for file in files_of_tests():
        for name in re.findall(r"def test_([A-Z]{2,}_?\d\w*)", file.read_text()):
            assert re.match(r"([A-Z]+_\d\d_)+[a-z0-9]", name), f"{file.name}: test_{name}"


def test_every_row_is_there_once_and_in_its_area():
    ids = [row.id for row in ROWS]
    assert len(set(ids)) == len(ids)
    assert list(AREAS) == list(dict.fromkeys(row.area for row in ROWS))


SMALL = """
# a remark
CONV: Conversations
CONV-01 core Talking
CONV-02 full Whispering [the microphone]
CONV-03 core Shouting
"""


def test_a_row_is_done_when_it_is_named_and_lacks_nothing(tmp_path):
    file = tmp_path / "test_voices.py"
    file.write_text(
        "async def test_CONV_01_CONV_02_one_s_own_voice():\n    pass\n\n\ndef test_it(): pass\n"
    )
    areas, rows = catalogue(SMALL)
    tests = named([file])
    assert tests["CONV-01"] == tests["CONV-02"] == [Holder(file, "one's own voice")]
    assert [state(row, tests) for row in rows] == ["done", "partly", "open"]
    assert counts(areas, rows, tests) == [
        ["CONV", "1", "1", "1", "1", "0", "1"],
        ["all", "1", "1", "1", "1", "0", "1"],
    ]


@pytest.mark.parametrize("line", ["CONV-1 core Talking", "CONV-01 some Talking", "CONV-01 core"])
def test_a_line_that_is_neither_area_nor_row_is_refused(line):
    with pytest.raises(ValueError, match="neither"):
        catalogue(line)
