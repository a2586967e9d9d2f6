"""The table of endpoints, and what every one of them does alike."""

import re
from typing import Any

from starlette.routing import compile_path

from palaver.engine.testing import Device, TrioClock
from palaver.gateway.rest.examples import EXAMPLES
from palaver.gateway.rest.routes import ENDPOINTS, SOCKET_BOUND
from palaver.protocol.codec import MsgpackCodec
from palaver.protocol.features import COMMANDS
from palaver.tests.support.engines import settled
from palaver.tests.support.web import Web, web

# requirements.md §3.2, without what belongs to attachments, reports, moderation, events of the
# product, calls and analytics.
CANONICAL = """
GET /v1/conversations
GET /v1/conversations/{id}
POST /v1/conversations
PATCH /v1/conversations/{id}
DELETE /v1/conversations/{id}
GET /v1/conversations/{id}/messages
POST /v1/conversations/{id}/messages
PATCH /v1/messages/{id}
DELETE /v1/messages/{id}
POST /v1/messages/{id}/read
POST /v1/presence
GET /v1/presence
POST /v1/messages
POST /v1/conversations/{id}/read
GET /v1/search/messages
PUT /v1/messages/{id}/reactions/{emoji}
POST /v1/conversations/{id}/typing
GET /v1/health
POST /v1/conversations/{id}/members
DELETE /v1/conversations/{id}/members/{user}
PATCH /v1/conversations/{id}/members/{user}
GET /v1/conversations/{id}/members
POST /v1/conversations/{id}/leave
GET /v1/conversations/{id}/media
GET /v1/conversations/{id}/threads/{root}/messages
POST /v1/conversations/{id}/lock
GET /v1/conversations/{id}/pins
PUT /v1/messages/{id}/pin
DELETE /v1/messages/{id}/pin
PUT /v1/messages/{id}/star
DELETE /v1/messages/{id}/star
GET /v1/starred
POST /v1/messages/{id}/forward
POST /v1/messages/{id}/restore
GET /v1/messages/{id}/receipts
DELETE /v1/messages/{id}/reactions/{emoji}
POST /v1/messages/{id}/votes
POST /v1/scheduled
GET /v1/scheduled
DELETE /v1/scheduled/{id}
PUT /v1/drafts/{conversation}
GET /v1/drafts/{conversation}
GET /v1/requests
POST /v1/requests/{id}/accept
POST /v1/requests/{id}/decline
PUT /v1/blocks/{user}
DELETE /v1/blocks/{user}
GET /v1/settings
PUT /v1/settings
GET /v1/templates
GET /v1/sync
GET /v1/search/conversations
GET /v1/ready
GET /v1/metrics
"""
ROWS = [line.split() for line in CANONICAL.strip().splitlines()]
OPEN = {"/v1/health", "/v1/ready", "/v1/metrics"}
ID = "8a3f0f6e-0000-5000-8000-000000000001"


def filled(path: str) -> str:
    return re.sub(r"{[^}]*}", ID, path)


def test_REST_01_every_command_that_is_not_about_a_connection_has_an_endpoint():
    served = {command.name for endpoint in ENDPOINTS for command in endpoint.commands}
    assert served == COMMANDS.keys() - SOCKET_BOUND
    assert COMMANDS.keys() >= SOCKET_BOUND


def test_REST_01_every_field_of_a_command_can_be_given():
    """By one endpoint or another: but for what the path stands for."""
    for name in COMMANDS.keys() - SOCKET_BOUND:
        given = {"client_id"}  # by the header
        for endpoint in ENDPOINTS:
            for command in endpoint.commands:
                if command.name == name:
                    given |= {*endpoint.fields(command), *endpoint.placeholders, *endpoint.fixed}
        assert given >= COMMANDS[name].model_fields.keys(), name


def test_REST_01_no_endpoint_hides_another():
    seen = [(e.method, compile_path(f"/v1{e.path}")[0], e) for e in ENDPOINTS]
    for endpoint in ENDPOINTS:
        path = filled(endpoint.shown_path)
        first = next(e for m, rule, e in seen if m == endpoint.method and rule.match(path))
        assert first is endpoint
    assert len({endpoint.id for endpoint in ENDPOINTS}) == len(ENDPOINTS)


async def test_REST_01_every_canonical_endpoint_is_there():
    async with web() as here:
        for method, path in ROWS:
            response = await here.ask(method, filled(path)[3:], {} if method != "GET" else None)
            assert response.status_code != 405, path
            assert "UNSUPPORTED_COMMAND" not in response.text, path


