"""The whole HTTP side before a real engine in memory, without a network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from palaver.engine import Engine
from palaver.gateway.http import App, make_app
from palaver.tests.gateway.harness import House, town
from palaver.tests.support.described_http import check_described


class Web:
    """What users do by HTTP; `here` is where the same can be done by socket."""

    def __init__(self, here: House, app: App, http: httpx.AsyncClient) -> None:
        self.here = here
        self.app = app
        self.http = http

    @property
    def engine(self) -> Engine:
        return self.here.gateway.engine

    async def ask(
        self, method: str, path: str, body: Any = None, *, user: str = "ann", **more: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.here.token(user)}", **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        response = await self.http.request(method, f"/v1{path}", headers=headers, **more)
        check_described(method, f"/v1{path}", response)
        return response

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The answer, which must not be a refusal."""
        response = await self.ask(method, path, body, **more)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def no(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """The refusal."""
        response = await self.ask(method, path, body, **more)
        assert response.headers["content-type"] == "application/problem+json", response.text
        told: dict[str, Any] = response.json()
        assert told["status"] == response.status_code
        return told

    async def room(self, *others: str, user: str = "ann", **fields: Any) -> str:
        body = {"kind": "group", "members": list(others), **fields}
        return str((await self.ok("POST", "/conversations", body, user=user))["c"])

    async def send(self, room: str, text: str, **more: Any) -> dict[str, Any]:
        sent: dict[str, Any]
        sent = await self.ok("POST", f"/conversations/{room}/messages", {"text": text}, **more)
        return sent


@asynccontextmanager
async def web(**sections: Any) -> AsyncIterator[Web]:
    async with town(**sections) as here:
        app = make_app(here.gateway)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            yield Web(here, app, http)
