"""Answering a request: the first messages of somebody who is no follower (REQ-03, 06, 07).

That a direct conversation is a request is nobody's business but that of whom it is for: for its
sender it is a conversation like any other, whatever becomes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from ..commands import UserCommand
from ..immutable import immutable
from ..people import RequestStatus
from ..personal import Personal, PreferenceChanged, UserContext, UserEventData


@immutable
class RequestAnswered(UserEventData):
    name: ClassVar[str] = "request.answered"
    remembered: ClassVar[bool] = False

    conversation: str
    status: Literal["accepted", "declined"]

    @property
    def subject(self) -> str:
        return f"request {self.conversation}"

    @property
    def affects(self) -> str:
        return self.conversation

    @property
    def left(self) -> RequestStatus | None:
        """What is left of the request."""
        return None if self.status == "accepted" else self.status


class AcceptRequest(UserCommand):
    """From now on it is a conversation like any other, be it that it was declined before. Whoever
    writes in it accepts it, too."""

    name: ClassVar[str] = "request.accept"

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        if context.place.request is not None:
            yield RequestAnswered(context.place.conversation, "accepted")


class TakeUpRequest(UserCommand):
    """The caller has done something in it, and so has accepted it. Nobody asks for this; it follows
    from what they did."""

    name: ClassVar[str] = "request.take_up"
    host_only: ClassVar[bool] = True

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        yield RequestAnswered(context.place.conversation, "accepted")


class DeclineRequest(UserCommand):
    """It is gone, with all that was said, and so is what its sender says from now on (REQ-07)."""

    name: ClassVar[str] = "request.decline"

    def decide(self, personal: Personal, context: UserContext) -> Iterable[UserEventData]:
        place = context.place
        if place.request == "pending":
            yield PreferenceChanged(
                conversation=place.conversation, hidden_seq=place.seq, hidden_number=place.number
            )
            yield RequestAnswered(place.conversation, "declined")
