"""Texts that the product suggests, and what is made of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from palaver.protocol.errors import Rejected
from palaver.protocol.features.templates import SendTemplate
from palaver.protocol.policy import Policy

POLICY = Policy(templates={"free": "Is {place} free on {day}? {{really}}", "hello": "Hello!"})


def text(name: str, **variables: str) -> str:
    return SendTemplate(template=name, variables=variables).message(POLICY).text


def test_MSG_30_the_gaps_of_a_template_are_filled():
    assert text("free", place="the flat", day="Monday") == "Is the flat free on Monday? {really}"
    assert text("hello") == "Hello!"


def test_MSG_30_what_a_value_says_is_no_template():
    assert text("free", place="{day}", day="{{x}}") == "Is {day} free on {{x}}? {really}"


@pytest.mark.parametrize(
    ("name", "variables", "field"),
    [
        ("free", {"place": "x"}, "variables.day"),
        ("free", {"place": "x", "day": "y", "hour": "z"}, "variables"),
        ("nothing", {}, "template"),
    ],
)
def test_MSG_30_a_missing_variable_is_named(name: str, variables: dict[str, str], field: str):
    with pytest.raises(Rejected) as no:
        text(name, **variables)
    assert (no.value.code, no.value.details) == ("VALIDATION_FAILED", {"field": field})


@pytest.mark.parametrize("template", ["{", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:5}"])
def test_MSG_30_what_is_no_template_is_refused_at_the_start(template: str):
    templates: Any = {"x": template}
    with pytest.raises(ValidationError, match="x: "):
        Policy(templates=templates)
