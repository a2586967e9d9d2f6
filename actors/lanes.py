"""Who may go on, and who waits: the commands of one conversation, each sender's in their order.

Most commands are decided at once, on the state alone. One that needs more is fetched for outside of
the actor (or waits for a write to be stored, or for room to write); what its sender asks for
meanwhile waits behind it, and everybody else goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog

from ..protocol import machine
from ..protocol.commands import NONE, Context, ConversationCommand, DurableCommand, Effect, Query
from ..protocol.errors import Rejected
from ..protocol.events import EventData
from ..protocol.features.messages import SendMessage
from ..protocol.features.preferences import Attend
from ..protocol.features.requests import TakeUpRequest
from ..protocol.ids import HOST
from .effects import Effects
from .environment import Environment
from .guards.rate import check_rate
from .host import Users
from .logs import stack
from .lookup import Lookup, needs_nothing
from .names import Named
from .pending import Held, Pending
from .reads import Read, read_for
from .replies import Asked
from .request import Request

_log = structlog.get_logger("palaver.conversation")


class Work:
    """A request that waits for what it needs (`source` fetches it, or it has to be stored first, or
    there is no room to write), and what its sender has asked for since, which waits for it."""

    __slots__ = ("error", "held", "request", "source")

    def __init__(self, request: Asked, source: Lookup | Read) -> None:
        self.request = request
        self.source = source
        self.held: deque[Asked] = deque()
        self.error: Rejected | None = None


class Lanes:
    """`again` brings a `Work` back to `go_on` when what it waited for is there; `put_back` brings
    requests back to `accept`, before all that have not come yet."""

    def __init__(
        self,
        id: str,
        env: Environment,
        effects: Effects,
        again: Callable[[Work], None],
        put_back: Callable[[Iterable[Asked]], None],
    ) -> None:
        self._id = id
        self._env = env
        self._effects = effects
        self._again = again
        self._put_back = put_back
        self._busy: dict[str, Work] = {}
        self.roomless: Work | None = None
        """what waits for room in the journal; nothing else may be accepted before it goes on"""
        self.active: Asked | None = None
        """what is being carried out just now: it is to blame for a crash"""

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._busy)

    def clear(self) -> list[Asked]:
        """Everybody who waits, taken out: what is being fetched for them will come too late."""
        busy, self._busy, self.roomless = self._busy, {}, None
        return [asked for work in busy.values() for asked in (work.request, *work.held)]

    def accept(self, request: Asked) -> None:
        """Carry out `request` now, or when what its sender asked for before is done."""
        work = self._busy.get(request.user)
        if work is None:
            self._begin(request)
        elif len(work.held) < self._env.limits.waiting_per_sender:
            work.held.append(request)
        else:
            request.refuse(Rejected("OVERLOADED", retry_after=1.0))

    def _begin(self, request: Asked) -> None:
        self.active = request
        try:
            command, state = request.command, self._effects.resident.state
            if request.user not in state.members:
                machine.admit(state, command, request.user)  # before anything is read for them
            check_rate(request, self._effects.resident, self._env.hub)
            if isinstance(command, Query):
                limits = self._env.limits
                policy, links = self._env.policy, self._env.links
                read = read_for(command, request.user, policy, limits.resume_limit, links)
                if (users := self._env.host.users) is not None:
                    read = Named(read, users)
                self._continue(Work(request, read))
            elif needs_nothing(command, state):
                self._decide(request, None)
            else:
                self._continue(Work(request, self._lookup(request)))
        except Rejected as no:
            self._effects.replies.no(request, no)
        self.active = None

    def _lookup(self, request: Asked) -> Lookup:
        env = self._env
        return Lookup(self._id, request.user, request.command, env.people, env.store.uploads)

    def _continue(self, work: Work) -> None:
        if work.source.missing(self._effects.resident):
            if isinstance(work.source, Lookup) and not self._effects.resident.state.exists:
                self._try(work.request)
            self._fetch(work, partial(work.source.fetch, self._env.store.conversations))
        elif isinstance(work.source, Lookup):
            pending = self._awaited(work.request.command, work.source)
            if pending is None:
                self._decide(work.request, work.source)
            else:
                self._busy[work.request.user] = work
                back = partial(self._again, work)
                pending.hold(Held(back, partial(self._fail, work)))
        else:
            pushes, result = work.source.answer(self._effects.resident)
            of_shown = work.source.of_shown
            self._effects.reply_read(work.request, pushes, result, of_shown=of_shown)

    def _awaited(self, command: ConversationCommand, lookup: Lookup) -> Pending | None:
        """The write of a message that `command` would change: until that is durable it may be
        refused, and a change of it would be of nothing. (A reply may well be to nothing, but one in
        a thread changes its root.)"""
        unsettled = self._effects.unsettled
        if not unsettled or not isinstance(command, DurableCommand):
            return None
        if isinstance(command, SendMessage) and command.thread is None:
            return None
        messages = lookup.messages(self._effects.resident).values()
        awaited = [unsettled.at(message.seq) for message in messages]
        return next((each for each in awaited if each is not None and not each.durable), None)

    def _fail(self, work: Work, error: Rejected) -> None:
        work.error = error
        self._again(work)

    def _fetch(self, work: Work, read: Callable[[], Awaitable[None]]) -> None:
        """Go on with `work` when `read` is done: in a task of its own, so nobody but this sender
        waits."""
        self._busy[work.request.user] = work
        self._env.nursery.start_soon(self._fetching, work, read)

    async def _fetching(self, work: Work, read: Callable[[], Awaitable[None]]) -> None:
        try:
            await read()
        except Rejected as no:
            work.error = no
        except Exception as error:
            correlation = self._env.new_id()
            _log.error("read failed", correlation=correlation, stack=stack(error))
            work.error = Rejected("INTERNAL", correlation=correlation)
        self._again(work)

    def go_on(self, work: Work) -> None:
        """Go on with `work`, then with what its sender has asked for since."""
        user, held = work.request.user, work.held
        if self._busy.get(user) is not work:
            return  # it was refused while it waited
        del self._busy[user]
        self.active, work.held = work.request, deque()
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
                self._put_back(held)
        self.active = None

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
            lookup = lookup or self._lookup(request)
            self.roomless = self._busy[user] = Work(request, lookup)
            return
        context = self._context(request, lookup)
        users = env.host.users
        if users is not None and command.recipients and user != HOST:
            # Cheap checks come first (SEND-22), and if nothing comes of it, nobody has to be there.
            would = machine.decide(resident.state, command, context)
            if would and self._requires(users, request, lookup):
                return
        if env.guards:
            machine.admit(resident.state, command, user)
            for guard in env.guards:
                command = guard.check(command, context, resident.state)
        decided = machine.decide(resident.state, command, context)
        if resident.state.aloof and resident.state.request_to(user):
            self._answer_request(request, decided)
        effects.carry_out(request, command, context, decided)
        if command.attends and self._id in env.hub.waiting.get(user, ()):
            # A copy of something forwarded is not what one was writing here.
            attend = Attend(sent=type(command) is SendMessage)
            env.hub.sessions[user].submit(Request(request.asker, attend, None, self._id))

    def _requires(self, users: Users, request: Asked, lookup: Lookup | None) -> bool:
        """Whether the host has to say first that whom the command names is there (CONV-23). It is
        asked, then; if it says no, that is the answer."""
        named = [user for user in request.command.recipients if user != request.user]
        if lookup is None:
            lookup = self._lookup(request)
        if lookup.recipients_required or users.are_there(named):
            return False
        lookup.recipients_required = True
        self._fetch(Work(request, lookup), partial(users.require, named))
        return True

    def _context(self, request: Asked, lookup: Lookup | None) -> Context:
        env, resident, asker = self._env, self._effects.resident, request.asker
        # By position: this is made for each command.
        return Context(
            request.user,
            env.clock(),
            env.policy,
            env.new_id,
            NONE if lookup is None else lookup.messages(resident),
            None if lookup is None else lookup.position(resident),
            NONE if lookup is None else lookup.standings,
            asker.role,
            asker.session,
            NONE,
            NONE if lookup is None else lookup.uploads,
        )

    def _try(self, request: Asked) -> None:
        """What is to be begun must be right before anybody is asked whether it may be (SEND-22).
        Not looked at is who keeps whom out: privacy, which is asked for, comes first."""
        list(request.command.decide(self._effects.resident.state, self._context(request, None)))

    def _answer_request(self, request: Asked, decided: Iterable[Effect]) -> None:
        """Whoever does something in a conversation that is a request to them accepts it."""
        if any(isinstance(effect, EventData) for effect in decided):
            self._effects.resident.state.set_request(request.user, None)
            self._effects.fanout.requests_changed()
            take_up = Request(request.asker, TakeUpRequest(), None, self._id)
            self._env.hub.session_of(request.user).submit(take_up)
