"""The write side of one connection: everything that is written to its stream passes here."""

from __future__ import annotations

import os
from collections.abc import Callable

import structlog
import trio

from ..actors.logs import stack
from ..engine.sections import Connections
from ..protocol.disconnects import SLOW, Disconnect
from .metrics import Counters

_log = structlog.get_logger("palaver.gateway")

CHUNK = 65_536
"""What waits is joined into writes of about this size. What is not yet part of one can still be
dropped; and where a stream does not tell how far it has come, one chunk is what must move."""


class WriteSide:
    """Writes whole frames in the order in which they are given, without ever blocking the giver.

    While nothing waits, a plain socket is tried at once: that is the whole cost of a delivery.
    What it does not take waits here, for a task that exists only as long as something waits. Other
    streams (TLS, memory) are always written by that task.

    At most `outbox_bytes` wait, besides the largest parcel, which may be larger: or an answer of
    that size could never be given. Whoever exceeds that, or takes nothing for `stalled_s`, is not
    waited for: `abort`. `on_abort` is called then, at most once, synchronously.
    """

    __slots__ = (
        "_backlog",
        "_bound",
        "_busy",
        "_counters",
        "_drained",
        "_fileno",
        "_free",
        "_limits",
        "_nursery",
        "_on_abort",
        "_plain",
        "_queue",
        "_scope",
        "_stream",
        "aborted",
        "ended",
    )

    def __init__(
        self,
        stream: trio.abc.Stream,
        limits: Connections,
        nursery: trio.Nursery,
        counters: Counters,
        on_abort: Callable[[Disconnect | None], None],
    ) -> None:
        self._stream = stream
        self._plain = isinstance(stream, trio.SocketStream)
        # The method, never the number: after a close it is -1, and the number somebody else's.
        self._fileno = stream.socket.fileno if isinstance(stream, trio.SocketStream) else _none
        self._limits = limits
        self._nursery = nursery
        self._counters = counters
        self._on_abort = on_abort
        self._queue: list[tuple[bytes, bool]] = []
        self._backlog = 0
        self._bound = 0
        self._busy = False
        self._free = self._plain
        self._scope: trio.CancelScope | None = None
        self._drained: trio.Event | None = None
        self.ended = False
        """nothing more is taken: the last frame was given, or the connection was aborted"""
        self.aborted = False

    def write(self, data: bytes, droppable: bool = False) -> None:
        """Take whole frames. After the end they are ignored."""
        if self._free:
            try:
                sent = os.write(self._fileno(), data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.abort()
                return
            if sent == len(data):
                return
            if sent:  # the rest of a frame must follow
                data, droppable = data[sent:], False
        elif self.ended:
            return
        self._enqueue(data, droppable)

    def finish(self, data: bytes) -> None:
        """Take the last frame, a Close: nothing follows it (RFC 6455 §5.5.1)."""
        self.write(data)
        self.ended = True
        self._free = False

    def abort(self, why: Disconnect | None = None) -> None:
        """Write nothing more, not even what waits."""
        if self.aborted:
            return
        self.aborted = self.ended = True
        self._free = False
        self._queue.clear()
        if self._scope is not None:
            self._scope.cancel()
        # Let go of it, so that no cycle is left for the garbage collector.
        on_abort, self._on_abort = self._on_abort, _nobody
        on_abort(why)

    @property
    def idle(self) -> bool:
        """Nothing waits."""
        return not self._busy

    async def drained(self) -> None:
        """Return when nothing waits: all is written, or the connection was aborted."""
        if self._busy:
            self._drained = trio.Event()
            await self._drained.wait()

    def _enqueue(self, data: bytes, droppable: bool) -> None:
        size = len(data)
        if not self._backlog:
            self._bound = size + self._limits.outbox_bytes
        elif self._backlog + size > self._bound:
            if droppable:
                self._counters.dropped += 1
                return
            self._shed()
            self._bound = max(self._bound, size + self._limits.outbox_bytes)
            if self._backlog + size > self._bound:
                self.abort(SLOW)
                return
        self._queue.append((data, droppable))
        self._backlog += size
        self._free = False
        if not self._busy:
            self._busy = True
            self._nursery.start_soon(self._run)

    def _shed(self) -> None:
        """Drop what may be dropped of what waits."""
        kept = [entry for entry in self._queue if not entry[1]]
        self._counters.dropped += len(self._queue) - len(kept)
        self._backlog -= sum(len(data) for data, droppable in self._queue if droppable)
        self._queue = kept

    def _chunk(self) -> tuple[int, bytes]:
        """The next bytes to write, joined, and how many entries they are."""
        count = size = 0
        for data, _ in self._queue:
            count += 1
            size += len(data)
            if size >= CHUNK:
                break
        return count, b"".join([data for data, _ in self._queue[:count]])

    def _push(self) -> None:
        """Write as much of what waits as the socket takes now."""
        while self._queue:
            count, data = self._chunk()
            try:
                sent = os.write(self._fileno(), data)
            except BlockingIOError:
                return
            except OSError:
                self.abort()
                return
            self._backlog -= sent
            self._queue[:count] = [] if sent == len(data) else [(data[sent:], False)]

    def _rest(self) -> None:
        self._busy = False
        self._backlog = 0
        self._free = self._plain and not self.ended
        if self._drained is not None:
            self._drained.set()

    async def _run(self) -> None:
        """Write what waits until nothing does. Failures end this connection and no other."""
        try:
            while self._queue:
                with trio.move_on_after(self._limits.stalled_s) as self._scope:
                    await self._step()
                if self._scope.cancelled_caught:
                    self.abort(SLOW)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.abort()
        except Exception as error:
            _log.error("writing failed", stack=stack(error))
            self.abort()
        self._scope = None
        self._rest()

    async def _step(self) -> None:
        """Let something move."""
        if isinstance(self._stream, trio.SocketStream):
            await self._stream.wait_send_all_might_not_block()
            self._push()
        else:
            count, data = self._chunk()
            del self._queue[:count]
            await self._stream.send_all(data)
            self._backlog -= len(data)


def _none() -> int:
    return -1


def _nobody(why: Disconnect | None) -> None: ...
