"""Read and delivered marks: watermarks per member, never events (RCPT-01…08, 10).

Of who is reticent (RCPT-08) the marks move as well, since counting needs them; nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from ..commands import (
    NOTHING,
    Context,
    ConversationCommand,
    Effect,
    Emit,
    MoveMark,
    Needs,
    Position,
)
from ..errors import Rejected
from ..events import SignalData
from ..ids import MessageId
from ..immutable import immutable
from ..message import Message
from ..roles import require_member
from ..state import ConversationState


@immutable
class MessageRead(SignalData):
    """`by` has read everything up to `seq`. The first such signal at or above a message's seq is
    that message's time of reading."""

    name: ClassVar[str] = "message.read"

    by: str
    seq: int
    at: int


@immutable
class MessageDelivered(SignalData):
    """A device of `by` holds everything up to `seq` (SEND-18)."""

    name: ClassVar[str] = "message.delivered"

    by: str
    seq: int
    at: int


class ReadMessages(ConversationCommand):
    """Up to `seq`, or up to the greatest of `message_ids` that is somebody else's message here.

    Without either: the whole conversation. Repeating it changes nothing and keeps the first time.
    """

    name: ClassVar[str] = "message.read"
    writes: ClassVar[bool] = True
    attends: ClassVar[bool] = True

    seq: int | None = Field(default=None, ge=1)
    message_ids: list[MessageId] | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _one_way(self) -> ReadMessages:
        if self.seq is not None and self.message_ids is not None:
            raise ValueError("give seq or message_ids, not both")
        return self

    def needs(self, state: ConversationState) -> Needs:
        if self.message_ids is not None:
            return Needs(messages=tuple(dict.fromkeys(self.message_ids)))
        if self.seq is not None and self.seq < state.numbered_seq:
            return Needs(position=self.seq)
        return NOTHING

    def needs_more(
        self, state: ConversationState, user: str, messages: Mapping[str, Message]
    ) -> Needs:
        seq = _greatest_of_others(user, messages)
        return Needs(position=seq) if seq is not None and seq < state.numbered_seq else NOTHING

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        member = require_member(state, context.user)
        seq = min(self.seq or state.seq, state.seq)
        if self.message_ids is not None:
            greatest = _greatest_of_others(context.user, context.messages)
            if greatest is None and context.messages:
                raise Rejected("PERMISSION_DENIED", "One's own message is not marked read.")
            if greatest is None:
                raise Rejected("MESSAGE_NOT_FOUND")
            seq = greatest
        if seq <= member.read_seq:
            return
        position = context.position
        if seq >= state.numbered_seq:
            position = Position(state.number, 0)
        assert position is not None, "it was asked for"
        yield MoveMark(context.user, "read", seq, position)
        if context.user not in state.reticent:
            signal = MessageRead(by=context.user, seq=seq, at=context.now)
            yield Emit(signal, by=context.user)

    def result(self, state: ConversationState, context: Context) -> dict[str, Any]:
        member = state.members[context.user]
        return {"seq": member.read_seq, "at": member.read_at, "unread": state.unread(context.user)}


def _greatest_of_others(user: str, messages: Mapping[str, Message]) -> int | None:
    return max((each.seq for each in messages.values() if each.by != user), default=None)


class Acknowledge(ConversationCommand):
    """The `ack` item: this device holds everything up to its `seq`. It gets no Reply."""

    name: ClassVar[str] = "ack"
    writes: ClassVar[bool] = True

    seq: int = Field(ge=1)

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        member = require_member(state, context.user)
        seq = min(self.seq, state.seq)
        if seq <= member.delivered_seq:
            return
        # Nothing is counted from the delivered mark, so its position is not looked up.
        yield MoveMark(context.user, "delivered", seq, Position(0, 0))
        if context.user not in state.reticent:
            signal = MessageDelivered(by=context.user, seq=seq, at=context.now)
            yield Emit(signal, by=context.user)
