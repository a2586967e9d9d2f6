"""The engine: store, actors and reactors put together, from opening to draining.

    async with Engine(Settings(storage={"memory": True})) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        await ann.send(room, "lunch?")

It has no network listener: `gateway.serve` adds one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self, Unpack

import structlog
import trio
import uuid_utils

from ..actors.delivery import deliver, notify
from ..actors.dispatch import Dispatch
from ..actors.environment import Environment
from ..actors.guards import Guard
from ..actors.guards.masking import Mask
from ..actors.jobs import Handler, JobRunner
from ..actors.outbox import Outbox
from ..actors.ports import Clock, Store
from ..actors.purging import expire, purge
from ..actors.reactors import Reactor, Reactors
from ..actors.registry import Registry
from ..actors.scheduling import send_scheduled, tell_author
from ..actors.session import Sessions
from ..actors.webhooks import tell
from ..actors.whereabouts import conversation_of
from ..protocol.delivery import DELIVER, NOTIFY
from ..protocol.disconnects import DRAIN, REVOKED, Disconnect
from ..protocol.errors import Rejected
from ..protocol.features.deletes import PURGE
from ..protocol.features.expiry import EXPIRE
from ..protocol.features.schedule import SEND
from ..protocol.features.system import PostMessage
from ..protocol.frames import Item
from ..protocol.ids import HOST
from ..protocol.jobs import Job
from ..protocol.webhooks import WEBHOOK
from .background import Background
from .clock import SystemClock
from .events import Subscription
from .files.opening import Files, open_files
from .host.claims import Claims
from .host.opening import open_host
from .host.ports import Ports
from .host.sessions import AskedSessions
from .limits import limits
from .metrics import Metrics
from .revocations import Revocations
from .settings import Settings
from .storage import open_store
from .told import Told
from .user import Sent, User

_log = structlog.get_logger("palaver.engine")

HANDLERS = {
    SEND: send_scheduled,
    EXPIRE: expire,
    PURGE: purge,
    DELIVER: deliver,
    NOTIFY: notify,
    WEBHOOK: tell,
}
"""What does a job, by its kind."""
GIVEN_UP = {SEND: tell_author}
"""What is told of one that was given up."""


def new_uuid7() -> str:
    return str(uuid_utils.uuid7())


class Engine(Told):
    """An async context manager. Leaving it drains: mailboxes are emptied, writes are stored, and
    whoever is still attached is disconnected.

    Every method is to be called in the trio run that entered it. `store`, `clock` and `new_id` are
    for tests; by default the settings choose the store. `guards` run in order before every command
    of a conversation, `masks` before a text is stored, `reactors` after every event that is stored.
    `ports` are asked what the product knows (`engine/host/ports.py`), whatever the settings say of
    that.

    Raises `StartupError`, in words, if the store cannot be opened.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        guards: Sequence[Guard] = (),
        masks: Sequence[Mask] = (),
        reactors: Sequence[Reactor] = (),
        clock: Clock | None = None,
        new_id: Callable[[], str] = new_uuid7,
        progress: Callable[[str], None] | None = None,
        **ports: Unpack[Ports],
    ) -> None:
        self.settings = settings or Settings()
        self.metrics = Metrics()
        auth = self.settings.auth
        self.revocations = Revocations(auth.revoked_for_s, auth.max_revocations)
        self._store = store
        self._guards = guards
        self._masks = masks
        self._reactors = reactors
        self._ports = ports
        self._claims = Claims(self.settings.host.cache_size)
        self.now: Clock = clock or SystemClock()
        self.new_id = new_id
        self._progress = progress or _log.info
        self._exit = AsyncExitStack()
        self._status = "starting"
        self.session_store: AskedSessions | None = None
        """where the gateway looks sessions up, if the settings say so"""
        self._env: Environment
        self.files: Files
        self._registry: Registry
        self._sessions: Sessions
        self._dispatch: Dispatch
        self._jobs: JobRunner

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            store = self._store
            if store is None:
                store = await stack.enter_async_context(
                    open_store(self.settings, self._progress, self.metrics)
                )
            nursery = await stack.enter_async_context(Background())
            host = await stack.enter_async_context(
                open_host(
                    self.settings, self._claims, self.metrics, self.new_id, self._ports, self.now
                )
            )
            self.session_store = host.sessions
            self.files = stack.enter_context(
                open_files(self.settings, store, self.now, self.new_id)
            )
            self._env = Environment(
                store=store,
                nursery=nursery,
                clock=self.now,
                new_id=self.new_id,
                policy=self.settings.policy,
                limits=limits(self.settings),
                guards=self._guards,
                masks=self._masks,
                host=host,
                links=self.files.links,
                reactors=Reactors(self._reactors, self.settings.actors.reactor_queue),
            )
            self._env.reactors.start(nursery)
            nursery.start_soon(self._env.alarms.run)
            self._registry = Registry(self._env)
            self._sessions = Sessions(self._env, self._registry)
            self._dispatch = Dispatch(self._env, self._registry, self._sessions)
            self._jobs = JobRunner(
                store.jobs,
                self.now,
                self.new_id,
                self._env.bell,
                self._bound(HANDLERS),
                self._env.limits.jobs,
                self._bound(GIVEN_UP),
            )
            nursery.start_soon(self._jobs.run)
            nursery.start_soon(self.files.uploads.keep_swept, self.settings.files.sweep_s)
            self.metrics.watch(self._env, self._registry, self._jobs.counters)
            self._exit = stack.pop_all()
        self._status = "ok"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        # Also when cancelled: what was replied to is stored already, but what was only pushed
        # deserves the chance, within its deadline.
        with trio.CancelScope(shield=True):
            await self.drained()
        for user in list(self._env.hub.sessions):
            self.disconnect(user, DRAIN)
        return await self._exit.__aexit__(kind, error, traceback)

    def _bound(
        self, handlers: Mapping[str, Callable[[Environment, Registry, Job], Awaitable[None]]]
    ) -> dict[str, Handler]:
        """As the runner calls them."""
        return {kind: partial(each, self._env, self._registry) for kind, each in handlers.items()}

    # For the gateway.

    async def admit(self, user: str) -> None:
        """Before a device of `user` is attached: raises PREMIUM_REQUIRED (GRP-14), or UNAVAILABLE
        while the host cannot be asked."""
        if self._env.gate is not None:
            await self._env.gate.admit(user)

    def attach(self, outbox: Outbox) -> None:
        """A device of `outbox.user` is here: from now on it gets what concerns that user.

        Raises `Rejected`: CONNECTION_LIMIT (CONN-03), RATE_LIMITED (CONN-04) or, while draining,
        UNAVAILABLE.
        """
        if self._status == "draining":
            raise Rejected("UNAVAILABLE", retry_after=1.0)
        self._sessions.of(outbox.user).attach(outbox)
        if self._env.gate is not None:
            self._env.gate.look(outbox.user)

    def detach(self, outbox: Outbox) -> None:
        """The device is gone. Calling it again changes nothing."""
        session = self._env.hub.sessions.get(outbox.user)
        if session is not None:
            session.detach(outbox)

    def visit(self, user: str) -> None:
        """`user` is about to ask for something without a device: by HTTP. Raises `Rejected`:
        RATE_LIMITED (SEC-02) or, while draining, UNAVAILABLE."""
        if self._status == "draining":
            raise Rejected("UNAVAILABLE", retry_after=1.0)
        self._sessions.of(user).visit()

    @contextmanager
    def listening(self, outbox: Outbox) -> Iterator[None]:
        """Meanwhile `outbox` gets what a device of its user would, who is not online by it. Raises
        CONNECTION_LIMIT if too many do so."""
        session = self._sessions.of(outbox.user)
        session.listen(outbox)
        try:
            yield
        finally:
            session.unlisten(outbox)

    async def conversation_of(self, message: str, user: str) -> str:
        """The conversation of a message, of all that `user` is or was a member of. Raises
        MESSAGE_NOT_FOUND if it is in none of them."""
        return await conversation_of(message, user, self._env, self._registry)

    def submit(self, outbox: Outbox, item: Item) -> None:
        """Carry out one inbound item. Never blocks or raises; the Reply comes through `outbox`."""
        self._dispatch.submit(outbox, item)

    def disconnect(self, user: str, why: Disconnect) -> None:
        """End all connections of `user` in this process."""
        session = self._env.hub.sessions.get(user)
        if session is not None:
            session.disconnect(why)

    def introduce(self, user: str, claims: Mapping[str, Any]) -> None:
        """`user` has signed in with a token that says this of them. What `host.claims` names is
        kept, if the settings say to go by it."""
        self._claims.told(user, claims)
        if self._env.gate is not None:
            self._env.gate.look(user)

    # For the host.

    def as_user(self, user: str) -> User:
        """What `user` can do, as methods. Trusts the caller: there is no token here."""
        return User(user, self._env, self._dispatch, self.attach, self.detach)

    def as_host(self) -> User:
        """What the host itself can do, who is no member of anything: create conversations of any
        kind and change their members and roles (GRP-16), lock and unlock them (CONV-21). What
        comes of it has no `by`."""
        return self.as_user(HOST)

    def revoke(self, *, user: str | None = None, session: str | None = None) -> None:
        """Believe no token any more that was issued to `user` up to now, or that names `session`,
        and end the connections with such a one in this process: with SESSION_EXPIRED and 3503.

        Give either. `auth.revoked_for_s` says how long it is remembered (CONN-12).
        """
        if (user is None) == (session is None):
            raise ValueError("revoke a user or a session: give one of them")
        if user is not None:
            self.revocations.user(user)
            self.disconnect(user, REVOKED)
        if session is not None:
            self.revocations.session(session)
            if self.session_store is not None:
                self.session_store.invalidate(session)
            for each in list(self._env.hub.sessions.values()):
                each.disconnect(REVOKED, session)

    async def post(
        self,
        conversation: str,
        text: str,
        *,
        metadata: dict[str, Any] | None = None,
        client_id: str | None = None,
        attempt: int = 1,
    ) -> Sent:
        """A system message: it has no sender, and no user can edit or delete it (MSG-26).

        Returns and raises like the methods of `User`. Repeated with the same `client_id` it is
        posted once; say `attempt=2` if that may be long ago.
        """
        command = PostMessage(text=text, metadata=metadata, client_id=client_id, attempt=attempt)
        return await self.as_host().ask(command, conversation)

    def subscribe(self, conversation: str, *, after: int = 0) -> Subscription:
        """Every stored event of `conversation` after seq `after`, as an async iterator inside an
        `async with`; see `Subscription` for what it guarantees."""
        return Subscription(conversation, after, self._env, self._registry)

    # State.

    async def drained(self) -> None:
        """Take nothing new; return when every conversation is stored and put away, or when
        `storage.close_timeout_s` is over."""
        self._status = "draining"
        with trio.move_on_after(self.settings.storage.close_timeout_s) as deadline:
            with trio.move_on_after(self.settings.storage.close_timeout_s / 2):
                await self._jobs.stop()
            await self._registry.close()
            await self._sessions.close()
        if deadline.cancelled_caught:
            _log.error("drain incomplete", conversations=len(self._registry))

    def health(self) -> dict[str, Any]:
        """What `/v1/health` says of the engine (MON-01). "degraded" while the store is away:
        "spooling" if resident conversations go on meanwhile."""
        condition = self._env.store.journal.condition()
        status = self._status
        if status == "ok" and condition.status != "ok":
            status = "degraded"
        sessions = self._env.hub.sessions.values()
        return {
            "status": status,
            "checks": {"storage": condition.status, "actors": "ok"},
            "storage": {
                "waiting": condition.waiting,
                "oldest_s": round(condition.oldest_s, 3),
                "spooled": condition.spooled,
                "spooled_bytes": condition.spooled_bytes,
                "problem": condition.problem,
            },
            "conversations": len(self._registry),
            "users_online": sum(session.online for session in sessions),
            "connections": sum(len(session.outboxes) for session in sessions),
            "writes_pending": len(self._env.store.journal.pending()),
            "crashes": self._env.counters.crashes,
        }
