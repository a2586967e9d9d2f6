"""Hosts to ask: what they know in a dict, and the same behind a real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
from fastapi import FastAPI, Request, Response

from palaver.engine.host import Account
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


Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""To a question by HTTP. RuntimeError is a 500."""


@asynccontextmanager
async def web(answers: Mapping[str, Answer]) -> AsyncIterator[str]:
    """The address of a host that gives these `answers`, each under its path, over HTTP, if it is
    asked under `SECRET`."""
    api = FastAPI()

    @api.post("/palaver/{path:path}")
    async def answer(path: str, request: Request) -> Any:
        body = await request.body()
        id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{id}.{at}.{body.decode()}".encode(), hashlib.sha256).digest()
        assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        try:
            return await answers[path](await request.json())
        except RuntimeError:
            return Response(status_code=500)

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(supervise, api, listeners)
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/palaver/"
        nursery.cancel_scope.cancel()
        for listener in listeners:
            await listener.aclose()


def by_http(users: Directory) -> dict[str, Answer]:
    """How a host answers for its users."""

    async def find(asked: dict[str, Any]) -> dict[str, Any]:
        found = await users.find(asked["ids"])
        return {"users": {id: {"active": a.active, **a.fields} for id, a in found.items()}}

    async def search(asked: dict[str, Any]) -> dict[str, Any]:
        return {"found": await users.search(asked["user"], asked["text"], asked["limit"])}

    return {"users": find, "users/search": search}
