"""Milliseconds here, ISO 8601 there (REST-07)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.gateway.rest.times import iso, read, shown
from palaver.protocol.personal import FOREVER
from palaver.tests.support.values import VALUES

NOW = 1_700_000_000_123
SHOWN = "2023-11-14T22:13:20.123Z"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"ts": NOW, "seq": NOW}, {"ts": SHOWN, "seq": NOW}),
        ({"read": {"seq": 0, "at": 0}}, {"read": {"seq": 0, "at": None}}),
        ({"muted_until": FOREVER}, {"muted_until": "9999-12-31T23:59:59.999Z"}),
        ({"until": 2**62, "at": -5}, {"until": 2**62, "at": -5}),
        ({"metadata": {"ts": NOW}}, {"metadata": {"ts": NOW}}),
        ({"reactions": {"seen": 3}}, {"reactions": {"seen": 3}}),
        ({"members": {"at": {"role": "x"}}}, {"members": {"at": {"role": "x"}}}),
        ({"users": {"at": {"until": NOW}}}, {"users": {"at": {"until": NOW}}}),
        ({"users": {"u": {"last_seen": NOW}}}, {"users": {"u": {"last_seen": SHOWN}}}),
        ({"deleted_at": True, "chat": 1, "flat": 1}, {"deleted_at": True, "chat": 1, "flat": 1}),
        ([{"d": {"expires_at": NOW}}], [{"d": {"expires_at": SHOWN}}]),
    ],
)
def test_REST_07_what_is_a_time_and_what_is_not(value: Any, told: Any):
    assert shown(value) == told


@given(st.integers(0, FOREVER))
def test_REST_07_a_time_comes_back_as_it_was(ms: int):
    assert read("message.schedule", {"send_at": iso(ms)}) == {"send_at": ms}


@given(VALUES)
def test_REST_07_nothing_breaks_it(value: Any):
    shown({"at": value, "users": value, "d": [value]})


@given(st.text())
def test_REST_07_what_is_no_time_is_left_to_the_command(text: str):
    payload = {"until": text, "text": SHOWN}
    assert read("conversation.lock", payload)["text"] == SHOWN
    assert isinstance(read("conversation.lock", payload)["until"], str | int)
