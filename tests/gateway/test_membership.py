"""A member whom the host has removed, over real sockets: to the host, from it, and to them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio

from palaver.engine import Engine
from palaver.engine.host.callback import signature, signing_key
from palaver.gateway import Listening, serve
from palaver.protocol.features.conversation import CreateConversation
from palaver.tests.gateway.harness import Peer, settings
from palaver.tests.support.hosts import SECRET, Groups, groups_by_http, web


class Site:
    """A group of a host that answers by HTTP, and tells by HTTP what has changed."""

    def __init__(self, groups: Groups, listening: Listening, http: httpx.AsyncClient) -> None:
        self.groups = groups
        self.listening = listening
        self._http = http

    async def peer(self, user: str) -> Peer:
        stream = await trio.open_tcp_stream(self.listening.host, self.listening.port)
        peer = Peer(stream, real=True)
        await peer.upgrade()
        assert (await peer.hello(self.listening.issue_token(user)))["t"] == "welcome"
        return peer

    async def tell(self, **body: Any) -> httpx.Response:
        content = json.dumps(body).encode()
        headers = signature(signing_key(SECRET), "id", int(time.time()), content)
        return await self._http.post(
            "/v1/host/membership/changed", content=content, headers=headers
        )


@asynccontextmanager
async def site(**roles: str) -> AsyncIterator[tuple[Site, str]]:
    groups = Groups(chess=roles)
    async with web(groups_by_http(groups)) as url:
        host = {"membership": "callback", "url": url, "secret": SECRET}
        async with Engine(settings(host=host)) as engine, trio.open_nursery() as nursery:
            listening = await nursery.start(serve, engine)
            command = CreateConversation(kind="external_group", members=[], client_id="chess")
            room = (await engine.as_host().do(command))["c"]
            async with httpx.AsyncClient(base_url=listening.http_url) as http:
                yield Site(groups, listening, http), room
            nursery.cancel_scope.cancel()


async def ask(peer: Peer, kind: str, payload: dict[str, Any], room: str) -> list[dict[str, Any]]:
    """What comes up to the Reply, and that."""
    await peer.send({"t": kind, "id": 7, "c": room, "d": payload})
    items = [await peer.item()]
    while items[-1]["t"] != "reply":
        items.append(await peer.item())
    return items


async def test_GRP_16_GRP_07_who_is_removed_gets_that_and_nothing_after():
    async with site(ann="admin", bob="member") as (here, room):
        ann, bob = await here.peer("ann"), await here.peer("bob")
        async with ann.stream, bob.stream:
            for peer in (ann, bob):
                assert "ok" in (await ask(peer, "conversation.subscribe", {}, room))[-1]
            del here.groups.roles["chess"]["bob"]
            assert (await here.tell(group="chess", users=["bob"])).status_code == 204
            await ask(ann, "message.send", {"text": "without bob"}, room)
            await ask(ann, "typing.start", {}, room)

            *pushes, reply = await ask(bob, "message.history", {}, room)
            assert [(push["t"], push["d"].get("user")) for push in pushes] == [
                ("member.removed", "bob")
            ]
            assert reply["error"]["code"] == "PERMISSION_DENIED"
            await bob.send({"t": "ping", "id": 8})
            assert (await bob.item())["t"] == "pong", "the connection is theirs to keep"


async def test_GRP_16_the_host_tells_of_a_group_by_http():
    async with site(ann="admin", bob="member", cid="member") as (here, room):
        peers = [await here.peer(user) for user in ("ann", "bob", "cid")]
        for peer in peers:
            assert "ok" in (await ask(peer, "conversation.get", {}, room))[-1]
        here.groups.roles["chess"] = {"ann": "member", "dan": "admin"}
        assert (await here.tell(group="chess", users=None)).status_code == 204
        assert (await here.tell(group="chess", users=["dan"])).status_code == 204
        members = (await ask(peers[0], "conversation.get", {}, room))[-1]["ok"]["members"]
        assert {user: each["role"] for user, each in members.items()} == here.groups.roles["chess"]
        for peer in peers:
            await peer.stream.aclose()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"group": "go"}, 404, "CONVERSATION_NOT_FOUND"),
        ({"users": ["ann"]}, 400, "VALIDATION_FAILED"),
        ({"group": "chess", "users": []}, 400, "VALIDATION_FAILED"),
        ({"group": "chess", "users": [""]}, 400, "VALIDATION_FAILED"),
        ({"group": "", "users": None}, 400, "VALIDATION_FAILED"),
    ],
)
async def test_GRP_16_what_makes_no_sense_is_refused(body: Any, status: int, code: str):
    async with site(ann="admin") as (here, _):
        response = await here.tell(**body)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_GRP_16_a_host_that_does_not_answer_is_told_to_come_again():
    async with site(ann="admin") as (here, _):
        here.groups.broken = True
        response = await here.tell(group="chess", users=["ann"])
        assert response.status_code == 503
        assert response.json()["error"]["retryable"]
