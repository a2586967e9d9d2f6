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
from collections import deque
from functools import partial
from typing import Any

import structlog
import trio

from ..protocol import machine
from ..protocol.commands import Context, ConversationCommand, DurableCommand, Query
from ..protocol.errors import Rejected
from ..protocol.events import Event
from ..protocol.features.messages import SendMessage
from ..protocol.features.subscriptions import ConversationHead, PresenceChanged
from ..protocol.state import ConversationState
from .alarms import Alarm
from .effects import Effects
from .environment import Environment
from .guards.rate import check_rate
from .logs import hashed, stack
from .lookup import Lookup, needs_nothing
from .mailbox import Mailbox
from .outbox import Outbox, Parcel
from .pending import Held, Pending
from .reads import Read, read_for
from .request import Request
from .resident import load
from .visit import Visit

_log = structlog.get_logger("palaver.conversation")

Asked = Request[ConversationCommand]


class Work:
    """A request that waits for what it needs (`source` fetches it, or it has to be stored first, or
    there is no room to write), and what its sender has asked for since, which waits for it."""

    __slots__ = ("error", "held", "request", "source")

    def __init__(self, request: Asked, source: Lookup | Read) -> None:
        self.request = request
        self.source = source
        self.held: deque[Asked] = deque()
        self.error: Rejected | None = None


