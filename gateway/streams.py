"""What differs between a plain socket and any other stream, apart from writing."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from socket import SO_LINGER, SO_SNDBUF, SOL_SOCKET
from typing import Final

import trio

RECEIVE_BYTES: Final = 8192
"""At a time. What is read is parsed in one go, and a flood of tiny frames must not hold up others:
so many bytes of them take some 5 ms."""


async def receive(stream: trio.abc.Stream) -> bytes:
    """The next bytes; empty at the end. If cancelled, nothing is lost.

    From a plain socket without the layers of `SocketStream.receive_some`, which would cost every
    idle connection 2 KiB of suspended frames.
    """
    if not isinstance(stream, trio.SocketStream):
        return bytes(await stream.receive_some(RECEIVE_BYTES))
    while True:
        await trio.lowlevel.wait_readable(stream.socket)
        try:
            return os.read(stream.socket.fileno(), RECEIVE_BYTES)
        except BlockingIOError:
            continue
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error


def tune(stream: trio.abc.Stream, send_buffer: int) -> None:
    """Bound what the kernel buffers for it: that lies outside of our own bound."""
    _set(stream, SO_SNDBUF, send_buffer)


def reset(stream: trio.abc.Stream) -> None:
    """When it is closed, drop what is unsent: the kernel would go on offering it for minutes."""
    _set(stream, SO_LINGER, struct.pack("ii", 1, 0))


def _set(stream: trio.abc.Stream, option: int, value: int | bytes) -> None:
    """On its socket, if it has one, also below TLS."""
    if isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    if isinstance(stream, trio.SocketStream):
        with suppress(OSError):
            stream.setsockopt(SOL_SOCKET, option, value)
