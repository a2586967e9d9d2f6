"""What the host tells by HTTP is believed if it is signed, and just now."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from palaver.engine import Engine
from palaver.engine.host.callback import signature, signing_key
from palaver.engine.testing import Follows, memory_engine
from palaver.engine.user import User
from palaver.gateway.gateway import open_gateway
from palaver.gateway.host_calls import BODY_S
from palaver.gateway.http import make_app
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.settings import SetSettings
from palaver.protocol.features.users import GetUsers
from palaver.tests.gateway.harness import SECRET as TOKENS
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import SECRET, Bookings, Directory, person, shared

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


async def test_a_body_that_does_not_come_is_not_waited_for(autojump_clock: MockClock) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await trio.sleep(BODY_S * 2)

    async with told() as case:
        no = await case.http.post(PATH, content=never())
        assert (no.status_code, no.json()["error"]["code"]) == (408, "UPLOAD_TIMEOUT")


def signed(body: bytes) -> dict[str, str]:
    return signature(signing_key(SECRET), "id", int(time.time()), body)


@asynccontextmanager
async def product(**settings: Any) -> AsyncIterator[tuple[Engine, httpx.AsyncClient]]:
    host, auth = {"secret": SECRET, **settings.pop("host", {})}, {"secret": TOKENS}
    async with (
        memory_engine(host=host, auth=auth, **settings) as engine,
        open_gateway(engine) as gateway,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app(gateway)), base_url="http://here"
        ) as http,
    ):
        yield engine, http


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"context": {"booking": "100"}}',
        b'{"context": {"booking": "100"}, "users": ["ann", "tom"]}',
    ],
)
async def test_CONV_24_the_host_says_that_a_booking_has_changed(body: bytes) -> None:
    lessons = Bookings({("booking", "100"): shared("ann", "tom")})
    policy = {"message_context": ["booking"]}
    async with product(contexts=lessons, policy=policy) as (engine, http):
        ann = engine.as_user("ann")
        command = SendMessage(to="tom", text="hi", context={"booking": "100"})
        await ann.do(command)
        lessons.things.clear()
        await ann.do(command)
        path = "/v1/host/contexts/changed"
        assert (await http.post(path, content=body)).status_code == 401
        await ann.do(command)
        assert (await http.post(path, content=body, headers=signed(body))).status_code == 204
        assert (await refused(ann.do(command))).code == "CONTEXT_FORBIDDEN"


async def test_CONV_27_AUTO_01_the_host_says_what_has_happened() -> None:
    async with product(profile="rental") as (engine, http):

        async def post(**event: Any) -> httpx.Response:
            body = json.dumps(event).encode()
            return await http.post("/v1/host/events", content=body, headers=signed(body))

        event: dict[str, Any] = {
            "id": "evt_1",
            "event": "application_submitted",
            "context": {"listing": "5", "application": "a7"},
            "users": ["ann", "bob"],
            "variables": {"seeker": "Ann", "listing": "Elm Street 5"},
        }
        first = await post(**event)
        assert first.status_code == 200
        (told,) = first.json()["messages"]
        assert told.keys() == {"c", "seq", "id", "ts"}
        again = await post(**event)
        assert (again.status_code, again.json()) == (200, first.json())
        ann = engine.as_user("ann")
        state = await ann.conversation(told["c"])
        assert (state["kind"], state["context"]) == ("thread", event["context"])
        assert [each["text"] for each in await ann.history(told["c"])] == [
            "Ann has applied for Elm Street 5."
        ]
        body = json.dumps(event).encode()
        assert (await http.post("/v1/host/events", content=body)).status_code == 401
        for wrong, field in (
            ({**event, "event": "listing_burnt"}, "event"),
            ({**event, "variables": {}}, "variables.seeker"),
            ({**event, "users": "ann"}, "users"),
            ({**event, "id": ""}, "id"),
            ({**event, "id": "evt_2", "context": {"Listing": "5"}}, "context"),
        ):
            answer = await post(**wrong)
            assert answer.status_code == 400
            assert answer.json()["error"]["details"]["field"] == field
        answer = await post(
            **{**event, "id": "evt_3", "variables": {**event["variables"], "seeker": "\x00"}}
        )
        assert answer.status_code == 400
