"""What all connections of one engine share, and the way in for any stream."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import trio

from ..actors.bucket import Rate
from ..actors.outbox import Outbox
from ..engine import Engine
from ..protocol.disconnects import DRAIN
from ..protocol.errors import Rejected
from .admission import Admission
from .auth import Authenticator, SessionStore, TokenVerifier, Verifier
from .connection import Connection
from .handshake import Handshake
from .listening import Listening
from .metrics import Counters
from .wire import wires

RETURNS_PER_S: Final = 500
"""Of clients that are sent away at once: their reconnecting is spread to about this rate."""
MAX_SPREAD_S: Final = 30.0


class Gateway:
    """Serves connections until it is drained. Made by `open_gateway`."""

    def __init__(self, engine: Engine, authenticator: Authenticator, nursery: trio.Nursery) -> None:
        self.engine = engine
        self.settings = engine.settings
        self.limits = engine.settings.connections
        self.authenticator = authenticator
        self.nursery = nursery
        self.handshake = Handshake(engine.settings, authenticator)
        self.wires = wires(self.limits.max_frame_bytes, engine.settings.policy.error_messages)
        limits = engine.settings.limits
        self.admission = Admission(limits.handshakes_per_s, self.limits.max_strangers)
        self.pace = Rate(limits.commands_per_s, 1.0, limits.commands_burst)
        self.counters = Counters(lambda: self.connections)
        self.draining = False
        self.listening: Listening | None = None
        """where clients reach it, if it has listeners"""
        self._connections: set[Connection] = set()
        self._polls: set[Outbox] = set()
        self._answering = 0
        self._empty = trio.Event()

    @property
    def connections(self) -> int:
        """How many there are, whatever their state."""
        return len(self._connections)

    def retry_after(self) -> int | None:
        """None if there is room for one more client; otherwise in how many seconds to come back,
        spread, so that those who are refused together do not come back together."""
        if self.draining or len(self._connections) > self.limits.max_total:
            return random.randint(2, 10)
        return self.admission.retry_after()

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve the client at the other end of `stream` until the connection has ended; then
        `stream` is closed. Raises nothing of its own."""
        connection = Connection(self, stream)
        self._connections.add(connection)
        self.admission.enter(connection)
        try:
            await connection.run()
        finally:
            self.admission.known(connection)
            self._connections.discard(connection)
            self._left()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """One request by HTTP, until all of its answer is written: a drain waits for it."""
        self._answering += 1
        try:
            yield
        finally:
            self._answering -= 1
            self._left()

    def _left(self) -> None:
        if not (self._connections or self._answering):
            self._empty.set()

    @contextmanager
    def polling(self, poll: Outbox) -> Iterator[None]:
        """Meanwhile `poll` waits by HTTP: it is closed when the gateway is drained. Raises
        UNAVAILABLE if it is already, OVERLOADED if there are as many clients as there may be."""
        if self.draining:
            raise Rejected("UNAVAILABLE", retry_after=1.0)
        if len(self._polls) + len(self._connections) >= self.limits.max_total:
            raise Rejected("OVERLOADED", retry_after=float(random.randint(2, 10)))
        self._polls.add(poll)
        try:
            yield
        finally:
            self._polls.discard(poll)

    async def drain(self) -> None:
        """Send everybody away, each with advice when to come back; what is in flight is answered
        before. Whoever has not gone after `drain_s` is dropped."""
        self.draining = True
        for poll in list(self._polls):
            poll.close(DRAIN)
        leaving = list(self._connections)
        self._empty = trio.Event()
        self._left()
        spread = min(max(1.0, len(leaving) / RETURNS_PER_S), MAX_SPREAD_S)
        with trio.move_on_after(self.limits.drain_s):
            for n, connection in enumerate(leaving):
                connection.leave(DRAIN, round(random.uniform(0, spread), 3))
                if n % 100 == 99:
                    await trio.lowlevel.checkpoint()
            await self._empty.wait()
        for connection in list(self._connections):
            connection.abort()


def token_verifier(engine: Engine, sessions: SessionStore | None) -> TokenVerifier:
    """As the settings say; what is given goes before what they say of sessions."""
    settings = engine.settings
    if sessions is None:
        sessions = engine.session_store
    development = settings.listen.development
    return TokenVerifier(settings.auth, sessions=sessions, development=development)


@asynccontextmanager
async def open_gateway(
    engine: Engine, *, verifier: Verifier | None = None, sessions: SessionStore | None = None
) -> AsyncGenerator[Gateway]:
    """A gateway without listeners: `serve_stream` takes any stream, for embedding and for tests.

    A token is verified as the settings say, and its session looked up in `sessions`, or else where
    `host.sessions` says; or by a `verifier` of the host's own. Raises `StartupError`, in words, if
    `settings.auth` cannot work.

    Leaving it, also by cancellation, drains: connections are not cut by what cancels the caller.
    """
    if verifier is None:
        verifier = token_verifier(engine, sessions)
    timeout_s = engine.settings.auth.lookup_timeout_s
    authenticator = Authenticator(verifier, engine.revocations, timeout_s)
    stop = trio.Event()

    async def host(
        task_status: trio.TaskStatus[Gateway] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as connections:
                task_status.started(Gateway(engine, authenticator, connections))
                await stop.wait()
                connections.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        if isinstance(verifier, TokenVerifier):
            await nursery.start(verifier.run)
        gateway = await nursery.start(host)
        engine.metrics.registry.register(gateway.counters)
        try:
            yield gateway
        finally:
            with trio.CancelScope(shield=True):
                await gateway.drain()
            stop.set()
            nursery.cancel_scope.cancel()
            engine.metrics.registry.unregister(gateway.counters)