async def test_SEC_01_without_a_token_nothing_is_answered():
    async with web() as here:
        paths = [(e.method, filled(e.shown_path)) for e in ENDPOINTS]
        for method, path in [*paths, *((m, filled(p)) for m, p in ROWS), ("GET", "/v1/export")]:
            if path in OPEN:
                continue
            response = await here.http.request(method, path)
            assert response.status_code == 401, path
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["code"] == "AUTH_REQUIRED"
        bad = await here.http.get("/v1/settings", headers={"Authorization": "Bearer x.y.z"})
        assert (bad.status_code, bad.json()["code"]) == (401, "AUTH_FAILED")


async def test_CONN_12_a_token_that_was_revoked_is_not_taken_here_either():
    async with web() as here:
        await here.ok("GET", "/settings")
        here.engine.revoke(user="ann")
        assert (await here.no("GET", "/settings"))["code"] == "SESSION_EXPIRED"


async def test_REST_03_what_is_made_is_told_whole_with_201_and_where_it_is():
    async with web() as here:
        made = await here.ask("POST", "/conversations", {"kind": "group", "members": ["bob"]})
        assert made.status_code == 201
        room = made.json()["c"]
        assert made.headers["location"] == f"/v1/conversations/{room}"
        whole = await here.ok("GET", f"/conversations/{room}")
        assert made.json().items() >= whole.items()
        sent = await here.ask(
            "POST",
            f"/conversations/{room}/messages",
            {"text": "hi", "metadata": {"ts": 1}, "client_id": "k"},
        )
        assert sent.status_code == 201
        message = sent.json()
        assert message["metadata"] == {"ts": 1}, "what is the product's own is not touched"
        assert await here.ok("GET", sent.headers["location"][3:]) == message
        page = await here.ok("GET", f"/conversations/{room}/messages")
        assert [{"c": room, **each} for each in page["messages"]] == [message]


async def test_REST_03_a_direct_conversation_that_is_there_is_not_made_again():
    async with web() as here:
        body = {"kind": "direct", "members": ["bob"]}
        first, again = [await here.ask("POST", "/conversations", body) for _ in range(2)]
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["c"] == again.json()["c"]


LIMITS = ["0", "-1", "101", "1001", "ten", "1e1", "9" * 30, "", "1.0"]


async def test_REST_06_a_limit_out_of_range_is_refused():
    async with web() as here:
        room = await here.room("bob")
        for limit in LIMITS:
            no = await here.no("GET", f"/conversations/{room}/messages", params={"limit": limit})
            assert (no["status"], no["code"]) == (400, "VALIDATION_FAILED"), limit
            assert no["details"]["field"] == "limit"
        assert (await here.no("GET", "/conversations?limit=201"))["details"]["field"] == "limit"
        assert (await here.no("GET", "/search/messages?query=xx&limit=51"))["status"] == 400
        assert (await here.no("GET", "/conversations?limit=1&limit=2"))["status"] == 400


