"""One WebSocket connection: items in, frames out. Every way in which it ends is an `Ended`."""

from __future__ import annotations

import os
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgpack
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)
from wsproto.utilities import LocalProtocolError  # trio-websocket lets it through

from ...protocol.codec import MsgpackCodec
from ...protocol.disconnects import may_reconnect

CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 1.0
MAX_FRAME_BYTES = 64 * 2**20
"""Of what the server sends: a page of history is larger than any command."""


class Address(NamedTuple):
    host: str
    port: int
    resource: str
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """Of a `ws:` or `wss:` URL, without path that of palaver. ValueError if it is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ValueError(f"not a WebSocket URL (ws://host:port/v1/ws): {url!r}")
        tls = parts.scheme == "wss"
        resource = parts.path if parts.path not in ("", "/") else "/v1/ws"
        if parts.query:
            resource += f"?{parts.query}"
        return cls(parts.hostname, parts.port or (443 if tls else 80), resource, tls)

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def http_url(self) -> str:
        """Where the same server speaks HTTP, if nothing else is known: at its default port beside
        the default one of WebSockets, else at the same, as behind a proxy."""
        port = 8766 if self.port == 8765 else self.port
        return f"{'https' if self.tls else 'http'}://{self._replace(port=port).netloc}"


Connector = Callable[[Address], Awaitable[trio.abc.Stream]]


async def tcp(address: Address, ssl_context: ssl.SSLContext | None = None) -> trio.abc.Stream:
    """The usual way to the server: TCP, with TLS for `wss:`, trusting what `ssl_context` does; by
    default what the system does."""
    if not address.tls:
        return await trio.open_tcp_stream(address.host, address.port)
    stream = await trio.open_ssl_over_tcp_stream(
        address.host, address.port, ssl_context=ssl_context, https_compatible=True
    )
    try:
        await stream.do_handshake()  # now, or the reason of a failure would be lost on the way
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


class Ended(Exception):
    """The connection is over, or did not come about. `final`: coming back would not help.

    `advice`: for so many seconds the server does not want to see this client again.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: int | None = None,
        final: bool = False,
        advice: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.final = final
        self.advice = advice


class Connection:
    def __init__(self, websocket: WebSocketConnection) -> None:
        self._websocket = websocket

    async def send(self, frame: bytes) -> None:
        """Write `frame`. Only one task may; if it is cancelled here, the connection is broken."""
        try:
            await self._websocket.send_message(frame)
        except (ConnectionClosed, LocalProtocolError):
            raise Ended("the connection is closed") from None

    async def receive(self) -> list[dict[str, Any]]:
        """The items of the next frame. If cancelled, nothing is lost."""
        try:
            message = await self._websocket.get_message()
        except ConnectionClosed as closed:
            raise _ended(closed) from None
        try:
            value = msgpack.unpackb(message)  # type: ignore[arg-type]
            items = value if isinstance(value, list) else [value]
            if all(isinstance(item["t"], str) for item in items):
                return items
        except (ValueError, TypeError, LookupError):
            pass
        raise Ended("the server sent something unreadable")


async def converse(
    address: Address,
    connector: Connector,
    talk: Callable[[Connection, trio.Nursery], Awaitable[None]],
) -> Ended:
    """Connect, `talk` until it raises `Ended`, close; returns why it ended.

    The nursery is the connection's: what is started in it is cancelled at its end. If cancelled,
    the close handshake is tried for `CLOSE_TIMEOUT`; the stream is closed in any case.
    """
    ended = Ended("the client left", code=1000)
    try:
        async with trio.open_nursery() as nursery:
            try:
                await _connected(address, connector, talk, nursery)
            except Ended as why:
                ended = why
            nursery.cancel_scope.cancel()
    # trio-websocket's own task may fail in the same nursery.
    except* ConnectionRejected as group:
        ended = _rejected(_first(group, ConnectionRejected))
    except* ConnectionClosed as group:
        ended = _ended(_first(group, ConnectionClosed))
    except* HandshakeError:
        ended = Ended("this is no WebSocket server")
    return ended


async def _connected(
    address: Address,
    connector: Connector,
    talk: Callable[[Connection, trio.Nursery], Awaitable[None]],
    nursery: trio.Nursery,
) -> None:
    stream: trio.abc.Stream | None = None
    websocket: WebSocketConnection | None = None
    reading = _Reading(nursery)
    try:
        try:
            with trio.fail_after(CONNECT_TIMEOUT):
                stream = await connector(address)
                with reading.handshake:
                    websocket = await wrap_client_stream(
                        reading,  # type: ignore[arg-type]
                        stream,  # type: ignore[arg-type]  # any stream will do
                        address.netloc,
                        address.resource,
                        subprotocols=[MsgpackCodec.subprotocol],
                        max_message_size=MAX_FRAME_BYTES,
                        receive_buffer_size=None,
                    )
        except trio.TooSlowError:
            raise Ended(f"no answer from {address.netloc}") from None
        except (OSError, trio.BrokenResourceError) as error:
            raise Ended(_words(error)) from None
        if websocket is None:
            raise Ended("the connection broke")
        if websocket.subprotocol != MsgpackCodec.subprotocol:
            raise Ended(f"no palaver server at {address.netloc}", final=True)
        await talk(Connection(websocket), nursery)
    finally:
        if websocket is not None:
            with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
                await websocket.aclose()
        reading.stop()
        if stream is not None:
            await trio.aclose_forcefully(stream)


class _Reading:
    """Stands in for the nursery in which trio-websocket starts its reader.

    If the reader ends before the handshake is done, because the stream did, trio-websocket would
    wait for ever: `handshake` is cancelled then. And the reader outlives a cancellation until
    `stop`, since without it there is no close handshake.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._reader = trio.CancelScope(shield=True)
        self.handshake = trio.CancelScope()

    def start_soon(self, reader: Callable[[], Awaitable[None]]) -> None:
        self._nursery.start_soon(self._read, reader)

    async def _read(self, reader: Callable[[], Awaitable[None]]) -> None:
        with self._reader:
            await reader()
        self.handshake.cancel()

    def stop(self) -> None:
        self._reader.cancel()


def _words(error: Exception) -> str:
    """The reason without the address, which trio adds, or hides in a group of one per address."""
    cause: BaseException | None = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS with it: {(cause.reason or 'failed').lower().replace('_', ' ')}"
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    number = next((e.errno for e in (error, cause) if isinstance(e, OSError) and e.errno), 0)
    return (os.strerror(number) if number > 0 else str(error) or type(error).__name__).lower()


def _first(group: BaseExceptionGroup[Any], kind: type[Exception]) -> Any:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, kind)
    return error


def _ended(closed: ConnectionClosed) -> Ended:
    reason = closed.reason
    if reason is None or reason.code == 1006:
        return Ended("the connection broke", code=1006)
    words = reason.reason or reason.name.lower().replace("_", " ")
    return Ended(words, code=reason.code, final=not may_reconnect(reason.code))


def _rejected(rejection: ConnectionRejected) -> Ended:
    """An HTTP answer instead of a WebSocket. 429 and 5xx pass; a wrong path or origin stays."""
    status = rejection.status_code
    advice = dict(rejection.headers).get(b"retry-after", b"")
    return Ended(
        f"HTTP {status}",
        code=status,
        final=status < 500 and status not in (408, 425, 429),
        advice=float(advice) if advice.isdigit() else None,
    )
