"""From a conversation to the devices of its members: who gets what, encoded once.

Events go to every device of every member; signals only to devices that subscribe, and of those to
whom each is for. All that one wake-up produced goes out as one parcel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..protocol.commands import Emit, Subscribe
from ..protocol.disconnects import GOING_AWAY
from ..protocol.events import Event, skipped
from ..protocol.state import ConversationState, Member
from .hub import Hub
from .outbox import Outbox, Parcel, Push
from .ports import Clock
from .receipts import Shares

if TYPE_CHECKING:
    from .session import Session


class FanOut:
    """The outgoing side of one conversation. It outlives a rebuild of the conversation's state.

    Events pass through it in order of seq, perhaps later than the state took them up (durability
    `commit`), so it keeps its own account of who is present.
    """

    def __init__(self, conversation: str, hub: Hub, clock: Clock) -> None:
        self._conversation = conversation
        self._hub = hub
        self._clock = clock
        self._events: list[Push] = []
        self._signals: list[tuple[Push, Emit]] = []
        self._receipts: list[Shares] = []
        self._members: dict[str, Member] = {}
        self._present: dict[str, None] = {}
        self._version = -1
        self._recipients: list[Outbox] = []
        self._counting: list[Session] = []
        self.subscribers: dict[Outbox, None] = {}
        self.taps: dict[Outbox, None] = {}

    def reset(self, state: ConversationState) -> None:
        """`state` was loaded, and every event up to it has passed."""
        self._present = dict.fromkeys(state.current_members())
        self._members = state.members
        self._version = -1
        for box in [box for box in self.subscribers if box.user not in self._present]:
            self.subscribe(box, Subscribe(on=False))

    def event(self, push: Push, gone: Iterable[str] = ()) -> None:
        """Queue the event `push` for the next `flush`; after it, `gone` are members no longer."""
        assert push.event is not None
        changed = push.event.data.members()
        if not changed:
            self._events.append(push)
            return
        # Earlier events are for those who were present before; this one is also for whoever
        # comes or goes by it.
        self._offer_events()
        self._present.update(dict.fromkeys(changed))
        self._version = -1
        self._events.append(push)
        self._offer_events()
        for user in gone:
            del self._present[user]
            for box in self._hub.outboxes((user,)):
                self.subscribe(box, Subscribe(on=False))
        self._version = -1

    def signals(self, emits: Sequence[Emit]) -> None:
        if emits and self.subscribers:
            at = self._clock()
            for emit in emits:
                self._signals.append((Push(emit.signal.item(self._conversation, at)), emit))

    def receipts(self, receipts: Sequence[Emit]) -> None:
        """Queue `receipts`, to be told by one signal."""
        if len(receipts) < 2:
            self.signals(receipts)
        elif self.subscribers:
            self._receipts.append(Shares(self._conversation, receipts, self._clock()))

    def fence(self) -> None:
        """Offer the events queued so far: whatever is offered next comes after them."""
        self._offer_events()

    def flush(self, answers: dict[Outbox, list[Push]] | None = None) -> None:
        """Offer everything queued: events, then signals. Whoever gets events and has `answers`
        gets them right behind, in one; they are taken out."""
        self._offer_events(answers)
        if self._signals:
            self._offer_signals()
        if self._receipts:
            self._offer_receipts()

    def close(self) -> None:
        """No more will come: end whoever follows."""
        for tap in self.taps:
            tap.close(GOING_AWAY)
        self.taps.clear()

    def to_taps(self, push: Push) -> None:
        """Offer `push`, now, to those only who follow and cannot resume."""
        self.fence()
        for tap in self.taps:
            tap.offer(Parcel([push]))

    def to_members(self, push: Push) -> None:
        """Offer one unnumbered item to every device of every member now."""
        self._refresh()
        parcel = Parcel([push])
        for box in self._recipients:
            box.offer(parcel)

    def subscribe(self, box: Outbox, change: Subscribe) -> None:
        if change.on:
            self.subscribers[box] = None
            box.subscriptions.add(self._conversation)
        else:
            self.subscribers.pop(box, None)
            box.subscriptions.discard(self._conversation)

    def _refresh(self) -> None:
        if self._version != self._hub.version:
            self._recipients = self._hub.outboxes(self._present)
            self._counting = self._hub.counting(self._present)
            self._version = self._hub.version

    def _offer_events(self, answers: dict[Outbox, list[Push]] | None = None) -> None:
        if not self._events:
            return
        self._refresh()
        pushes, self._events = self._events, []
        self._offer(pushes, {} if answers is None else answers)
        for session in self._counting:
            session.touch(self._conversation)

    def _offer(self, pushes: list[Push], answers: dict[Outbox, list[Push]]) -> None:
        whole = Parcel(pushes)
        for tap in self.taps:
            tap.offer(whole)
        if any(push.event is not None and push.event.audience is not None for push in pushes):
            self._offer_by_audience(pushes, answers)
        elif answers:
            for box in self._recipients:
                _give(box, whole, answers)
        else:
            for box in self._recipients:
                box.offer(whole)

    def _offer_by_audience(self, pushes: list[Push], answers: dict[Outbox, list[Push]]) -> None:
        """Few parcels in practice: one for those inside each audience, one for those outside."""
        parcels: dict[tuple[bool, ...], Parcel] = {}
        for box in self._recipients:
            seen = tuple(may_see(push.event, box.user) for push in pushes)
            parcel = parcels.get(seen)
            if parcel is None:
                parcel = parcels[seen] = Parcel(
                    [
                        push if visible else Push(_hidden(push))
                        for push, visible in zip(pushes, seen, strict=True)
                    ]
                )
            _give(box, parcel, answers)

    def _offer_signals(self) -> None:
        by_audience: dict[tuple[str | None, int | None], list[Push]] = {}
        for push, emit in self._signals:
            by_audience.setdefault((emit.by, emit.after), []).append(push)
        self._signals = []
        for (by, after), pushes in by_audience.items():
            parcel = Parcel(pushes, droppable=True)
            for box in self.subscribers:
                if box.user != by and (after is None or self._members[box.user].sent_seq > after):
                    box.offer(parcel)

    def _offer_receipts(self) -> None:
        receipts, self._receipts = self._receipts, []
        for shares in receipts:
            for box in self.subscribers:
                if (parcel := shares.parcel(box.user, self._members)) is not None:
                    box.offer(parcel)


def _give(box: Outbox, parcel: Parcel, answers: dict[Outbox, list[Push]]) -> None:
    replies = answers.pop(box, None)
    if replies is None:
        box.offer(parcel)
    else:
        box.answer(replies, parcel)


def may_see(event: Event | None, user: str) -> bool:
    """Whether `event` is addressed to `user` at all (its audience)."""
    return event is None or event.audience is None or user in event.audience


def _hidden(push: Push) -> dict[str, object]:
    assert push.event is not None
    return skipped(push.event.conversation, push.event.seq, push.event.seq)
