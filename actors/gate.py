"""Who may use the product at all: where it asks for a subscription, those who have one (GRP-14,
SEC-12).

The host's last word decides, and as a rule it is at hand. One that says yes is good for as long as
it takes to get a new one behind the scenes, so nobody who has paid ever waits. One that keeps
somebody out is good only while it is recent; then, and where there is none, the user waits for the
host, and with them what they ask for meanwhile, in its order. Everybody else goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from ..protocol.commands import Command
from ..protocol.disconnects import PREMIUM_REQUIRED
from ..protocol.errors import Rejected
from ..protocol.ids import HOST
from ..protocol.policy import DAY_MS
from .alarms import Alarm
from .host import Premium
from .outbox import Outbox
from .request import Request

if TYPE_CHECKING:
    from .environment import Environment

AGAIN_S: Final = 5.0
"""After which the host is asked again about those who are here and of whom it has said nothing."""
_LOOK_S: Final = 3600.0
"""At least so often it is looked whether somebody who may lapse is still here."""

Go = Callable[[], None]


class Gate:
    """Every command of a user passes here, those of the host itself excepted. It is closed to
    nobody unless `policy.premium_required`; how far back one may look it knows besides."""

    def __init__(self, premium: Premium, env: Environment) -> None:
        self._premium = premium
        self._env = env
        self._required = env.policy.premium_required
        self._days = env.policy.free_history_days
        self._held: dict[str, deque[tuple[Request[Command], Go]]] = {}
        self._gathered: set[str] = set()
        self._asked: set[str] = set()
        self._alarms: dict[str, Alarm] = {}

    def enter(self, asker: Outbox, id: int | str | None, conversation: str | None, go: Go) -> None:
        """`go` on with a command of `asker`, at once or when the host has said whether its user
        may; or refuse it."""
        user = asker.user
        held = self._held.get(user)
        if held is None:
            if not self._waits(user) and self._refusal(user) is None:
                go()
                return
            held = self._held[user] = deque()
            self._env.nursery.start_soon(self._let_through, user)
        request = Request(asker, Command(), id, conversation)
        if len(held) < self._env.limits.waiting_per_sender:
            held.append((request, go))
        else:
            request.refuse(Rejected("OVERLOADED", retry_after=1.0))

    async def admit(self, user: str) -> None:
        """Whoever is to be here later: raises PREMIUM_REQUIRED, or UNAVAILABLE while that cannot be
        said."""
        away = await self._learn(user)
        if (no := self._refusal(user, away)) is not None:
            raise no

    def look(self, user: str) -> None:
        """Send `user` away if they are here and may not; where that is not known, find out. Look
        again when their subscription lapses."""
        session = self._env.hub.sessions.get(user)
        if session is None or not session.outboxes:
            self._alarms.pop(user, None)
        elif not self._is_sure(user):
            self._ask(user)
        elif self._refusal(user) is not None:
            session.disconnect(PREMIUM_REQUIRED)
        elif (until := self._premium.until(user)) is not None:
            self._look_in(user, max((until - self._env.clock()) / 1000, 0.001))

    def changed(self, user: str | None) -> None:
        """What the host said of `user`, or of all, is not so any more."""
        self._premium.invalidate(user)
        for each in list(self._env.hub.sessions) if user is None else [user]:
            self.look(each)

    def reach(self, user: str) -> int:
        """Since when, in milliseconds, `user` may look back (HIST-10)."""
        if self._days is None or user == HOST or self._premium.has_history(user):
            return 0
        return self._env.clock() - self._days * DAY_MS

    def _is_sure(self, user: str) -> bool:
        """Whether what is at hand is good enough. An old no keeps nobody out before it is said
        again."""
        premium = self._premium
        if user == HOST or premium.is_recent(user):
            return True
        return premium.is_at_hand(user) and (not self._required or premium.is_premium(user))

    def _waits(self, user: str) -> bool:
        """Whether the host has to be asked first. What is at hand but old is asked for anew."""
        if user == HOST or self._premium.is_recent(user):
            return False
        if self._is_sure(user) or not (self._required or self._days is not None):
            if user not in self._asked:
                self._ask(user)
            return False
        return True

    def _refusal(self, user: str, away: Rejected | None = None) -> Rejected | None:
        """Why `user` may not; `away` if the host could not be asked just now."""
        if not self._required or user == HOST or self._premium.is_premium(user):
            return None
        if away is not None and not self._premium.is_at_hand(user):
            return away
        return Rejected("PREMIUM_REQUIRED")

    def _pass(self, request: Request[Command], go: Go, away: Rejected | None = None) -> None:
        no = self._refusal(request.user, away)
        if no is None:
            go()
            return
        request.refuse(no)
        if no is not away:
            self.look(request.user)

    async def _let_through(self, user: str) -> None:
        away = await self._learn(user)
        for request, go in self._held.pop(user):
            self._pass(request, go, away)

    async def _learn(self, user: str) -> Rejected | None:
        """Be sure of `user`, or have the reason why not."""
        try:
            while self._waits(user):
                await self._premium.learn((user,))
        except Rejected as away:
            return away
        return None

    def _ask(self, user: str) -> None:
        """Behind the scenes, together with the others who are to be asked about now."""
        if not self._gathered:
            self._env.nursery.start_soon(self._ask_gathered)
        self._gathered.add(user)

    async def _ask_gathered(self) -> None:
        users, self._gathered = self._gathered, set()
        self._asked |= users
        try:
            await self._premium.learn(users)
        except Rejected:
            pass
        finally:
            self._asked -= users
        for user in users:
            if self._is_sure(user):
                self.look(user)
            else:
                self._look_in(user, AGAIN_S)

    def _look_in(self, user: str, seconds: float) -> None:
        alarm = self._alarms.get(user)
        if alarm is None:
            alarm = self._alarms[user] = Alarm(self._env.alarms, partial(self.look, user))
        alarm.set(trio.current_time() + min(seconds, _LOOK_S))
