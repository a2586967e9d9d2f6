"""What schemathesis does not know by itself: msgpack."""

from typing import Any

import msgpack
import schemathesis


@schemathesis.serializer("application/msgpack")
def pack(_: Any, value: Any) -> bytes:
    try:
        packed: bytes = msgpack.packb(value)
    except (OverflowError, TypeError, ValueError, UnicodeError):
        return b"\xc1"  # what is never msgpack
    return packed


@schemathesis.deserializer("application/msgpack")
def unpack(_: Any, response: Any) -> Any:
    return msgpack.unpackb(response.content)


@schemathesis.hook
def filter_case(_: Any, case: Any) -> bool:
    """Longer URLs are refused by the HTTP server itself, with 431 and nothing else."""
    return len(repr(case.query)) < 4000
