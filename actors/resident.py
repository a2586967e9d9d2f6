"""What a conversation knows while it is in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ..protocol.events import Event
from ..protocol.machine import Mark, apply, apply_mark
from ..protocol.state import STATE_VERSION, ConversationState
from .ports import Conversations
from .ring import Ring

RECENT: Final = 64
"""Events in memory after a load, if there are so many."""


@dataclass(slots=True)
class Resident:
    """`stored` is the seq up to which the log is durable; the ring goes on to the head.

    `shown` is the seq up to which members have been sent events: the head, unless events wait for
    their commit (durability `commit`); `marks_shown` likewise numbers the last move of a mark.

    `unstored_marks` are the moves that are on their way to the store, in order.

    `snapshot` is the seq of the snapshot at rest; `moved` are the members whose read marks have
    moved since, so that the rows that counting at rest uses are behind.
    """

    state: ConversationState
    ring: Ring
    stored: int = 0
    shown: int = 0
    marks_shown: int = 0
    unstored_marks: deque[Mark] = field(default_factory=deque)
    snapshot: int = 0
    moved: set[str] = field(default_factory=set)

    def stored_marks(self, marks: Sequence[Mark]) -> None:
        """The oldest that were not stored are now."""
        for _ in marks:
            self.unstored_marks.popleft()


async def load(id: str, store: Conversations, capacity: int) -> Resident:
    """From snapshot, tail and marks; an empty state if the conversation does not exist."""
    loaded = await store.load(id, STATE_VERSION)
    if loaded is None:
        return Resident(ConversationState(id), Ring(capacity))
    if loaded.snapshot is None:
        state = ConversationState(id)
    else:
        state = ConversationState.restore(id, loaded.snapshot.state)
    state.epoch = loaded.epoch
    state.starts_after = list(loaded.starts_after)
    snapshot = state.seq
    counted = {user: member.read_seq for user, member in state.members.items()}
    recent = await _recent(id, store, snapshot, min(capacity, RECENT) - len(loaded.tail))
    ring = Ring(capacity, head=snapshot - len(recent))
    known = {event.id for event in (*recent, *loaded.tail)}
    wanted = {event.data.quotes for event in (*recent, *loaded.tail)} - known - {None}
    quoted = {}
    if wanted:
        found = await store.messages(id, [quote for quote in wanted if quote is not None])
        quoted = {message.id: message for message in found.messages}
    for event in (*recent, *loaded.tail):
        if event.seq > snapshot:
            apply(state, event)
        quote = event.data.quotes
        ring.add(event, (ring.message(quote) or quoted.get(quote)) if quote else None)
        ring.evict(state.seq)
    state.hidden, state.reticent, state.aloof = loaded.hidden, loaded.reticent, loaded.aloof
    for mark in sorted(loaded.marks, key=lambda mark: mark.n):
        apply_mark(state, mark)
    moved = {user for user, m in state.members.items() if m.read_seq != counted.get(user)}
    return Resident(state, ring, state.seq, state.seq, state.marks, snapshot=snapshot, moved=moved)


async def _recent(id: str, store: Conversations, seq: int, count: int) -> list[Event]:
    """The last `count` events up to `seq`: so that after a restart, when all devices come back at
    once, each conversation is read once and not once per device."""
    after = max(seq - count, 0)
    return (await store.events(id, after, seq - after)).events if after < seq else []