async def test_REST_06_pages_follow_each_other_by_cursor():
    async with web() as here:
        rooms = [await here.room("bob", title=str(n)) for n in range(5)]
        met: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await here.ok("GET", "/conversations", params={"limit": 2, **cursor})
            met += [row["c"] for row in page["conversations"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert sorted(met) == sorted(rooms)


ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def times_in(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [time for each in value for time in times_in(each)]
    if not isinstance(value, dict):
        return []
    own = [time for name, time in value.items() if re.fullmatch(r"ts|at|\w+_at|until", name)]
    return own + [time for each in value.values() for time in times_in(each)]


async def test_REST_07_times_are_iso_8601_in_utc():
    async with web() as here:
        room = await here.room("bob")
        message = await here.send(room, "hi")
        await here.ok("PATCH", f"/messages/{message['id']}", {"text": "ho"})
        await here.ok("POST", f"/conversations/{room}/read", {}, user="bob")
        await here.ok("POST", f"/conversations/{room}/lock", {"until": "2040-02-01T00:00:00+01:00"})
        state = await here.ok("GET", f"/conversations/{room}")
        assert state["lock"] == {"until": "2040-01-31T23:00:00.000Z"}
        paths = (
            "/conversations",
            f"/conversations/{room}/messages?system=true",
            f"/messages/{message['id']}/receipts",
            "/changes",
            f"/conversations/{room}/events?epoch=1&seq=0",
            "/sync",
        )
        answers = [message, state, *[await here.ok("GET", path) for path in paths]]
        times = times_in(answers)
        assert len(times) >= 20
        assert all(time is None or ISO.fullmatch(time) for time in times), times


async def test_REST_07_a_time_may_be_given_in_either_form():
    async with web(clock=TrioClock()) as here:
        room = await here.room("bob")
        await here.send(room, "hi")
        path = f"/conversations/{room}/messages"
        for before, count in (
            ("1800000000000", 1),
            ("2040-01-01T00:00:00Z", 1),
            ("2001-01-01T00:00:00.5Z", 0),
        ):
            page = await here.ok("GET", path, params={"before_time": before})
            assert len(page["messages"]) == count
        no = await here.no("GET", path, params={"before_time": "2040-13-01T00:00:00Z"})
        assert no["details"]["field"] == "before_time"


async def test_REST_09_json_and_msgpack_have_the_same_result():
    codec = MsgpackCodec()
    async with web() as here:
        room = await here.room("bob")
        path = f"/conversations/{room}/messages"
        packed = {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}
        body = {"text": "héllo", "metadata": {"n": 1.5, "on": [True, None]}}
        one = await here.ask("POST", path, body)
        other = await here.ask("POST", path, content=codec.encode(body), headers=packed)
        assert other.headers["content-type"] == "application/msgpack"
        differing = {"id", "seq", "number", "ts"}
        plain, unpacked = one.json(), codec.decode(other.content)
        assert plain.keys() == unpacked.keys()
        for name in plain.keys() - differing:
            assert plain[name] == unpacked[name]
        history = await here.ask("GET", path, headers=packed)
        assert codec.decode(history.content) == await here.ok("GET", path)
        no = await here.ask("POST", path, content=b"\xc1", headers=packed)
        assert no.json()["code"] == "BAD_FRAME"


async def test_RCPT_17_presence_by_rest():
    async with web(policy={"presence_optout": True}) as here:
        room = await here.room("bob", "cid")
        await here.room("dan", user="eve")
        for user in ("bob", "cid", "dan"):
            Device(here.engine, user)
        await settled()
        assert (await here.ok("GET", "/presence"))["online"] == ["bob", "cid"]
        await here.ok("POST", "/presence", {"presence": "nobody"}, user="cid")
        assert (await here.ok("GET", "/presence"))["online"] == ["bob"]
        shown = await here.ok("GET", f"/conversations/{room}/presence")
        assert {user: each["online"] for user, each in shown["users"].items()} == {
            "ann": False,
            "bob": True,
            "cid": False,
        }, "to ask by HTTP is not to be online"
        no = await here.no("POST", "/presence", {"read_receipts": False})
        assert no["details"] == {"field": "read_receipts"}


async def test_a_message_is_reached_by_its_id_alone_by_those_who_may_know_of_it():
    async with web() as here:
        room = await here.room("bob")
        id = (await here.send(room, "hi"))["id"]
        for user, code in (("cid", "MESSAGE_NOT_FOUND"), ("bob", "PERMISSION_DENIED")):
            no = await here.no("PATCH", f"/messages/{id}", {"text": "ho"}, user=user)
            assert no["code"] == code
        unknown = await here.no("PATCH", f"/messages/{ID}", {"text": "ho"}, user="cid")
        known = await here.no("PATCH", f"/messages/{id}", {"text": "ho"}, user="cid")
        assert {**unknown, "details": None} == {**known, "details": None}


async def whole_life(here: Web) -> None:
    """Some of everything, once."""
    room = await here.room("bob", title="Ops")
    message = (await here.send(room, "hi there", user="bob"))["id"]
    at, there = f"/messages/{message}", f"/conversations/{room}"
    await here.ok("PATCH", there, {"title": "Operations"})
    await here.ok("PATCH", there, {"who_may_add": "everyone"})
    await here.ok("PATCH", there, {"muted": True, "pinned": True})
    await here.ok("PUT", f"{at}/reactions/👍", {})
    page = await here.ok("GET", f"{there}/messages")
    assert page["messages"][0]["reactions"] == {"👍": 1}
    await here.ok("DELETE", f"{at}/reactions/👍")
    await here.ok("PUT", f"{at}/pin", {})
    assert len((await here.ok("GET", f"{there}/pins"))["messages"]) == 1
    await here.ok("DELETE", f"{at}/pin")
    await here.ok("PUT", f"{at}/star", {})
    assert len((await here.ok("GET", "/starred"))["stars"]) == 1
    await here.ok("DELETE", f"{at}/star")
    assert (await here.ok("POST", f"{at}/read", {}))["unread"] == 0
    assert (await here.ok("GET", f"{at}/receipts", user="bob"))["readers"][0]["user"] == "ann"
    reply = await here.ok(
        "POST", f"{there}/messages", {"text": "a thread", "thread": message}, user="bob"
    )
    assert (await here.ok("GET", f"{there}/threads/{message}/messages"))["messages"] == [
        {name: value for name, value in reply.items() if name != "c"}
    ]
    other = await here.room("cid")
    copy = await here.ok("POST", f"{at}/forward", {"to": other})
    assert (copy["c"], copy["forwarded"]) == (other, {"hops": 1})
    await here.ok("PUT", f"/drafts/{room}", {"text": "lun"})
    assert (await here.ok("GET", f"/drafts/{room}"))["text"] == "lun"
    await here.ok("DELETE", f"/drafts/{room}")
    assert (await here.ok("GET", f"/drafts/{room}"))["text"] == ""
    later = {"conversation": room, "id": "a/b", "message": {"text": "later"}}
    await here.ok("POST", "/scheduled", {**later, "send_at": "2023-12-01T00:00:00Z"})
    (listed,) = (await here.ok("GET", "/scheduled"))["scheduled"]
    assert (listed["id"], listed["send_at"]) == ("a/b", "2023-12-01T00:00:00.000Z")
    await here.ok("DELETE", "/scheduled/a%2Fb")
    assert (await here.ok("GET", "/scheduled"))["scheduled"] == []
    await here.ok("POST", f"{there}/members", {"users": ["org/dan"]})
    await here.ok("PATCH", f"{there}/members/org%2Fdan", {"role": "admin"})
    members = (await here.ok("GET", f"{there}/members"))["members"]
    assert [(each["user"], each["role"]) for each in members][2] == ("org/dan", "admin")
    await here.ok("DELETE", f"{there}/members/org%2Fdan")
    await here.ok("PUT", "/blocks/cid", {"level": "restricted"})
    await here.ok("PUT", "/blocks/dan", {})
    levels = {each["user"]: each["level"] for each in (await here.ok("GET", "/blocks"))["blocks"]}
    assert levels == {"cid": "restricted", "dan": "blocked"}
    await here.ok("DELETE", "/blocks/cid")
    await here.ok("PUT", "/settings", {"read_receipts": False})
    assert (await here.ok("GET", "/settings"))["read_receipts"] is False
    found = await here.ok("GET", "/search/messages", params={"query": "hi", "conversation": room})
    assert [hit["id"] for hit in found["hits"]] == [message]
    assert len((await here.ok("GET", "/search/conversations?text=oper"))["conversations"]) == 1
    assert (await here.ok("GET", "/templates"))["templates"][0]["name"] == "hello"
    sent = await here.ok("POST", f"{there}/templates/hello", {"variables": {"name": "Bob"}})
    assert sent["text"] == "Hello Bob"
    await here.ok("DELETE", f"/messages/{sent['id']}")
    await here.ok("POST", f"/messages/{sent['id']}/restore", {})
    await here.ok("DELETE", at, params={"scope": "me"})
    about = {"text": "about", "context": {"booking": "100"}}
    await here.ok("POST", f"{there}/messages", about)
    one = await here.ok("GET", f"{there}/messages", params={"context[booking]": "100"})
    assert [each["text"] for each in one["messages"]] == ["about"]
    await here.ok("POST", f"{there}/lock", {})
    await here.ok("DELETE", f"{there}/lock")
    await here.ok("DELETE", there)
    await here.ok("POST", f"{there}/leave", {"confirm": True})
    request = await here.ok("POST", "/messages", {"to": "fay", "text": "may I?"}, user="bob")
    assert [row["c"] for row in (await here.ok("GET", "/requests", user="fay"))["conversations"]]
    await here.ok("POST", f"/requests/{request['c']}/accept", {}, user="fay")
    await here.ok("POST", f"/requests/{request['c']}/decline", {}, user="fay")


async def test_REST_01_everything_can_be_done_by_it():
    policy = {
        "threads": True,
        "blocks": "silent",
        "message_requests": True,
        "receipts_optout": True,
        "delete_recovery_days": 1,
        "message_context": ["booking"],
        "templates": {"hello": "Hello {name}"},
    }
    async with web(policy=policy) as here:
        await whole_life(here)


def test_REST_01_examples_are_what_their_commands_take():
    endpoints = {endpoint.id: endpoint for endpoint in ENDPOINTS}
    assert EXAMPLES.keys() <= endpoints.keys()
    for id, body in EXAMPLES.items():
        endpoint = endpoints[id]
        fields = dict(body)
        if endpoint.needs:
            fields.pop("conversation")
        command = endpoint.chosen(fields)
        assert fields.keys() <= {*endpoint.fields(command)}
