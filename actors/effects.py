"""Carrying out what was decided: state, ring, fan-out, journal, replies, in the right order.

Between two calls of `flush` everything gathers; `flush` sends it: writes to the journal, events to
the members, then replies to the askers, those to a member in one write with the events. What the
journal answers, then or later, `settle` takes in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..protocol import machine
from ..protocol.commands import (
    Context,
    ConversationCommand,
    Effect,
    Emit,
    Hide,
    MakeRequest,
    MoveMark,
    Notify,
    Show,
    Subscribe,
)
from ..protocol.errors import Rejected
from ..protocol.events import Event, EventData, SignalData
from ..protocol.records import Committed, Delayed, Duplicate, Foreign, Outcome, Refused, Spooled
from ..protocol.state import ConversationState
from .environment import Environment
from .fanout import FanOut
from .looking import Looking
from .outbox import Outbox, Parcel, Push
from .pending import ForeignWriter, Held, Pending, Unsettled
from .private import learn_reticence
from .receipts import Batch
from .replies import Asked, Replies, event_result
from .resident import Resident
from .ring import Ring
from .rows import copied, created, head, member_row
from .snapshots import Snapshots
from .timers import Timers


class Effects:
    def __init__(self, id: str, env: Environment, wake: Callable[[], None]) -> None:
        self._id = id
        self._env = env
        self._wake = wake
        self._mode = env.policy.durability
        self._announces = env.host.delivery is not None
        self._webhooks = env.host.webhooks.events if env.host.webhooks is not None else None
        self.fanout = FanOut(id, env.hub, env.clock)
        self._looking = Looking(id, env, self.fanout)
        self.resident = Resident(ConversationState(id), Ring(env.limits.ring))
        self.unsettled = Unsettled()
        self.settled: deque[tuple[Pending, Outcome]] = deque()
        self.timers = Timers(self.fanout)
        self._batch = Batch(env.policy)
        self.must_rebuild = False
        self._writes: list[Pending] = []
        self.replies = Replies(durable=self._mode != "relaxed")
        self._snapshots = Snapshots(env.limits.snapshot_every, lambda: self._pending(None))

    def begin(self, resident: Resident) -> None:
        """Go on from `resident`, just loaded: the truth at rest."""
        self.resident = resident
        resident.state.permissions = self._env.policy.permission_table
        resident.state.reach = self._env.reach
        self.must_rebuild = False
        self._snapshots.begin(resident)
        self.fanout.reset(resident.state)
        self._looking.members_changed(resident.state)

    @property
    def is_told(self) -> bool:
        """Whether nothing of the state has to wait for its commit."""
        resident, state = self.resident, self.resident.state
        if self._mode != "commit":
            return True
        return state.seq <= resident.stored and state.marks <= resident.marks_shown

    # One command.

    def carry_out(
        self,
        request: Asked,
        command: ConversationCommand,
        context: Context,
        effects: Sequence[Effect],
    ) -> None:
        state = self.resident.state
        pending: Pending | None = None
        signals: list[Emit | Notify] = []
        answer = next((each for each in reversed(effects) if isinstance(each, EventData)), None)
        for effect in effects:
            match effect:
                case EventData():
                    pending = pending or self._pending(request)
                    event = machine.event(
                        state, effect, context, command, carries_client_id=effect is answer
                    )
                    self._apply(event, context, pending)
                    pending.result = event_result(event)
                case MoveMark():
                    self._batch.gather(state, effect, context.now)
                    self._count_anew(effect.user)
                case Emit():
                    signals.append(effect)
                case Notify():
                    signals.append(effect.within(pending.audience if pending else None))
                case MakeRequest(user, asked):
                    state.set_request(user, "pending", asked=asked)
                case Show() | Hide():
                    self.timers.carry_out(effect)
                case Subscribe():
                    self._looking.subscribe(request.asker, effect, state)
        if state.ahead and not self._batch.on:
            pending = self._take_marks(pending or self._pending(request))
        if pending is None:
            self.fanout.signals(signals)
            self._reply_stored(request, command.result(state, context))
            if self._batch.full:
                self.store_marks()
            return
        pending.signals = signals
        if answer is None:
            pending.result = command.result(state, context)
        self._register(pending)
        if self._mode == "relaxed":
            self.replies.ok_all(pending)

    def store_marks(self) -> bool:
        """Store and tell the marks that are ahead; False if there are none."""
        if not self._batch:
            return False
        if self.must_rebuild:  # what lies beyond may not have been
            machine.drop_ahead(self.resident.state, self.resident.stored)
        pending = self._take_marks(self._pending(None))
        if pending.marks:
            self._register(pending)
        return bool(pending.marks)

    def _take_marks(self, pending: Pending) -> Pending:
        pending.marks, pending.receipts = self._batch.take(self.resident.state)
        self.resident.unstored_marks.extend(pending.marks)
        self._snapshots.moved.update(mark.user for mark in pending.marks)
        return pending

    def _apply(self, event: Event, context: Context, pending: Pending) -> None:
        """One event into state and ring, and its rows into the write."""
        state, ring, data = self.resident.state, self.resident.ring, event.data
        machine.apply(state, event)
        if self._announces and data.is_message:
            event.announced = True
        if self._webhooks is not None and data.name in self._webhooks:
            event.webhook = True
        quoted = context.messages.get(data.quotes) if data.quotes is not None else None
        push = ring.add(event, quoted)
        gone: tuple[str, ...] = ()
        if members := data.members():
            gone = tuple(user for user in members if state.members[user].role is None)
            rows = (member_row(state, user, event.seq) for user in members)
            pending.members = (*pending.members, *rows)
            if self._env.policy.receipts_optout:
                present = set(members).difference(gone)
                logs, nursery = self._env.store.user_logs, self._env.nursery
                nursery.start_soon(learn_reticence, self.resident, present, logs)
        pending.pushes.append((push, gone))
        pending.events.append(event)
        if (target := data.target) is not None:
            message = ring.message(target[0])
            if message is None and (message := context.messages.get(target[0])) is not None:
                event.change(message)
                message.overlay.changed_seq = event.seq
            if message is not None:
                pending.overlays = (*pending.overlays, copied(message.overlay))
        if event.seq == 1:
            pending.created = created(state, event, self._env.policy)
        if event.number is not None and event.sender is not None:
            self._snapshots.moved.add(event.sender)

    def _pending(self, request: Asked | None) -> Pending:
        return Pending(self._id, request, self._stored)

    def _register(self, pending: Pending) -> None:
        """From here on the write happens, whatever becomes of its asker."""
        if pending.events:
            pending.head = head(self.resident.state)
        self.unsettled.add(pending)
        self._writes.append(pending)
        if self._mode != "commit":
            self._show(pending)

    def _show(self, pending: Pending) -> None:
        for push, gone in pending.pushes:
            assert push.event is not None
            self.fanout.event(push, gone)
            self.resident.shown = push.event.seq
            if push.event.data.members():
                self._looking.members_changed(self.resident.state)
        if pending.marks:
            self.resident.marks_shown = pending.marks[-1].n
            self.fanout.receipts(pending.receipts)
        if pending.signals:
            self.fanout.signals(pending.signals)

    def repeat(self, request: Asked, first: Event) -> None:
        """`request` repeats the command that led to `first`: it gets the same answer."""
        pending = self.unsettled.at(first.seq)
        if pending is None or pending.durable or self._mode == "relaxed":
            self.replies.ok(request, event_result(first))
        elif pending.delayed:
            self.replies.no(request, _not_now())
        else:
            pending.requests = (*pending.requests, request)

    # Replies.

    def reply_read(
        self, request: Asked, pushes: list[Push], result: dict[str, Any], *, of_shown: bool
    ) -> None:
        """Goes out after the events that the read has seen and before those that it has not.

        `of_shown`: it has seen only what members were shown already.
        """
        give = partial(self._tell, request, pushes, result)
        if of_shown:
            give()
        else:
            self.when_told(Held(give, partial(self.replies.no, request)))

    def when_told(self, answer: Held) -> None:
        """Give `answer`, which tells of the state: under `commit`, not before that is stored."""
        if self.is_told:
            answer.give()
        else:
            self.unsettled.hold(answer)

    def _tell(self, request: Asked, pushes: list[Push], result: dict[str, Any]) -> None:
        self.fanout.fence()
        if pushes:
            request.asker.offer(Parcel(pushes))
        request.answer(request.ok(result))

    def _reply_stored(self, request: Asked, result: dict[str, Any]) -> None:
        """Nothing was to be done; but what made it so may not be stored yet."""
        reply = self.replies.ok_push(request, result)
        if self._mode != "relaxed" and request.command.writes and not self.unsettled.durable:
            give = partial(self.replies.add, request, reply)
            self.unsettled.hold(Held(give, partial(self.replies.no, request)))
        else:
            self.replies.add(request, reply)

    # The way out, and the way back from the journal.

    def flush(self) -> None:
        """Send what has gathered."""
        if self._writes:
            writes, self._writes = self._writes, []
            for pending in writes:
                self._env.store.journal.append(pending.write())
        if self.settled:  # also at once, by a store in memory
            self.settle()
        self.fanout.flush(self.replies.gathered)
        self.replies.flush()
        self.resident.ring.evict(self.resident.stored)

    def _stored(self, pending: Pending, outcome: Outcome) -> None:
        """The journal has something to say of `pending` (it calls this in trio's thread)."""
        self.settled.append((pending, outcome))
        self._wake()

    def settle(self) -> None:
        """Deal with what the journal has said, in order."""
        while self.settled:
            pending, outcome = self.settled.popleft()
            if isinstance(outcome, Delayed):
                pending.delayed = True
                self.replies.no_all(pending, _not_now())
                pending.refuse_held(_not_now())
                continue
            if isinstance(outcome, Spooled):
                pending.delayed, pending.durable = False, True
                self._durable(pending)
                pending.pushes = []  # the ring has them, and there may be many more to come
                continue
            self.unsettled.remove(pending)
            match outcome:
                case Committed():
                    self._committed(pending)
                case Duplicate(first):
                    pending.result = event_result(first)
                    self._void(pending)
                    self.replies.ok_all(pending)
                case Refused(_, voided):
                    self._void(pending, voided)
                    self.replies.no_all(pending, Rejected("PERSIST_FAILED"))
                case Foreign(problem):
                    self.replies.no_all(pending, _not_now())
                    self._doubt(pending)
                    raise ForeignWriter(problem)

    def _committed(self, pending: Pending) -> None:
        if self._mode == "commit":
            self._show(pending)
        if pending.events:
            self.resident.stored = pending.events[-1].seq
            self._env.bell.ring_for(pending.events)
        if pending.marks:
            self.resident.stored_marks(pending.marks)
        if not pending.durable:
            self._durable(pending)

    def _durable(self, pending: Pending) -> None:
        """`pending` is stored, or in the spool and will be."""
        for event in pending.events:
            self._env.reactors.offer(event)
        self.replies.ok_all(pending)
        pending.give_held()

    def _void(self, pending: Pending, voided: bool = True) -> None:
        """Take back what could not be stored. Messages are voided one by one; for anything else,
        or without `void` rows, whoever was shown it must reload, which a new epoch tells them."""
        self._doubt(pending)
        if pending.marks and self._mode != "commit":  # others will get their numbers
            self._env.diverge(self._id, self.resident.state.seq)
        for event in pending.events:
            if self._mode != "commit" and (event.number is None or not voided):
                self._env.diverge(self._id, event.seq - 1)
            void = event.voided()
            push = Push(void.item(), void)
            if voided:
                self.fanout.event(push)
                self.resident.shown = max(self.resident.shown, event.seq)
                self.resident.stored = event.seq
            elif self._mode != "commit":
                self.fanout.to_taps(push)
        # Without a snapshot, or a head written anew, the state is what it was.
        if pending.events or pending.marks:
            self.must_rebuild = True

    def _doubt(self, pending: Pending) -> None:
        """`pending` will not be stored, so whatever was found out since rests on sand."""
        pending.refuse_held(_not_now())
        self.unsettled.refuse_held(_not_now())

    # Snapshots.

    def checkpoint(self) -> None:
        """Write a snapshot if one is due."""
        if (due := self._snapshots.due(self.resident)) is not None:
            self._append(due)

    def rewrite_head(self) -> None:
        """The one at rest may show something that was refused, if more was written behind that."""
        pending = self._pending(None)
        pending.head = head(self.resident.state)
        self._append(pending)

    def put_away(self) -> bool:
        """Write a snapshot of what is all stored; False if there is nothing to write."""
        if (last := self._snapshots.last(self.resident)) is not None:
            self._append(last)
        return last is not None

    def _append(self, pending: Pending) -> None:
        self.unsettled.add(pending)
        self._env.store.journal.append(pending.write())

    # Signals and subscribers.

    @property
    def deadline(self) -> float:
        """When to `do_due`, in trio's time."""
        return min(self.timers.deadline, self._batch.due)

    def do_due(self) -> None:
        if self.deadline < math.inf:
            self.timers.fire()
            if self._batch.is_due:
                self.store_marks()

    def tell_members(self, signal: SignalData) -> None:
        self.fanout.to_members(Push(signal.item(self._id, self._env.clock())))

    def unsubscribe(self, box: Outbox) -> None:
        self._looking.subscribe(box, Subscribe(on=False), self.resident.state)

    def _count_anew(self, user: str) -> None:
        session = self._env.hub.sessions.get(user)
        if session is not None and session.counting:
            session.touch(self._id)


def _not_now() -> Rejected:
    return Rejected("UNAVAILABLE", retry_after=1.0)
