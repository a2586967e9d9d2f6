"""The conversation actor: a thin shell round the machine, and the only writer of its seq.

For each command: admit, guard, decide, apply; then, for all commands of one wake-up together, fan
out, write, reply. From `decide` to `write` there is no await, so no cancellation and no other
command can come in between. Durability decides the order of push, write and reply:

    commit        push and reply after the write is stored
    write_behind  push at once, reply after the write is stored
    relaxed       push and reply at once; replies say `durable: false`

A Reply never precedes the Push of its own event. One sender's commands are carried out in the
order in which they came, also where one of them waits for something to be read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import structlog
import trio

from ..protocol.commands import Emit
from ..protocol.errors import Rejected
from ..protocol.events import Event
from ..protocol.features.subscriptions import ConversationHead, PresenceChanged
from ..protocol.people import Aloof, Bar, RequestStatus
from ..protocol.personal import UserEventData
from ..protocol.state import ConversationState
from .alarms import Alarm
from .effects import Effects
from .environment import Environment
from .lanes import Lanes, Work
from .logs import hashed, stack
from .mailbox import Mailbox
from .outbox import Outbox, Parcel
from .pending import Held
from .private import hide_in
from .replies import Asked
from .request import Request
from .resident import Resident, load
from .visit import Visit

_log = structlog.get_logger("palaver.conversation")


class Conversation:
    """Runs under `supervise`. `tell` is its only way in; what it says leaves through outboxes."""

    def __init__(self, id: str, env: Environment) -> None:
        self.id = id
        self._env = env
        self._mailbox: Mailbox[Asked | Work | Visit[Any]] = Mailbox(env.limits.mailbox)
        self._effects = Effects(id, env, self._mailbox.wake)
        self._alarm = Alarm(env.alarms, self._mailbox.wake)
        self._lanes = Lanes(id, env, self._effects, self._mailbox.post, self._mailbox.put_back)
        self._used = trio.current_time()
        self._loaded = False
        self._outdated = False
        self.retiring = False

    @property
    def resident(self) -> Resident:
        """For whoever visits; others read it only if `is_known`."""
        return self._effects.resident

    @property
    def state(self) -> ConversationState:
        """The same for its state."""
        return self._effects.resident.state

    @property
    def is_known(self) -> bool:
        """Whether `state` may be told as it is: it is loaded and, under `commit`, all stored."""
        return self._loaded and self._effects.is_told

    def has_erased(self, message: str) -> bool:
        """Whether an event of late has taken the content of `message` away; if `is_known`."""
        return self._effects.resident.ring.erases(message)

    def __len__(self) -> int:
        """How many messages wait in the mailbox."""
        return len(self._mailbox)

    def tell(self, message: Asked | Visit[Any]) -> None:
        """Queue `message`; a full mailbox answers OVERLOADED."""
        if not self._mailbox.offer(message):
            message.refuse(Rejected("OVERLOADED", retry_after=1.0))

    def retire(self) -> None:
        """Put the conversation away as soon as everything of it is stored."""
        self.retiring = True
        self._mailbox.wake()

    # Life: `supervise` calls these.

    async def run(self) -> None:
        await self._load()
        while True:
            if self._mailbox or self._effects.settled:
                await trio.lowlevel.checkpoint()
            else:
                self._alarm.set(self._deadline())
                await self._mailbox.wait()
            await self._slice()
            if self._may_retire():
                return

    async def _load(self) -> None:
        """What an earlier life of this conversation has written comes first."""
        env, store = self._env, self._env.store
        self._store_marks()
        self._loaded = self._outdated = False
        await store.journal.settled(self.id)
        self._effects.settle()
        self._effects.flush()
        if self.id in env.diverged:
            await store.conversations.renew(self.id, env.diverged[self.id])
            del env.diverged[self.id]
            env.suspect.add(self.id)
        refused = self._effects.must_rebuild
        async with env.loading.turn():
            resident = await load(self.id, store.conversations, env.limits.ring)
        if not resident.state.exists and env.policy.blocks != "off":
            barring = await store.user_logs.barring(self.id)
            resident.state.aloof = {user: Aloof(bar) for user, bar in barring.items()}
        if not env.policy.receipts_optout:
            resident.state.reticent.clear()
        self._effects.begin(resident)
        if refused and self.state.exists:
            self._effects.rewrite_head()
        self._loaded = True
        if self.id in env.suspect:
            env.suspect.discard(self.id)
            self._effects.tell_members(ConversationHead(epoch=self.state.epoch, seq=self.state.seq))

    def crashed(self, error: Rejected) -> None:
        request, self._lanes.active = self._lanes.active, None
        if (work := self._lanes.roomless) is not None:
            self._lanes.roomless = None
            self._mailbox.post(work)  # or its sender would wait behind it for ever
        self._loaded = False
        self._env.suspect.add(self.id)
        if request is not None:
            request.refuse(error)
        try:
            self._store_marks()
        except Exception as lost:
            _log.error(
                "flush after a crash failed", conversation=hashed(self.id), stack=stack(lost)
            )

    def refuse_waiting(self, error: Rejected) -> None:
        self._loaded = False
        unsettled = self._effects.unsettled
        if unsettled:
            self._env.suspect.add(self.id)
        waiting: list[Asked | Visit[Any]] = [*unsettled.give_up_waiting()]
        unsettled.refuse_held(error)
        waiting += self._lanes.clear()
        while (message := self._mailbox.take()) is not None:
            if not isinstance(message, Work):
                waiting.append(message)
        for asker in waiting:
            asker.refuse(error)
        self._effects.flush()

    async def waiting(self) -> None:
        await self._mailbox.wait()

    @property
    def needed(self) -> bool:
        effects = self._effects
        if effects.unsettled:
            return True
        return not self.retiring and effects.fanout.watched

    def ended(self) -> None:
        """It is in memory no longer."""
        self._alarm.set(math.inf)
        self._env.hub.watch(self.id, ())
        self._effects.fanout.close()

    def _deadline(self) -> float:
        """When to look after things though nothing comes in."""
        if self._lanes or self._effects.unsettled:
            return self._effects.deadline  # it cannot retire before something comes in
        return min(self._effects.deadline, self._used + self._env.limits.idle_s)

    def _may_retire(self) -> bool:
        effects = self._effects
        if self._mailbox or self._lanes or effects.settled:
            return False
        if self.retiring and self._store_marks():
            return False
        if effects.unsettled:
            # While the store is away there is nothing to wait for: the next engine stores the rest.
            if not self.retiring or not effects.unsettled.durable:
                return False
            return self._env.store.journal.condition().status == "spooling"
        if not effects.resident.state.exists:
            return True
        if not self.retiring:
            if trio.current_time() < self._used + self._env.limits.idle_s:
                return False
            if effects.fanout.watched or effects.timers:
                self._used = trio.current_time()
                return False
        return not (self._store_marks() or effects.put_away())

    def _store_marks(self) -> bool:
        """Store what waits to be stored with others; False if nothing does."""
        stored = self._effects.store_marks()
        self._effects.flush()
        return stored

    # Work.

    async def _slice(self) -> None:
        effects, lanes = self._effects, self._lanes
        effects.settle()
        await self._rebuild()
        effects.do_due()
        for _ in range(self._env.limits.slice):
            message = self._mailbox.take()
            if message is None:
                break
            self._used = trio.current_time()
            if isinstance(message, Request):
                lanes.accept(message)
            elif isinstance(message, Work):
                lanes.go_on(message)
            else:
                self._receive(message)
            while lanes.roomless is not None:
                await self._room(lanes.roomless)
        effects.flush()
        await self._rebuild()
        effects.checkpoint()

    async def _rebuild(self) -> None:
        """If what was refused is still in the state, or something is not, load it anew."""
        if self._effects.must_rebuild or self._outdated:
            await self._load()

    async def _room(self, work: Work) -> None:
        """Wait until `work` can be written, and go on with it. Everybody here waits with it."""
        self._effects.flush()
        try:
            await self._env.store.journal.room()
        except Rejected as no:
            work.error = no
        self._lanes.roomless = None
        self._lanes.go_on(work)

    def _receive(self, visit: Visit[Any]) -> None:
        if not self.state.exists:
            visit.refuse(Rejected("CONVERSATION_NOT_FOUND"))
            return
        visit.run(self)
        self._effects.when_told(Held(visit.give, visit.refuse))

    # Called by others, synchronously.

    def presence(self, changes: Iterable[PresenceChanged]) -> None:
        """Tell the subscribers who came and went, but not of whom they have yet to be accepted."""
        fanout, hub = self._effects.fanout, self._env.hub
        for signal in changes:
            if not self.state.is_asked(signal.user):
                without = hub.apart(signal.user, (box.user for box in fanout.subscribers))
                fanout.signals([Emit(signal, signal.user, without=without)])
        fanout.flush()

    def presence_to(self, user: str, signal: PresenceChanged) -> None:
        """Tell one subscriber alone."""
        if self.state.is_asked(signal.user):
            return
        fanout = self._effects.fanout
        others = frozenset(box.user for box in fanout.subscribers) - {user}
        fanout.signals([Emit(signal, signal.user, without=others)])
        fanout.flush()

    def hide(self, user: str, data: UserEventData, as_of: int | None) -> None:
        """What `user` has stored may hide something here; decided when the head was `as_of`, or at
        some time that is not known."""
        if not self._loaded or as_of is None or not hide_in(self.resident, user, data, as_of):
            self._reload()

    def set_reticent(self, user: str, reticent: bool) -> None:
        """From now on nobody is told of `user`'s marks, or everybody is; if they are a member."""
        if not self._loaded:
            self._reload()
        elif user in self.state.members:
            change = self.state.reticent.add if reticent else self.state.reticent.discard
            change(user)

    def set_bar(self, user: str, bar: Bar | None) -> None:
        """From now on `user` keeps the other one of this direct conversation out, or does not."""
        if self._loaded:
            self.state.set_bar(user, bar)
        else:
            self._reload()

    def set_request(self, user: str, status: RequestStatus | None) -> None:
        """`user` has answered: from now on they are told what happens, or are not."""
        if self._loaded:
            self.state.set_request(user, status)
            self._effects.fanout.requests_changed()
        else:
            self._reload()

    def _reload(self) -> None:
        self._outdated = True
        self._mailbox.wake()

    def leave(self, box: Outbox) -> None:
        """`box` is closed: it subscribes no longer."""
        self._effects.unsubscribe(box)

    def follow(self, box: Outbox, after: int) -> bool:
        """For visitors: give `box` every event after `after` that was shown and, from then on,
        every new one, none left out or doubled.

        False if `after` lies before what is in memory: read on from the store, then ask again.
        """
        resident = self._effects.resident
        if after + 1 < resident.ring.first:
            return False
        self._effects.fanout.fence()
        pushes = [p for p in resident.ring.after(after) if _seq(p.event) <= resident.shown]
        if pushes:
            box.offer(Parcel(pushes))
        self._effects.fanout.taps[box] = None
        return True

    def unfollow(self, box: Outbox) -> None:
        self._effects.fanout.taps.pop(box, None)


def _seq(event: Event | None) -> int:
    assert event is not None
    return event.seq