class Conversation:
    """Runs under `supervise`. `tell` is its only way in; what it says leaves through outboxes."""

    def __init__(self, id: str, env: Environment) -> None:
        self.id = id
        self._env = env
        self._mailbox: Mailbox[Asked | Work | Visit[Any]] = Mailbox(env.limits.mailbox)
        self._effects = Effects(id, env, self._mailbox.wake)
        self._alarm = Alarm(env.alarms, self._mailbox.wake)
        self._busy: dict[str, Work] = {}
        self._roomless: Work | None = None
        self._active: Asked | None = None
        self._used = trio.current_time()
        self._loaded = False
        self.retiring = False

    @property
    def state(self) -> ConversationState:
        """For whoever visits; others read it only if `is_known`."""
        return self._effects.resident.state

    @property
    def is_known(self) -> bool:
        """Whether `state` may be told as it is: it is loaded and, under `commit`, all stored."""
        return self._loaded and self._effects.is_told

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
        self._effects.begin(resident)
        if refused and self.state.exists:
            self._effects.rewrite_head()
        self._loaded = True
        if self.id in env.suspect:
            env.suspect.discard(self.id)
            self._effects.tell_members(ConversationHead(epoch=self.state.epoch, seq=self.state.seq))

    def crashed(self, error: Rejected) -> None:
        request, self._active = self._active, None
        self._loaded = False
        self._env.suspect.add(self.id)
        if request is not None:
            request.refuse(error)
        try:
            self._effects.flush()
        except Exception as lost:
            _log.error(
                "flush after a crash failed", conversation=hashed(self.id), stack=stack(lost)
            )

    def refuse_waiting(self, error: Rejected) -> None:
        self._loaded = False
        unsettled, busy = self._effects.unsettled, self._busy
        if unsettled:
            self._env.suspect.add(self.id)
        waiting: list[Asked | Visit[Any]] = [*unsettled.give_up_waiting()]
        unsettled.refuse_held(error)
        self._busy = {}  # so what is being fetched will come too late
        for work in busy.values():
            waiting += [work.request, *work.held]
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
        return not self.retiring and bool(effects.fanout.subscribers or effects.fanout.taps)

    def ended(self) -> None:
        """It is in memory no longer."""
        self._alarm.set(math.inf)
        self._env.hub.watch(self.id, ())
        self._effects.fanout.close()

    def _deadline(self) -> float:
        """When to look after things though nothing comes in."""
        if self._busy or self._effects.unsettled:
            return self._effects.deadline  # it cannot retire before something comes in
        return min(self._effects.deadline, self._used + self._env.limits.idle_s)

    def _may_retire(self) -> bool:
        effects = self._effects
        if self._mailbox or self._busy or effects.settled:
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
            if effects.fanout.subscribers or effects.fanout.taps or effects.timers:
                self._used = trio.current_time()
                return False
        return not effects.put_away()

    # Work.

    async def _slice(self) -> None:
        effects = self._effects
        effects.settle()
        await self._rebuild()
        effects.fire_timers()
        for _ in range(self._env.limits.slice):
            message = self._mailbox.take()
            if message is None:
                break
            self._used = trio.current_time()
            if isinstance(message, Request):
                self._accept(message)
            elif isinstance(message, Work):
                self._go_on(message)
            else:
                self._receive(message)
            while self._roomless is not None:
                await self._room(self._roomless)
        effects.flush()
        await self._rebuild()
        effects.checkpoint()

    async def _rebuild(self) -> None:
        """If what was refused is still in the state, load it anew."""
        if self._effects.must_rebuild:
            self._effects.flush()
            await self._load()

    async def _room(self, work: Work) -> None:
        """Wait until `work` can be written, and go on with it. Everybody here waits with it."""
        self._roomless = None
        self._effects.flush()
        try:
            await self._env.store.journal.room()
        except Rejected as no:
            work.error = no
        self._go_on(work)

    def _receive(self, visit: Visit[Any]) -> None:
        if not self.state.exists:
            visit.refuse(Rejected("CONVERSATION_NOT_FOUND"))
            return
        visit.run(self)
        self._effects.when_told(Held(visit.give, visit.refuse))

    def _accept(self, request: Asked) -> None:
        work = self._busy.get(request.user)
        if work is None:
            self._begin(request)
        elif len(work.held) < self._env.limits.waiting_per_sender:
            work.held.append(request)
        else:
            request.refuse(Rejected("OVERLOADED", retry_after=1.0))

    def _begin(self, request: Asked) -> None:
        self._active = request
        try:
            command, state = request.command, self.state
            if request.user not in state.members:
                machine.admit(state, command, request.user)  # before anything is read for them
            check_rate(request, self._effects.resident, self._env.hub)
            if isinstance(command, Query):
                limits = self._env.limits
                read = read_for(command, request.user, self._env.policy, limits.resume_limit)
                self._continue(Work(request, read))
            elif needs_nothing(command, state):
                self._decide(request, None)
            else:
                self._continue(Work(request, Lookup(self.id, request.user, command)))
        except Rejected as no:
            self._effects.replies.no(request, no)
        self._active = None

    def _continue(self, work: Work) -> None:
        if work.source.missing(self._effects.resident):
            self._busy[work.request.user] = work
            self._env.nursery.start_soon(self._fetch, work)
        elif isinstance(work.source, Lookup):
            pending = self._awaited(work.request.command, work.source)
            if pending is None:
                self._decide(work.request, work.source)
            else:
                self._busy[work.request.user] = work
                back = partial(self._mailbox.post, work)
                pending.hold(Held(back, partial(self._fail, work)))
        else:
            pushes, result = work.source.answer(self._effects.resident)
            of_shown = work.source.of_shown
            self._effects.reply_read(work.request, pushes, result, of_shown=of_shown)

    def _awaited(self, command: ConversationCommand, lookup: Lookup) -> Pending | None:
        """The write of a message that `command` would change: until that is durable it may be
        refused, and a change of it would be of nothing. (A reply may well be to nothing.)"""
        unsettled = self._effects.unsettled
        changes = isinstance(command, DurableCommand) and not isinstance(command, SendMessage)
        if not changes or not unsettled:
            return None
        messages = lookup.messages(self._effects.resident).values()
        awaited = [unsettled.at(message.seq) for message in messages]
        return next((each for each in awaited if each is not None and not each.durable), None)

    def _fail(self, work: Work, error: Rejected) -> None:
        work.error = error
        self._mailbox.post(work)

    async def _fetch(self, work: Work) -> None:
        """In a task of its own, so that nobody but this sender waits."""
        try:
            await work.source.fetch(self._env.store.conversations)
        except Rejected as no:
            work.error = no
        except Exception as error:
            correlation = self._env.new_id()
            _log.error("read failed", correlation=correlation, stack=stack(error))
            work.error = Rejected("INTERNAL", correlation=correlation)
        self._mailbox.post(work)

    def _go_on(self, work: Work) -> None:
        """Go on with `work`, then with what its sender has asked for since."""
        user, held = work.request.user, work.held
        if self._busy.get(user) is not work:
            return  # it was refused while it waited
        del self._busy[user]
        self._active, work.held = work.request, deque()
        try:
            try:
                if work.error is not None:
                    raise work.error
                self._continue(work)
            except Rejected as no:
                self._effects.replies.no(work.request, no)
            while held and user not in self._busy:
                self._begin(held.popleft())
        finally:
            if user in self._busy:
                self._busy[user].held = held
            else:  # a crash: whoever is left keeps waiting in the mailbox
                self._mailbox.put_back(held)
        self._active = None

    def _decide(self, request: Asked, lookup: Lookup | None) -> None:
        effects, env, user = self._effects, self._env, request.user
        command, resident = request.command, effects.resident
        if isinstance(command, DurableCommand) and command.client_id is not None:
            first = resident.ring.led_to(user, command.client_id)
            if first is None and lookup is not None:
                first = lookup.first
            if first is not None:
                effects.repeat(request, first)
                return
        if command.writes and not env.store.journal.has_room:
            lookup = lookup or Lookup(self.id, user, command)
            self._roomless = self._busy[user] = Work(request, lookup)
            return
        context = Context(
            user=user,
            now=env.clock(),
            policy=env.policy,
            new_id=env.new_id,
            messages={} if lookup is None else lookup.messages(resident),
            position=None if lookup is None else lookup.position(resident),
            role=request.asker.role,
            session=request.asker.session,
        )
        if env.guards:
            machine.admit(resident.state, command, user)
            for guard in env.guards:
                command = guard.check(command, context, resident.state)
        effects.carry_out(
            request, command, context, machine.decide(resident.state, command, context)
        )

    # Called by others, synchronously.

    def presence(self, user: str, online: bool, last_seen: int | None) -> None:
        """Tell the subscribers that `user` came or went."""
        signal = PresenceChanged(user=user, online=online, last_seen=last_seen)
        self._effects.fanout.signal(signal, user, self._env.clock())
        self._effects.fanout.flush()

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
