"""`@immutable`: a frozen dataclass for the type checker that costs nothing more when it runs.

A really frozen one sets every field through `object.__setattr__`, which makes it four times as dear
to make; and of some of these there is one, or more, for every message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def immutable(cls: type[T]) -> type[T]:
    """Slots and no defaults by reference. Nothing but mypy stops an assignment."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
