"""What is said on one connection: sign in, read, write, stay alive, take leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from ...protocol.codec import DEFAULT_MAX_BYTES
from ...protocol.errors import Rejected
from .calls import Calls
from .connection import Connection, Ended
from .errors import NoAnswer, rejected
from .follower import Follower

FreshToken = Callable[[], Awaitable[str]]

WELCOME_TIMEOUT = 10.0
HEARTBEAT = 30.0
PATIENCE = 1.5
"""Times the server's heartbeat: by then it has pinged, if it is alive."""
REFRESH_AT = 0.8
"""Of a token's life."""


class Link:
    """Serves one connection after another; what is kept between them is in `calls`."""

    def __init__(self, calls: Calls, follower: Follower | None, ack_every: float | None) -> None:
        self._calls = calls
        self._follower = follower
        self._ack_every = ack_every
        self._acks: dict[str, int] = {}
        self._acked = trio.Event()

    def taken(self, conversation: str, seq: int) -> None:
        """The application holds every event up to `seq`."""
        if self._ack_every is not None:
            self._acks[conversation] = seq
            self._acked.set()

    async def open(self, connection: Connection, hello: dict[str, Any]) -> dict[str, Any]:
        """Sign in; returns the welcome."""
        await connection.send(self._calls.hello(hello))
        refusal: Rejected | None = None
        with trio.move_on_after(WELCOME_TIMEOUT):
            while True:
                try:
                    items = await connection.receive()
                except Ended as ended:
                    raise _explained(ended, refusal) from None
                for item in items:
                    if item["t"] == "welcome":
                        return item.get("d") or {}
                    if item["t"] == "reply" and "error" in item:
                        refusal = rejected(item["error"])
        raise Ended(str(refusal) if refusal else "no welcome in time")

    async def run(
        self,
        connection: Connection,
        nursery: trio.Nursery,
        welcome: dict[str, Any],
        fresh_token: FreshToken | None,
    ) -> None:
        """Until the connection ends, which is raised as `Ended`. Items are handled one by one, in
        the order of their arrival; whoever waits for room in the inbox holds all that follow."""
        self._calls.connected(welcome.get("max_frame") or DEFAULT_MAX_BYTES)
        nursery.start_soon(self._write, connection)
        if self._follower is not None:
            self._follower.connected(nursery, welcome.get("user"))
        if self._ack_every is not None:
            nursery.start_soon(self._acknowledge, self._ack_every)
        if fresh_token is not None and welcome.get("ttl"):
            nursery.start_soon(self._refresh, fresh_token, welcome["ttl"])
        heartbeat = welcome.get("heartbeat") or HEARTBEAT
        leave: float | None = None
        while True:
            try:
                items = await self._receive(connection, heartbeat)
            except Ended as ended:
                raise ended if leave is None else _leave(leave) from None
            for item in items:
                kind = item["t"]
                if kind == "reply":
                    self._calls.reply(item)
                elif kind == "ping":
                    self._calls.post({**item, "t": "pong"})
                elif kind == "goodbye":
                    leave = (item.get("d") or {}).get("reconnect_after", 0.0)
                    self._calls.paused = True
                elif kind != "pong" and self._follower is not None:
                    await self._follower.take(item)
            # The server drains: what was asked is still answered here, the rest elsewhere.
            if leave is not None and not self._calls.in_flight:
                raise _leave(leave)

    async def _receive(self, connection: Connection, heartbeat: float) -> list[dict[str, Any]]:
        """The next items. A server that is silent for long is asked once, then given up.

        Only the waiting is timed: an application that does not take its items is no silence.
        """
        with trio.move_on_after(heartbeat * PATIENCE):
            return await connection.receive()
        self._calls.post({"t": "ping"})
        with trio.move_on_after(heartbeat):
            return await connection.receive()
        raise Ended("no sign of life from the server")

    async def _write(self, connection: Connection) -> None:
        try:
            while True:
                await connection.send(await self._calls.frame())
        except Ended:
            pass  # the reader meets it as well, with the reason

    async def _acknowledge(self, every: float) -> None:
        while True:
            await self._acked.wait()
            self._acked = trio.Event()
            for conversation, seq in self._acks.items():
                self._calls.post({"t": "ack", "c": conversation, "seq": seq})
            self._acks.clear()
            await trio.sleep(every)

    async def _refresh(self, fresh_token: FreshToken, ttl: float) -> None:
        """A new token before the old one runs out; without one the server ends the connection."""
        while True:
            await trio.sleep(ttl * REFRESH_AT)
            try:
                token = await ask(fresh_token)
                answer = await self._calls.perform("refresh", {"token": token}, timeout=ttl)
            except (Rejected, NoAnswer, Ended):
                ttl = max(ttl * (1 - REFRESH_AT), 1.0)
            else:
                ttl = answer.get("ttl") or ttl


async def ask(fresh_token: FreshToken) -> str:
    """A token from the application. If it has none now, that ends the attempt, not the client."""
    try:
        return await fresh_token()
    except Exception as error:
        raise Ended(f"no token to be had: {error}") from error


def _leave(advice: float) -> Ended:
    return Ended("the server is shutting down", advice=advice)


def _explained(ended: Ended, refusal: Rejected | None) -> Ended:
    if refusal is None:
        return ended
    return Ended(
        refusal.message,
        code=ended.code,
        final=ended.final,
        advice=refusal.retry_after or ended.advice,
    )
