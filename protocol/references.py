"""What conversations and messages are about: things of the host (CONV-05).

A *context* is a small map of references, `{type: id}`: a listing and an application, a booking, a
property. Which types there are the product says (`Policy.conversation_context`, `message_context`);
what an id stands for only the host knows. Once the host says that a thing is gone, None is left of
the reference to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from .errors import invalid
from .ids import UserId

MAX_REFERENCES = 8
"""In one context."""

_ID: TypeAdapter[str] = TypeAdapter(UserId)
"""Of a thing: opaque and bounded like a user's."""
_TYPE = re.compile("[a-z][a-z0-9_]{0,31}")

ReferenceType = Annotated[str, StringConstraints(pattern=f"^{_TYPE.pattern}$")]


def _check(context: dict[str, Any]) -> dict[str, Any]:
    # A dict of narrower types would name a bad key in its error, and that may be any text.
    for type, id in context.items():
        if not _TYPE.fullmatch(type):
            raise ValueError("a type has up to 32 lower-case letters, digits and _")
        try:
            _ID.validate_python(id, strict=True)
        except ValidationError:
            raise ValueError("an id has 1 to 128 printable characters") from None
    return context


References = Annotated[dict[str, Any], Field(max_length=MAX_REFERENCES), AfterValidator(_check)]
OneReference = Annotated[dict[str, Any], Field(min_length=1, max_length=1), AfterValidator(_check)]

Reference = tuple[str, str]
"""Type and id."""


def the_one(context: Mapping[str, str]) -> Reference:
    """Of a `OneReference`."""
    ((type, id),) = context.items()
    return type, id


def refers(context: Mapping[str, str | None] | None, to: Reference) -> bool:
    """Whether the thing `to` is in `context`."""
    return context is not None and context.get(to[0]) == to[1]


def check_references(context: Mapping[str, str], types: Collection[str]) -> None:
    """VALIDATION_FAILED for a type that is none of `types`."""
    for type in context:
        if type not in types:
            known = ", ".join(types) or "nothing"
            raise invalid(f"context.{type}", f"only {known} can be referred to here")
