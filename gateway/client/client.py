"""The Python client: one connection that comes back by itself, calls that find their answers, and
everything that happens as one ordered stream.

    async with Client("ws://localhost:8765", token) as client:
        await client.send_to("bob", "hello")
        async for push in client:
            print(push)
"""

from __future__ import annotations

import itertools
import math
import os
import random as _random
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self

import msgpack
import trio

from ...protocol.disconnects import BAD_TOKEN
from ...protocol.errors import Rejected
from .calling import Progress
from .calls import Calls, Then, is_durable, may_have_happened
from .commands import Commands
from .connection import Address, Connection, Connector, Ended, converse, tcp
from .errors import (
    ClientClosed,
    ClientEnded,
    OutboxForeign,
    OutboxUnusable,
    ReconnectFailed,
    Refused,
)
from .follower import Follower
from .inbox import Inbox
from .link import FreshToken, Link, ask
from .outbox import Outbox
from .outgoing import Outgoing, is_repeatable
from .pushes import Event, Push, State, StateChange
from .reconnect import Backoff, delay, exponential
from .sender import Sender

Token = str | FreshToken

CALL_TIMEOUT = 10.0
RETRIES = 3
"""After as many retryable refusals of one call the next one is raised (C-51)."""


class Client(Commands):
    """Entering it starts connecting and does not wait for it; calls do.

    `token` may be a function that gives a fresh one: it is asked before each connection, again
    before a token runs out, and after one has run out nevertheless. `pushes=False` makes a client
    that only calls: it follows nothing.

    Consume it with `async for`, or say `pushes=False`: of what is not taken at most `queue` items
    are kept, or four times as many while a call waits. Beyond that nothing more is read, not even
    answers, so that calls time out; the server ends the connection as slow, and once there is room
    the next one makes good what was missed. Events are acknowledged as delivered when they are
    taken, at most every `ack_every` seconds for a conversation; None: never.

    `ssl_context` says whom to trust behind a `wss:` URL; by default whom the system trusts.

    `http_url` is where the same server speaks HTTP, for files; by default at the same host and
    port, or at 8766 if `url` says 8765.

    `outbox` holds what is enqueued: in memory, or in a `DiskOutbox`. What is in it from the last
    time is sent first.

    Whatever happens to the connection, iteration goes on; it ends after `async with` was left, and
    raises a `ClientEnded` when the server said not to come back or `backoff` came to its end.
    """

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        device: str | None = None,
        pushes: bool = True,
        queue: int = 1024,
        ack_every: float | None = 0.5,
        outbox: Outbox | None = None,
        backoff: Backoff = exponential,
        random: Callable[[], float] = _random.random,
        ssl_context: ssl.SSLContext | None = None,
        connector: Connector | None = None,
        http_url: str | None = None,
    ) -> None:
        self._address = Address.parse(url)
        self._http_url = http_url
        self._ssl_context = ssl_context
        self._token = token
        self._device = device or uuid.uuid4().hex
        self._backoff = backoff
        self._random = random
        self._connector = connector or partial(tcp, ssl_context=ssl_context)
        self._calls = Calls()
        self._inbox = Inbox(queue, lambda: self._calls.waiting)
        self._follower = Follower(self._calls, self._inbox, random) if pushes else None
        self.outbox = outbox if outbox is not None else Outbox()
        self._sender = Sender(self.outbox, self._calls, self._inbox, random, tells=pushes)
        self._link = Link(self._calls, self._follower, ack_every if pushes else None)
        self._manager: AbstractAsyncContextManager[trio.Nursery] | None = None
        self._nursery: trio.Nursery | None = None
        self._changed = trio.Event()
        self._why: Callable[[], ClientEnded] | None = None
        self.state: State = "disconnected"
        self.welcome: dict[str, Any] = {}
        """What the server said of the last connection: user, ttl, durability, …"""

    @property
    def user(self) -> str | None:
        """Whom the server takes this client for; None before the first connection."""
        return self.welcome.get("user")

    async def call(
        self,
        name: str,
        payload: dict[str, Any] | None = None,
        c: str | None = None,
        *,
        timeout: float | None = CALL_TIMEOUT,
    ) -> dict[str, Any]:
        """Carry out a command and return the `ok` of its Reply. Any number may be in flight.

        Without a connection it waits for one; calls are written in the order in which they were
        made. A durable command gets a `client_id` unless it has one, and is written again if the
        connection breaks: it happens once. Any other fails with `ConnectionLost` then. A no that is
        retryable is tried again, at most `RETRIES` times and not before the server asked for it.

        Raises `Rejected` (the server's no), `CallTimeout` when all of that has taken `timeout`
        seconds, or `ClientEnded`. If cancelled, it may or may not be carried out.
        """
        payload = dict(payload or {})
        if is_durable(name):
            payload.setdefault("client_id", uuid.uuid4().hex)
        then = self._follower.observer(name, c) if self._follower is not None else None
        deadline = trio.current_time() + (math.inf if timeout is None else timeout)
        for bound in _retries():
            try:
                return await self._perform(name, payload, c, deadline, then)
            except Rejected as rejection:
                wait = delay(bound, self._random, rejection.retry_after)
                if not rejection.retryable or trio.current_time() + wait >= deadline:
                    raise
                if is_durable(name) and may_have_happened(rejection):
                    payload["attempt"] = payload.get("attempt", 1) + 1
            await trio.sleep(wait)
        return await self._perform(name, payload, c, deadline, then)

    async def _perform(
        self, name: str, payload: dict[str, Any], c: str | None, deadline: float, then: Then | None
    ) -> dict[str, Any]:
        self._inbox.poke()
        timeout = deadline - trio.current_time()
        return await self._calls.perform(name, payload, c, timeout=timeout, then=then)

    async def enqueue_call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> Outgoing:
        """Keep a command in the outbox; once this returns, it outlives whatever that outlives.

        It is sent whenever there is a connection, repeated under its `client_id` until it has an
        answer, and not before the server asked for it. What was enqueued for one conversation is
        carried out in that order; an ordinary call may overtake it. What becomes of it is pushed as
        `Sent` or `Failed`. Enqueued again under the same `client_id`, it is kept once.

        For durable commands, and `message.read` with a position; others raise ValueError. Raises
        `Rejected` if it could never be sent, `OutboxFull`, `OutboxUnusable` (the file cannot be
        written), or `ClientEnded`; then, or if cancelled, it is not kept.
        """
        if self._why is not None:
            raise self._why()
        payload = dict(payload or {})
        if not is_repeatable(name, payload):
            raise ValueError(f"{name} cannot be repeated safely, so it cannot be enqueued")
        client_id = payload.get("client_id") or uuid.uuid4().hex
        if is_durable(name):
            payload["client_id"] = client_id
        item = self._calls.encode(0, name, payload, c)
        # What the caller does with nested values later is no longer part of it.
        payload = msgpack.unpackb(item)["d"]
        return await self._sender.enqueue(
            Outgoing(name, payload, c, client_id, time.time(), len(item))
        )

    @property
    def http_url(self) -> str:
        """Where files are: `upload` brings them there, and `attachments` tells paths below it."""
        return (self._http_url or self._address.http_url).rstrip("/")

    async def upload(
        self,
        content: bytes | str | os.PathLike[str],
        name: str | None = None,
        mime: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Bring bytes, or the file of a path, to the server; the id is for `uploads` of `send`.

        `name` and `mime` are by default those that a path seems to have. `progress` is called with
        how many bytes went, and of how many. What does not get through is tried again, `RETRIES`
        times (CLI-12). Raises `Rejected` (the type, the size, …), `UploadFailed`, or OSError of
        the file. To cancel it is safe.
        """
        from .uploads import Upload, Uploader  # HTTP is for those who need it

        async def token() -> str:
            return self._token if isinstance(self._token, str) else await self._token()

        uploader = Uploader(self.http_url, token, _retries, self._ssl_context)
        return await uploader.upload(Upload.of(content, name, mime), progress)

    async def connected(self) -> dict[str, Any]:
        """Wait until there is a connection; returns `welcome`. Raises `ClientEnded`."""
        while self.state != "connected":
            if self._why is not None:
                raise self._why()
            await self._changed.wait()
        return self.welcome

    def __aiter__(self) -> AsyncIterator[Push]:
        return self

    async def __anext__(self) -> Push:
        push = await self._inbox.take()
        if push is None:
            assert self._why is not None, "the inbox is only closed with a reason"
            why = self._why()
            raise StopAsyncIteration if isinstance(why, ClientClosed) else why
        if isinstance(push, Event) and push.data.get("by") != self.user:
            self._link.taken(push.conversation, push.seq)
        return push

    async def __aenter__(self) -> Self:
        if self._manager is not None:
            raise RuntimeError("a client is entered once; make another one")
        await self.outbox.open()
        self._manager = trio.open_nursery()
        self._nursery = await self._manager.__aenter__()
        self._sender.start(self._nursery)
        self._nursery.start_soon(self._run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the connection, which takes at most a second. Exceptions pass through as they
        are: this is no place where they become groups."""
        assert self._nursery is not None
        assert self._manager is not None
        self._nursery.cancel_scope.cancel()
        try:
            await self._manager.__aexit__(None, None, None)
        finally:
            self._end(ClientClosed)
            await self.outbox.close()

    async def _run(self) -> None:
        """Connect, stay, come back."""
        bounds = self._backoff()
        while True:
            self._tell(StateChange("connecting"))
            ended = await self._attempt()
            expired = False
            if self.state == "connected":
                bounds = self._backoff()
                # The token held until now, as on a laptop that slept: a fresh one will again.
                expired = ended.code == BAD_TOKEN.code and not isinstance(self._token, str)
            self._calls.disconnected()
            if self._follower is not None:
                self._follower.disconnected()
            bound = next(bounds, None)
            if (ended.final and not expired) or bound is None:
                self._give_up(ended)
                return
            wait = delay(bound, self._random, ended.advice)
            self._tell(StateChange("disconnected", ended.reason, wait))
            await trio.sleep(wait)

    async def _attempt(self) -> Ended:
        """One connection, from the token to its end; returns why it ended."""
        token, fresh = self._token, None
        if not isinstance(token, str):
            fresh = token
            try:
                token = await ask(fresh)
            except Ended as ended:
                return ended

        async def talk(connection: Connection, nursery: trio.Nursery) -> None:
            hello = {"token": token, "device": self._device}
            self.welcome = await self._link.open(connection, hello)
            if self.user is not None:
                try:
                    await self.outbox.claim(self.user)
                except OutboxForeign as foreign:
                    raise Ended(str(foreign), final=True) from foreign
                except OutboxUnusable as unusable:
                    raise Ended(str(unusable)) from None
            self._tell(StateChange("connected"))
            await self._link.run(connection, nursery, self.welcome, fresh)

        return await converse(self._address, self._connector, talk)

    def _give_up(self, ended: Ended) -> None:
        self._tell(StateChange("disconnected", ended.reason))
        self._tell(StateChange("reconnect_failed", ended.reason))
        if isinstance(ended.__cause__, OutboxForeign):
            self._end(lambda: OutboxForeign(self.outbox.where))
        elif ended.final:
            self._end(lambda: Refused(ended.reason, ended.code))
        else:
            self._end(lambda: ReconnectFailed(ended.reason))

    def _end(self, why: Callable[[], ClientEnded]) -> None:
        if self._why is None:
            self._why = why
            self._sender.end(why)
            self._calls.end(why)
            self._inbox.close()
            self._changed.set()

    def _tell(self, change: StateChange) -> None:
        self.state = change.state
        self._inbox.force(change)
        self._changed.set()
        self._changed = trio.Event()


def _retries() -> Iterator[float]:
    return itertools.islice(exponential(), RETRIES)
