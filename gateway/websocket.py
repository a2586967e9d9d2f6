"""The sans-I/O core of a server connection (RFC 6455), by the `websockets` library."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from ..protocol.codec import CODECS

# At DEBUG it would log request lines and frames, and so tokens (SEC-17): whatever the host's
# logging is set to, only errors come from there.
_quiet = logging.getLogger("palaver.gateway.websocket")
_quiet.setLevel(logging.ERROR)

Origins = Sequence[Origin | re.Pattern[str] | None]

_SUBPROTOCOLS = [Subprotocol(kind.subprotocol) for kind in CODECS]


class Message(NamedTuple):
    binary: bool
    data: bytes


class WebSocket(ServerProtocol):
    """Whole messages in, bytes of handshake and control frames out. Data frames go past it.

    No extension is ever negotiated: compressed frames could not be shared between connections.
    """

    def __init__(self, origins: Origins, max_bytes: int) -> None:
        super().__init__(
            origins=origins, subprotocols=_SUBPROTOCOLS, max_size=max_bytes, logger=_quiet
        )
        self._fragments: bytearray | None = None
        self._binary = False

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """The server's first choice among `subprotocols`; none asked is fine, none known is 400."""
        return super().select_subprotocol(subprotocols) if subprotocols else None

    def receive(self, data: bytes | bytearray) -> Iterator[Request | Message]:
        """What `data` completes: the request first, then messages, put together from fragments."""
        self.receive_data(data)
        for event in self.events_received():
            if not isinstance(event, Frame):
                assert isinstance(event, Request), "a server receives no response"
                yield event
                continue
            opcode = event.opcode
            if opcode is Opcode.BINARY or opcode is Opcode.TEXT:
                self._binary = opcode is Opcode.BINARY
                if event.fin:
                    yield Message(self._binary, bytes(event.data))
                else:
                    self._fragments = bytearray(event.data)
            elif opcode is Opcode.CONT:
                assert self._fragments is not None, "the core refuses others"
                self._fragments += event.data
                if event.fin:
                    message, self._fragments = self._fragments, None
                    yield Message(self._binary, bytes(message))

    def ignore(self, data: bytes | bytearray) -> None:
        """Take `data` in for the closing handshake only."""
        self.receive_data(data)
        self.events_received()
        self.data_to_send()

    def output(self) -> tuple[bytes, bool]:
        """What it wants to have written, and whether that is the end of the stream."""
        writes = self.data_to_send()
        if not writes:
            return b"", False
        return b"".join(writes), writes[-1] == b""
