"""Asking who users are, which the host knows (CONV-19, HIST-09)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from ..commands import UserQuery
from ..ids import UserId


class GetUsers(UserQuery):
    """What may be seen of these users: for ids that came with a push. Who is not there is left out
    of the answer."""

    name: ClassVar[str] = "user.get"

    users: list[UserId] = Field(min_length=1, max_length=100)


class SearchUsers(UserQuery):
    """Users to write to, by what the host makes of `text`, in its order."""

    name: ClassVar[str] = "user.search"

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    limit: int = Field(default=20, ge=1, le=50)
