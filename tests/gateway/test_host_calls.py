"""What the host tells by HTTP is believed if it is signed, and just now."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from palaver.engine.host.callback import signature, signing_key
from palaver.engine.testing import Follows, memory_engine
from palaver.engine.user import User
from palaver.gateway.gateway import open_gateway
from palaver.gateway.http import make_app
from palaver.protocol.features.settings import SetSettings
from palaver.protocol.features.users import GetUsers
from palaver.tests.gateway.harness import SECRET as TOKENS
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import SECRET, Directory, person

PATH = "/v1/host/users/changed"
OTHER = "whsec_" + "AAAA" * 8


class Case:
    """A product whose user ann was Ann until a moment ago, and is Anna now."""

    def __init__(self, http: httpx.AsyncClient, ann: User, bob: User) -> None:
        self.http = http
        self.ann = ann
        self.bob = bob

    async def name(self) -> str:
        """What bob is told that she is called."""
        shown = await self.bob.do(GetUsers(users=["ann"]))
        return str(shown["users"]["ann"]["name"])

    async def tell(
        self, body: bytes, secret: str = SECRET, age_s: float = 0, path: str = PATH
    ) -> httpx.Response:
        headers = signature(signing_key(secret), "id", int(time.time() - age_s), body)
        return await self.http.post(path, content=body, headers=headers)


@asynccontextmanager
async def told(secret: str | None = SECRET, **more: Any) -> AsyncIterator[Case]:
    users = Directory("ann", "bob")
    settings = {"host": {"secret": secret}, "auth": {"secret": TOKENS}, **more}
    async with (
        memory_engine(users=users, **settings) as engine,
        open_gateway(engine) as gateway,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app(gateway)), base_url="http://here"
        ) as http,
    ):
        case = Case(http, engine.as_user("ann"), engine.as_user("bob"))
        assert await case.name() == "Ann"
        users.accounts["ann"] = person("ann", name="Anna")
        yield case


@pytest.mark.parametrize("body", [b'{"ids": ["bob", "ann"]}', b"{}", b'{"ids": null}'])
async def test_CONV_19_the_host_says_that_users_have_changed(body: bytes) -> None:
    async with told() as case:
        assert (await case.tell(body)).status_code == 204
        assert await case.name() == "Anna"


@pytest.mark.parametrize("body", [b'{"ids": ["cid", "ann"]}', b"{}"])
async def test_REQ_01_the_host_says_that_relations_have_changed(body: bytes) -> None:
    relations = Follows()
    async with told(relations=relations, policy={"message_requests": True}) as case:
        await case.bob.do(SetSettings(messages_from="following"))
        assert (await refused(case.ann.send_to("bob", "hi"))).code == "PRIVACY_DENIED"
        relations.set("bob", "ann")
        assert (await case.tell(body, path="/v1/host/relations/changed")).status_code == 204
        await case.ann.send_to("bob", "hi")


@pytest.mark.parametrize("body", [b"{}", b'{"ids": null}', b'{"ids": [5]}'])
async def test_CONN_07_which_sessions_have_ended_must_be_said(body: bytes) -> None:
    async with told() as case:
        assert (await case.tell(body, path="/v1/host/sessions/ended")).status_code == 400


@pytest.mark.parametrize(
    ("body", "secret", "age_s", "status"),
    [
        (b"{}", OTHER, 0, 401),
        (b"{}", SECRET, 400, 401),
        (b"{}", SECRET, -400, 401),
        (b"nonsense", SECRET, 0, 400),
        (b'{"ids": "ann"}', SECRET, 0, 400),
        (b'{"ids": ["bob"]}', SECRET, 0, 204),
    ],
)
async def test_nobody_else_can_and_not_without_making_sense(
    body: bytes, secret: str, age_s: float, status: int
) -> None:
    async with told() as case:
        assert (await case.tell(body, secret, age_s)).status_code == status
        assert await case.name() == "Ann"


async def test_a_signature_is_of_the_body_and_may_be_one_of_several() -> None:
    async with told() as case:
        headers = signature(signing_key(SECRET), "id", int(time.time()), b"{} ")
        assert (await case.http.post(PATH, content=b"{}", headers=headers)).status_code == 401
        assert (await case.http.post(PATH, content=b"{}")).status_code == 401
        headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']}"
        assert (await case.http.post(PATH, content=b"{} ", headers=headers)).status_code == 204


async def test_without_a_secret_there_is_no_such_call() -> None:
    async with told(secret=None) as case:
        assert (await case.http.post(PATH, content=b"{}")).status_code == 404
