"""Payloads become commands strictly, or are refused with their field's name."""

import pytest

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features import COMMANDS


@pytest.mark.parametrize("limit", ["5", True, 5.0])
def test_SEC_09_a_value_of_a_similar_type_is_not_taken_for_a_number(limit: object) -> None:
    with pytest.raises(Rejected) as caught:
        parse_command(COMMANDS["message.history"], {"limit": limit})
    assert caught.value.details is not None
    assert caught.value.details["field"] == "limit"
