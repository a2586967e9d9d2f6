"""Bytes to objects and back: msgpack for programs, its JSON twin for people with wscat.

Both carry the same frames; the WebSocket subprotocol chooses (WS-01, WS-02). A codec bounds size
and number of values *before* it builds an object, and depth and kinds of values right after, so
that decoding costs at most a small multiple of the limit whatever the bytes are: a frame of up to
4 KiB less than half a megabyte, a larger one its tenfold and some. It raises `BadFrame` and nothing
else.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final, Protocol

import msgpack

from .values import MAX_VALUES, BadFrame, check_value

DEFAULT_MAX_BYTES: Final = 1_048_576
_SMALL: Final = 4096
"""Up to this many bytes the worst object (maps of one entry, 3 bytes each) is 400 KB, so values
need no counting; but see `_may_announce`."""


class Codec(Protocol):
    """`encode` and `decode` are inverse on every value that `check_value` accepts."""

    name: ClassVar[str]
    subprotocol: ClassVar[str]
    binary: ClassVar[bool]

    def encode(self, value: Any) -> bytes: ...

    def decode(self, data: bytes) -> Any: ...


class MsgpackCodec:
    """`palaver.v1.msgpack`: binary WebSocket messages. Strings are UTF-8; no extension types."""

    name: ClassVar[str] = "msgpack"
    subprotocol: ClassVar[str] = "palaver.v1.msgpack"
    binary: ClassVar[bool] = True

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        # A Packer keeps its buffer: reused, it costs a fifth of msgpack.packb.
        self._packer = msgpack.Packer(use_bin_type=True)

    def encode(self, value: Any) -> bytes:
        return self._packer.pack(value)

    def decode(self, data: bytes) -> Any:
        size = len(data)
        if size > self.max_bytes:
            raise BadFrame(f"larger than {self.max_bytes} bytes")
        if size > _SMALL or _may_announce(data):
            _count_msgpack(data)
        try:
            value = msgpack.unpackb(
                data,
                strict_map_key=True,
                max_str_len=size,
                max_bin_len=0,
                max_ext_len=0,
                max_array_len=size,
                max_map_len=size,
            )
        except RecursionError:
            raise BadFrame("nested too deep") from None
        except (ValueError, TypeError) as error:
            # msgpack's own exceptions are all ValueErrors; their text shows no content.
            raise BadFrame(f"not msgpack: {type(error).__name__}") from None
        check_value(value)
        return value


class JsonCodec:
    """`palaver.v1.json`: text WebSocket messages, one object or array each."""

    name: ClassVar[str] = "json"
    subprotocol: ClassVar[str] = "palaver.v1.json"
    binary: ClassVar[bool] = False

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.max_bytes = max_bytes

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def decode(self, data: bytes) -> Any:
        if len(data) > self.max_bytes:
            raise BadFrame(f"larger than {self.max_bytes} bytes")
        if len(data) > _SMALL and 1 + sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
            # An upper bound, since what stands inside strings counts, too. Every value but the
            # outermost comes first in its container or after a comma.
            raise BadFrame(f"more than {MAX_VALUES} values")
        try:
            value = json.loads(str(data, "utf-8"), parse_constant=_no_constant)
        except RecursionError:
            raise BadFrame("nested too deep") from None
        except UnicodeDecodeError:
            raise BadFrame("not UTF-8") from None
        except ValueError as error:
            raise BadFrame(f"not JSON: {type(error).__name__}") from None
        check_value(value)
        return value


def _no_constant(name: str) -> Any:
    raise BadFrame("a number is not finite")


# How many bytes of payload follow the first byte; how many bytes say how many; how many say how
# many entries of how many values.
_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_FIXED |= {0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_STRING = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_CONTAINER = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def _may_announce(data: bytes) -> bool:
    """Whether `data` may hold the head of a large array.

    msgpack allocates an array at the length that its head announces, whether or not the values
    follow: a thousand such heads inside each other are 3 KB, and would cost tens of megabytes.
    """
    return b"\xdc" in data or b"\xdd" in data


def _count_msgpack(data: bytes) -> None:
    """Refuse `data` if it holds or announces more than `MAX_VALUES` values, without building any.

    Walks the heads only, so it stops after at most `MAX_VALUES` steps.
    """
    position, end, walked, announced = 0, len(data), 0, 1
    while walked < announced and position < end:
        walked += 1
        head = data[position]
        position += 1
        if head < 0x80 or head >= 0xE0:  # small integer
            continue
        if head < 0x90:  # small map
            announced += 2 * (head & 0x0F)
        elif head < 0xA0:  # small array
            announced += head & 0x0F
        elif head < 0xC0:  # small string
            position += head & 0x1F
        elif head in _FIXED:
            position += _FIXED[head]
        elif head in _STRING:
            width = _STRING[head]
            position += width + int.from_bytes(data[position : position + width], "big")
        elif head in _CONTAINER:
            width, each = _CONTAINER[head]
            announced += each * int.from_bytes(data[position : position + width], "big")
            position += width
        else:
            raise BadFrame("binary and extension types may not travel")
        if announced > MAX_VALUES:
            raise BadFrame(f"more than {MAX_VALUES} values")


CODECS: Final[tuple[type[MsgpackCodec] | type[JsonCodec], ...]] = (MsgpackCodec, JsonCodec)
"""In order of the server's preference."""
