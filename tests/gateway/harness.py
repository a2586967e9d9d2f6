"""The real gateway, an engine that only takes notes, and a client that sees every byte."""

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

import trio
from prometheus_client import CollectorRegistry
from trio.testing import memory_stream_pair

from palaver.actors.outbox import Outbox, Parcel, Push
from palaver.engine import Engine, Settings
from palaver.engine.revocations import Revocations
from palaver.engine.testing import memory_engine
from palaver.gateway.auth import issue_token
from palaver.gateway.gateway import Gateway, open_gateway
from palaver.protocol.codec import Codec, JsonCodec, MsgpackCodec
from palaver.protocol.errors import Rejected
from palaver.protocol.frames import Item, reply_error, reply_ok
from palaver.tests.support.described import Listener

SECRET = "s" * 32
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def settings(**sections: Any) -> Settings:
    sections = {"storage": {"memory": True}, "auth": {"secret": SECRET}, **sections}
    sections["listen"] = {"port": 0, "http_port": 0, **sections.get("listen", {})}
    return Settings(**sections)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()


class FakeEngine:
    """Answers at once if `answers`, otherwise when told to; knows the command `fail`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.revocations = Revocations(60, 100)
        self.session_store = None
        self.status = "ok"
        self.storage = "ok"
        self.outboxes: list[Outbox] = []
        self.attached: list[str] = []
        self.submitted: list[Item] = []
        self.answers = True
        self.on_attach: Callable[[Outbox], None] = lambda outbox: None
        self._unanswered: list[tuple[Outbox, Item]] = []
        self._ids = itertools.count(1)
        self._changed = trio.Event()

    def attach(self, outbox: Outbox) -> None:
        limit = self.settings.connections.max_per_user
        if sum(other.user == outbox.user for other in self.outboxes) >= limit:
            raise Rejected("CONNECTION_LIMIT")
        self.outboxes.append(outbox)
        self.attached.append(outbox.user)
        self.on_attach(outbox)
        self._notify()

    async def admit(self, user: str) -> None: ...

    def introduce(self, user: str, claims: Mapping[str, Any]) -> None: ...

    def detach(self, outbox: Outbox) -> None:
        if outbox in self.outboxes:
            self.outboxes.remove(outbox)
            self._notify()

    def submit(self, outbox: Outbox, item: Item) -> None:
        self.submitted.append(item)
        self._notify()
        if self.answers:
            self._answer(outbox, item)
        else:
            self._unanswered.append((outbox, item))

    def answer(self, count: int) -> None:
        """Give the oldest `count` answers that are owed."""
        for _ in range(count):
            self._answer(*self._unanswered.pop(0))

    def push(self, item: dict[str, Any], *, droppable: bool = False) -> None:
        """Offer `item` to every device."""
        parcel = Parcel([Push(item)], droppable=droppable)
        for outbox in list(self.outboxes):
            outbox.offer(parcel)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for calls of the gateway until `condition` holds."""
        while not condition():
            self._changed = trio.Event()
            await self._changed.wait()

    def health(self) -> dict[str, object]:
        return {"status": self.status, "checks": {"storage": self.storage}}

    def new_id(self) -> str:
        return f"id-{next(self._ids)}"

    def now(self) -> int:
        return 1_700_000_000_000

    def _notify(self) -> None:
        self._changed.set()

    def _answer(self, outbox: Outbox, item: Item) -> None:
        if item.id is None:
            return
        if item.kind == "fail":
            reply = reply_error(item.id, item.conversation, Rejected("MESSAGE_NOT_FOUND").payload())
        else:
            reply = reply_ok(item.id, item.conversation, {})
        outbox.answer([Push(reply)])


def fake(settings: Settings) -> tuple[FakeEngine, Engine]:
    """The same object, as what it is and as what the gateway takes it for."""
    engine = FakeEngine(settings)
    return engine, cast(Engine, engine)


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


class Frame(NamedTuple):
    opcode: int
    data: bytes


