"""A server that does what the test says: each step is a line of the test, over memory streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from palaver.gateway.client import Address, Client

URL = "ws://test"


class Peer:
    """The server's end of one connection."""

    def __init__(self, websocket: WebSocketConnection, stream: trio.abc.Stream) -> None:
        self.websocket = websocket
        self.stream = stream
        self._items: list[dict[str, Any]] = []

    async def item(self) -> dict[str, Any]:
        """What the client says next."""
        while not self._items:
            value = msgpack.unpackb(await self.websocket.get_message())  # type: ignore[arg-type]
            self._items += value if isinstance(value, list) else [value]
        return self._items.pop(0)

    async def expect(self, kind: str) -> dict[str, Any]:
        item = await self.item()
        assert item["t"] == kind, f"{kind} expected, got {item}"
        return item

    async def say(self, *items: dict[str, Any]) -> None:
        await self.websocket.send_message(msgpack.packb(items[0] if len(items) == 1 else items))

    async def reply(self, item: dict[str, Any], **ok: Any) -> None:
        await self.say({"t": "reply", "id": item["id"], "ok": ok})

    async def refuse(self, item: dict[str, Any], code: str, **error: Any) -> None:
        error = {"code": code, "message": code.lower(), "retryable": False, **error}
        await self.say({"t": "reply", "id": item["id"], "error": error})

    async def push(self, seq: int, text: str = "", c: str = "c", by: str = "bob") -> None:
        await self.say(sent(seq, text, c, by))

    async def welcome(
        self, cursor: str = "1", rows: Sequence[Any] = (), left: Sequence[str] = (), **extra: Any
    ) -> Any:
        """Let the client in, and answer the question with which it begins."""
        hello = await self.expect("hello")
        welcome = {"user": "ann", "connection": "1", "ttl": 3600, "heartbeat": 30, **extra}
        await self.say({"t": "welcome", "id": hello["id"], "v": 1, "d": welcome})
        early = []
        while (changes := await self.item())["t"] != "sync.changes":
            early.append(changes)
        self._items = early + self._items
        told = {"conversations": list(rows), "left": list(left), "log": []}
        await self.reply(changes, cursor=cursor, **told)
        return changes["d"]

    async def close(self, code: int, reason: str = "") -> None:
        await self.websocket.aclose(code, reason or None)

    async def drop(self) -> None:
        await trio.aclose_forcefully(self.stream)

    async def closed(self) -> int:
        """Wait until the client has closed, and with which code."""
        try:
            while True:
                await self.websocket.get_message()
        except ConnectionClosed:
            pass
        assert self.websocket.closed is not None
        return self.websocket.closed.code


class Server:
    """`down`: connecting fails. `mute`: it ends before a word is said. `attempts`: at which times
    it was tried."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._send, self._receive = trio.open_memory_channel[Peer](100)
        self.down = False
        self.mute = False
        self.reject: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self.attempts: list[float] = []
        self.origin = trio.current_time()

    async def connect(self, address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        self.attempts.append(trio.current_time() - self.origin)
        if self.down:
            raise ConnectionRefusedError(111, "Connection refused")
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._serve, ours)
        return theirs

    async def _serve(self, stream: trio.abc.Stream) -> None:
        if self.mute:
            await stream.aclose()
            return
        request = await wrap_server_stream(self._nursery, stream)
        if self.reject is not None:
            status, headers = self.reject
            await request.reject(status, extra_headers=headers)
            return
        websocket = await request.accept(subprotocol=request.proposed_subprotocols[0])
        await self._send.send(Peer(websocket, stream))

    async def peer(self) -> Peer:
        """The next connection."""
        return await self._receive.receive()

    def client(self, **options: Any) -> Client:
        """Its jitter is the whole bound, so that times are exact."""
        options = {"random": lambda: 1.0, "connector": self.connect, **options}
        return Client(URL, options.pop("token", "token"), **options)


@asynccontextmanager
async def scripted() -> AsyncIterator[Server]:
    async with trio.open_nursery() as nursery:
        yield Server(nursery)
        nursery.cancel_scope.cancel()


def sent(seq: int, text: str = "", c: str = "c", by: str = "bob") -> dict[str, Any]:
    data = {"id": f"m{seq}", "by": by, "text": text or f"text {seq}", "number": seq}
    return {"t": "message.sent", "c": c, "seq": seq, "ts": 1000 + seq, "d": data}


def row(epoch: int, seq: int, c: str = "c") -> dict[str, Any]:
    return {"c": c, "epoch": epoch, "seq": seq, "kind": "group", "unread": 0}
