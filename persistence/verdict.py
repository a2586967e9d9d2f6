"""What to answer about a write when the log may hold some of it already.

Only one engine writes a conversation, but it may say the same thing twice: after a connection was
lost in the middle of a commit, out of a spool, or because a client did. Both stores judge by this.
"""

from __future__ import annotations

from typing import Protocol

from ..protocol.events import Event, Void
from ..protocol.records import Committed, Duplicate, Foreign, Outcome, Refused, Write

COMMITTED = Committed()


class Log(Protocol):
    """The part of a log that the write under judgement could collide with."""

    def at(self, conversation: str, seq: int) -> Event | None: ...

    def under(self, conversation: str, sender: str, client_id: str) -> Event | None:
        """The event that carries this client id."""
        ...


def judge(write: Write, log: Log) -> Outcome | None:
    """The outcome that the log already decides, or None if `write` is new to it.

    A `Duplicate` or `Refused` from here may still lack its `void` rows; `is_voided` tells.
    """
    if _is_new(write, log):
        return None
    standing = [(event, log.at(write.conversation, event.seq)) for event in write.events]
    for event, there in standing:
        if there is not None and there.id != event.id:
            return Foreign(f"seq {event.seq} holds event {there.id}, not {event.id}")
    if any(there is not None and not isinstance(there.data, Void) for _, there in standing):
        return COMMITTED
    for event in write.events:
        if event.client_id is not None and event.sender is not None:
            first = log.under(write.conversation, event.sender, event.client_id)
            if first is not None:
                return Duplicate(first)
    if is_voided(write, log):
        return Refused("voided before")
    return None


def _is_new(write: Write, log: Log) -> bool:
    """Whether nothing stands in its way, as nearly always: asked first, since it is soon known."""
    for event in write.events:
        if log.at(write.conversation, event.seq) is not None:
            return False
        if event.client_id is None or event.sender is None:
            continue
        if log.under(write.conversation, event.sender, event.client_id) is not None:
            return False
    return True


def is_voided(write: Write, log: Log) -> bool:
    """Whether `void` rows stand at the seqs of `write` already."""
    there = [log.at(write.conversation, event.seq) for event in write.events]
    return any(event is not None and isinstance(event.data, Void) for event in there)


def halts(outcome: Outcome) -> bool:
    """Whether a conversation ends here: what follows in its log would stand after a gap."""
    return isinstance(outcome, Foreign) or (isinstance(outcome, Refused) and not outcome.voided)