class Peer:
    """The other end of a stream. It does nothing by itself, not even answer a ping.

    `real` if the engine behind it is: what it says must be what docs/asyncapi.yaml describes.
    """

    def __init__(
        self, stream: trio.abc.Stream, codec: Codec | None = None, *, real: bool = False
    ) -> None:
        self.stream = stream
        self.codec = codec or MsgpackCodec()
        self.listener = Listener() if real else None
        self._buffer = b""
        self._items: list[dict[str, Any]] = []

    async def upgrade(
        self,
        path: str = "/v1/ws",
        *,
        subprotocols: str | None = "palaver.v1.msgpack",
        method: str = "GET",
        **headers: str,
    ) -> Response:
        await self.stream.send_all(request(path, subprotocols, method, **headers))
        return await self.response()

    async def response(self) -> Response:
        while b"\r\n\r\n" not in self._buffer:
            await self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ") for line in lines)}
        body = await self._exactly(int(headers.get("content-length", 0)))
        return Response(int(first.split()[1]), headers, body.decode())

    async def hello(self, token: str | None, id: int | None = 1, **extra: Any) -> dict[str, Any]:
        """Say hello, and return the first item of the answer."""
        payload = {} if token is None else {"token": token}
        await self.send({"t": "hello", "id": id, "v": 1, "d": {**payload, **extra}})
        return await self.item()

    async def send(self, *items: dict[str, Any]) -> None:
        """One frame."""
        if self.listener is not None:
            for item in items:
                self.listener.asks(item.get("id"), item["t"])
        await self.frame(self.codec.encode(items[0] if len(items) == 1 else list(items)))

    async def frame(self, data: bytes, opcode: int | None = None, *, fin: bool = True) -> None:
        if opcode is None:
            opcode = BINARY if self.codec.binary else TEXT
        await self.stream.send_all(masked(data, opcode, fin=fin))

    async def close(self, code: int = 1000) -> None:
        await self.frame(code.to_bytes(2, "big"), CLOSE)

    async def next(self) -> Frame:
        """The next frame, whatever it is. Asserts that there is one."""
        first, size = await self._exactly(2)
        assert first & 0x70 == 0, "no extension was negotiated"
        assert first & 0x80, "the server does not fragment"
        assert size < 128, "the server does not mask"
        if size == 126:
            size = int.from_bytes(await self._exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self._exactly(8), "big")
        return Frame(first & 0x0F, await self._exactly(size))

    async def item(self) -> dict[str, Any]:
        """The next item; nothing but items may come before it."""
        frame = await self.next()
        assert frame.opcode == (BINARY if self.codec.binary else TEXT), frame
        value = self.codec.decode(frame.data)
        assert isinstance(value, dict)
        if self.listener is not None:
            self.listener.hears(value)
        return value

    async def closed(self) -> int:
        """The code of the Close that comes next, after which there is nothing but the end."""
        frame = await self.next()
        assert frame.opcode == CLOSE, frame
        await self.frame(frame.data, CLOSE)
        await self.end()
        return int.from_bytes(frame.data[:2], "big")

    async def end(self) -> None:
        """The stream ends, with nothing before that."""
        assert not self._buffer
        assert await self.stream.receive_some(100) == b""

    async def _more(self) -> None:
        data = await self.stream.receive_some(65_536)
        assert data, f"the stream ended after {self._buffer!r}"
        self._buffer += data

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


def request(
    path: str = "/v1/ws",
    subprotocols: str | None = "palaver.v1.msgpack",
    method: str = "GET",
    **headers: str,
) -> bytes:
    fields = {
        "Host": "palaver",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Extensions": "permessage-deflate",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    if subprotocols is not None:
        fields["Sec-WebSocket-Protocol"] = subprotocols
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
    return "\r\n".join([*lines, "", ""]).encode()


def masked(data: bytes, opcode: int, *, fin: bool = True) -> bytes:
    """A client's frame (RFC 6455 §5.2)."""
    mask = b"\x01\x02\x03\x04"
    size = len(data)
    head = bytes([opcode | (0x80 if fin else 0)])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65_536:
        head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + size.to_bytes(8, "big")
    pattern = mask * (size // 4 + 1)
    return head + mask + bytes(a ^ b for a, b in zip(data, pattern, strict=False))


class House:
    """A gateway without listeners, over memory streams."""

    def __init__(self, engine: FakeEngine, gateway: Gateway, nursery: trio.Nursery) -> None:
        self.engine = engine
        self.real = not isinstance(engine, FakeEngine)
        self.gateway = gateway
        self.sockets: list[trio.socket.SocketType] = []
        self._nursery = nursery

    def token(self, user: str, ttl_s: float | None = 3600.0) -> str:
        return issue_token(self.engine.settings.auth, user, ttl_s=ttl_s)

    def peer(self, codec: Codec | None = None) -> Peer:
        """A connection that has not said anything yet."""
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self.gateway.serve_stream, ours)
        return Peer(theirs, codec, real=self.real)

    def on_socket(self) -> Peer:
        """The same on a socket, which takes no more than its buffer holds."""
        ours, theirs = trio.socket.socketpair()
        self.sockets.append(theirs)
        self._nursery.start_soon(self.gateway.serve_stream, trio.SocketStream(ours))
        return Peer(trio.SocketStream(theirs), real=self.real)

    async def connected(self, codec: Codec | None = None) -> Peer:
        """One that has shaken hands."""
        peer = self.peer(codec)
        response = await peer.upgrade(subprotocols=peer.codec.subprotocol)
        assert response.status == 101
        return peer

    async def client(self, user: str = "ann", codec: Codec | None = None) -> Peer:
        """One that has signed in."""
        peer = await self.connected(codec)
        welcome = await peer.hello(self.token(user))
        assert welcome["t"] == "welcome"
        return peer


@asynccontextmanager
async def house(**sections: Any) -> AsyncIterator[House]:
    note, engine = fake(settings(**sections))
    async with open_gateway(engine) as gateway, trio.open_nursery() as nursery:
        here = House(note, gateway, nursery)
        try:
            yield here
        finally:
            for sock in here.sockets:
                sock.close()
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def town(**sections: Any) -> AsyncIterator[House]:
    """The same before a real engine, in memory."""
    sections["auth"] = {"secret": SECRET, **sections.get("auth", {})}
    async with (
        memory_engine(**sections) as engine,
        open_gateway(engine) as gateway,
        trio.open_nursery() as nursery,
    ):
        here = House(cast(FakeEngine, engine), gateway, nursery)
        try:
            yield here
        finally:
            for sock in here.sockets:
                sock.close()
        nursery.cancel_scope.cancel()


CODECS: list[Codec] = [MsgpackCodec(), JsonCodec()]
