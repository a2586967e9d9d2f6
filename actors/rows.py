"""What is stored beside the events of a conversation, as it is now: the state goes on changing."""

from __future__ import annotations

from dataclasses import replace

from ..protocol.events import Event
from ..protocol.features.references import CONTEXT, tells_apart
from ..protocol.ids import direct_key
from ..protocol.message import Overlay
from ..protocol.policy import Policy
from ..protocol.records import Head, MemberRow, NewConversation
from ..protocol.state import ConversationState


def member_row(state: ConversationState, user: str, seq: int) -> MemberRow:
    """The row of `user` as of `seq`."""
    member = state.members[user]
    intervals = [list(interval) for interval in member.intervals]
    return MemberRow(user, member.role, intervals, seq, member.read_seq, member.read_number)


def head(state: ConversationState) -> Head:
    """What the inbox shows of it."""
    context = state.slices.get(CONTEXT.name)
    return Head(state.seq, state.number, state.changed_at, state.title, state.last, context)


def copied(overlay: Overlay) -> Overlay:
    """Its row: the journal encodes it later."""
    return replace(overlay, data=dict(overlay.data))


def created(state: ConversationState, event: Event, policy: Policy) -> NewConversation:
    """The row of the conversation itself, which `event` has begun."""
    key = None
    pair = state.current_members() if state.kind == "direct" else None
    if pair and policy.direct_key != "none":
        key = direct_key(*pair, context=tells_apart(CONTEXT.of(state), policy))
    request = next((user for user in pair or () if state.request_to(user)), None)
    return NewConversation(
        id=state.id,
        kind=state.kind,
        profile=state.profile,
        direct_key=key,
        creator=event.sender,
        at=event.at,
        request=request,
        asked=request is None or state.is_asked(request),
    )
