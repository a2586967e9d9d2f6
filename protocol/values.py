"""Which values may travel: what a frame may hold at all, checked before anything looks at it.

The rule is «what Postgres would refuse, we refuse first»: no U+0000, no lone surrogates, no NaN or
infinity, no integer beyond 64 bits, string keys only. Depth and number of values are bounded, so
that a small frame cannot become a large object.
"""

from __future__ import annotations

from typing import Any

from .errors import Rejected

MAX_DEPTH = 16
MAX_VALUES = 20_000
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_INFINITY = float("inf")


class BadFrame(Rejected):
    """The bytes are no frame, or hold what may not travel. Nothing of it was carried out."""

    def __init__(self, problem: str) -> None:
        super().__init__("BAD_FRAME", problem)


def check_value(value: Any, depth: int = 0) -> None:
    """Raise `BadFrame` if `value`, or anything inside it, may not travel."""
    kind = type(value)
    if kind is str:
        if "\x00" in value:
            raise BadFrame("a string holds U+0000")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise BadFrame("a string holds a lone surrogate") from None
    elif kind is int:
        if not _MIN_INT <= value <= _MAX_INT:
            raise BadFrame("an integer is beyond 64 bits")
    elif kind is dict:
        if depth >= MAX_DEPTH:
            raise BadFrame(f"nested deeper than {MAX_DEPTH}")
        for key, inner in value.items():
            if type(key) is not str:
                raise BadFrame("a key is not a string")
            if "\x00" in key:
                raise BadFrame("a key holds U+0000")
            # Most values are plain strings: a call for each would cost more than the look.
            if type(inner) is not str or "\x00" in inner or not inner.isascii():
                check_value(inner, depth + 1)
            if not key.isascii():
                check_value(key, depth)
    elif kind is list:
        if depth >= MAX_DEPTH:
            raise BadFrame(f"nested deeper than {MAX_DEPTH}")
        for inner in value:
            check_value(inner, depth + 1)
    elif kind is float:
        if value != value or value in (_INFINITY, -_INFINITY):
            raise BadFrame("a number is not finite")
    elif value is not None and kind is not bool:
        raise BadFrame(f"a value is of a type that may not travel ({kind.__name__})")
