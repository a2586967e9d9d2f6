"""Searching the caller's messages (SRCH-01…07, 09…12)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from ..commands import UserQuery
from ..ids import ConversationId, UserId
from ..paging import LARGEST_PAGE

SearchText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
"""What is searched for; the policy says how short it may be (SRCH-03)."""


class SearchMessages(UserQuery):
    """A page of messages of the caller's conversations, or of one of them, that match `query`.

    How it matches, and in which order hits come, is the policy's `search_mode`. `by` is the author;
    `after` and `before` are times in milliseconds, exclusive. `page` counts from 1.
    """

    name: ClassVar[str] = "message.search"

    query: SearchText
    conversation: ConversationId | None = None
    by: UserId | None = None
    after: int | None = Field(default=None, ge=0, lt=2**53)
    before: int | None = Field(default=None, ge=0, lt=2**53)
    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)
