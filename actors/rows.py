"""What is stored beside the events of a conversation, as it is now: the state goes on changing."""

from __future__ import annotations

from dataclasses import replace

from ..protocol.events import Event
from ..protocol.ids import direct_key
from ..protocol.message import Overlay
from ..protocol.records import Head, MemberRow, NewConversation
from ..protocol.state import ConversationState


def member_row(state: ConversationState, user: str, seq: int) -> MemberRow:
    """The row of `user` as of `seq`."""
    member = state.members[user]
    intervals = [list(interval) for interval in member.intervals]
    return MemberRow(user, member.role, intervals, seq, member.read_seq, member.read_number)


def head(state: ConversationState) -> Head:
    """What the inbox shows of it."""
    return Head(state.seq, state.number, state.changed_at, state.title, state.last)


def copied(overlay: Overlay) -> Overlay:
    """Its row: the journal encodes it later."""
    return replace(overlay, data=dict(overlay.data))


def created(state: ConversationState, event: Event) -> NewConversation:
    """The row of the conversation itself, which `event` has begun."""
    pair = state.current_members() if state.kind == "direct" else None
    request = next((user for user in pair or () if state.request_to(user)), None)
    return NewConversation(
        id=state.id,
        kind=state.kind,
        profile=state.profile,
        direct_key=direct_key(*pair) if pair else None,
        creator=event.sender,
        at=event.at,
        request=request,
        asked=request is None or state.is_asked(request),
    )
