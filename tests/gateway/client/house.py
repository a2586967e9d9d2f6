"""A house: an engine in memory behind a gateway, and clients of it over memory streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
from trio.testing import memory_stream_pair

from palaver.actors.guards import Guard
from palaver.engine import Engine, Settings
from palaver.engine.host.ports import Ports
from palaver.gateway.auth import issue_token
from palaver.gateway.client import Address, Client
from palaver.gateway.gateway import Gateway, open_gateway

NO_LIMITS = {"messages_per_min": 0, "connects_per_min": 0, "commands_per_s": 0}
AUTH = {"secret": "s" * 32}


class House:
    """An engine in memory behind a gateway; `cut` breaks every connection, and while it is `down`
    there is no other."""

    def __init__(self, gateway: Gateway, nursery: trio.Nursery) -> None:
        self.gateway = gateway
        self._nursery = nursery
        self._streams: list[trio.abc.Stream] = []
        self.down = False

    async def connect(self, address: Address) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if self.down:
            raise ConnectionRefusedError(111, "Connection refused")
        ours, theirs = memory_stream_pair()
        self._streams.append(ours)
        self._nursery.start_soon(self.gateway.serve_stream, ours)
        return theirs

    async def cut(self) -> None:
        streams, self._streams = self._streams, []
        for stream in streams:
            await trio.aclose_forcefully(stream)

    def client(self, user: str, **options: Any) -> Client:
        token = issue_token(self.gateway.settings.auth, user)
        options = {"random": lambda: 0.0, "connector": self.connect, **options}
        return Client("ws://palaver", token, **options)


@asynccontextmanager
async def house(
    guards: Sequence[Guard] = (), ports: Ports | None = None, **settings: Any
) -> AsyncIterator[House]:
    settings = {"storage": {"memory": True}, "auth": AUTH, "limits": NO_LIMITS, **settings}
    async with (
        Engine(Settings(**settings), guards=guards, **ports or {}) as engine,
        open_gateway(engine) as gateway,
        trio.open_nursery() as nursery,
    ):
        yield House(gateway, nursery)
        nursery.cancel_scope.cancel()
