"""The demo chat: who is there, and that its page and tokens are for development alone."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import pytest
import trio

from palaver.engine import Engine
from palaver.gateway import Listening, serve
from palaver.gateway.demo import DemoPeople
from palaver.tests.gateway.harness import SECRET, settings

PATHS = ["/", "/demo/people", "/demo/app.js", "/demo/app.css"]


@asynccontextmanager
async def served(**sections: Any) -> AsyncIterator[tuple[Listening, httpx.AsyncClient]]:
    async with Engine(settings(**sections)) as engine, trio.open_nursery() as nursery:
        listening = await nursery.start(serve, engine)
        async with httpx.AsyncClient(base_url=listening.http_url) as http:
            yield listening, http
        nursery.cancel_scope.cancel()


def development() -> Any:
    return served(listen={"development": True})


async def test_the_page_knows_the_port_and_loads_nothing_from_elsewhere() -> None:
    async with development() as (listening, http):
        page = await http.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert f'name="palaver-port" content="{listening.port}"' in page.text
        parts = re.findall(r'(?:src|href)="([^":]+)"', page.text)
        assert parts == ["demo/app.css", "demo/app.js"]
        for path in ["", *parts]:
            answer = await http.get(f"/{path}")
            assert answer.status_code == 200
            policy = answer.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "script-src" not in policy, "scripts are default-src's"
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_it_is_there_in_development_only() -> None:
    async with served() as (_, http):
        for path in PATHS:
            assert (await http.get(path)).status_code == 404
        assert (await http.post("/demo/session", json={"user": "ann"})).status_code == 404


async def test_anybody_gets_a_token_for_a_while() -> None:
    async with development() as (_, http):
        answer = await http.post("/demo/session", json={"user": "zoe"})
        assert answer.headers["cache-control"] == "no-store"
        claims = jwt.decode(answer.json()["token"], SECRET, ["HS256"])
        assert claims["sub"] == "zoe"
        assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"user":""}', b'{"user":7}', b'{"user":"ann","more":1}']
)
async def test_a_bad_body_is_a_typed_error(body: bytes) -> None:
    async with development() as (_, http):
        answer = await http.post("/demo/session", content=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "VALIDATION_FAILED"


async def test_its_pages_are_not_for_other_origins() -> None:
    async with development() as (_, http):
        elsewhere = {"Origin": "https://elsewhere.example"}
        answer = await http.post("/demo/session", json={"user": "ann"}, headers=elsewhere)
        assert "access-control-allow-origin" not in answer.headers


async def test_people_are_suggested_and_have_names() -> None:
    people = DemoPeople()
    async with development() as (_, http):
        suggested = (await http.get("/demo/people")).json()["people"]
    assert {"id": "ann", "name": "Ann Abel"} in suggested
    found = await people.find([each["id"] for each in suggested])
    assert {id: account.fields["name"] for id, account in found.items()} == {
        each["id"]: each["name"] for each in suggested
    }


async def test_people_are_found_by_their_names_and_whoever_is_named_is_there() -> None:
    people = DemoPeople()
    assert await people.search("bob", "AN", 20) == ["ann", "bob"]
    assert await people.search("bob", "an", 1) == ["ann"]
    assert await people.search("bob", " Zoe Zahn ", 20) == ["zoe zahn"]
    accounts = await people.find(["zoe zahn", "0b9f4f2e-6a55-4f0c-9a47-2f4d1c7f1a11"])
    assert [each.fields["name"] for each in accounts.values()] == ["Zoe Zahn", "Somebody"]
    assert (await people.find(["zoe zahn"]))["zoe zahn"].fields["first_name"] == "Zoe"
