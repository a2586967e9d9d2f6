"""Hosts to ask: their users in a dict, and the same behind a real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
from fastapi import FastAPI, Request, Response

from palaver.engine.host import Account, Notice
from palaver.gateway.http_server import supervise

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Directory:
    """`Users` who are what `accounts` says. Takes `delay_s` to answer, or raises if `broken`;
    `asked` is what `find` was asked."""

    def __init__(self, *ids: str, **accounts: Account) -> None:
        self.accounts = {id: person(id) for id in ids} | accounts
        self.asked: list[list[str]] = []
        self.delay_s = 0.0
        self.broken = False

    async def find(self, ids: Sequence[str]) -> dict[str, Account]:
        self.asked.append(list(ids))
        await self._think()
        return {id: self.accounts[id] for id in ids if id in self.accounts}

    async def search(self, user: str, text: str, limit: int) -> list[str]:
        await self._think()
        return [id for id, each in self.accounts.items() if text in each.fields["name"]][:limit]

    async def _think(self) -> None:
        await trio.sleep(self.delay_s)
        if self.broken:
            raise RuntimeError("no such table: users")


def person(id: str, **more: Any) -> Account:
    fields = {"name": id.title(), "avatar": f"https://example.org/{id}.png", "role": "tutor"}
    return Account({**fields, "email": f"{id}@example.org", **more})


GONE = Account({"name": "Gone"}, active=False)


class Pusher:
    """`Delivery` to somebody who pushes: what they were `told`, and what they were to be told while
    they were `broken`."""

    def __init__(self, *, broken: bool = False, delay_s: float = 0.01) -> None:
        self.told: list[Notice] = []
        self.tries: list[Notice] = []
        self.broken = broken
        self.delay_s = delay_s

    async def deliver(self, notice: Notice) -> None:
        await trio.sleep(self.delay_s)
        if self.broken:
            self.tries.append(notice)
            raise RuntimeError("no such device")
        self.told.append(notice)

    @property
    def users(self) -> list[str]:
        return [notice.user for notice in self.told]


@asynccontextmanager
async def web(users: Directory, pusher: Pusher | None = None) -> AsyncIterator[str]:
    """The address of a host that answers for `users` over HTTP, and passes on what it is told to
    `pusher`, if it is asked under `SECRET`."""
    api = FastAPI()

    async def signed(request: Request) -> Any:
        body = await request.body()
        id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{id}.{at}.{body.decode()}".encode(), hashlib.sha256).digest()
        assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        return await request.json()

    @api.post("/palaver/users")
    async def find(request: Request) -> Any:
        try:
            found = await users.find((await signed(request))["ids"])
        except RuntimeError:
            return Response(status_code=500)
        return {"users": {id: {"active": a.active, **a.fields} for id, a in found.items()}}

    @api.post("/palaver/users/search")
    async def search(request: Request) -> Any:
        asked = await signed(request)
        return {"found": await users.search(asked["user"], asked["text"], asked["limit"])}

    @api.post("/palaver/delivery")
    async def deliver(request: Request) -> Any:
        said = await signed(request)
        assert pusher is not None
        try:
            await pusher.deliver(Notice(id=request.headers["webhook-id"], **said))
        except RuntimeError:
            return Response(status_code=500)
        return {}

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(supervise, api, listeners)
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/palaver/"
        nursery.cancel_scope.cancel()
        for listener in listeners:
            await listener.aclose()
