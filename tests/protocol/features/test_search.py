"""What a search asks."""

from typing import Any

import pytest
from pydantic import ValidationError

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.search import SearchMessages
from palaver.protocol.paging import page_count, page_size
from palaver.protocol.policy import Policy

ID = "00000000-0000-7000-8000-000000000001"


def test_SRCH_03_white_space_round_the_query_does_not_count():
    query = parse_command(SearchMessages, {"query": "  two words \n"})
    assert isinstance(query, SearchMessages)
    assert query.query == "two words"
    padded = {"query": " " * 300 + "x" * 200 + " "}
    assert parse_command(SearchMessages, padded) == SearchMessages(query="x" * 200)


@pytest.mark.parametrize(
    "payload",
    [
        {"query": "x" * 201},
        {"query": 5},
        {"query": "xx", "conversation": "room"},
        {"query": "xx", "limit": 0},
        {"query": "xx", "limit": 1001},
        {"query": "xx", "page": 0},
        {"query": "xx", "after": -1},
        {"query": "xx", "before": 2**60},
        {"query": "xx", "by": "  "},
    ],
)
def test_SRCH_04_SRCH_10_what_is_out_of_bounds_is_refused(payload: dict[str, Any]):
    with pytest.raises(Rejected, match="VALIDATION_FAILED"):
        parse_command(SearchMessages, payload)


def test_C_24_page_sizes():
    assert page_size(None, 20, 50) == 20
    assert page_size(50, 20, 50) == 50
    with pytest.raises(Rejected) as no:
        page_size(51, 20, 50)
    assert no.value.details == {"field": "limit"}
    assert [page_count(total, 20) for total in (0, 1, 20, 21, 45)] == [0, 1, 1, 2, 3]


def test_C_24_C_25_C_26_defaults_are_those_of_the_table():
    policy = Policy()
    assert (policy.conversations_page, policy.max_conversations_page) == (50, 200)
    assert (policy.messages_page, policy.max_messages_page) == (50, 100)
    assert (policy.search_page, policy.max_search_page) == (20, 50)
    assert (policy.history_style, policy.history_order) == ("cursor", "newest_page_ascending")
    assert (policy.search_mode, policy.search_min_chars, policy.search_scope) == ("fts", 2, "mine")
    with pytest.raises(ValidationError):
        Policy.model_validate({"search_mode": "magic"})
