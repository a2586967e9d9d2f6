"""The session actor: a user's presence in this process — devices, cap, presence, unread counts.

One per online user. It has a task only while something is to be answered or timed; an idle session
is a few hundred bytes. Its commands run one after another, so a user cannot crowd out others.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import structlog
import trio

from ..protocol.commands import SessionCommand, UserCommand, UserQuery
from ..protocol.disconnects import Disconnect
from ..protocol.errors import Rejected
from ..protocol.features.blocks import BlockChanged
from ..protocol.features.business_events import TellEvent
from ..protocol.features.forwards import ForwardMessage
from ..protocol.features.inbox import SyncChanges, UnreadChanged
from ..protocol.features.inspection import FindConversations, InspectUser
from ..protocol.features.references import DropReference
from ..protocol.features.restores import RestoreMessage
from ..protocol.features.schedule import ScheduleMessage
from ..protocol.features.subscriptions import PresenceChanged
from ..protocol.features.templates import SendTemplate
from ..protocol.personal import SettingsChanged
from ..protocol.records import UserEvent
from .bucket import Bucket, Rate
from .environment import Environment
from .forwarding import forward
from .happening import tell_event
from .inbox import Inbox
from .inspection import find_conversations, inspect_user
from .logs import stack
from .outbox import Outbox, Parcel, Push
from .personal import OwnLog, pushed
from .presence import Presence
from .references import drop_reference
from .registry import Registry
from .request import Request
from .restoring import restore
from .scheduling import try_message
from .templates import send_template

ANNOUNCE_AGAIN_S = 1.0

_log = structlog.get_logger("palaver.session")


class Session:
    """`counting` once a device has asked for the inbox: from then on changes of unread counts are
    pushed to all devices (CONV-16)."""

    def __init__(self, user: str, env: Environment, registry: Registry, presence: Presence) -> None:
        self.user = user
        self.outboxes: list[Outbox] = []
        self.listeners: list[Outbox] = []
        self.online = False
        self._shown = False
        self._barred: set[str] = set()
        self.counting = False
        self.requests = Bucket(Rate(env.limits.requests_per_min, 60.0))
        self.messages = Bucket(Rate(env.limits.messages_per_min, 60.0))
        self.openings = Bucket(Rate(env.limits.new_conversations_per_day, 86_400.0))
        self.to_strangers = Bucket(Rate(env.limits.messages_to_strangers_per_h, 3600.0))
        self._connects = Bucket(Rate(env.limits.connects_per_min, 60.0))
        self._buckets = (
            self.requests,
            self.messages,
            self.openings,
            self.to_strangers,
            self._connects,
        )
        self._env = env
        self._registry = registry
        self._presence = presence
        self._own = OwnLog(user, env, registry, self._happened)
        self._inbox = Inbox(user, env, registry, self._own)
        self._commands: deque[Request[SessionCommand]] = deque()
        self._unread: dict[str, int] = {}
        self._touched: dict[str, bool] = {}
        self._count_at = math.inf
        self._offline_at = math.inf
        self._announce_at = math.inf
        self._wake = trio.Event()
        self._running = False

    def attach(self, box: Outbox) -> None:
        """A device is here. Raises CONNECTION_LIMIT if it is one too many, or RATE_LIMITED if
        devices come too often (CONN-04); then nothing is changed."""
        wait = self._connects.take(trio.current_time()) if box.limited else 0.0
        if wait:
            raise Rejected("RATE_LIMITED", "Too many connections.", retry_after=wait)
        limit = self._env.limits.max_connections_per_user
        if len(self.outboxes) >= limit:
            raise Rejected("CONNECTION_LIMIT", details={"max_connections": limit})
        self.outboxes = [*self.outboxes, box]
        self._env.hub.changed()
        self._offline_at = math.inf
        if not self.online:
            self.online = True
            if self._choosy:
                self._announce_at = trio.current_time()
                self._run()
            else:
                self._tell_presence(True)

    def detach(self, box: Outbox) -> None:
        """A device is gone; the last one leaves the user online for a grace period (RCPT-20)."""
        if box not in self.outboxes:
            return
        self.outboxes = [other for other in self.outboxes if other is not box]
        self._gone(box)
        if not self.outboxes:
            self.counting = False
            self._offline_at = trio.current_time() + self._env.limits.presence_grace_s
            self._run()

    def _gone(self, box: Outbox) -> None:
        self._env.hub.changed()
        for id in list(box.subscriptions):
            conversation = self._registry.resident(id)
            if conversation is not None:
                conversation.leave(box)

    def visit(self) -> None:
        """The user asks for something, whether or not a device is here. Raises RATE_LIMITED if they
        do so too often (SEC-02)."""
        wait = self.take_request()
        if wait:
            raise Rejected("RATE_LIMITED", retry_after=wait)

    def linger(self) -> None:
        """Without a device it goes as soon as its buckets are full again."""
        if not self.online:
            self._run()

    def listen(self, box: Outbox) -> None:
        """`box` gets what every device gets, but is none: the user is not online by it. Raises
        CONNECTION_LIMIT if it is one too many."""
        limit = self._env.limits.max_connections_per_user
        if len(self.listeners) >= limit:
            raise Rejected("CONNECTION_LIMIT", details={"max_connections": limit})
        self.listeners = [*self.listeners, box]
        self._env.hub.changed()

    def unlisten(self, box: Outbox) -> None:
        self.listeners = [other for other in self.listeners if other is not box]
        self._gone(box)
        self.linger()

    def disconnect(self, why: Disconnect, session: str | None = None) -> None:
        """End all its connections, or those with this `session` of the host's."""
        for box in [*self.outboxes, *self.listeners]:
            if session is None or box.session == session:
                box.close(why)

    @property
    def _choosy(self) -> bool:
        """Whether the user may have said who is not to know that they are online."""
        return self._env.policy.presence_optout or self._env.policy.blocks != "off"

    @property
    def concealed(self) -> bool:
        """Whether nobody may know that the user is online; also while that is not known here."""
        if not self._choosy:
            return False
        personal = self._own.known
        return personal is None or personal.settings.presence == "nobody"

    def take_request(self) -> float:
        """Count a request of the user, on whatever connection: 0.0, or the seconds until there may
        be another one (C-28)."""
        self.linger()
        return self.requests.take(trio.current_time())

    def submit(self, request: Request[SessionCommand]) -> None:
        if len(self._commands) >= self._env.limits.session_queries:
            request.refuse(Rejected("OVERLOADED", retry_after=1.0))
            return
        self._commands.append(request)
        self._run()

    def touch(self, conversation: str, *, told: bool = False) -> None:
        """The unread count of `conversation` may have changed. `told`: some device knows another
        one than was pushed, so that it is pushed again even if it comes back to that."""
        if not self._touched:
            self._count_at = trio.current_time() + self._env.limits.unread_flush_s
            self._run()
        self._touched[conversation] = told or self._touched.get(conversation, False)

    def _run(self) -> None:
        self._wake.set()
        if not self._running:
            self._running = True
            self._env.nursery.start_soon(self._work)

    async def _work(self) -> None:
        """Exists only while there is something to wait for."""
        try:
            while True:
                self._wake = trio.Event()
                if self._commands:
                    await self._answer(self._commands.popleft())
                    continue
                now = trio.current_time()
                if now >= self._count_at:
                    await self._count()
                if now >= self._announce_at:
                    await self._announce()
                if now >= self._offline_at:
                    self._go_offline()
                if self._commands:
                    continue  # they came while it was busy with the above
                deadline = min(self._count_at, self._announce_at, self._offline_at)
                if deadline == math.inf:
                    if self.online or self.listeners:
                        return
                    # Its buckets are forgotten when they are full: then a new session is the same.
                    deadline = max(bucket.full_at for bucket in self._buckets)
                    if now >= deadline:
                        self._env.hub.forget(self.user)
                        return
                with trio.move_on_at(deadline):
                    await self._wake.wait()
        finally:
            self._running = False

    async def _answer(self, request: Request[SessionCommand]) -> None:
        try:
            result = await self._carry_out(request)
            # Who catches up without a device is told no changes of the counts, so none are begun.
            counts = self.outboxes or not isinstance(request.command, SyncChanges)
            if "conversations" in result and counts:
                if not self.counting:
                    await self._start_counting()
                for row in result["conversations"]:
                    if row["unread"] != self._unread.get(row["c"], 0):
                        self.touch(row["c"], told=True)
                result["unread"] = sum(self._unread.values())
            request.answer(request.ok(result))
        except Rejected as no:
            request.refuse(no)
        except Exception as error:
            correlation = self._env.new_id()
            _log.error("command failed", correlation=correlation, stack=stack(error))
            request.refuse(Rejected("INTERNAL", correlation=correlation))

    async def _carry_out(self, request: Request[SessionCommand]) -> dict[str, Any]:
        where, box, env, registry = request.conversation, request.asker, self._env, self._registry
        match request.command:
            case SendTemplate() as command:
                return await send_template(command, where, box, env, registry)
            case RestoreMessage() as command:
                return await restore(command, where, box, env, registry)
            case ScheduleMessage() as command:
                await try_message(command, where, box, env, registry)
                return await self._own.carry_out(command, where)
            case UserQuery() as query:
                return await self._inbox.answer(query)
            case UserCommand() as command:
                return await self._own.carry_out(command, where)
            case ForwardMessage() as command:
                return await forward(command, where, box, env, registry)
            case DropReference() as command:
                return await drop_reference(command, env, registry)
            case TellEvent() as command:
                return await tell_event(command, env, registry)
            case FindConversations() as command:
                return await find_conversations(command, env, registry)
            case InspectUser() as command:
                return await inspect_user(command, env)
            case _:
                raise Rejected("UNSUPPORTED_COMMAND")

    def _happened(self, event: UserEvent) -> None:
        """Something of the user's own was stored."""
        parcel = Parcel([pushed(event)])
        for box in [*self.outboxes, *self.listeners]:
            box.offer(parcel)
        if self.counting and (conversation := event.data.affects) is not None:
            self.touch(conversation)
        changed = isinstance(event.data, SettingsChanged) and self._shown == self.concealed
        if changed and self.online:
            self._tell_presence(not self._shown)
        elif isinstance(event.data, BlockChanged):
            self._tell_barred(event.data)

    async def _start_counting(self) -> None:
        # First the flag, so that what changes while the counts are read is counted again.
        self._set_counting(bool(self.outboxes))
        try:
            self._unread = await self._inbox.unread()
        except Rejected:
            self._set_counting(False)
            raise

    def _set_counting(self, on: bool) -> None:
        if self.counting != on:
            self.counting = on
            self._env.hub.changed()

    async def _count(self) -> None:
        """Push the counts that have changed, and their sum."""
        self._count_at = math.inf
        touched, self._touched = self._touched, {}
        try:
            counts = await self._inbox.unread_of(touched)
        except Rejected:
            for id, told in touched.items():
                self.touch(id, told=told)
            return
        changed: dict[str, int] = {}
        for id, count in counts.items():
            if touched[id] or count != self._unread.get(id, 0):
                changed[id] = self._unread[id] = count
                if count == 0:
                    del self._unread[id]
        if changed:
            total = sum(self._unread.values())
            signal = UnreadChanged(total=total, conversations=changed)
            parcel = Parcel([Push(signal.item(None, self._env.clock()))], droppable=True)
            for box in self.outboxes:
                box.offer(parcel)

    async def _announce(self) -> None:
        """Tell that the user is here, once it is known whether that may be told."""
        self._announce_at = math.inf
        try:
            await self._own.personal()
        except Rejected:
            self._announce_at = trio.current_time() + ANNOUNCE_AGAIN_S
            return
        if self.online and not self.concealed:
            self._tell_presence(True)

    def _go_offline(self) -> None:
        self._offline_at = self._announce_at = math.inf
        at = self._env.clock()
        self.online = False
        self._env.hub.changed()
        if self._shown:
            self._tell_presence(False, at)
        self._presence.seen(self.user, at)

    def _tell_barred(self, change: BlockChanged) -> None:
        """Whoever is kept out from now on sees the user go, and come back when it is over."""
        now = set(self._env.hub.barring.get(self.user, ()))
        was, self._barred = change.user in self._barred, now
        if not self._shown or was == (change.user in now):
            return
        if self._env.hub.blocks(change.user, self.user):
            return
        signal = PresenceChanged(self.user, was, change.seen)
        for id in self._env.hub.watchers(self.user):
            if (conversation := self._registry.resident(id)) is not None:
                conversation.presence_to(change.user, signal)

    def _tell_presence(self, online: bool, last_seen: int | None = None) -> None:
        self._shown = online
        self._barred = set(self._env.hub.barring.get(self.user, ()))
        self._presence.changed(PresenceChanged(self.user, online, last_seen))


class Sessions:
    """The sessions of all users, which `Hub` keeps."""

    def __init__(self, env: Environment, registry: Registry) -> None:
        self._env = env
        self._registry = registry
        self._presence = Presence(env, registry)
        env.hub.session_of = self.of

    async def close(self) -> None:
        """All users go now: keep when they were last seen."""
        await self._presence.close()

    def of(self, user: str) -> Session:
        """The one session of `user`, made if there is none."""
        sessions = self._env.hub.sessions
        session = sessions.get(user)
        if session is None:
            session = sessions[user] = Session(user, self._env, self._registry, self._presence)
        return session
