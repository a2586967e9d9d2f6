"""The conversation machine: `decide` turns a command into effects, `apply` an event into state.

Both are deterministic functions of their arguments. `apply` changes the state it is given in
place and is the only way in which state changes: live, at cold start, in a replay and in tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .aloof import heard_by, kept_apart
from .commands import (
    Context,
    ConversationCommand,
    DurableCommand,
    Effect,
    MoveMark,
    Position,
)
from .errors import Rejected
from .events import Event, EventData
from .features.lock import LOCK, check_lock
from .ids import HOST
from .immutable import immutable
from .message import Message
from .roles import require_member
from .state import Ahead, ConversationState


@immutable
class Mark:
    """One move of one mark, as it is stored: an append-only row, so that the first mark at or after
    a message is when it was read.

    `kind` is "read" or "delivered"; `n` counts the moves of all marks of the conversation.
    """

    conversation: str
    user: str
    kind: str
    seq: int
    number: int
    excluded: int
    at: int
    n: int


def admit(state: ConversationState, command: ConversationCommand, user: str) -> None:
    """The first check of all (SEND-22): the conversation is there, and `user` belongs to it."""
    if state.exists:
        if not (user == HOST and (command.host_only or command.host_may)):
            require_member(state, user)
    elif not command.opens:
        raise Rejected("CONVERSATION_NOT_FOUND")


def decide(
    state: ConversationState, command: ConversationCommand, context: Context
) -> list[Effect]:
    """What `command` leads to in `state`. Raises `Rejected`; changes nothing.

    A message that the caller may not see is not there for them, whatever they ask of it (HIST-11).
    """
    admit(state, command, context.user)
    if LOCK.name in state.slices and isinstance(command, DurableCommand):
        check_lock(state, command, context.now)
    if context.messages:
        found = context.messages
        seen = visible(state, context.user, found)
        context = replace(context, messages=seen, unfiltered=found)
    effects = list(command.decide(state, context))
    return list(kept_apart(state, context, effects)) if state.aloof else effects


def visible(
    state: ConversationState, user: str, messages: Mapping[str, Message]
) -> dict[str, Message]:
    """Those of `messages` that were sent while `user` was a member, and to them, and that they have
    not hidden from themselves; each as it is for them. The host sees all."""
    if user == HOST:
        return dict(messages)
    return {
        id: message.seen_by(user) if message.views else message
        for id, message in messages.items()
        if state.may_see(user, message)
    }


def event(
    state: ConversationState,
    data: EventData,
    context: Context,
    command: ConversationCommand,
    *,
    carries_client_id: bool,
) -> Event:
    """`data` at its place in the log: the next seq, the next number if it counts.

    One command may lead to several events; exactly the one that answers it carries its client id.
    Whoever may not see a message is not told what becomes of it either, and whoever keeps somebody
    out not of what they do (REQ-09).
    """
    client_id = command.client_id if isinstance(command, DurableCommand) else None
    changed = None
    if not data.is_message and (target := data.target) is not None:
        changed = context.messages.get(target[0])
    audience = None if changed is None else changed.audience
    if state.aloof and audience is None:
        audience = heard_by(state, context.user, data)
    return Event(
        conversation=state.id,
        seq=state.seq + 1,
        id=context.new_id(),
        data=data,
        sender=context.user or None,
        at=max(context.now, state.changed_at),
        client_id=client_id if carries_client_id else None,
        number=state.number + 1 if data.countable else None,
        audience=audience,
    )


def apply(state: ConversationState, event: Event) -> ConversationState:
    """`state` after `event`, which must be the next one."""
    if event.seq != state.seq + 1:
        raise AssertionError(f"event {event.seq} applied to a state at {state.seq}")
    if event.number is not None:
        state.sent_by(event.sender, event.seq, event.number, event.at)
        if event.audience is not None:
            state.exclude(event.seq, event.audience, outside=True)
    event.data.apply(state, event)
    if (uncounted := event.data.uncounts) is not None:
        state.exclude(uncounted, event.audience)
    elif (recounted := event.data.recounts) is not None:
        state.exclude(recounted, event.audience, by=-1)
    state.seq = event.seq
    state.changed_at = event.at
    return state


def move_mark(state: ConversationState, move: MoveMark, at: int) -> Mark:
    """Carry out a `MoveMark`; reading up to a seq also means that it was delivered."""
    state.marks += 1
    mark = Mark(
        conversation=state.id,
        user=move.user,
        kind=move.kind,
        seq=move.seq,
        number=move.position.number,
        excluded=move.position.excluded,
        at=at,
        n=state.marks,
    )
    apply_mark(state, mark)
    return mark


def move_ahead(state: ConversationState, move: MoveMark, at: int) -> None:
    """Carry out a `MoveMark` for its user alone; `take_ahead` makes it a move for everybody."""
    position = move.position
    ahead = Ahead(move.seq, position.number, position.excluded, at)
    state.ahead[move.user, move.kind] = ahead


def take_ahead(state: ConversationState) -> list[Mark]:
    """The marks that were ahead, now moved: of each member and kind one at most.

    Not those that a message of their own has overtaken: everybody knows since then that, and when,
    they have read that far.
    """
    ahead, state.ahead = state.ahead, {}
    marks = []
    for (user, kind), to in ahead.items():
        member = state.members[user]
        if to.seq > (member.read_seq if kind == "read" else member.delivered_seq):
            move = MoveMark(user, kind, to.seq, Position(to.number, to.excluded))
            marks.append(move_mark(state, move, to.at))
    return marks


def drop_ahead(state: ConversationState, after: int) -> None:
    """Forget the marks that are ahead beyond seq `after`."""
    state.ahead = {key: to for key, to in state.ahead.items() if to.seq <= after}


def apply_mark(state: ConversationState, mark: Mark) -> None:
    """Bring a stored mark into the state. Marks never go back, so an older one changes nothing."""
    state.marks = max(state.marks, mark.n)
    member = state.members.get(mark.user)
    if member is None:
        return
    if mark.kind == "read" and mark.seq > member.read_seq:
        member.read_seq = mark.seq
        member.read_number = mark.number
        member.excluded = mark.excluded
        member.read_at = mark.at
        member.read_n = mark.n
    if mark.seq > member.delivered_seq:
        member.delivered_seq = mark.seq
        member.delivered_at = mark.at
        member.delivered_n = mark.n
