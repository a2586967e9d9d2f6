"""One connection from its first byte to its last: the reading side, its deadlines and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
import trio
from websockets.protocol import Protocol, State

from ..actors.logs import stack
from ..protocol.disconnects import BAD_TOKEN, HELLO_TIMEOUT, NO_PONG, REVOKED, Disconnect
from .dialogue import Dialogue
from .streams import receive, reset, tune
from .websocket import Opening, WebSocket, output, release
from .write_side import WriteSide

if TYPE_CHECKING:
    from .gateway import Gateway

_log = structlog.get_logger("palaver.gateway")

CLOSE_S: Final = 5.0
"""For what waits to go out and for the client to answer a Close."""
MAX_HELLO_BYTES: Final = 32_768
"""Of a message before the welcome: strangers get no more memory than signing in needs."""


class Connection:
    """`run` is its only task; the write side has one more while the socket is blocked.

    One deadline serves hello, heartbeat and token: it is looked at when it comes, and moved on if
    something was heard since. Nothing that happens here, short of cancellation, leaves `run`: a
    broken connection hurts no other.
    """

    __slots__ = (
        "_core",
        "_dialogue",
        "_gateway",
        "_heard",
        "_missed",
        "_scope",
        "_side",
        "_stream",
        "_why",
    )

    def __init__(self, gateway: Gateway, stream: trio.abc.Stream) -> None:
        self._gateway = gateway
        self._stream = stream
        self._side = WriteSide(
            stream, gateway.limits, gateway.nursery, gateway.counters, self._aborted
        )
        self._core: WebSocket | None = None
        self._dialogue: Dialogue | None = None
        self._scope: trio.CancelScope | None = None
        self._heard = trio.current_time()
        self._missed = 0
        self._why = "lost"

    async def run(self) -> None:
        """From the handshake until the stream is closed."""
        tune(self._stream, self._gateway.limits.send_buffer_bytes)
        try:
            try:
                await self._open()
                await self._converse()
            finally:
                if self._dialogue is not None and self._dialogue.outbox is not None:
                    self._gateway.engine.detach(self._dialogue.outbox)
            await self._part()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        except Exception as error:
            _log.error("connection failed", stack=stack(error))
        finally:
            if self._side.aborted:
                reset(self._stream)
            self._side.abort()
            self._dialogue = None
            if self._core is not None:
                release(self._core)
            self._gateway.counters.closed[self._why] += 1
            await trio.aclose_forcefully(self._stream)

    async def _open(self) -> None:
        """The handshake: afterwards there is a dialogue, or nothing more is written."""
        opening = self._gateway.handshake.opening()
        try:
            await self._shake_hands(opening)
        finally:
            release(opening)

    async def _shake_hands(self, opening: Opening) -> None:
        gateway = self._gateway
        expires = self._heard + gateway.limits.hello_timeout_s
        request = answer = None
        with trio.CancelScope(deadline=expires) as self._scope:
            while request is None and not self._side.ended:
                data = await receive(self._stream)
                if not data:
                    break
                request = opening.receive(data)
                self._output(opening)
            if request is not None:
                answer = await gateway.handshake.answer(opening, request, gateway.retry_after)
        if answer is None:
            if not self._side.ended:
                self._why = str(HELLO_TIMEOUT.code) if self._scope.cancelled_caught else "lost"
                self._side.abort()
            return
        response, identity = answer
        opening.send_response(response)
        self._output(opening)
        if response.status_code != 101:
            gateway.counters.refused[str(response.status_code)] += 1
            return
        gateway.counters.opened += 1
        self._core = WebSocket(min(MAX_HELLO_BYTES, gateway.limits.max_frame_bytes))
        self._dialogue = Dialogue(
            gateway, self._side, gateway.wires[opening.subprotocol], identity, self.close, expires
        )
        self._take(opening.rest)

    async def _converse(self) -> None:
        """Until the last frame was given to the write side, or the client has gone."""
        while self._dialogue is not None and not self._side.ended:
            with trio.CancelScope(deadline=self._due()) as self._scope:
                while True:
                    if self._dialogue.paused:
                        await self._dialogue.proceed()
                    if (due := self._due()) < self._scope.deadline:  # signed in just now
                        self._scope.deadline = due
                    if self._dialogue.outbox is not None:
                        self._gateway.admission.known(self)
                    data = await receive(self._stream)
                    if not data:
                        return
                    self._take(data)
            if not self._side.ended:
                self._on_time()
        core, dialogue = self._core, self._dialogue
        if core is not None and core.close_rcvd is not None and dialogue is not None:
            # What came before the client's Close is carried out, though not answered any more.
            with trio.move_on_after(CLOSE_S):
                await dialogue.proceed()

    async def _part(self) -> None:
        """Let go out what was given, then wait for the client to close: closing first, with
        something of its still unread, would reset the connection and take our last words away."""
        if self._side.aborted:
            return
        core = self._core
        with trio.move_on_after(CLOSE_S) as self._scope:
            await self._side.drained()
            closing = core is not None and not core.eof_sent
            if not closing and isinstance(self._stream, trio.abc.HalfCloseableStream):
                await self._stream.send_eof()
            while data := await receive(self._stream):
                if core is not None:
                    core.ignore(data)
                    if core.close_rcvd is not None:
                        break
        if self._scope.cancelled_caught:
            self._side.abort()

    def _take(self, data: bytes) -> None:
        core, dialogue = self._core, self._dialogue
        assert core is not None
        assert dialogue is not None
        if dialogue.outbox is not None:
            core.max_message_size = self._gateway.limits.max_frame_bytes
        before = core.frames
        messages = core.messages(data)
        frames = core.frames - before
        if frames:  # half of one is no sign of life: nobody may take for ever over it
            self._heard = trio.current_time()
            self._missed = 0
        self._gateway.counters.messages += len(messages)
        dialogue.take(messages, frames)
        self._output(core)

    def _output(self, core: Protocol) -> None:
        """Write what `core` has to say: the handshake, pings, pongs, and its Close as the last."""
        data, end = output(core)
        if end:
            if core.close_rcvd is not None:
                self._why = "client"
            else:
                self._why = str(core.close_sent.code) if core.close_sent else "refused"
            self._finish(data)
        elif data:
            self._side.write(data)

    # Time.

    def _due(self) -> float:
        assert self._dialogue is not None
        if self._dialogue.outbox is None:
            return self._dialogue.expires
        beat = self._gateway.limits.heartbeat_s * (self._missed + 1)
        return min(self._dialogue.expires, self._heard + beat)

    def _on_time(self) -> None:
        """The deadline has come."""
        assert self._dialogue is not None
        assert self._core is not None
        now = trio.current_time()
        if self._dialogue.paused:
            self._heard = now
        if now < self._due():
            return
        if self._dialogue.outbox is None:
            self.close(HELLO_TIMEOUT)
        elif now >= self._dialogue.expires:
            self._dialogue.over()
            self.close(BAD_TOKEN)
        elif self._missed >= self._gateway.limits.missed_heartbeats:
            self.close(NO_PONG)
        else:
            self._missed += 1
            self._core.send_ping(b"")
            self._output(self._core)

    # The end.

    def close(self, why: Disconnect) -> None:
        """Write a Close after what was given, and take nothing more. The task sees to the rest."""
        if self._side.ended:
            return
        self._why = str(why.code)
        if self._dialogue is not None:
            self._dialogue.stop()
            if why is REVOKED:
                self._dialogue.over()
        if self._core is not None and self._core.state is State.OPEN:
            self._core.send_close(why.code, why.reason)
            self._finish(output(self._core)[0])
        else:
            self._side.abort()

    def leave(self, why: Disconnect, reconnect_after: float) -> None:
        """Tell the client to go and when to come back, answer what is in flight, then close."""
        if self._dialogue is None:
            self.close(why)
        else:
            self._dialogue.leave(why, reconnect_after)

    def abort(self) -> None:
        """Drop the connection now."""
        self._side.abort()

    def _finish(self, data: bytes) -> None:
        self._side.finish(data)
        if self._scope is not None:
            self._scope.cancel()

    def _aborted(self, why: Disconnect | None) -> None:
        if why is not None:
            self._why = str(why.code)
        if self._scope is not None:
            self._scope.cancel()
