"""What is a user's own, carried out by their session: stored, then pushed to all of their devices,
then answered; one thing after another, so that every device gets everything in one order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..protocol.commands import UserCommand
from ..protocol.errors import Rejected, invalid
from ..protocol.features.blocks import BlockChanged
from ..protocol.features.requests import RequestAnswered
from ..protocol.features.schedule import MessageScheduled
from ..protocol.personal import Personal, Place, SettingsChanged, UserContext
from ..protocol.records import UserEvent
from .conversation import Conversation
from .environment import Environment
from .outbox import Push
from .private import place
from .registry import Registry

MAX_LOST = 10
"""More than one command stores at once, of which it may be unknown whether it did."""


def pushed(event: UserEvent) -> Push:
    """As it travels to the devices of its user."""
    return Push({"t": event.data.name, "n": event.n, "ts": event.at, "d": event.data.fields()})


class OwnLog:
    """`tell` gets every event that was stored, once and in order. While the store is away nothing
    can be carried out, and whether the last thing was may be unknown: that is found out before
    anything else is asked for."""

    def __init__(
        self, user: str, env: Environment, registry: Registry, tell: Callable[[UserEvent], None]
    ) -> None:
        self._user = user
        self._env = env
        self._registry = registry
        self._tell = tell
        self._told: int | None = None
        self.known: Personal | None = None
        """what is remembered, once somebody has asked for it"""

    async def personal(self) -> Personal:
        """What is remembered; read if it is not known."""
        if self.known is None:
            logs = self._env.store.user_logs
            remembered = await logs.remembered(self._user)
            personal = Personal()
            for event in remembered.events:
                event.data.apply(personal)
            lost: list[UserEvent] = []
            if self._told is not None and self._told < remembered.n:
                lost = await logs.after(self._user, self._told, MAX_LOST)
            self._told, self.known = remembered.n, personal
            self._env.hub.waiting[self._user] = personal.waiting
            if self._env.policy.blocks != "off":
                self._env.hub.barring[self._user] = personal.barred
            for event in lost:
                self._spread(event, None)
                self._tell(event)
        return self.known

    async def carry_out(self, command: UserCommand, conversation: str | None) -> dict[str, Any]:
        """The `ok` of the Reply: the `n` of what was stored, if something was."""
        personal, at = await self.personal(), None
        if command.in_conversation:
            if conversation is None:
                raise invalid("c", "the conversation is missing")
            at = await self._place(conversation, command.about)
        seen = await self._seen() if command.tells_seen else None
        context = UserContext(self._user, self._env.clock(), self._env.policy, at, seen)
        result = {}
        for data in command.decide(personal, context):
            try:
                logs = self._env.store.user_logs
                event = await logs.append(self._user, data, context.now)
            except BaseException:  # also if cancelled: it may be stored all the same
                self.known = None
                raise
            data.apply(personal)
            self._told = event.n
            self._spread(event, at)
            self._tell(event)
            result = {"n": event.n}
        return result

    async def _seen(self) -> int | None:
        """When the user was online last, as far as others may know."""
        if self._env.hub.is_online(self._user):
            return self._env.clock()
        return (await self._env.store.inboxes.last_seen([self._user])).get(self._user)

    async def _place(self, conversation: str, about: str | None) -> Place:
        found = await self._look(conversation, about)
        if about is None or found.message is not None:
            return found
        read = await self._env.store.conversations.messages(conversation, [about])
        if not read.messages:
            raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": about})
        return await self._look(conversation, about, read)

    async def _look(self, conversation: str, *about: Any) -> Place:
        def look(visited: Conversation) -> Place:
            return place(visited.resident, self._user, *about)

        return await self._registry.visit(conversation, look)

    def _spread(self, event: UserEvent, at: Place | None) -> None:
        """Let the runner of jobs, and the conversations in memory, know what concerns them; `at` is
        where it was decided."""
        data = event.data
        if isinstance(data, MessageScheduled):
            self._env.bell.ring(data.send_at)
        elif isinstance(data, SettingsChanged):
            reticent = self._env.policy.receipts_optout and not data.read_receipts
            for conversation in self._registry:
                conversation.set_reticent(self._user, reticent)
        elif data.affects is not None:
            resident = self._registry.resident(data.affects)
            if resident is None:
                return
            if isinstance(data, BlockChanged):
                resident.set_bar(self._user, data.bar)
            elif isinstance(data, RequestAnswered):
                resident.set_request(self._user, data.left)
            else:
                resident.hide(self._user, data, None if at is None else at.seq)
