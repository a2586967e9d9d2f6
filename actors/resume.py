"""Catching a device up: every event after its position, in order, or none and what to reload."""

from __future__ import annotations

from typing import Any, ClassVar

from ..protocol.errors import Rejected
from ..protocol.events import skipped
from ..protocol.features.history import Resume
from ..protocol.records import Events, Messages
from ..protocol.state import ConversationState
from .outbox import Push
from .ports import Conversations
from .resident import Resident
from .sight import Own, Sight, sight


def diverged_at(state: ConversationState, epoch: int) -> int | None:
    """The least seq above which a device of an older `epoch` may hold what the log does not.

    Every later epoch began at some head; events above it were perhaps shown and lost.
    """
    later = state.starts_after[epoch - 1 :]
    return min(later) if later else None


class ResumeRead:
    """The ring's bytes are sent as they are; only what is older is read and encoded again."""

    of_shown: ClassVar[bool] = True

    def __init__(self, query: Resume, user: str, limit: int) -> None:
        self._query = query
        self._user = user
        self._limit = limit
        self._id = ""
        self._older: Events | None = None
        self._quoted: Messages | None = None

    def missing(self, resident: Resident) -> bool:
        self._id = resident.state.id
        if self._refusal(resident) is not None:
            return False
        if self._query.seq + 1 >= resident.ring.first:
            return False
        read = [found.as_of for found in (self._older, self._quoted) if found is not None]
        return not read or min(read) + 1 < resident.ring.first

    async def fetch(self, store: Conversations) -> None:
        self._older = await store.events(self._id, self._query.seq, self._limit)
        quotes = {event.data.quotes for event in self._older.events} - {None}
        if quotes:
            self._quoted = await store.messages(self._id, [id for id in quotes if id is not None])

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        state = resident.state
        refusal = self._refusal(resident)
        if refusal is not None:
            return [], {"recovered": False, "epoch": state.epoch, "seq": resident.shown, **refusal}
        pushes = self._visible(resident, self._events(resident))
        return pushes, {
            "recovered": True,
            "epoch": state.epoch,
            "seq": resident.shown,
            "marks": self._marks(resident),
        }

    def _refusal(self, resident: Resident) -> dict[str, Any] | None:
        """Why the device cannot be caught up, and from where on it must load anew."""
        state, query = resident.state, self._query
        member = state.members.get(self._user)
        if member is None:
            raise Rejected("PERMISSION_DENIED" if state.exists else "CONVERSATION_NOT_FOUND")
        if member.role is None:  # nothing of what came later, not even that it came (HIST-11)
            left = member.intervals[-1][1]
            return {"reason": "not_member", "reload_after": 0, "seq": left}
        start = diverged_at(state, query.epoch)
        if query.epoch > state.epoch:
            return {"reason": "unknown", "reload_after": 0}
        if start is not None and query.seq > start:
            return {"reason": "diverged", "reload_after": start}
        if query.seq > state.seq:
            return {"reason": "diverged", "reload_after": state.seq}
        if resident.shown - query.seq > self._limit:
            return {"reason": "too_far", "reload_after": query.seq}
        return None

    def _events(self, resident: Resident) -> list[Push]:
        seq, ring = self._query.seq, resident.ring
        pushes: list[Push] = []
        if seq + 1 < ring.first:
            assert self._older is not None
            pushes = self._encode(self._older, resident)
            seq = ring.first - 1
        pushes += ring.after(seq)
        return [push for push in pushes if push.event and push.event.seq <= resident.shown]

    def _encode(self, older: Events, resident: Resident) -> list[Push]:
        """Those of `older` that the ring has not, without what was erased since they were read."""
        ring = resident.ring
        erased = set()
        for push in ring.after(older.as_of):
            assert push.event is not None
            if push.event.data.erases and push.event.data.target is not None:
                erased.add(push.event.data.target[0])
        quoted = {}
        if self._quoted is not None:
            ring.overlay(self._quoted.messages, self._quoted.as_of)
            quoted = {message.id: message for message in self._quoted.messages}
        pushes = []
        for event in older.events:
            if event.seq >= ring.first:
                break
            target = event.data.target
            if not event.data.erases and (event.id in erased or (target and target[0] in erased)):
                event = event.redact()
            quote = event.data.quotes
            preview = (ring.message(quote) or quoted.get(quote)) if quote else None
            pushes.append(Push(event.item(preview), event, preview))
        return pushes

    def _visible(self, resident: Resident, pushes: list[Push]) -> list[Push]:
        """What the user may not see becomes `skipped`, one item for each run of it."""
        out: list[Push] = []
        hidden: tuple[int, int] | None = None

        def close_gap() -> None:
            if hidden is not None:
                out.append(Push(skipped(resident.state.id, *hidden)))

        for push in pushes:
            seen = self._sight(resident.state, push)
            if seen is Sight.NOTHING:
                assert push.event is not None
                hidden = (hidden[0] if hidden else push.event.seq, push.event.seq)
            else:
                close_gap()
                hidden = None
                out.append(seen.of(push))
        close_gap()
        return out

    def _sight(self, state: ConversationState, push: Push) -> Sight | Own:
        """As live, of what happened in the user's times and is not hidden since, nor longer ago
        than they may look back."""
        event = push.event
        assert event is not None
        if not state.members[self._user].sees(event.seq):
            return Sight.NOTHING
        if event.data.is_message and state.hides(self._user, event.seq):
            return Sight.NOTHING
        of_message = event.data.is_message or event.data.target is not None
        if of_message and state.outreaches(self._user, event.at):
            return Sight.NOTHING
        return sight(push, self._user, state)

    def _marks(self, resident: Resident) -> dict[str, Any]:
        """The marks that moved since; `n` is what to give as `marks` the next time."""
        state, last = resident.state, resident.marks_shown
        after = self._query.marks if self._query.epoch == state.epoch else 0
        moved = [
            {"user": user, "read": member.read_seq, "delivered": member.delivered_seq}
            for user, member in state.members.items()
            if member.role is not None
            and after < max(member.read_n, member.delivered_n) <= last
            and (user == self._user or user not in state.reticent)
        ]
        return {"n": last, "moved": moved}
