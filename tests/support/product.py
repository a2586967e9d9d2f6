"""A product as its clients meet it: an engine in memory with its profile, the real gateway before
it, and phones that say and hear everything over the wire.

    async with product("petsocial") as here:
        ann, bob = await here.phones("ann", "bob")
        room = await here.room("ann", "bob")
        await ann.send(room, "hello")
        await here.settled()
        assert bob.texts() == ["hello"]
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
from trio.testing import memory_stream_pair

from palaver.actors.guards import Guard
from palaver.engine import Engine, Settings
from palaver.engine.host.relations import Pair
from palaver.engine.testing import TrioClock, memory_engine, numbered_ids
from palaver.gateway.auth import issue_token
from palaver.gateway.client import Client
from palaver.gateway.gateway import Gateway, open_gateway
from palaver.gateway.http import make_app
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.codec import Codec
from palaver.protocol.errors import Rejected
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.people import Relation
from palaver.protocol.policy import MIB
from palaver.tests.gateway.harness import CLOSE, PING, PONG, SECRET, Peer
from palaver.tests.support.engines import settled


class Phone:
    """One device of `user`, signed in. `items` is all that it was told but for Replies, in order;
    `closed` the code with which it was sent away."""

    def __init__(self, user: str, peer: Peer, welcome: dict[str, Any]) -> None:
        self.user = user
        self.peer = peer
        self.welcome = welcome
        self.items: list[dict[str, Any]] = []
        self.closed: int | None = None
        self._asked = 1  # hello
        self._answers: dict[int, dict[str, Any]] = {}
        self._waiting: dict[int, trio.Event] = {}
        self._writing = trio.Lock()
        self._listening = trio.CancelScope()

    async def listen(self) -> None:
        """Until it is closed, or `drop`."""
        with self._listening:
            while self.closed is None:
                frame = await self.peer.next()
                if frame.opcode == PING:
                    async with self._writing:
                        await self.peer.frame(frame.data, PONG)
                elif frame.opcode == CLOSE:
                    self.closed = int.from_bytes(frame.data[:2], "big")
                else:
                    value = self.peer.codec.decode(frame.data)
                    for item in value if isinstance(value, list) else [value]:
                        self._take(item)

    def _take(self, item: dict[str, Any]) -> None:
        assert self.peer.listener is not None
        self.peer.listener.hears(item)
        if item["t"] == "reply" and "id" in item:
            self._answers[item["id"]] = item
            self._waiting[item["id"]].set()
        else:
            self.items.append(item)

    async def drop(self) -> None:
        """The network is gone, without a word."""
        self._listening.cancel()
        await trio.aclose_forcefully(self.peer.stream)

    async def ask(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> dict[str, Any]:
        """The `ok` of the Reply; or the `Rejected` that it is, raised."""
        self._asked += 1
        id = self._asked
        where = {} if c is None else {"c": c}
        answered = self._waiting[id] = trio.Event()
        async with self._writing:
            await self.peer.send({"t": name, "id": id, **where, "d": payload or {}})
        await answered.wait()
        del self._waiting[id]
        reply = self._answers.pop(id)
        if (error := reply.get("error")) is not None:
            more = {key: error.get(key) for key in ("details", "retry_after", "correlation")}
            raise Rejected(error["code"], error["message"], **more)
        ok: dict[str, Any] = reply["ok"]
        return ok

    async def send(self, c: str, text: str, **more: Any) -> dict[str, Any]:
        return await self.ask("message.send", {"text": text, **more}, c)

    async def history(self, c: str, **more: Any) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.ask("message.history", more, c))["messages"]
        return messages

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """What it was told of these kinds."""
        return [item for item in self.items if item["t"] in kinds]

    def payloads(self, *kinds: str) -> list[dict[str, Any]]:
        return [item["d"] for item in self.of_kind(*kinds)]

    def texts(self) -> list[str]:
        return [payload["text"] for payload in self.payloads("message.sent")]

    def seqs(self, c: str) -> list[int]:
        return [item["seq"] for item in self.items if "seq" in item and item.get("c") == c]


class Product:
    def __init__(
        self, engine: Engine, gateway: Gateway, clock: TrioClock, nursery: trio.Nursery
    ) -> None:
        self.engine = engine
        self.gateway = gateway
        self.clock = clock
        self.settings = engine.settings
        self.policy = engine.settings.policy
        self.settled = settled
        self.offline = False
        """clients of `client` reach nobody"""
        self.lines: list[trio.abc.Stream] = []
        """of clients of `client`, the last one last; to be cut"""
        self._nursery = nursery

    def token(self, user: str) -> str:
        return issue_token(self.settings.auth, user, ttl_s=None)

    def peer(self, codec: Codec | None = None) -> Peer:
        """A connection that has not said anything yet."""
        return Peer(self._stream(), codec, real=True)

    def _stream(self) -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self.gateway.serve_stream, ours)
        return theirs

    def slow_peer(self) -> Peer:
        """One on a socket, which takes no more than its buffer holds. Close its stream."""
        ours, theirs = trio.socket.socketpair()
        self._nursery.start_soon(self.gateway.serve_stream, trio.SocketStream(ours))
        return Peer(trio.SocketStream(theirs), real=True)

    async def phone(self, user: str, codec: Codec | None = None) -> Phone:
        peer = self.peer(codec)
        await peer.upgrade(subprotocols=peer.codec.subprotocol)
        welcome = await peer.hello(self.token(user))
        assert welcome["t"] == "welcome", welcome
        phone = Phone(user, peer, welcome["d"])
        self._nursery.start_soon(phone.listen)
        return phone

    async def phones(self, *users: str) -> list[Phone]:
        return [await self.phone(user) for user in users]

    async def http(
        self, user: str, method: str, path: str, body: Any = None, **more: Any
    ) -> httpx.Response:
        """One request of `user`, below /v1."""
        headers = {"Authorization": f"Bearer {self.token(user)}", **more.pop("headers", {})}
        transport = httpx.ASGITransport(make_app(self.gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://palaver/v1") as web:
            return await web.request(method, path, json=body, headers=headers, **more)

    async def web(self, user: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer to one request of `user`; or the `Rejected` that it is, raised."""
        response = await self.http(user, method, path, body, params=query)
        told: Any = response.json() if response.content else None
        if response.is_error:
            more = {key: told.get(key) for key in ("details", "retry_after", "correlation")}
            raise Rejected(told["code"], told["detail"], **more)
        return told

    def client(self, user: str, **options: Any) -> Client:
        """The shipped client, to be entered."""

        async def connect(address: object) -> trio.abc.Stream:
            if self.offline:
                raise OSError("no network")
            self.lines.append(self._stream())
            return self.lines[-1]

        return Client("ws://palaver", self.token(user), connector=connect, **options)

    async def room(self, *users: str) -> str:
        """A conversation of the kind that this product has for so many; the first has the highest
        role."""
        kinds = self.policy.kinds
        if not kinds:
            return await self.external(*users)
        pair = len(users) == 2 and "direct" in kinds
        kind = "direct" if pair else next(kind for kind in kinds if kind != "direct")
        command = CreateConversation(kind=kind, members=list(users[1:]))
        return str((await self.engine.as_user(users[0]).do(command))["c"])

    async def external(self, *users: str, **roles: str) -> str:
        """A group of the host's, who gives the first the highest role, or `roles`."""
        host = self.engine.as_host()
        command = CreateConversation(kind="external_group", members=list(users), title="Tug")
        room = str((await host.do(command))["c"])
        for user, role in (roles or {users[0]: self.policy.highest_role}).items():
            await host.set_role(room, user, role)  # type: ignore[arg-type]
        return room

    @property
    def has_groups(self) -> bool:
        return self.policy.max_members > 2


