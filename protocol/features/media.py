"""The gallery: the messages of a conversation that show something besides their text (GRP-12)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..commands import Query
from ..paging import LARGEST_PAGE


class ListMedia(Query):
    """A page of the messages with attachments, or of a type that shows something by itself, newest
    first and as `message.history` serves them; `before` is a seq, exclusive. Deleted ones are not
    among them, whatever history does."""

    name: ClassVar[str] = "media.list"

    before: int | None = Field(default=None, ge=1)
    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)
