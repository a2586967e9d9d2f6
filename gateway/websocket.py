"""The sans-I/O core of a server connection (RFC 6455), by the `websockets` library."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Protocol, Side, State
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

try:
    from websockets.speedups import apply_mask  # in C
except ImportError:  # pragma: no cover: where no wheel of theirs is for
    from websockets.utils import apply_mask

from ..protocol.codec import CODECS

# At DEBUG it would log request lines and frames, and so tokens (SEC-17): whatever the host's
# logging is set to, only errors come from there.
_quiet = logging.getLogger("palaver.gateway.websocket")
_quiet.setLevel(logging.ERROR)

Origins = Sequence[Origin | re.Pattern[str] | None]

MAX_REQUEST_BYTES: Final = 16_384
_TEXT, _BINARY = 0x81, 0x82
"""First bytes: the last frame of a message and its only one, with no bit of an extension."""
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
    """The open connection: whole messages in, control frames out. Data frames go past it.

    What comes in is cut into frames here. A message in one frame, as nearly all are, is unmasked
    at once, at a quarter of what the core's general parser takes; every other frame goes to the
    core, whole, which knows what to make of it. Of a frame that is longer than it may be, the head
    alone does, so that no more than `max_bytes` ever waits.
    """

    def __init__(self, max_bytes: int) -> None:
        super().__init__(Side.SERVER, max_size=max_bytes, logger=_quiet)
        self.frames = 0
        """how many have come, whatever they were"""
        self._rest = bytearray()
        self._needed = 0
        self._fragments: bytearray | None = None
        self._binary = False

    def messages(self, data: bytes) -> list[Message]:
        """Those that `data` completes, put together from their fragments."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data, self._rest = bytes(self._rest), bytearray()
        found: list[Message] = []
        at, size = 0, len(data)
        while at < size:
            if (head := _Head.read(data, at)) is None:
                self._keep(data, at, 0)
                break
            end = at + head.size + head.payload
            too_long = self.max_message_size is not None and head.payload > self.max_message_size
            if end > size and not too_long:
                self._keep(data, at, end - at)
                break
            if head.is_message and not too_long and self._fragments is None and self._is_open:
                self.frames += 1
                mask = data[at + head.size - 4 : at + head.size]
                content = apply_mask(data[at + head.size : end], mask)
                found.append(Message(head.is_binary, content))
            else:
                self._general(data[at:end], found)
            at = end
        return found

    def ignore(self, data: bytes) -> None:
        """Take `data` in for the closing handshake only."""
        self.receive_data(bytes(self._rest) + data)
        self._rest.clear()
        self.events_received()
        self.data_to_send()

    @property
    def _is_open(self) -> bool:
        return self.state is State.OPEN and self.close_rcvd is None

    def _keep(self, data: bytes, at: int, needed: int) -> None:
        """The frame at `at` is not complete: it takes `needed` bytes in all, 0 if not known yet."""
        self._rest = bytearray(data[at:])
        self._needed = needed

    def _general(self, data: bytes, found: list[Message]) -> None:
        """What the core makes of one frame."""
        self.receive_data(data)
        for frame in self.events_received():
            assert isinstance(frame, Frame), "the handshake is over"
            self.frames += 1
            opcode = frame.opcode
            if opcode is Opcode.BINARY or opcode is Opcode.TEXT:
                self._binary = opcode is Opcode.BINARY
                if frame.fin:
                    found.append(Message(self._binary, bytes(frame.data)))
                else:
                    self._fragments = bytearray(frame.data)
            elif opcode is Opcode.CONT:
                assert self._fragments is not None, "the core refuses others"
                self._fragments += frame.data
                if frame.fin:
                    message, self._fragments = self._fragments, None
                    found.append(Message(self._binary, bytes(message)))
            # The parser keeps the last frame until the next one comes: not its content.
            frame.data = b""


class _Head(NamedTuple):
    """What the first bytes of a client's frame say (RFC 6455 §5.2): its own `size` with the mask,
    that of the `payload`, and whether the frame is a message, whole, and nothing special."""

    size: int
    payload: int
    is_message: bool
    is_binary: bool

    @classmethod
    def read(cls, data: bytes, at: int) -> _Head | None:
        """None if it is not all there."""
        if len(data) < at + 2:
            return None
        first, second = data[at], data[at + 1]
        masked, payload = second & 0x80, second & 0x7F
        size = at + 2
        if payload >= 126:
            size += 2 if payload == 126 else 8
            if len(data) < size:
                return None
            payload = int.from_bytes(data[at + 2 : size], "big")
        size += 4 if masked else 0
        if len(data) < size:
            return None
        is_message = bool(masked) and first in (_TEXT, _BINARY)
        return cls(size - at, payload, is_message, first == _BINARY)
