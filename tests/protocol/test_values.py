"""What may travel: what Postgres would refuse, we refuse first."""

from typing import Any

import pytest
from hypothesis import given

from palaver.protocol.values import MAX_DEPTH, BadFrame, check_value
from palaver.tests.support.values import VALUES


def nested(depth: int, kind: type) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value] if kind is list else {"k": value}
    return value


class Text(str):
    __slots__ = ()


@given(VALUES)
def test_ordinary_values_may_travel(value: Any):
    check_value(value)


@pytest.mark.parametrize(
    "value",
    ["", "\x01", "\ufffe", "\U0010ffff", -(2**63), 2**63 - 1, 1.7e308, -0.0, 5e-324, [], {"": 0}],
)
def test_the_extremes_may_travel(value: Any):
    check_value(value)


BAD = [
    ("\0", r"U\+0000"),
    ("a\0b", r"U\+0000"),
    ("\ud800", "surrogate"),
    ("a\udfff", "surrogate"),
    (2**63, "64 bits"),
    (-(2**63) - 1, "64 bits"),
    (10**40, "64 bits"),
    (float("nan"), "finite"),
    (float("inf"), "finite"),
    (-float("inf"), "finite"),
    (b"bytes", "bytes"),
    ((1, 2), "tuple"),
    (Text("x"), "Text"),
    ({1, 2}, "set"),
    (object(), "object"),
]


@pytest.mark.parametrize(("value", "problem"), BAD)
@pytest.mark.parametrize("place", ["bare", "in a list", "in a map", "deep"])
def test_what_may_not_travel(value: Any, problem: str, place: str):
    around: dict[str, Any] = {
        "bare": value,
        "in a list": [0, value],
        "in a map": {"k": value},
        "deep": [{"k": [{"k": [value]}]}],
    }
    with pytest.raises(BadFrame, match=problem):
        check_value(around[place])


@pytest.mark.parametrize(
    ("key", "problem"),
    [("\0", r"U\+0000"), ("é\0", r"U\+0000"), ("\ud800", "surrogate"), (1, "key"), (None, "key")],
)
def test_a_key_is_a_string_like_any_other(key: Any, problem: str):
    with pytest.raises(BadFrame, match=problem):
        check_value({"k": {key: 1}})


@pytest.mark.parametrize("kind", [list, dict])
def test_depth(kind: type):
    check_value(nested(MAX_DEPTH, kind))
    with pytest.raises(BadFrame, match="deeper than 16"):
        check_value(nested(MAX_DEPTH + 1, kind))


@pytest.mark.parametrize("kind", [list, dict])
def test_depth_is_not_the_interpreter_s_business(kind: type):
    with pytest.raises(BadFrame, match="deeper than 16"):
        check_value(nested(100_000, kind))


def test_the_answer_never_repeats_the_value():
    for value in ("secret\0", {"secret\0": 1}, ["secret\ud800"], {b"secret": 1}, b"secret"):
        with pytest.raises(BadFrame) as no:
            check_value(value)
        assert "secret" not in str(no.value.payload())
