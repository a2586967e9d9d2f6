"""Read and delivered marks: watermarks per member, never events (RCPT-01…08, 10).

A move is told by a signal of its own, or together with others by one `message.receipts` (RCPT-09).

Of who is reticent (RCPT-08) the marks move as well, since counting needs them; nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    Query,
)
from ..errors import Rejected
from ..events import SignalData
from ..ids import MessageId, UserId
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


@immutable
class MessageReceipts(SignalData):
    """Several moves of marks, each as its own signal would say it: {by, seq, at} (RCPT-09)."""

    name: ClassVar[str] = "message.receipts"

    read: list[dict[str, Any]] | None = None
    delivered: list[dict[str, Any]] | None = None


def together(receipts: Sequence[SignalData]) -> SignalData:
    """All of them, in one signal."""
    if len(receipts) == 1:
        return receipts[0]
    read = [each.fields() for each in receipts if isinstance(each, MessageRead)]
    delivered = [each.fields() for each in receipts if isinstance(each, MessageDelivered)]
    return MessageReceipts(read=read or None, delivered=delivered or None)


class ReadMessages(ConversationCommand):
    """Up to `seq`, or up to the greatest of `message_ids` that is somebody else's message here.

    Without either: the whole conversation. Repeating it changes nothing and keeps the first time.
    Where moves are batched (RCPT-09) the result says `durable: false`: it counts at once, for the
    reader alone, and is lost if the engine is killed before the batch is stored.
    """

    name: ClassVar[str] = "message.read"
    limited: ClassVar[bool] = False
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
        ahead = state.read_ahead(context.user)
        if seq <= (member.read_seq if ahead is None else ahead.seq):
            return
        position = context.position
        if seq >= state.numbered_seq:
            position = Position(state.number, 0)
        assert position is not None, "it was asked for"
        signal = MessageRead(by=context.user, seq=seq, at=context.now)
        audience = context.policy.receipts_audience
        receipt = Emit(
            signal,
            by=None if audience == "members" else context.user,
            after=member.read_seq if audience == "senders" else None,
        )
        reticent = context.user in state.reticent
        yield MoveMark(context.user, "read", seq, position, None if reticent else receipt)

    def result(self, state: ConversationState, context: Context) -> dict[str, Any]:
        unread = state.unread(context.user)
        if (ahead := state.read_ahead(context.user)) is not None:
            return {"seq": ahead.seq, "at": ahead.at, "unread": unread, "durable": False}
        member = state.members[context.user]
        return {"seq": member.read_seq, "at": member.read_at, "unread": unread}


def _greatest_of_others(user: str, messages: Mapping[str, Message]) -> int | None:
    return max((each.seq for each in messages.values() if each.by != user), default=None)


class Acknowledge(ConversationCommand):
    """The `ack` item: this device holds everything up to its `seq`. It gets no Reply."""

    name: ClassVar[str] = "ack"
    limited: ClassVar[bool] = False
    writes: ClassVar[bool] = True

    seq: int = Field(ge=1)

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        member = require_member(state, context.user)
        seq = min(self.seq, state.seq)
        ahead = state.ahead.get((context.user, "delivered"))
        if seq <= max(member.delivered_seq, 0 if ahead is None else ahead.seq):
            return
        receipt = Emit(
            MessageDelivered(by=context.user, seq=seq, at=context.now),
            by=context.user,
            after=member.delivered_seq if context.policy.receipts_audience == "senders" else None,
        )
        reticent = context.user in state.reticent
        # Nothing is counted from the delivered mark, so its position is not looked up.
        nowhere = Position(0, 0)
        yield MoveMark(context.user, "delivered", seq, nowhere, None if reticent else receipt)


class MessageReaders(Query):
    """Who of the members has read a message, and when, in order of user id (RCPT-10).

    The time is that of the first read mark at or above it. Who has written something after it has
    read it, too. Its writer is left out.
    """

    name: ClassVar[str] = "message.readers"

    message_id: MessageId
    after: UserId | None = None
    limit: int = Field(default=100, ge=1, le=500)
