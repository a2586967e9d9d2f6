"""Reading back and catching up: history by cursor, resume by position (HIST-01, 03, 07, 08)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from ..commands import Query
from ..ids import MessageId


class MessageHistory(Query):
    """A page of messages, oldest first, as they are now.

    Without a cursor: the newest page. `before` and `after` are a seq, exclusive; `around` is a
    message id, with `limit` messages on either side of it. `before_time` is in milliseconds.

    `system`: also the events that tell of members and settings, each as a message without text
    whose `kind` is the event's name (GRP-13, AUTO-08).
    """

    name: ClassVar[str] = "message.history"

    before: int | None = Field(default=None, ge=1)
    after: int | None = Field(default=None, ge=0)
    around: MessageId | None = None
    before_time: int | None = Field(default=None, ge=0)
    limit: int = Field(default=50, ge=1, le=100)
    system: bool = False

    @model_validator(mode="after")
    def _one_cursor(self) -> MessageHistory:
        cursors = (self.before, self.after, self.around, self.before_time)
        if sum(cursor is not None for cursor in cursors) > 1:
            raise ValueError("give at most one of before, after, around, before_time")
        return self


class Resume(Query):
    """Every event after `seq` of `epoch`, in order, as pushes before the Reply; or none of them
    and `recovered: false` with the reason and what to reload (docs/protocol.md).

    `marks` is the greatest `n` of a mark that the device knows: marks that moved since come along.
    """

    name: ClassVar[str] = "conversation.resume"

    epoch: int = Field(ge=1)
    seq: int = Field(ge=0)
    marks: int = Field(default=0, ge=0)
