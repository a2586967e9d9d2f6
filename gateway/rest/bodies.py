"""What comes in and goes out: JSON, or msgpack if the client says so (REST-09)."""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from ...protocol.codec import Codec, JsonCodec, MsgpackCodec
from ...protocol.errors import Rejected
from ...protocol.values import BadFrame
from . import times

MAX_BYTES: Final = 1_048_576
"""Of a body that is read into memory."""
JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"

_CODECS: Final[dict[str, Codec]] = {
    JSON: JsonCodec(MAX_BYTES),
    MSGPACK: MsgpackCodec(MAX_BYTES),
    "application/x-msgpack": MsgpackCodec(MAX_BYTES),
    "application/vnd.msgpack": MsgpackCodec(MAX_BYTES),
}


class UnsupportedType(Rejected):
    """415: the body is of a type that is not read."""

    def __init__(self) -> None:
        super().__init__("BAD_FRAME", f"The body must be {JSON} or {MSGPACK}.")


async def given(request: Request) -> dict[str, Any]:
    """The body, a map; {} if there is none. Raises BAD_FRAME or PAYLOAD_TOO_LARGE."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BYTES:
            raise Rejected("PAYLOAD_TOO_LARGE", details={"max_bytes": MAX_BYTES})
    if not data:
        return {}
    codec = _CODECS.get(_type(request.headers.get("content-type", JSON)))
    if codec is None:
        raise UnsupportedType
    value = codec.decode(bytes(data))
    if not isinstance(value, dict):
        raise BadFrame("the body must be a map")
    return value


def answer(headers: Headers, result: Any, status: int = 200) -> Response:
    """`result` as the client of these `headers` wants it, times in ISO 8601."""
    if status == 204:
        return Response(status_code=204)
    wanted = next(
        (each for each in map(_type, headers.get("accept", JSON).split(",")) if each in _CODECS),
        JSON,
    )
    data = _CODECS[wanted].encode(times.shown(result))
    return Response(data, status, media_type=wanted)


def _type(header: str) -> str:
    return header.partition(";")[0].strip().lower()
