"""A product that is told of stored events, by webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from fastapi import FastAPI, Request, Response

from palaver.gateway.http_server import supervise
from palaver.tests.support.hosts import SECRET


class Hooked:
    """What it was told, by webhook: ids and bodies. It takes nothing while it is `broken`."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.tries = 0
        self.broken = False
        self.url = ""
        self._heard = trio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        api = FastAPI()

        @api.post("/hook")
        async def hook(request: Request) -> Response:
            body = await request.body()
            assert request.headers["webhook-signature"] == self._signature(request, body)
            self.tries += 1
            if not self.broken:
                self.told.append((request.headers["webhook-id"], await request.json()))
            self._heard.set()
            self._heard = trio.Event()
            return Response(status_code=500 if self.broken else 202)

        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            await nursery.start(supervise, api, listeners)
            self.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/hook"
            yield
            nursery.cancel_scope.cancel()
            for listener in listeners:
                await listener.aclose()

    def _signature(self, request: Request, body: bytes) -> str:
        id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{id}.{at}.{body.decode()}".encode(), hashlib.sha256).digest()
        return f"v1,{base64.b64encode(digest).decode()}"

    async def heard(self, times: int) -> None:
        while self.tries < times:
            await self._heard.wait()

    @property
    def texts(self) -> list[str]:
        return [
            body["data"]["d"]["text"] for _, body in self.told if body["type"] == "message.sent"
        ]