class Friends:
    """Everybody follows everybody."""

    async def find(self, pairs: Sequence[Pair]) -> dict[Pair, Relation]:
        return dict.fromkeys(pairs, Relation(follows=True, followed=True))


@asynccontextmanager
async def product(
    profile: str | None,
    *,
    store: MemoryStore | None = None,
    guards: Sequence[Guard] = (),
    **sections: Any,
) -> AsyncIterator[Product]:
    """`sections` are settings above those of the profile, or ports to the host; without `relations`
    all are friends."""
    sections["auth"] = {"secret": SECRET, **sections.get("auth", {})}
    sections.setdefault("relations", Friends())
    clock = TrioClock()
    async with (
        memory_engine(
            profile=profile,
            store=store,
            guards=guards,
            clock=clock,
            new_id=_new_id,
            **sections,
        ) as engine,
        open_gateway(engine) as gateway,
        trio.open_nursery() as nursery,
    ):
        yield Product(engine, gateway, clock, nursery)
        nursery.cancel_scope.cancel()


_new_id = numbered_ids()
"""Shared, so that two products may follow each other over one store."""


def fault(no: Rejected) -> tuple[str, str | None]:
    """Its code, and the field that it names."""
    return no.code, (no.details or {}).get("field")


async def takes_up_to(mib: int, type: str, send: Callable[..., Awaitable[object]]) -> None:
    """`send(attachments=…)` does what it says with one of so many MiB, and not with a larger."""
    file = {"type": type, "url": "/files/1", "size": mib * MIB}
    await send(attachments=[file])
    with pytest.raises(Rejected) as no:
        await send(attachments=[{**file, "size": mib * MIB + 1}])
    assert no.value.code == "ATTACHMENT_TOO_LARGE"
    assert no.value.details == {"field": "attachments.0.size", "max_bytes": mib * MIB}


def settings_of(profile: str | None) -> Settings:
    return Settings(profile=profile)
