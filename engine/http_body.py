"""Reading what somebody answers over HTTP, up to a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    import httpx


async def read_body(response: httpx.Response, most: int) -> bytes | None:
    """The body of a streamed `response` as it arrives; None if it is larger than `most` bytes."""
    data = b""
    with trio.CancelScope() as scope:
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > most:
                scope.cancel()  # httpx does not like its generators to be left
    return data if len(data) <= most else None
