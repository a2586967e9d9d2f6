"""Who may ask, how often and how: tokens, cookies, origins, rates, repetitions, bodies."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock

from palaver.engine.testing import Device
from palaver.gateway.auth import issue_token
from palaver.gateway.http import make_app
from palaver.gateway.rest.bodies import MAX_BYTES
from palaver.gateway.rest.desk import REQUEST_S
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.commands import Context, ConversationCommand
from palaver.protocol.state import ConversationState
from palaver.tests.support.engines import settled
from palaver.tests.support.web import web

OURS = "https://chat.example"


async def test_SEND_06_an_idempotency_key_is_the_client_id():
    async with web() as here:
        room = await here.room("bob")
        bob = Device(here.engine, "bob")
        path, headers = f"/conversations/{room}/messages", {"Idempotency-Key": '"k 1"'}
        first, again = [
            await here.ask("POST", path, {"text": "once"}, headers=headers) for _ in range(2)
        ]
        assert first.json() == again.json()
        assert (first.status_code, again.status_code) == (201, 201)
        other = {"Idempotency-Key": "k 1"}
        assert (
            await here.ask("POST", path, {"text": "once"}, headers=other)
        ).json() == first.json()
        same = await here.ok("POST", path, {"text": "once", "client_id": "k 1"}, headers=headers)
        assert same == first.json()
        assert bob.texts() == ["once"]
        no = await here.no("POST", path, {"text": "once", "client_id": "k 2"}, headers=headers)
        assert (no["code"], no["details"]["field"]) == ("VALIDATION_FAILED", "client_id")
        long = await here.no("POST", path, {"text": "x"}, headers={"Idempotency-Key": "k" * 65})
        assert long["details"]["field"] == "client_id"
        for key in ("", " ", '""', "k" * 65):  # also where nothing is made that could be twice
            no = await here.no(
                *("PATCH", f"/conversations/{room}", {"muted": True}),
                headers={"Idempotency-Key": key},
            )
            assert no["details"]["field"] == "client_id", key


async def test_SEND_06_after_a_restart_too():
    store = MemoryStore()
    body, headers = {"text": "once"}, {"Idempotency-Key": "k"}
    async with web(store=store) as here:
        room = await here.room("bob")
        first = await here.ok("POST", f"/conversations/{room}/messages", body, headers=headers)
    async with web(store=store.restarted()) as here:
        again = await here.ok(
            *("POST", f"/conversations/{room}/messages"),
            {**body, "attempt": 2},
            headers=headers,
        )
        assert again == first


async def test_SEC_02_SEC_05_who_asks_too_often_is_told_for_how_long(autojump_clock: MockClock):
    async with web(limits={"requests_per_min": 3}) as here:
        for _ in range(3):
            await here.ok("GET", "/settings")
        response = await here.ask("GET", "/settings")
        assert (response.status_code, response.json()["code"]) == (429, "RATE_LIMITED")
        assert response.json()["retry_after"] == 20.0
        assert response.headers["retry-after"] == "20"
        await here.ok("GET", "/settings", user="bob")
        await trio.sleep(20)
        await here.ok("GET", "/settings")


async def test_SEC_03_messages_by_rest_and_by_socket_are_counted_together():
    async with web(limits={"messages_per_min": 4}) as here:
        room = await here.room("bob")
        device = Device(here.engine, "ann", limited=True)
        for _ in range(2):
            await here.send(room, "by rest")
            assert "ok" in await device.ask("message.send", {"text": "by socket"}, c=room)
        no = await here.no("POST", f"/conversations/{room}/messages", {"text": "x"})
        assert no["code"] == "RATE_LIMITED"
        reply = await device.ask("message.send", {"text": "x"}, c=room)
        assert reply["error"]["code"] == "RATE_LIMITED"


async def test_SEC_03_the_rate_holds_for_who_has_no_device(autojump_clock: MockClock):
    async with web(limits={"messages_per_min": 2, "requests_per_min": 0}) as here:
        room = await here.room("bob")
        for code in (201, 201, 429, 429):
            response = await here.ask("POST", f"/conversations/{room}/messages", {"text": "x"})
            assert response.status_code == code
            await settled()


async def test_a_user_without_a_device_leaves_nothing_behind(autojump_clock: MockClock):
    async with web() as here:
        room = await here.room("bob")
        await here.send(room, "hi")
        await here.ok("GET", "/sync")
        assert here.engine.health()["users_online"] == 0
        await trio.sleep(60)
        assert here.engine._env.hub.sessions == {}


async def test_who_goes_away_takes_nothing_back():
    store = MemoryStore()
    async with web(store=store) as here:
        room = await here.room("bob")
        store.hold()
        async with trio.open_nursery() as nursery:
            path = f"/conversations/{room}/messages"
            nursery.start_soon(here.ask, "POST", path, {"text": "sent"})
            await settled()
            nursery.cancel_scope.cancel()
        store.release()
        page = await here.ok("GET", f"/conversations/{room}/messages")
        assert [message["text"] for message in page["messages"]] == ["sent"]


async def test_a_body_that_does_not_come_ends_the_request(autojump_clock: MockClock):
    async def never() -> Any:
        yield b"{"
        await trio.sleep(REQUEST_S * 2)

    async with web() as here:
        no = await here.no("POST", "/messages", content=never())
        assert (no["status"], no["code"]) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/host/users/changed"])
async def test_who_breaks_off_in_the_middle_of_a_body_is_no_fault_of_ours(path: str):
    secret = "whsec_" + "A" * 32
    async with web(host={"secret": secret}) as here:
        parts = iter(
            [
                {"type": "http.request", "body": b"{", "more_body": True},
                {"type": "http.disconnect"},
            ]
        )

        async def receive() -> Any:
            return next(parts)

        async def send(message: Any) -> None:
            raise AssertionError(message)

        token = f"Bearer {here.here.token('ann')}".encode()
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(b"authorization", token)],
        }
        with structlog.testing.capture_logs() as entries:
            await make_app(here.here.gateway)(scope, receive, send)
        assert entries == []
        assert here.here.gateway.counters.errors == {}


async def test_so_many_at_a_time_and_no_more():
    store = MemoryStore()
    async with web(store=store, limits={"max_requests": 1}) as here:
        room = await here.room("bob")
        store.hold()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send, room, "held")
            await settled()
            assert (await here.no("GET", "/settings"))["code"] == "OVERLOADED"
            store.release()


async def test_while_the_server_drains_clients_are_told_to_come_back():
    async with web() as here:
        await here.here.gateway.drain()
        response = await here.ask("GET", "/settings")
        assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")
        assert "retry-after" in response.headers


async def test_DEP_11_what_is_in_flight_is_answered_before_the_server_ends():
    store = MemoryStore()
    order: list[str] = []
    async with web(store=store) as here:
        room = await here.room("bob")
        store.hold()

        async def send() -> None:
            order.append((await here.send(room, "hi"))["text"])

        async def end() -> None:
            await here.here.gateway.drain()
            order.append("drained")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await settled()
            nursery.start_soon(end)
            await settled()
            store.release()
    assert order == ["hi", "drained"]


async def test_CONN_20_a_limit_below_what_is_read_of_a_body_holds_as_well():
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 1000

    async with web(limits={"max_payload_bytes": 2000}) as here:
        no = await here.no("POST", "/messages", content=chunks())
        assert (no["status"], no["code"]) == (413, "PAYLOAD_TOO_LARGE")


DEEP = b'{"metadata":' + b'{"a":' * 40 + b"1" + b"}" * 41
JSON = "application/json"


UNREADABLE = [
    (b"{", JSON, 400, "BAD_FRAME"),
    (b"[]", JSON, 400, "BAD_FRAME"),
    (b"null", JSON, 400, "BAD_FRAME"),
    (b'{"text": NaN}', JSON, 400, "BAD_FRAME"),
    (b'{"text": "\\u0000"}', JSON, 400, "BAD_FRAME"),
    (b'{"text": "\\ud800"}', JSON, 400, "BAD_FRAME"),
    (b'{"text": "\xff"}', JSON, 400, "BAD_FRAME"),
    (b'{"attempt": 1e400}', JSON, 400, "BAD_FRAME"),
    (b'{"attempt": 99999999999999999999}', JSON, 400, "BAD_FRAME"),
    (DEEP, JSON, 400, "BAD_FRAME"),
    (b"[" * 100_000, JSON, 400, "BAD_FRAME"),
    (b'{"text": "x"}', "text/plain", 415, "BAD_FRAME"),
    (b"text=x", "application/x-www-form-urlencoded", 415, "BAD_FRAME"),
    (b'{"text": "' + b"x" * MAX_BYTES + b'"}', JSON, 413, "PAYLOAD_TOO_LARGE"),
    (b'{"txet": "x"}', JSON, 400, "VALIDATION_FAILED"),
    (b"", JSON, 400, "VALIDATION_FAILED"),
]


async def test_SEC_09_what_cannot_be_read_is_refused():
    async with web() as here:
        path = f"/conversations/{await here.room('bob')}/messages"
        for data, type, status, code in UNREADABLE:
            no = await here.no("POST", path, content=data, headers={"Content-Type": type})
            assert (no["status"], no["code"]) == (status, code), data[:50]


ODD = [
    ("GET", "/nothing", 404),
    ("GET", "/conversations/", 404),
    ("PUT", "/conversations", 405),
    ("GET", "/conversations/%00", 400),
    ("GET", "/conversations/x", 404),
    ("GET", "/messages/x", 404),
    ("GET", "/users?users=%00", 400),
    ("GET", "/settings?more=1", 400),
    ("GET", "/conversations?context[a]=1&context[a]=2", 400),
]


async def test_SEC_09_whatever_is_asked_the_answer_is_a_problem():
    async with web() as here:
        for method, path, status in ODD:
            no = await here.no(method, path)
            assert no["status"] == status, path
            assert {"type", "title", "detail", "code", "retryable"} <= no.keys()


async def test_what_is_there_by_other_methods_says_which():
    async with web() as here:
        response = await here.ask("PUT", "/conversations", {})
        assert response.headers["allow"] == "GET, HEAD, POST"


async def test_INTERNAL_is_told_where_this_side_fails(monkeypatch: pytest.MonkeyPatch):
    async with web() as here:

        def boom(*_: Any) -> None:
            raise RuntimeError("secret")

        monkeypatch.setattr(here.engine, "introduce", boom)
        no = await here.no("GET", "/settings")
        assert (no["status"], no["code"]) == (500, "INTERNAL")
        assert "secret" not in json.dumps(no)


COOKIES = {"token_sources": ["hello", "cookie"]}


async def test_SEC_06_with_a_cookie_only_our_own_pages_change_something():
    async with web(auth=COOKIES, listen={"allowed_origins": [OURS]}) as here:
        here.http.cookies.set("palaver", here.here.token("ann"))

        async def put(**headers: str) -> tuple[int, str | None]:
            body = {"presence": "nobody"}
            response = await here.http.put("/v1/settings", json=body, headers=headers)
            return response.status_code, response.json().get("code")

        assert (await here.http.get("/v1/settings")).status_code == 200
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            assert await put(**headers) == (403, "CSRF_FAILED")
        passed = 404, "FEATURE_DISABLED"  # it got as far as the command
        assert await put(Origin=OURS) == passed
        bearer = {"Authorization": f"Bearer {here.here.token('ann')}"}
        assert await put(Origin="https://evil.example", **bearer) == passed


async def test_SEC_06_a_cookie_is_nothing_unless_it_is_allowed_for():
    async with web() as here:
        here.http.cookies.set("palaver", here.here.token("ann"))
        assert (await here.http.get("/v1/settings")).status_code == 401


async def test_CONN_14_pages_of_ours_may_use_every_method():
    async with web(listen={"allowed_origins": [OURS]}) as here:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            ask = {
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
            }
            good = await here.http.options("/v1/settings", headers={"Origin": OURS, **ask})
            assert good.status_code == 200
            assert good.headers["access-control-allow-origin"] == OURS
            assert "access-control-allow-credentials" not in good.headers
            evil = {"Origin": "https://evil.example", **ask}
            bad = await here.http.options("/v1/settings", headers=evil)
            assert "access-control-allow-origin" not in bad.headers
        answer = await here.ask("GET", "/nothing", headers={"Origin": OURS})
        assert answer.headers["access-control-allow-origin"] == OURS
        assert "Retry-After" in answer.headers["access-control-expose-headers"]


async def test_MON_02_requests_are_counted():
    async with web() as here:
        await here.ok("GET", "/settings")
        await here.no("GET", "/messages/x")
        counters = here.here.gateway.counters
        assert counters.requests == {"200": 1, "404": 1}
        assert counters.errors == {"MESSAGE_NOT_FOUND": 1}


class Doorkeeper:
    """A guard that notes in which role and session is asked."""

    def __init__(self) -> None:
        self.met: list[tuple[str, str | None, str | None]] = []

    def check(
        self, command: ConversationCommand, context: Context, state: ConversationState
    ) -> ConversationCommand:
        self.met.append((context.user, context.role, context.session))
        return command


async def test_CONN_07_guards_see_who_asks_in_which_role_and_session():
    guard = Doorkeeper()
    async with web(guards=[guard]) as here:
        auth = here.engine.settings.auth
        token = issue_token(auth, "ann", role="admin", session="s1")
        headers = {"Authorization": f"Bearer {token}"}
        await here.http.post("/v1/messages", json={"to": "bob", "text": "x"}, headers=headers)
        assert guard.met[0] == ("ann", "admin", "s1")
