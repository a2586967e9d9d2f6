"""How many items a page has: what was asked for, within what the policy allows (C-24)."""

from __future__ import annotations

from .errors import invalid

LARGEST_PAGE = 1000
"""No policy allows more."""


def page_size(asked: int | None, default: int, most: int) -> int:
    """`asked`, or `default` if nothing was. Raises VALIDATION_FAILED beyond `most`."""
    if asked is None:
        return default
    if asked > most:
        raise invalid("limit", f"at most {most}")
    return asked


def page_count(total: int, limit: int) -> int:
    """How many pages `total` items fill."""
    return -(-total // limit)
