"""docs/rest.md says what the endpoints are."""

import json
import re

from palaver.tests.docs.endpoints import PAGE, page


def test_REST_01_the_table_of_endpoints_is_the_code_s():
    text = PAGE.read_text()
    assert text == page(text), "run `make endpoints`"


def test_json_examples_are_json():
    for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.S):
        assert isinstance(json.loads(block), dict)
