"""How much of an event one member is sent (HIST-11, MSG-09, CONV-13, WS-10).

Most see all of most. What is not for them comes as `skipped`, and a reply to what is not for them
as a reply to something that was deleted. The same live and on resume.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ..protocol.events import skipped
from ..protocol.state import ConversationState
from .outbox import Push


class Sight(Enum):
    WHOLE = auto()
    NO_PREVIEW = auto()
    NOTHING = auto()

    def of(self, push: Push) -> Push:
        """`push` as those are sent it who have this sight of it."""
        event = push.event
        if self is Sight.WHOLE or event is None:
            return push
        if self is Sight.NOTHING:
            return Push(skipped(event.conversation, event.seq, event.seq))
        assert push.quoted is not None
        return Push(event.item(push.quoted.unseen()), event)


@dataclass(frozen=True, slots=True)
class Own:
    """Of what says something else to `user` than to others (REQ-09)."""

    user: str

    def of(self, push: Push) -> Push:
        """`push` as `user` is sent it."""
        assert push.event is not None
        return Push(push.event.item(user=self.user), push.event)


def sight(push: Push, user: str, state: ConversationState) -> Sight | Own:
    """What `user`, who was there when it happened, may see of `push`: nothing if it is for others,
    or about a message that is not there for them; no preview of such a message."""
    event = push.event
    if event is None:
        return Sight.WHOLE
    if event.audience is not None and user not in event.audience:
        return Sight.NOTHING
    target = event.data.target
    if target is not None and not state.shows(user, target[1]):
        return Sight.NOTHING
    if event.data.seen_by(user) is not event.data:
        return Own(user)
    if push.quoted is not None and not state.may_see(user, push.quoted):
        return Sight.NO_PREVIEW
    return Sight.WHOLE
