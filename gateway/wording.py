"""Refusals in the product's own words, where it has some (ERR-07)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

Wording = Mapping[str, str]
"""The message of an error by its code: `policy.error_messages`."""

OURS: Final[Wording] = MappingProxyType({})
"""What palaver itself says: the sentence of the table, or what is wrong in this very case."""


def worded(error: dict[str, Any], wording: Wording) -> dict[str, Any]:
    """`error` (`Rejected.payload()`), of which `wording` may replace the message and nothing else:
    clients go by the code."""
    own = wording.get(error["code"])
    return error if own is None else {**error, "message": own}
