"""Reading back and catching up: history by cursor or by page number, resume by position
(HIST-01, 02, 03, 04, 05, 07, 08)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from ..commands import Query
from ..ids import MessageId
from ..paging import LARGEST_PAGE
from ..references import OneReference


class MessageHistory(Query):
    """A page of messages, oldest first, as they are now.

    Without a cursor: the newest page. `before` and `after` are a seq, exclusive; `around` is a
    message id, with `limit` messages on either side of it. `before_time` is in milliseconds.

    `page` counts from 1, among the messages before `before` or `before_time` if given; the policy's
    `history_order` says from which end. It counts what the caller may be shown, so it costs more
    the longer a conversation is: cursors are for long ones.

    `context`: only messages that refer to that thing (HIST-04).

    `system`: also the events that tell of members and settings, each as a message without text
    whose `kind` is the event's name (GRP-13, AUTO-08).
    """

    name: ClassVar[str] = "message.history"

    before: int | None = Field(default=None, ge=1)
    after: int | None = Field(default=None, ge=0)
    around: MessageId | None = None
    before_time: int | None = Field(default=None, ge=0)
    page: int | None = Field(default=None, ge=1, le=1_000_000)
    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)
    system: bool = False
    context: OneReference | None = None

    @model_validator(mode="after")
    def _one_cursor(self) -> MessageHistory:
        if len(self._cursors()) > 1:
            raise ValueError("give at most one of before, after, around, before_time")
        if self.page is not None and (self.after is not None or self.around is not None):
            raise ValueError("a page goes with before or before_time, or alone")
        return self

    @property
    def has_cursor(self) -> bool:
        return bool(self._cursors())

    def _cursors(self) -> list[int | str]:
        cursors = (self.before, self.after, self.around, self.before_time)
        return [cursor for cursor in cursors if cursor is not None]


class Resume(Query):
    """Every event after `seq` of `epoch`, in order, as pushes before the Reply; or none of them
    and `recovered: false` with the reason and what to reload (docs/protocol.md).

    `marks` is the greatest `n` of a mark that the device knows: marks that moved since come along.
    """

    name: ClassVar[str] = "conversation.resume"

    epoch: int = Field(ge=1)
    seq: int = Field(ge=0)
    marks: int = Field(default=0, ge=0)
