"""Calls that wait for their answers, and what waits to be written: both outlive a connection.

A call is correlated by its `id`, so any number may be in flight (SEND-05). They are written in the
order in which they were made, also after a reconnect (CLI-02).
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack
import trio

from ...protocol.codec import DEFAULT_MAX_BYTES, MsgpackCodec
from ...protocol.errors import Rejected
from ...protocol.features import COMMANDS
from ...protocol.frames import MAX_ITEMS
from ...protocol.values import check_value
from .errors import CallTimeout, ClientEnded, ConnectionLost, rejected

FRAME_BYTES = 65_536
"""Items are joined into frames up to this size."""
ARRAY_HEAD = 3

WINDOW = 32
"""Calls in flight. More wait here, in their order: what a server will not hold it refuses, and a
repetition then comes after what was said later."""

Then = Callable[[dict[str, Any]], None]


def is_durable(name: str) -> bool:
    """Whether repeating the command under its client id is safe."""
    kind = COMMANDS.get(name)
    return kind is not None and "client_id" in kind.model_fields


def may_have_happened(rejection: Rejected) -> bool:
    """Whether the no leaves open what became of the command."""
    return rejection.code in ("UNAVAILABLE", "INTERNAL")


@dataclass(slots=True, eq=False)
class Call:
    """`then` is called with the result in line with the pushes round the Reply."""

    id: int
    name: str
    payload: dict[str, Any]
    conversation: str | None
    then: Then | None
    item: bytes = b""
    sent: int = 0
    answered: trio.Event = field(default_factory=trio.Event)
    result: dict[str, Any] | None = None
    error: Exception | None = None

    def again(self) -> dict[str, Any]:
        """The payload with which to repeat it: it says that it is a repetition (SEND-06)."""
        if not self.sent or not is_durable(self.name):
            return self.payload
        return {**self.payload, "attempt": self.payload.get("attempt", 1) + 1}

    def fail(self, error: Exception) -> None:
        self.error = error
        self.answered.set()


class Calls:
    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._open: dict[int, Call] = {}
        self._queue: deque[Call] = deque()
        self._posts: deque[bytes] = deque()
        self._in_flight: set[int] = set()
        self._wake = trio.Event()
        self._over: Callable[[], ClientEnded] | None = None
        self._codec = MsgpackCodec()
        self._packer = msgpack.Packer()
        self._max_bytes = DEFAULT_MAX_BYTES
        self.paused = True
        """Nothing is written: there is no connection, or it is about to end."""

    @property
    def waiting(self) -> bool:
        return bool(self._open)

    @property
    def in_flight(self) -> bool:
        return bool(self._in_flight)

    async def perform(
        self,
        name: str,
        payload: dict[str, Any],
        conversation: str | None = None,
        *,
        timeout: float | None = None,
        then: Then | None = None,
    ) -> dict[str, Any]:
        """The `ok` of the Reply. Raises `Rejected`, `NoAnswer` or `ClientEnded`.

        If cancelled before it was written, it never will be; afterwards it may be carried out.
        `payload` is kept up to date: after a repetition it says so.
        """
        if self._over is not None:
            raise self._over()
        call = Call(next(self._ids), name, payload, conversation, then)
        call.item = self.encode(call.id, name, payload, conversation)
        self._open[call.id] = call
        self._enqueue(call)
        try:
            with trio.move_on_after(math.inf if timeout is None else timeout):
                await call.answered.wait()
        finally:
            self._close(call.id)
        if call.result is not None:
            return call.result
        if call.error is not None:
            raise call.error
        raise CallTimeout(name, call.again(), conversation, sent=call.sent > 0)

    def post(self, item: dict[str, Any]) -> None:
        """Write `item`, to which there is no Reply, on this connection or never; and before calls,
        which may have to wait for others."""
        if not self.paused:
            self._posts.append(self._codec.encode(item))
            self._wake.set()

    def hello(self, payload: dict[str, Any]) -> bytes:
        return self._codec.encode({"t": "hello", "id": next(self._ids), "v": 1, "d": payload})

    def reply(self, item: dict[str, Any]) -> None:
        """A Reply has arrived. One that nobody waits for any more is passed over."""
        call = self._close(item.get("id"))
        if call is None:
            return
        if "error" in item:
            call.fail(rejected(item["error"]))
            return
        call.result = item.get("ok") or {}
        call.answered.set()
        if call.then is not None:
            call.then(call.result)

    def connected(self, max_bytes: int) -> None:
        """A connection is up: whatever is open is written, in the order in which it was called.

        A frame above `max_bytes` would end it for good; a call that makes one fails instead.
        """
        self._max_bytes = max_bytes
        self._clear()
        self.paused = False
        for call in list(self._open.values()):
            call.payload.update(call.again())
            try:
                call.item = self.encode(call.id, call.name, call.payload, call.conversation)
            except Rejected as rejection:
                del self._open[call.id]
                call.fail(rejection)
            else:
                self._enqueue(call)

    def disconnected(self) -> None:
        """Calls that were written and may not be repeated fail; the others stay open."""
        self.paused = True
        self._clear()
        for id in self._in_flight:
            call = self._open[id]
            if not is_durable(call.name):
                del self._open[id]
                call.fail(ConnectionLost(call.name, call.payload, call.conversation, sent=True))
        self._in_flight.clear()

    def end(self, why: Callable[[], ClientEnded]) -> None:
        """There will be no other connection: all calls fail, now and later."""
        self._over = why
        for call in self._open.values():
            call.fail(why())
        self._open.clear()
        self._in_flight.clear()

    def encode(
        self, id: int, name: str, payload: dict[str, Any], conversation: str | None
    ) -> bytes:
        """As an item. What may not travel would end the connection; it is refused here instead:
        raises `BadFrame`, or `Rejected` if it is larger than the server takes."""
        item: dict[str, Any] = {"t": name, "id": id, "d": payload}
        if conversation is not None:
            item["c"] = conversation
        check_value(item)
        encoded = self._codec.encode(item)
        if len(encoded) > self._max_bytes:
            raise Rejected("PAYLOAD_TOO_LARGE")
        return encoded

    async def frame(self) -> bytes:
        """What is to be written next, as one frame; waits while there is nothing.

        What it returns counts as written: it is not given out again on this connection.
        """
        while True:
            while self.paused or not (self._posts or (self._queue and self._room)):
                self._wake = trio.Event()
                await self._wake.wait()
            if items := self._gather():
                break
        if len(items) == 1:
            return items[0]
        return self._packer.pack_array_header(len(items)) + b"".join(items)

    @property
    def _room(self) -> bool:
        return len(self._in_flight) < WINDOW

    def _gather(self) -> list[bytes]:
        items: list[bytes] = []
        room = min(FRAME_BYTES, self._max_bytes) - ARRAY_HEAD
        while len(items) < MAX_ITEMS and (self._posts or (self._queue and self._room)):
            item = self._posts[0] if self._posts else self._queue[0].item
            if items and len(item) > room:
                break
            if self._posts:
                self._posts.popleft()
            else:
                call = self._queue.popleft()
                if call.id not in self._open:
                    continue  # given up before it was written
                call.sent += 1
                self._in_flight.add(call.id)
            items.append(item)
            room -= len(item)
        return items

    def _clear(self) -> None:
        self._queue.clear()
        self._posts.clear()

    def _close(self, id: Any) -> Call | None:
        if id in self._in_flight:
            self._in_flight.discard(id)
            self._wake.set()
        return self._open.pop(id, None)

    def _enqueue(self, call: Call) -> None:
        """While nothing is written it need not wait here: the next connection asks what is open."""
        if not self.paused:
            self._queue.append(call)
            self._wake.set()
