"""FastAPI on uvicorn with the ConnectionManager of its tutorial, grown rooms and a table.

A program: `python -m palaver.benchmarks.peers.fastapi_server`, told what it needs by `PEER_PORT`,
`PEER_SECRET` and `PEER_DSN` (without which nothing is stored).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import asyncpg
import jwt
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect, status

TABLE = """
    CREATE TABLE IF NOT EXISTS peer_message (
        room text NOT NULL,
        id bigserial,
        sender text NOT NULL,
        text text NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (room, id)
    )"""

INSERT = "INSERT INTO peer_message (room, sender, text) VALUES ($1, $2, $3) RETURNING id"


class ConnectionManager:
    """Who is in which room."""

    def __init__(self) -> None:
        self.rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)

    def join(self, room: str, websocket: WebSocket) -> None:
        self.rooms[room].add(websocket)

    def leave(self, room: str, websocket: WebSocket) -> None:
        self.rooms[room].discard(websocket)
        if not self.rooms[room]:
            del self.rooms[room]

    async def broadcast(self, room: str, message: dict[str, Any]) -> None:
        text = json.dumps(message, separators=(",", ":"))
        for websocket in list(self.rooms[room]):
            try:
                await websocket.send_text(text)
            except (WebSocketDisconnect, RuntimeError):  # on its way out; its own task sees to it
                continue


class Messages:
    """Where messages are kept: in Postgres if there is a DSN, otherwise nowhere."""

    def __init__(self) -> None:
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._ids = count(1)

    @asynccontextmanager
    async def open(self, dsn: str | None) -> AsyncIterator[None]:
        if not dsn:
            yield
            return
        async with asyncpg.create_pool(dsn) as self._pool:
            await self._pool.execute(TABLE)
            yield

    async def store(self, room: str, sender: str, text: str) -> int:
        if self._pool is None:
            return next(self._ids)
        stored: int = await self._pool.fetchval(INSERT, room, sender, text)
        return stored


manager = ConnectionManager()
messages = Messages()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with messages.open(os.environ.get("PEER_DSN")):
        yield


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def connection(websocket: WebSocket, token: str) -> None:
    try:
        claims = jwt.decode(token, os.environ["PEER_SECRET"], algorithms=["HS256"])
    except jwt.InvalidTokenError:
        await websocket.close(status.WS_1008_POLICY_VIOLATION)
        return
    await websocket.accept()
    joined: set[str] = set()
    answer: dict[str, Any]
    try:
        while True:
            item = json.loads(await websocket.receive_text())
            room = item["room"]
            if item["type"] == "join":
                manager.join(room, websocket)
                joined.add(room)
                answer = {"type": "joined"}
            elif room in joined:
                message = {"room": room, "from": claims["sub"], "text": item["text"]}
                stored = await messages.store(room, claims["sub"], item["text"])
                await manager.broadcast(room, {"type": "message", "id": stored, **message})
                answer = {"type": "ack", "id": stored}
            else:
                answer = {"type": "error", "error": "not in this room"}
            await websocket.send_json({**answer, "ref": item["ref"]})
    except WebSocketDisconnect:
        pass
    finally:
        for room in joined:
            manager.leave(room, websocket)


def main() -> None:
    port = int(os.environ["PEER_PORT"])
    uvicorn.run(
        app,
        port=port,
        backlog=4096,
        log_level="warning",
        ws_per_message_deflate=False,
        ws_ping_timeout=None,  # it pings, but the load generator does not look for pings
    )


if __name__ == "__main__":
    main()
