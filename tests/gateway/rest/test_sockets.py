"""The same over real sockets, by Hypercorn."""

import json
from typing import Any

import httpx
import trio

from palaver.engine.testing import memory_engine
from palaver.gateway.server import serve
from palaver.tests.gateway.harness import SECRET


async def test_SEND_01_CONN_13_over_real_sockets():
    settings: dict[str, Any] = {"auth": {"secret": SECRET}, "listen": {"port": 0, "http_port": 0}}
    async with memory_engine(**settings) as engine, trio.open_nursery() as nursery:
        listening = await nursery.start(serve, engine)

        def client(user: str) -> httpx.AsyncClient:
            headers = {"Authorization": f"Bearer {listening.issue_token(user)}"}
            return httpx.AsyncClient(base_url=f"{listening.http_url}/v1", headers=headers)

        async with client("ann") as ann, client("bob") as bob:
            cursor = (await bob.get("/sync")).json()["cursor"]
            told: list[httpx.Response] = []

            async def wait() -> None:
                params: dict[str, str | int] = {"cursor": cursor, "wait": 30}
                told.append(await bob.get("/sync", params=params, timeout=40))

            async with trio.open_nursery() as waiting:
                waiting.start_soon(wait)
                while not engine._env.hub.outboxes(["bob"]):
                    await trio.lowlevel.checkpoint()
                sent = await ann.post("/messages", json={"to": "bob", "text": "hi"})
            assert sent.status_code == 201
            assert sent.headers["cache-control"] == "no-store"
            room = sent.json()["c"]
            assert told[0].json()["resync"][0]["c"] == room
            export = await bob.get(f"/conversations/{room}/export")
            lines = [json.loads(line) for line in export.text.splitlines()]
            assert [line["type"] for line in lines] == ["conversation", "message", "end"]
            no = await ann.get(f"/users?users={'x' * 200}")
            assert no.headers["content-type"] == "application/problem+json"
        nursery.cancel_scope.cancel()
