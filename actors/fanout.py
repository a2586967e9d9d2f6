"""From a conversation to the devices of its members: who gets what, encoded once.

Events go to every device of every member; signals only to devices that subscribe, to the
conversation or to their thread of it, and of those to whom each is for; those that are meant for
somebody to all devices of theirs. All that one wake-up produced goes out as one parcel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ..protocol.commands import Emit, Notify, Subscribe
from ..protocol.disconnects import GOING_AWAY
from ..protocol.errors import invalid
from ..protocol.events import SignalData
from ..protocol.policy import DAY_MS
from ..protocol.state import ConversationState
from .hub import Hub
from .outbox import Outbox, Parcel, Push
from .ports import Clock
from .receipts import Shares
from .sight import Own, Sight, sight

if TYPE_CHECKING:
    from .session import Session

_Audience = tuple[str | None, str | None, int | None, frozenset[str]]
MAX_THREADS = 100
"""Threads of one conversation that one connection may subscribe to."""


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
        self._notices: list[tuple[Push, tuple[str, ...]]] = []
        self._receipts: list[Shares] = []
        self._present: dict[str, None] = {}
        self._state = ConversationState(conversation)
        self._joined = 0
        """whoever is present has been so from this seq on"""
        self._version = -1
        self._recipients: list[Outbox] = []
        self._counting: list[Session] = []
        self.subscribers: dict[Outbox, None] = {}
        self.threads: dict[Outbox, set[str]] = {}
        """who subscribes to which threads: to their signals, and to no others"""
        self.taps: dict[Outbox, None] = {}

    def reset(self, state: ConversationState) -> None:
        """`state` was loaded, and every event up to it has passed."""
        self._present = dict.fromkeys(state.current_members())
        self._state = state
        last = (state.members[user].intervals[-1][0] or 0 for user in self._present)
        self._joined = max(last, default=0)
        self._version = -1
        for box in [*self.subscribers, *self.threads]:
            if box.user not in self._present:
                self.subscribe(box, Subscribe(on=False))

    def event(self, push: Push, gone: Collection[str] = ()) -> None:
        """Queue the event `push` for the next `flush`; after it, `gone` are members no longer."""
        assert push.event is not None
        changed = push.event.data.members()
        if not changed:
            self._events.append(push)
            return
        # Earlier events are for those who were present before; this one is also for whoever
        # comes or goes by it.
        self._offer_events()
        self._joined = push.event.seq
        if not self._present.keys() >= set(changed):
            self._present.update(dict.fromkeys(changed))
            self._version = -1
        self._events.append(push)
        self._offer_events()
        if not gone:
            return
        for user in gone:
            del self._present[user]
            for box in self._hub.outboxes((user,)):
                self.subscribe(box, Subscribe(on=False))
        # Without looking at everybody else again: thousands may go, one after another.
        self._recipients = [box for box in self._recipients if box.user not in gone]
        self._counting = [session for session in self._counting if session.user not in gone]

    @property
    def watched(self) -> bool:
        """Whether anybody looks: subscribes, or follows."""
        return bool(self.subscribers or self.threads or self.taps)

    def hears(self, thread: str | None) -> bool:
        """Whether a signal would go to anybody."""
        if thread is None:
            return bool(self.subscribers)
        return any(thread in threads for threads in self.threads.values())

    def signals(self, signals: Iterable[Emit | Notify]) -> None:
        for each in signals:
            if isinstance(each, Notify):
                users = tuple(user for user in each.users if user not in self._state.aloof)
                self._notices.append((self._push(each.signal), users))
            elif self.hears(each.thread):
                self._signals.append((self._push(each.signal), each))

    def _push(self, signal: SignalData) -> Push:
        return Push(signal.item(self._conversation, self._clock()))

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
        if self._notices:
            self._offer_notices()
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
        """VALIDATION_FAILED if it is one thread too many for one connection."""
        threads = self.threads.get(box, set())
        if change.thread is not None:
            threads = threads | {change.thread} if change.on else threads - {change.thread}
            if len(threads) > MAX_THREADS:
                raise invalid("thread", f"at most {MAX_THREADS} at a time")
        elif change.on:
            self.subscribers[box] = None
        else:
            self.subscribers.pop(box, None)
            threads = set()
        if threads:
            self.threads[box] = threads
        else:
            self.threads.pop(box, None)
        if threads or box in self.subscribers:
            box.subscriptions.add(self._conversation)
        else:
            box.subscriptions.discard(self._conversation)

    def requests_changed(self) -> None:
        """To whoever has not accepted a request nothing is told (REQ-04)."""
        self._version = -1

    def _refresh(self) -> None:
        if self._version != self._hub.version:
            told: Iterable[str] = self._present
            if self._state.aloof:
                quiet = {
                    user for user, aloof in self._state.aloof.items() if aloof.request is not None
                }
                told = [user for user in told if user not in quiet]
            self._recipients = self._hub.outboxes(told)
            self._counting = self._hub.counting(told)
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
        if any(map(self._is_narrow, pushes)):
            self._offer_by_sight(pushes, answers)
        elif answers:
            for box in self._recipients:
                _give(box, whole, answers)
        else:
            for box in self._recipients:
                box.offer(whole)

    def _is_narrow(self, push: Push) -> bool:
        """Whether there may be members here who do not see all of it."""
        event, quoted = push.event, push.quoted
        if event is None:
            return False
        if event.audience is not None and any(
            box.user not in event.audience for box in self._recipients
        ):
            return True
        if event.data.is_message:
            if quoted is None:
                return False
            if self._state.reach is not None and event.at - quoted.at >= DAY_MS:
                return True  # nobody may look back less than a day
            return quoted.audience is not None or self._may_be_unseen(quoted.seq)
        if event.data.seen_by("") is not event.data:
            return True
        target = event.data.target
        return target is not None and self._may_be_unseen(target[1])

    def _may_be_unseen(self, seq: int) -> bool:
        return seq < self._joined or bool(self._state.hidden)

    def _offer_by_sight(self, pushes: list[Push], answers: dict[Outbox, list[Push]]) -> None:
        """Few parcels in practice: one for those who see all, one for those who do not."""
        parcels: dict[tuple[Sight | Own, ...], Parcel] = {}
        for box in self._recipients:
            sights = tuple(sight(push, box.user, self._state) for push in pushes)
            parcel = parcels.get(sights)
            if parcel is None:
                seen = [each.of(push) for push, each in zip(pushes, sights, strict=True)]
                parcel = parcels[sights] = Parcel(seen)
            _give(box, parcel, answers)

    def _offer_signals(self) -> None:
        by_audience: dict[_Audience, list[Push]] = {}
        for push, emit in self._signals:
            audience = emit.thread, emit.by, emit.after, emit.without
            by_audience.setdefault(audience, []).append(push)
        self._signals = []
        for (thread, by, after, without), pushes in by_audience.items():
            parcel = Parcel(pushes, droppable=True)
            for box in self.subscribers if thread is None else self._followers(thread):
                if box.user == by or box.user in without:
                    continue
                if after is None or self._state.members[box.user].sent_seq > after:
                    box.offer(parcel)

    def _offer_receipts(self) -> None:
        receipts, self._receipts = self._receipts, []
        for shares in receipts:
            for box in self.subscribers:
                if (parcel := shares.parcel(box.user, self._state.members)) is not None:
                    box.offer(parcel)

    def _followers(self, thread: str) -> list[Outbox]:
        return [box for box, threads in self.threads.items() if thread in threads]

    def _offer_notices(self) -> None:
        notices, self._notices = self._notices, []
        for push, users in notices:
            parcel = Parcel([push], droppable=True)
            for box in self._hub.outboxes(users):
                box.offer(parcel)


def _give(box: Outbox, parcel: Parcel, answers: dict[Outbox, list[Push]]) -> None:
    replies = answers.pop(box, None)
    if replies is None:
        box.offer(parcel)
    else:
        box.answer(replies, parcel)
