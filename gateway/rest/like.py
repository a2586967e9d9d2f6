"""What an example leaves open: null, or missing, or other names (`answers.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Maybe:
    """Like `value`, or null."""

    value: Any


@dataclass(frozen=True)
class Perhaps:
    """Like `value`, or missing."""

    value: Any


@dataclass(frozen=True)
class Rarely(Perhaps):
    """The same, and not shown by the example."""


@dataclass(frozen=True)
class By:
    """A map from names that are not ours, such as `key`, to what is like `value`."""

    key: str
    value: Any


@dataclass(frozen=True)
class Ref:
    """The answer of this name."""

    name: str


@dataclass(frozen=True)
class One:
    """Either of these, shown by the first."""

    of: tuple[Any, ...]


@dataclass(frozen=True)
class Time:
    """In ISO 8601."""
