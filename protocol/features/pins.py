"""Pinning messages for everybody, and listing them (MSG-18; C-42)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from ..commands import Context, DurableCommand, Effect, Needs, Query
from ..errors import Rejected
from ..events import Event, MessageChange
from ..ids import MessageId
from ..immutable import immutable
from ..message import Message
from ..paging import LARGEST_PAGE
from ..policy import Policy
from ..roles import require
from ..state import ConversationState, Slice


def _view(pins: dict[str, int], state: ConversationState, user: str) -> dict[str, int]:
    return {id: seq for id, seq in pins_of(state, user).items() if state.shows(user, seq)}


PINS = Slice[dict[str, int]]("pins", dict, public=True, view=_view)
"""Pinned messages, id to seq."""
_OWN = Slice[dict[str, dict[str, int]]]("own_pins", dict)
"""The same of a user to whom alone it was told that one was pinned or unpinned (REQ-09)."""


def pins_of(state: ConversationState, user: str) -> dict[str, int]:
    """The pinned messages as they are for `user`."""
    return _OWN.of(state).get(user, PINS.of(state))


def _changed(state: ConversationState, audience: Iterable[str] | None) -> list[dict[str, int]]:
    """The pins of all to whom a change of them is told."""
    if audience is None:
        return [PINS.change(state), *_OWN.of(state).values()]
    own = _OWN.change(state)
    return [own.setdefault(user, dict(PINS.of(state))) for user in audience]


def check_pins(policy: Policy) -> None:
    """FEATURE_DISABLED where there are none."""
    if not policy.max_pins:
        raise Rejected("FEATURE_DISABLED")


def _require_pinner(state: ConversationState, context: Context) -> None:
    check_pins(context.policy)
    require(state, context.user, "pin_messages")


@immutable
class MessagePinned(MessageChange):
    name: ClassVar[str] = "message.pinned"

    def apply(self, state: ConversationState, event: Event) -> None:
        for pins in _changed(state, event.audience):
            pins[self.message_id] = self.message_seq

    def change(self, message: Message, event: Event) -> None:
        message.overlay.data["pinned"] = True


class PinMessage(DurableCommand):
    name: ClassVar[str] = "message.pin"

    message_id: MessageId

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _require_pinner(state, context)
        message = context.message(self.message_id)
        pins = pins_of(state, context.user)
        if message.id in pins:
            return
        if len(pins) >= context.policy.max_pins:
            raise Rejected(
                "VALIDATION_FAILED",
                "Too many pinned messages; unpin one first.",
                details={"field": "message_id", "max_pins": context.policy.max_pins},
            )
        yield MessagePinned(message_id=message.id, message_seq=message.seq)


@immutable
class MessageUnpinned(MessageChange):
    name: ClassVar[str] = "message.unpinned"

    def apply(self, state: ConversationState, event: Event) -> None:
        for pins in _changed(state, event.audience):
            pins.pop(self.message_id, None)

    def change(self, message: Message, event: Event) -> None:
        message.overlay.data.pop("pinned", None)


class UnpinMessage(DurableCommand):
    """Also works on a message that was deleted while pinned."""

    name: ClassVar[str] = "message.unpin"

    message_id: MessageId

    def needs(self, state: ConversationState) -> Needs:
        return Needs(messages=(self.message_id,))

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        _require_pinner(state, context)
        seq = pins_of(state, context.user).get(self.message_id)
        if seq is None:
            if self.message_id not in context.messages:
                raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": self.message_id})
            return
        yield MessageUnpinned(message_id=self.message_id, message_seq=seq)


class ListPins(Query):
    """A page of the pinned messages, oldest first, as `message.history` serves them: the newest
    `limit`, or those before the seq `before`."""

    name: ClassVar[str] = "pin.list"

    before: int | None = Field(default=None, ge=1)
    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)
