"""From an item to the bytes of one WebSocket message: codec and framing together.

Server frames are not masked (RFC 6455 §5.1) and compression is never negotiated, so the bytes do
not depend on the connection: what was framed for one member serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protocol.codec import CODECS, Codec
from .wording import OURS, Wording, worded

_FIN_TEXT = 0x81
_FIN_BINARY = 0x82


class WebSocketWire:
    """The `Wire` of every connection that speaks `codec`. Compared and hashed by identity, so
    there must be one per codec and gateway: parcels keep their bytes under it."""

    __slots__ = ("_first", "_wording", "codec")

    def __init__(self, codec: Codec, wording: Wording = OURS) -> None:
        self.codec = codec
        self._wording = wording
        self._first = _FIN_BINARY if codec.binary else _FIN_TEXT

    def frame(self, item: dict[str, Any]) -> bytes:
        if "error" in item:
            item = {**item, "error": worded(item["error"], self._wording)}
        data = self.codec.encode(item)
        size = len(data)
        if size < 126:
            return bytes((self._first, size)) + data
        if size < 65_536:
            return bytes((self._first, 126)) + size.to_bytes(2, "big") + data
        return bytes((self._first, 127)) + size.to_bytes(8, "big") + data


def wires(max_bytes: int, wording: Wording) -> Mapping[str | None, WebSocketWire]:
    """One wire per subprotocol; under None the one for clients that ask for none. Inbound messages
    may have `max_bytes`."""
    made: dict[str | None, WebSocketWire] = {
        kind.subprotocol: WebSocketWire(kind(max_bytes), wording) for kind in CODECS
    }
    made[None] = made[CODECS[0].subprotocol]
    return made
