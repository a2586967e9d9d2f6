"""What the product's own servers ask for by HTTP, under a key of theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs
from trio.testing import MockClock

from palaver.engine import Settings
from palaver.engine.testing import Device
from palaver.gateway.rest.service.calls import ALL
from palaver.gateway.rest.service.keys import ServiceKeys
from palaver.gateway.rest.service.routes import ENDPOINTS
from palaver.tests.support.hosts import Directory, Groups, person
from palaver.tests.support.web import Web, web

KEY = "a key of at least 32 characters, or so"
EVENTS = {
    "application_received": {
        "text": "{name} applied for {title}.",
        "opens": "thread",
        "title": "{title}",
    },
    "application_status": {"text": "The application is {status} now."},
    "viewing_scheduled": {"text": "Viewing at {time}."},
    "viewing_confirmed": {"text": "The viewing at {time} is confirmed."},
}
POLICY = {
    "kinds": ["direct", "group", "thread"],
    "conversation_context": ["listing", "application"],
    "events": EVENTS,
}


class Backend:
    """One of the product's own servers."""

    def __init__(self, here: Web, key: str = KEY) -> None:
        self.here = here
        self.headers = {"Authorization": f"Bearer {key}"}

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The answer, which must not be a refusal."""
        headers = {**self.headers, **more.pop("headers", {})}
        return await self.here.ok(method, f"/service{path}", body, headers=headers, **more)

    async def no(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return await self.here.no(method, f"/service{path}", body, headers=self.headers)

    async def create(self, *members: str, **more: Any) -> str:
        body = {"kind": "group", "members": list(members), **more}
        return str((await self.ask("POST", "/conversations", body))["c"])


@asynccontextmanager
async def backend(**sections: Any) -> AsyncIterator[Backend]:
    sections["auth"] = {"service_keys": {"backend": KEY}, **sections.get("auth", {})}
    sections["policy"] = {**POLICY, **sections.get("policy", {})}
    async with web(**sections) as here:
        yield Backend(here)


def paths() -> list[tuple[str, str]]:
    lines = [(line.method, line.path.replace(":path", "")) for line in ENDPOINTS]
    return [*lines, *(("POST", f"/service/{call.path}") for call in ALL)]


async def texts(here: Web, room: str, user: str = "ann") -> list[str]:
    page = await here.ok("GET", f"/conversations/{room}/messages", user=user)
    return [message.get("text") for message in page["messages"]]


async def test_SEC_01_without_a_key_of_the_settings_there_is_nothing():
    async with web() as here:
        for method, path in paths():
            no = await here.no(method, path, headers={"Authorization": f"Bearer {KEY}"})
            assert (no["status"], no["code"]) == (404, "UNSUPPORTED_COMMAND")
        assert "service" not in (await here.http.get("/openapi.json")).text


async def test_SEC_01_every_service_endpoint_needs_a_service_key():
    async with backend() as service:
        here = service.here
        for method, path in paths():
            bare = await here.http.request(method, f"/v1{path}")
            assert (bare.status_code, bare.json()["code"]) == (401, "AUTH_REQUIRED")
            no = await here.no(method, path)  # under a token of a user
            assert (no["status"], no["code"]) == (401, "AUTH_FAILED")
        user = await here.no("GET", "/conversations", headers=service.headers)
        assert user["code"] == "AUTH_FAILED", "a key is no token"


async def test_SEC_17_a_service_key_is_in_no_log(monkeypatch: pytest.MonkeyPatch):
    def boom(*_: Any, **__: Any) -> None:
        raise RuntimeError("boom")

    with capture_logs() as logs:
        async with backend() as service:
            assert KEY not in repr(service.here.engine.settings)
            monkeypatch.setattr(service.here.engine, "revoke", boom)
            assert (await service.no("POST", "/revocations", {"user": "ann"}))["status"] == 500
    assert "request failed" in str(logs)
    assert KEY not in str(logs)


async def test_SEC_15_under_which_key_something_was_changed_is_logged_without_ids():
    with capture_logs() as logs:
        async with backend() as service:
            await service.ask("GET", "/users/ann")
            await service.no("DELETE", "/conversations/some-room/members/ann")
    told = [entry for entry in logs if entry["event"] == "asked under a service key"]
    path = "/v1/service/conversations/{conversation}/members/{user:path}"
    assert [(each["key"], each["method"], each["path"]) for each in told] == [
        ("backend", "DELETE", path)
    ]
    assert "ann" not in str(told)


def test_SEC_01_a_service_key_that_is_too_short_is_refused():
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"auth": {"service_keys": {"backend": "short"}}})
    assert caught.value.errors()[0]["loc"] == ("auth", "service_keys", "backend")


def test_SEC_01_each_of_several_keys_counts():
    auth = {"service_keys": {"old": "o" * 32, "new": "n" * 32}}
    keys = ServiceKeys(Settings.model_validate({"auth": auth}).auth.service_keys)
    assert keys.name_of(f"Bearer {'o' * 32}") == "old"
    assert keys.name_of(f"bearer  {'n' * 32} ") == "new"


async def test_SEC_02_SEC_05_a_service_key_has_a_rate(autojump_clock: MockClock):
    async with backend(limits={"service_requests_per_min": 2}) as service:
        for _ in range(2):
            await service.ask("GET", "/users/ann")
        no = await service.no("GET", "/users/ann")
        assert (no["status"], no["code"], no["retry_after"]) == (429, "RATE_LIMITED", 30.0)
        await service.here.ok("GET", "/settings")


async def test_REST_03_the_host_creates_a_conversation_with_roles_and_context():
    async with backend() as service:
        body = {
            "kind": "group",
            "title": "Ops",
            "members": ["ann", "bob"],
            "roles": {"ann": "admin"},
            "context": {"listing": "5"},
        }
        response = await service.here.ask(
            *("POST", "/service/conversations", body),
            headers={**service.headers, "Idempotency-Key": "k"},
        )
        made = response.json()
        assert response.status_code == 201
        assert response.headers["location"] == f"/v1/service/conversations/{made['c']}"
        assert (made["title"], made["context"]) == ("Ops", {"listing": "5"})
        roles = {user: each["role"] for user, each in made["members"].items()}
        assert roles == {"ann": "admin", "bob": "member"}
        assert made["created_at"].endswith("Z")
        again = await service.ask("POST", "/conversations", body, headers={"Idempotency-Key": "k"})
        assert again["c"] == made["c"]
        seen = await service.here.ok("GET", f"/conversations/{made['c']}", user="bob")
        assert seen["role"] == "member"


async def test_MSG_26_the_host_posts_a_message_of_the_system_once():
    async with backend() as service:
        room = await service.create("ann")
        path, key = f"/conversations/{room}/messages", {"Idempotency-Key": "k"}
        first = await service.ask("POST", path, {"text": "Filled."}, headers=key)
        assert await service.ask("POST", path, {"text": "Filled."}, headers=key) == first
        assert first.keys() == {"c", "seq", "id", "ts"}
        page = await service.here.ok("GET", f"/conversations/{room}/messages")
        (message,) = page["messages"]
        assert (message["text"], "by" in message) == ("Filled.", False)


async def test_AUTO_01_events_of_the_product_are_told_by_rest():
    async with backend() as service:
        room = await service.create("ann", "bob", context={"listing": "5"})
        event = {"event": "viewing_scheduled", "context": {"listing": "5"}}
        body = {**event, "id": "e1", "variables": {"time": "noon"}}
        for _ in range(2):
            told = await service.ask("POST", "/events", body)
            assert [each["c"] for each in told["messages"]] == [room]
        assert await texts(service.here, room) == ["Viewing at noon."]
        no = await service.no("POST", "/events", {"id": "e2", "event": "x", "users": ["ann"]})
        assert (no["code"], no["details"]["field"]) == ("VALIDATION_FAILED", "event")


async def test_AUTO_02_an_application_opens_a_thread_and_updates_it_by_rest():
    async with backend() as service:
        about = {"listing": "5", "application": "a7"}
        received = {
            "id": "e1",
            "event": "application_received",
            "context": about,
            "users": ["ann", "bob"],
            "variables": {"name": "Bob", "title": "Attic"},
        }
        (told,) = (await service.ask("POST", "/events", received))["messages"]
        status = {"id": "e2", "event": "application_status", "context": about}
        for n, each in enumerate(("shortlisted", "accepted")):
            body = {**status, "id": f"s{n}", "variables": {"status": each}}
            await service.ask("POST", "/events", body)
        assert await texts(service.here, told["c"], "bob") == [
            "Bob applied for Attic.",
            "The application is shortlisted now.",
            "The application is accepted now.",
        ]
        state = await service.ask("GET", f"/conversations/{told['c']}")
        assert (state["kind"], state["title"], state["context"]) == ("thread", "Attic", about)


async def test_AUTO_03_a_viewing_is_scheduled_and_confirmed_by_rest():
    async with backend() as service:
        room = await service.create("ann", "bob", context={"listing": "5"})
        for event in ("viewing_scheduled", "viewing_confirmed"):
            body = {
                "id": event,
                "event": event,
                "users": ["ann", "bob"],
                "context": {"listing": "5"},
                "variables": {"time": "noon"},
            }
            await service.ask("POST", "/events", body)
        said = ["Viewing at noon.", "The viewing at noon is confirmed."]
        assert await texts(service.here, room) == said


async def test_GRP_16_the_host_changes_members_and_roles_by_rest():
    async with backend() as service:
        room = await service.create("ann", kind="external_group")
        here = f"/conversations/{room}/members"
        await service.ask("POST", here, {"users": ["org/bob", "eve"]})
        await service.ask("PATCH", f"{here}/org%2Fbob", {"role": "admin"})
        await service.ask("DELETE", f"{here}/eve")
        page = await service.ask("GET", here)
        roles = {each["user"]: each["role"] for each in page["members"]}
        assert roles == {"ann": "member", "org/bob": "admin"}


async def test_CONV_21_the_host_locks_and_unlocks_by_rest():
    async with backend() as service:
        room = await service.create("ann")
        await service.ask("POST", f"/conversations/{room}/lock", {})
        no = await service.here.no("POST", f"/conversations/{room}/messages", {"text": "x"})
        assert (no["status"], no["code"]) == (423, "CONVERSATION_LOCKED")
        await service.ask("DELETE", f"/conversations/{room}/lock")
        await service.here.send(room, "x")


async def test_MSG_08_the_host_deletes_a_message_for_everyone_and_says_why():
    async with backend() as service:
        room = await service.create("ann", "bob")
        sent = await service.here.send(room, "rude")
        posted = await service.ask("POST", f"/conversations/{room}/messages", {"text": "wrong"})
        bob = Device(service.here.engine, "bob")
        for id in (sent["id"], posted["id"]):
            path = f"/conversations/{room}/messages/{id}"
            await service.ask("DELETE", path, params={"reason": "against the rules"})
        told = [item["d"] for item in bob.items if item["t"] == "message.deleted"]
        assert [each["reason"] for each in told] == ["against the rules"] * 2
        assert all("by" not in each for each in told)
        assert await texts(service.here, room) == [None, None]
        no = await service.no("DELETE", f"/conversations/{room}/messages/{room}")
        assert no["code"] == "MESSAGE_NOT_FOUND"


async def test_REST_01_the_host_finds_conversations_by_context_and_by_user():
    async with backend() as service:
        one = await service.create("ann", "bob", context={"listing": "5"})
        two = await service.create("ann", context={"listing": "5"})
        three = await service.create("ann", "bob")
        await service.here.send(one, "hi")

        async def found(query: str) -> list[str]:
            return [
                each["c"] for each in (await service.ask("GET", f"/conversations?{query}"))["found"]
            ]

        assert await found("context[listing]=5") == sorted([one, two])
        assert await found("users=bob") == sorted([one, three])
        assert await found("users=bob&users=ann&context[listing]=5") == [one]
        (row,) = (await service.ask("GET", "/conversations?users=bob&context[listing]=5"))["found"]
        assert (row["member_count"], row["number"], row["last"]["text"]) == (2, 1, "hi")
        first = await service.ask("GET", "/conversations?users=ann&limit=2")
        rest = await service.ask("GET", f"/conversations?users=ann&after={first['found'][-1]['c']}")
        pages = [*first["found"], *rest["found"]]
        assert [each["c"] for each in pages] == sorted([one, two, three])
        assert (first["more"], rest["more"]) == (True, False)
        assert (await service.no("GET", "/conversations"))["code"] == "VALIDATION_FAILED"


async def test_RCPT_16_the_host_sees_who_is_here():
    async with backend() as service:
        await service.create("ann")
        away = await service.ask("GET", "/users/ann")
        assert (away["online"], away["connections"], away["conversation_count"]) == (False, 0, 1)
        for _ in range(2):
            Device(service.here.engine, "ann")
        here = await service.ask("GET", "/users/ann")
        assert (here["online"], here["connections"]) == (True, 2)


async def test_SEC_01_a_token_made_for_a_user_is_believed_until_it_is_revoked():
    async with backend() as service:
        made = await service.ask("POST", "/tokens", {"user": "eve", "ttl_s": 60, "session": "s1"})
        headers = {"Authorization": f"Bearer {made['token']}"}
        await service.here.ok("GET", "/settings", headers=headers)
        await service.ask("POST", "/revocations", {"session": "s1"})
        no = await service.here.no("GET", "/settings", headers=headers)
        assert no["code"] == "SESSION_EXPIRED"
        for body in ({}, {"user": "a", "session": "b"}):
            assert (await service.no("POST", "/revocations", body))["code"] == "VALIDATION_FAILED"


async def test_SEC_01_where_tokens_come_from_elsewhere_none_are_made(monkeypatch: Any):
    async with backend() as service:
        verifier = service.here.here.gateway.authenticator._verifier
        monkeypatch.setattr(verifier, "_secret", None)
        no = await service.no("POST", "/tokens", {"user": "eve"})
        assert (no["status"], no["code"]) == (404, "FEATURE_DISABLED")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/revocations", {"user": "ann"}, 3503),
        ("/disconnects", {"user": "ann"}, 3507),
        ("/disconnects", {"user": "ann", "reconnect": True}, 1001),
    ],
)
async def test_CONN_12_the_host_ends_connections_by_rest(path: str, body: Any, code: int):
    async with backend() as service:
        ann, bob = (Device(service.here.engine, user) for user in ("ann", "bob"))
        assert await service.ask("POST", path, body) is None
        assert [why.code for why in ann.disconnects] == [code]
        assert bob.disconnects == []


async def test_CONV_19_what_the_host_said_is_asked_anew():
    users, groups = Directory("ann", "bob"), Groups()
    async with backend(users=users, membership=groups) as service:
        path = "/users?users=ann"

        async def name() -> str:
            return str((await service.here.ok("GET", path, user="bob"))["users"]["ann"]["name"])

        assert await name() == "Ann"
        users.accounts["ann"] = person("ann", name="Anna")
        await service.ask("POST", "/users/changed", {"ids": ["ann"]})
        assert await name() == "Anna"
        for call in ("relations", "contexts", "premium"):
            assert await service.ask("POST", f"/{call}/changed", {}) is None
        body = {"group": "chess club", "users": ["ann"]}
        assert (await service.no("POST", "/membership/changed", body))["status"] == 404


async def test_REST_01_the_service_endpoints_are_described_apart():
    async with backend() as service:
        whole = (await service.here.http.get("/openapi.json")).json()
        assert whole["components"]["securitySchemes"].keys() == {"bearer", "service"}
        there = {
            (method.upper(), path): operation
            for path, methods in whole["paths"].items()
            for method, operation in methods.items()
            if "service" in operation.get("tags", ())
        }
        assert there.keys() == {(method, f"/v1{path}") for method, path in paths()}
        for operation in there.values():
            assert operation["security"] == [{"service": []}]
            body = operation.get("requestBody", {"content": {"application/json": {}}})
            if body.get("required"):
                assert "example" in body["content"]["application/json"], operation["operationId"]
        names = set(whole["components"]["schemas"])
        text = str(whole)
        for name in ("Overview", "Overviews", "Posted", "Told", "Token", "UserHere"):
            assert name in names
            assert f"#/components/schemas/{name}'" in text


async def test_SEC_09_what_is_no_body_of_a_call_is_refused():
    async with backend() as service:
        bodies: list[Any] = [[], {"ids": [""]}, {"more": 1}, {"ids": "ann"}]
        for body in bodies:
            no = await service.no("POST", "/users/changed", body)
            assert no["status"] == 400, body
