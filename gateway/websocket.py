"""The sans-I/O core of a server connection (RFC 6455), by the `websockets` library."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Protocol, Side
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from ..protocol.codec import CODECS

# At DEBUG it would log request lines and frames, and so tokens (SEC-17): whatever the host's
# logging is set to, only errors come from there.
_quiet = logging.getLogger("palaver.gateway.websocket")
_quiet.setLevel(logging.ERROR)

Origins = Sequence[Origin | re.Pattern[str] | None]

MAX_REQUEST_BYTES: Final = 16_384
_SUBPROTOCOLS = [Subprotocol(kind.subprotocol) for kind in CODECS]


def output(core: Protocol) -> tuple[bytes, bool]:
    """What `core` wants to have written, and whether that is the end of the stream."""
    writes = core.data_to_send()
    if not writes:
        return b"", False
    return b"".join(writes), writes[-1] == b""


def release(core: Protocol) -> None:
    """Call it last. A core and its suspended parser hold each other: left alone, they would wait
    for the garbage collector, which runs seldom in a process with many connections."""
    core.parser.close()


class Opening(ServerProtocol):
    """The handshake. It is a core of its own because it holds on to the request's headers.

    No extension is ever negotiated: compressed frames could not be shared between connections.
    """

    def __init__(self, origins: Origins) -> None:
        super().__init__(origins=origins, subprotocols=_SUBPROTOCOLS, logger=_quiet)
        self._head = bytearray()
        self.rest = b""
        """what came after the request"""

    def receive(self, data: bytes) -> Request | None:
        """The request, once it is complete. If it is none, there is `output` that ends all."""
        self._head += data
        end = self._head.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(self._head) > MAX_REQUEST_BYTES:
                status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self.send_response(self.reject(status, "The request is too large.\n"))
            return None
        self.rest = bytes(self._head[end:])
        self.receive_data(self._head[:end])
        for event in self.events_received():
            assert isinstance(event, Request), "nothing else was fed"
            return event
        return None

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """The server's first choice among `subprotocols`; none asked is fine, none known is 400."""
        return super().select_subprotocol(subprotocols) if subprotocols else None


class Message(NamedTuple):
    binary: bool
    data: bytes


class WebSocket(Protocol):
    """The open connection: whole messages in, control frames out. Data frames go past it."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(Side.SERVER, max_size=max_bytes, logger=_quiet)
        self.frames = 0
        """how many have come, whatever they were"""
        self._fragments: bytearray | None = None
        self._binary = False

    def messages(self, data: bytes) -> Iterator[Message]:
        """Those that `data` completes, put together from their fragments."""
        self.receive_data(data)
        for frame in self.events_received():
            assert isinstance(frame, Frame), "the handshake is over"
            self.frames += 1
            opcode = frame.opcode
            if opcode is Opcode.BINARY or opcode is Opcode.TEXT:
                self._binary = opcode is Opcode.BINARY
                if frame.fin:
                    yield Message(self._binary, bytes(frame.data))
                else:
                    self._fragments = bytearray(frame.data)
            elif opcode is Opcode.CONT:
                assert self._fragments is not None, "the core refuses others"
                self._fragments += frame.data
                if frame.fin:
                    message, self._fragments = self._fragments, None
                    yield Message(self._binary, bytes(message))
            # The parser keeps the last frame until the next one comes: not its content.
            frame.data = b""

    def ignore(self, data: bytes) -> None:
        """Take `data` in for the closing handshake only."""
        self.receive_data(data)
        self.events_received()
        self.data_to_send()
