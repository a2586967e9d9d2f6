"""One connection from its first byte to its last: the reading side, its deadlines and its end."""

from __future__ import annotations

import math
from socket import SO_LINGER, SO_SNDBUF, SOL_SOCKET
from struct import pack
from typing import TYPE_CHECKING, Any, Final

import structlog
import trio
from websockets.http11 import Request
from websockets.protocol import State

from ..protocol.disconnects import (
    BAD_FRAME,
    HELLO_TIMEOUT,
    NO_PONG,
    NORMAL,
    REVOKED,
    Disconnect,
)
from ..protocol.errors import Rejected
from ..protocol.frames import Item, parse_frame
from ..protocol.values import BadFrame
from .auth import Identity
from .hello import refreshed, refusal, sign_in, welcome
from .socket_outbox import SocketOutbox
from .websocket import Message
from .write_side import WriteSide

if TYPE_CHECKING:
    from .gateway import Gateway

_log = structlog.get_logger("palaver.gateway")

RECEIVE_BYTES: Final = 32_768
CLOSE_S: Final = 5.0
"""For what is queued to go out and for the client to answer a Close."""
MAX_OFFENCES: Final = 5
OFFENCE_WINDOW_S: Final = 60.0


class Connection:
    """`run` is its only task; the write side has one more while the socket is blocked.

    What the client sends is handled in order and without await, except that reading pauses while
    too many commands are in flight. One deadline serves hello, heartbeat and token: it is looked
    at when it comes, and moved on if something was heard since. Nothing that happens here, short of
    cancellation, leaves `run`: a broken connection hurts no other.
    """

    __slots__ = (
        "_core",
        "_expires",
        "_gateway",
        "_heard",
        "_identity",
        "_missed",
        "_offences",
        "_outbox",
        "_scope",
        "_side",
        "_stream",
        "_waiting",
        "_why",
        "_wire",
    )

    def __init__(self, gateway: Gateway, stream: trio.abc.Stream) -> None:
        self._gateway = gateway
        self._stream = stream
        self._core = gateway.handshake.core()
        self._side = WriteSide(
            stream, gateway.limits, gateway.nursery, gateway.counters, self._aborted
        )
        self._wire = gateway.wires[None]
        self._outbox: SocketOutbox | None = None
        self._identity: Identity | None = None
        self._scope = trio.CancelScope()
        self._heard = trio.current_time()
        self._expires = self._heard + gateway.limits.hello_timeout_s
        self._missed = 0
        self._offences: tuple[float, ...] = ()
        self._waiting: list[Item] = []
        self._why: str | None = None

    # The task.

    async def run(self) -> None:
        try:
            if isinstance(self._stream, trio.SocketStream):
                # The kernel's buffer is outside of our bound, so it gets one of its own.
                size = self._gateway.limits.send_buffer_bytes
                self._stream.setsockopt(SOL_SOCKET, SO_SNDBUF, size)
            try:
                await self._converse()
            finally:
                if self._outbox is not None:
                    self._gateway.engine.detach(self._outbox)
            if not self._side.aborted:
                await self._part()
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            pass
        except Exception:
            _log.exception("connection failed")
        finally:
            if self._side.aborted and isinstance(self._stream, trio.SocketStream):
                # Reset: the kernel must not go on offering what the client does not take.
                self._stream.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
            self._side.abort()
            self._gateway.counters.closed[self._why or "lost"] += 1
            await trio.aclose_forcefully(self._stream)

    async def _converse(self) -> None:
        """Until the last frame was given to the write side, or the client has gone."""
        while not self._side.ended:
            with trio.CancelScope(deadline=self._due()) as self._scope:
                while True:
                    while self._waiting:
                        if self._outbox is not None and self._outbox.full:
                            await self._outbox.room()
                        self._item(self._waiting.pop())
                    data = await self._stream.receive_some(RECEIVE_BYTES)
                    if not data:
                        return
                    self._heard = trio.current_time()
                    self._missed = 0
                    self._take(data)
            if not self._side.ended:
                self._on_time()

    async def _part(self) -> None:
        """Let go out what was given, then wait for the client to close: closing first, with
        something of its still unread, would reset the connection and take our last words away."""
        core = self._core
        with trio.move_on_after(CLOSE_S) as self._scope:
            await self._side.drained()
            if core.eof_sent and isinstance(self._stream, trio.abc.HalfCloseableStream):
                await self._stream.send_eof()
            while core.close_rcvd is None:
                data = await self._stream.receive_some(RECEIVE_BYTES)
                if not data:
                    break
                core.ignore(data)

    # Time.

    def _due(self) -> float:
        if self._outbox is None:
            return self._expires
        beat = self._gateway.limits.heartbeat_s * (self._missed + 1)
        return min(self._expires, self._heard + beat)

    def _on_time(self) -> None:
        """The deadline has come. Silence is only silence while we listen."""
        now = trio.current_time()
        if self._waiting:
            self._heard = now
        if now < self._due():
            return
        if self._outbox is None:
            self.close(HELLO_TIMEOUT)
        elif now >= self._expires:
            self.close(REVOKED)
        elif self._missed >= self._gateway.limits.missed_heartbeats:
            self.close(NO_PONG)
        else:
            self._missed += 1
            self._core.send_ping(b"")
            self._output()

    # Inbound.

    def _take(self, data: bytes | bytearray) -> None:
        items: list[Item] = []
        for event in self._core.receive(data):
            if isinstance(event, Request):
                self._admit(event)
            else:
                self._gateway.counters.messages += 1
                try:
                    items += self._decode(event)
                except BadFrame as no:
                    self._offended(no)
            if self._side.ended:
                return
        self._output()
        items.reverse()
        self._waiting = items

    def _admit(self, request: Request) -> None:
        gateway = self._gateway
        response, self._identity = gateway.handshake.answer(
            self._core, request, room=gateway.has_room
        )
        if response.status_code == 101:
            gateway.counters.opened += 1
            self._wire = gateway.wires[self._core.subprotocol]
        else:
            gateway.counters.refused[str(response.status_code)] += 1
            self._why = "refused"
        self._core.send_response(response)
        self._output()

    def _decode(self, message: Message) -> list[Item]:
        codec = self._wire.codec
        if message.binary is not codec.binary:
            raise BadFrame(
                f"{codec.name} travels in {'binary' if codec.binary else 'text'} messages"
            )
        return parse_frame(codec.decode(message.data))

    def _offended(self, no: BadFrame) -> None:
        """WS-09: an answer each time, the end when it goes on."""
        now = trio.current_time()
        since = now - OFFENCE_WINDOW_S
        self._offences = (*(time for time in self._offences if time > since), now)
        self._refuse(None, no)
        if len(self._offences) >= MAX_OFFENCES:
            self.close(BAD_FRAME)

    def _item(self, item: Item) -> None:
        outbox = self._outbox
        if outbox is None:
            self._hello(item)
        elif item.kind == "ping":
            self._send({"t": "pong", "id": item.id} if item.id is not None else {"t": "pong"})
        elif item.kind == "pong":
            pass
        elif item.kind == "refresh":
            self._refresh(item, outbox)
        elif item.kind == "goodbye":
            outbox.leave(NORMAL)
        elif item.kind == "hello":
            self._refuse(item, Rejected("VALIDATION_FAILED", "hello: was said already"))
        elif outbox.leaving:
            self._refuse(item, Rejected("UNAVAILABLE", "Not on this connection any more."))
        else:
            if item.kind == "ack":
                item.id = None  # it gets no Reply, so none must be waited for
            if item.id is not None:
                outbox.in_flight += 1
            self._gateway.engine.submit(outbox, item)

    def _hello(self, item: Item) -> None:
        gateway = self._gateway
        try:
            identity = sign_in(
                item,
                self._identity,
                gateway.verifier,
                token_in_hello="hello" in gateway.settings.auth.token_sources,
            )
            outbox = SocketOutbox(
                identity.user,
                self._wire,
                self._side,
                self.close,
                gateway.limits.max_in_flight,
                gateway.counters,
            )
            # Attached before the welcome is written, so that nothing is missed after it (DEF-02);
            # what is pushed meanwhile stays behind it.
            gateway.engine.attach(outbox)
        except Rejected as no:
            self._refuse(item, no)
            self.close(refusal(no))
        else:
            self._outbox = outbox
            id, now = gateway.engine.new_id(), gateway.engine.now()
            outbox.open(self._wire.frame(welcome(item, identity, id, now, gateway.settings)))
            self._identified(identity)

    def _refresh(self, item: Item, outbox: SocketOutbox) -> None:
        try:
            identity = refreshed(item, outbox.user, self._gateway.verifier)
        except Rejected as no:
            self._refuse(item, no)
        else:
            self._identified(identity)
            if item.id is not None:
                self._send({"t": "reply", "id": item.id, "ok": {"ttl": identity.ttl()}})

    def _identified(self, identity: Identity) -> None:
        ttl = identity.ttl()
        self._expires = math.inf if ttl is None else trio.current_time() + ttl
        self._scope.deadline = self._due()

    # Outbound.

    def _send(self, item: dict[str, Any]) -> None:
        self._side.write(self._wire.frame(item))

    def _refuse(self, item: Item | None, no: Rejected) -> None:
        reply: dict[str, Any] = {"t": "reply", "error": no.payload()}
        if item is not None and item.id is not None:
            reply["id"] = item.id
        self._gateway.counters.errors[no.code] += 1
        self._send(reply)

    def _output(self) -> None:
        """Write what the core has to say: the handshake, pongs, and its Close as the last."""
        data, end = self._core.output()
        if end:
            self._why = self._why or ("client" if self._core.close_rcvd else "protocol")
            self._side.finish(data)
            self._scope.cancel()
        elif data:
            self._side.write(data)

    # The end.

    def close(self, why: Disconnect) -> None:
        """Write a Close after what was given, take nothing more. The task sees to the rest."""
        if self._side.ended:
            return
        self._why = str(why.code)
        self._waiting.clear()
        if self._core.state is State.OPEN:
            self._core.send_close(why.code, why.reason)
            self._side.finish(self._core.output()[0])
        else:
            self._side.abort()
        self._scope.cancel()

    def leave(self, why: Disconnect, reconnect_after: float) -> None:
        """Tell the client to go, answer what is in flight, then close."""
        if self._outbox is None:
            self.close(why)
        elif not self._outbox.leaving:
            self._send({"t": "goodbye", "d": {"reconnect_after": reconnect_after}})
            self._outbox.leave(why)

    def abort(self) -> None:
        """Drop the connection now."""
        self._side.abort()

    def _aborted(self, why: Disconnect | None) -> None:
        if why is not None:
            self._why = str(why.code)
        self._scope.cancel()
