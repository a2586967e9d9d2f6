"""petsocial: direct conversations and groups of a social network."""

from collections.abc import AsyncIterator
from functools import partial
from itertools import islice
from typing import Any

import structlog
import trio
from trio.testing import MockClock

from palaver.engine.testing import Follows
from palaver.gateway.client import Sent, exponential
from palaver.gateway.health import is_ready
from palaver.gateway.rest.files import CHUNK_S
from palaver.protocol.html import to_html
from palaver.protocol.policy import MIB
from palaver.tests.scenarios.waiting import waits_for
from palaver.tests.support.engines import NOWHERE, refused
from palaver.tests.support.faults import Trap
from palaver.tests.support.product import Phone, Product, fault, product, takes_up_to

PROFILE = "petsocial"
MINUTE, HOUR = 60.0, 3600.0
PHOTO: dict[str, Any] = {
    "type": "image",
    "url": "/rex.jpg",
    "thumbnail_url": "/rex-300.jpg",
    "width": 640,
    "height": 480,
}


PROBLEM = "application/problem+json"
CLIP = bytes(1000)
FILM = {"name": "rex.mp4", "mime": "video/mp4", "size": len(CLIP)}


async def greet(phone: Phone, to: str) -> str:
    """The direct conversation with `to`, in which something has been said."""
    return str((await phone.ask("message.send", {"to": to, "text": "Hello!"}))["c"])


async def grouped(phone: Phone, *others: str, **more: Any) -> str:
    payload = {"kind": "group", "members": list(others), **more}
    return str((await phone.ask("conversation.create", payload))["c"])


async def listed(phone: Phone, **query: Any) -> list[str]:
    """The conversations of the inbox, by the user they are with or their title."""
    rows = (await phone.ask("conversation.list", query))["conversations"]
    return [row["title"] or next(u for u in row["members"] if u != phone.user) for row in rows]


async def test_01_from_sending_to_the_receipt(here: Product):
    """SEND-01, 07, RCPT-01, 06."""
    ann, bob = await here.phones("ann", "bob")
    sent = await ann.ask("message.send", {"to": "bob", "text": "Look at Rex!"})
    room = sent["c"]
    await ann.ask("conversation.subscribe", {}, room)
    await here.settled()
    assert bob.texts() == ["Look at Rex!"]
    await bob.ask("message.read", {"seq": sent["seq"]}, room)
    await trio.sleep(3)
    (receipt,) = ann.payloads("message.read")
    assert (receipt["by"], receipt["seq"]) == ("bob", sent["seq"])


async def test_02_a_group_of_five(here: Product):
    """GRP-01, 07, 08, MSG-20."""
    ann, *others = await here.phones("ann", "bob", "cid", "dan", "eve")
    room = await grouped(ann, "bob", "cid", "dan", "eve", title="Walks")
    await here.settled()
    for phone in others:
        assert phone.payloads("conversation.created")[0]["title"] == "Walks"
    bob, cid, *_ = others
    sent = await ann.send(room, "Can you, @bob?")
    await here.settled()
    assert [len(phone.of_kind("message.mentioned")) for phone in others] == [1, 0, 0, 0]
    assert bob.payloads("message.mentioned") == [{"by": "ann", "seq": sent["seq"]}]
    no = await refused(bob.ask("member.remove", {"user": "cid"}, room))
    assert no.code == "PERMISSION_DENIED"
    await ann.ask("member.remove", {"user": "cid"}, room)
    await ann.send(room, "without cid")
    await here.settled()
    assert cid.items[-1]["t"] == "member.removed"
    assert (await refused(cid.history(room))).code == "PERMISSION_DENIED"


async def test_03_a_stranger_s_message_is_a_request():
    """REQ-01 to REQ-09."""
    async with product(PROFILE, relations=Follows()) as here:
        ann, bob, cid, dan = await here.phones("ann", "bob", "cid", "dan")
        await dan.ask("user.block", {"user": "ann"})
        rooms = {to: await greet(ann, to) for to in ("bob", "cid", "dan")}
        for phone, requests in ((bob, ["ann"]), (cid, ["ann"]), (dan, [])):
            assert (await listed(phone), await listed(phone, filter="requests")) == ([], requests)
        await bob.ask("request.accept", {}, rooms["bob"])
        await cid.ask("request.decline", {}, rooms["cid"])
        more = [await ann.send(room, "Do you still have a puppy?") for room in rooms.values()]
        await trio.sleep(1)
        assert {tuple(sorted(each)) for each in more} == {("c", "id", "seq", "ts")}
        assert (await listed(bob), bob.texts()) == (["ann"], ["Do you still have a puppy?"])
        for phone in (cid, dan):
            assert phone.texts() == []
            for filter in ("all", "requests", "archived"):
                assert await listed(phone, filter=filter) == []
            assert (await phone.ask("message.search", {"query": "puppy"}))["hits"] == []


async def test_04_requests_are_silent_and_four_settings_say_who_may():
    """REQ-01, 04, 05."""
    relations = Follows()
    async with product(PROFILE, relations=relations) as here:
        bob, ann = await here.phones("bob", "ann")
        assert (await bob.ask("conversation.list"))["unread"] == 0
        room = await greet(ann, "bob")
        await ann.ask("conversation.subscribe", {}, room)
        assert [each["text"] for each in await bob.history(room)] == ["Hello!"]
        assert (await bob.ask("message.read", {}, room))["unread"] == 1
        await trio.sleep(5)
        assert (bob.items, ann.of_kind("message.read", "message.delivered")) == ([], [])

        for level, denied in {
            "everyone": [],
            "following": ["nobody", "fan"],
            "friends": ["nobody", "fan", "idol"],
            "no_one": ["nobody", "fan", "idol", "friend"],
        }.items():
            reader = await here.phone(f"{level} may write to her")
            await reader.ask("settings.set", {"messages_from": level})
            for writer, follows, followed in (
                ("nobody", False, False),
                ("fan", True, False),
                ("idol", False, True),
                ("friend", True, True),
            ):
                relations.set(writer, reader.user, follows)
                relations.set(reader.user, writer, followed)
                phone = await here.phone(writer)
                if writer in denied:
                    assert (await refused(greet(phone, reader.user))).code == "PRIVACY_DENIED"
                else:
                    await greet(phone, reader.user)
                await phone.drop()
                where = "all" if follows else "requests"
                assert (writer in await listed(reader, filter=where)) is (writer not in denied)
            arrived = await listed(reader) + await listed(reader, filter="requests")
            assert len(arrived) == 4 - len(denied)


@waits_for("calls", "media", "moderation")
async def test_05_what_friends_do(here: Product):
    """MSG-03, 09, 13; ATT, CALL-04, MOD-11, REQ-08."""
    ann, bob = await here.phones("ann", "bob")
    first = await ann.ask("message.send", {"to": "bob", "text": "Rex is ill"})
    room, message = first["c"], {"message_id": first["id"]}
    await bob.send(room, "Oh no", reply_to=first["id"])
    await here.settled()
    assert ann.payloads("message.sent")[-1]["preview"]["text"] == "Rex is ill"
    photo = {"urls": [{"url": "https://example.org/rex.jpg", "kind": "image"}]}
    await ann.send(room, "", type="media", metadata=photo)
    assert (await bob.history(room))[-1]["metadata"] == photo

    here.clock.jump(14 * MINUTE + 59)
    await ann.ask("message.edit", {**message, "text": "Rex was ill"}, room)
    assert len((await bob.ask("message.versions", message, room))["versions"]) == 2
    here.clock.jump(2)
    no = await refused(ann.ask("message.edit", {**message, "text": "Rex is well"}, room))
    assert no.code == "EDIT_WINDOW_EXPIRED"

    slip = await ann.send(room, "a slip")
    here.clock.jump(59 * MINUTE)
    no = await refused(ann.ask("message.delete", message, room))
    assert no.code == "DELETE_WINDOW_EXPIRED"
    await ann.ask("message.delete", {"message_id": slip["id"]}, room)
    assert (await bob.history(room))[-1]["redacted"]
    await ann.ask("message.hide", message, room)
    assert first["id"] not in [each["id"] for each in await ann.history(room)]
    assert (await bob.history(room))[0]["text"] == "Rex was ill"

    for phone in (ann, bob):
        await phone.ask("conversation.subscribe", {}, room)
    await here.settled()
    await ann.ask("user.block", {"user": "bob"})
    ann.items.clear()
    await bob.send(room, "@ann?")
    await bob.ask("typing.start", {}, room)
    await bob.ask("message.read", {}, room)
    await bob.drop()
    await trio.sleep(60)
    assert {item["t"] for item in ann.items} == {"skipped"}
    assert (await refused(ann.send(room, "x"))).code == "PERMISSION_DENIED"


async def test_06_a_group_of_256_and_how_it_is_kept(here: Product):
    """GRP-02 to GRP-12."""
    ann, bob = await here.phones("ann", "bob")
    room = await grouped(ann, "bob", *(f"u{n}" for n in range(254)))
    no = await refused(ann.ask("member.add", {"users": ["one too many"]}, room))
    assert (no.code, no.details) == ("GROUP_FULL", {"max_members": 256})
    no = await refused(bob.ask("conversation.rename", {"title": "mine"}, room))
    assert no.code == "PERMISSION_DENIED"
    await ann.ask("conversation.rename", {"title": "Dogs"}, room)
    kept = {"description": "All of them", "icon": "dog.png", "who_may_send": "admins"}
    await ann.ask("conversation.change_settings", kept, room)
    state = await bob.ask("conversation.get", {}, room)
    assert (state["title"], state["settings"], state["role"]) == ("Dogs", kept, "member")
    assert (await refused(bob.send(room, "woof"))).code == "PERMISSION_DENIED"
    (found,) = (await ann.ask("member.list", {"prefix": "bo"}, room))["members"]
    assert found["user"] == "bob"
    assert (await refused(ann.ask("conversation.leave", {}, room))).code == "LAST_ADMIN"
    await ann.ask("member.set_role", {"user": "bob", "role": "admin"}, room)
    await bob.send(room, "woof", attachments=[PHOTO])
    (seen,) = (await ann.ask("media.list", {}, room))["messages"]
    assert (seen["by"], seen["attachments"]) == ("bob", [PHOTO])
    await ann.ask("conversation.leave", {}, room)
    await bob.ask("conversation.leave", {"confirm": True}, room)


async def test_07_what_is_done_with_messages(here: Product):
    """MSG-14, 17, 19, 22, 28; MSG-21, 23, 24."""
    ann, desk, bob = await here.phones("ann", "ann", "bob")
    first = await bob.ask("message.send", {"to": "ann", "text": "Rex can swim"})
    room, message = first["c"], {"message_id": first["id"]}
    for phone in (ann, ann, bob):
        await phone.ask("reaction.set", {**message, "emoji": "🐕"}, room)
    await ann.ask("reaction.set", {**message, "emoji": "🏊"}, room)
    (shown,) = await ann.history(room)
    assert shown["reactions"] == {"🐕": 2, "🏊": 1}
    no = await refused(ann.ask("reaction.set", {**message, "emoji": "thumbs_up"}, room))
    assert no.code == "VALIDATION_FAILED"

    others = [(await ann.ask("message.send", {"to": f"u{n}", "text": "."}))["c"] for n in range(6)]
    for other in others[:5]:
        await ann.ask("message.forward", {**message, "to": other}, room)
    no = await refused(ann.ask("message.forward", {**message, "to": others[5]}, room))
    assert no.code == "FORWARD_LIMIT"
    assert (await ann.history(others[0]))[-1]["forwarded"] == {"hops": 1}
    assert (await ann.history(room))[0]["forwards"] == 5

    await ann.ask("message.star", message, room)
    (star,) = (await desk.ask("star.list"))["stars"]
    assert star["message"]["text"] == "Rex can swim"
    assert (await bob.ask("star.list"))["stars"] == []

    voice = {"duration_s": 3.5, "waveform": [0, 17, 255]}
    await bob.send(room, "", type="voice", metadata=voice)
    assert (await ann.history(room))[-1]["metadata"] == voice

    options = {"options": ["the park", "the beach"]}
    where = await bob.send(room, "Where to?", type="poll", metadata=options)
    for option in (0, 1):
        await ann.ask("poll.vote", {"message_id": where["id"], "option": option}, room)
    assert (await ann.history(room))[-1]["tally"] == [0, 1]

    await ann.ask("draft.save", {"text": "So can"}, room)
    await here.settled()
    assert desk.payloads("draft.saved")[-1]["text"] == "So can"
    await desk.send(room, "So can Mina")
    await here.settled()
    assert ann.of_kind("draft.cleared")

    at = here.clock() + 60_000
    later = {"id": "1", "send_at": at, "message": {"text": "Good morning"}}
    await ann.ask("message.schedule", later, room)
    await ann.ask("message.schedule", {**later, "id": "2"}, room)
    await ann.ask("schedule.cancel", {"id": "2"})
    assert [each["id"] for each in (await desk.ask("schedule.list"))["scheduled"]] == ["1"]
    await ann.send(room, "Here is the key", expires_in=90)
    await trio.sleep(61)
    assert bob.texts()[-2:] == ["Here is the key", "Good morning"]
    sent = await ann.ask("schedule.list", {"status": "sent"})
    assert [each["id"] for each in sent["scheduled"]] == ["1"]
    await trio.sleep(30)
    (gone,) = bob.payloads("message.deleted")
    assert gone["reason"] == "expired"
    assert "Here is the key" not in [each.get("text") for each in await bob.history(room)]


async def test_08_the_inbox_as_one_keeps_it():
    """CONV-10 to CONV-16. A thousand (PERF-04): tests/persistence/contract/test_inbox.py."""
    relations = Follows()
    for user in ("bob", "cid", "dan", "eve", *(f"u{n}" for n in range(97))):
        relations.set(user, "ann")
    async with product(PROFILE, relations=relations, limits={"messages_per_min": 0}) as here:
        ann = await here.phone("ann")
        await here.engine.as_user("stranger").send_to("ann", "hello")
        rooms = {}
        for user in ("bob", "cid", "dan", "eve"):
            here.clock.jump(1)
            rooms[user] = (await here.engine.as_user(user).send_to("ann", "hello")).conversation

        async def keep(user: str, **how: Any) -> None:
            await ann.ask("preference.set", how, rooms[user])

        assert (await ann.ask("conversation.list"))["unread"] == 4
        await ann.ask("message.read", {}, rooms["cid"])
        await keep("bob", pinned=True)
        await keep("cid", unread=True)
        await keep("dan", archived=True)
        await ann.ask("conversation.hide", {}, rooms["eve"])
        assert await listed(ann) == ["bob", "cid"]
        assert await listed(ann, filter="archived") == ["dan"]
        assert await listed(ann, filter="unread") == ["bob", "cid"]
        assert await listed(ann, filter="requests") == ["stranger"]
        await keep("cid", muted_until=here.engine.now() + 60_000)
        rows = (await ann.ask("conversation.list"))["conversations"]
        assert "muted_until" in rows[1]["preference"]
        here.clock.jump(61)
        rows = (await ann.ask("conversation.list"))["conversations"]
        assert "muted_until" not in rows[1]["preference"]
        await here.engine.as_user("eve").send(rooms["eve"], "back again")
        assert await listed(ann) == ["bob", "eve", "cid"]

        for n in range(97):
            await here.engine.as_user(f"u{n}").send_to("ann", "hello")
        walked: list[str] = []
        page: dict[str, Any] = await ann.ask("conversation.list")
        while True:
            walked += [row["c"] for row in page["conversations"]]
            if page["next"] is None:
                break
            page = await ann.ask("conversation.list", {"cursor": page["next"]})
        assert len(walked) == len(set(walked)) == 100


async def test_09_history_by_cursor_and_a_jump_into_it():
    """HIST-01, 08. That no query has an OFFSET: tests/persistence/plans."""
    async with product(PROFILE) as here:
        room = await here.room("ann", "bob")
        sent = [await here.engine.as_user("ann").send(room, f"{n}") for n in range(120)]
        bob = await here.phone("bob")
        page = await bob.history(room)
        assert [each["text"] for each in page] == [f"{n}" for n in range(70, 120)]
        page = await bob.history(room, before=page[0]["seq"])
        assert [each["text"] for each in page] == [f"{n}" for n in range(20, 70)]
        page = await bob.history(room, around=sent[60].id, limit=25)
        assert [each["text"] for each in page] == [f"{n}" for n in range(35, 86)]


async def test_10_what_passes_is_told_rarely(here: Product):
    """RCPT-09, 13, 18."""
    ann, bob = await here.phones("ann", "bob")
    room = await here.room("ann", "bob")
    sent = [await ann.send(room, f"{n}") for n in range(26)]
    await ann.ask("conversation.subscribe", {}, room)
    for _ in range(20):
        await bob.ask("typing.start", {}, room)
        await trio.sleep(0.05)
    assert len(ann.of_kind("typing.started")) == 1
    for message in sent[:25]:
        await bob.ask("message.read", {"seq": message["seq"]}, room)
        await trio.sleep(0.04)
    await trio.sleep(2)
    assert len(ann.of_kind("message.read", "message.receipts")) <= 3
    ann.items.clear()
    for _ in range(8):
        await bob.drop()
        await trio.sleep(6)
        bob = await here.phone("bob")
    await trio.sleep(60)
    assert len(ann.of_kind("presence.changed")) <= 2


@waits_for("calls")
def test_11_calls():
    """CALL-01 to CALL-08."""


@waits_for("moderation")
async def test_12_spam():
    """SEC-04, MOD-01 to MOD-04, 10, 15, 16."""
    limits = {"messages_to_strangers_per_h": 50, "new_conversations_per_day": 10}
    bounds = {**limits, "messages_per_min": 0}
    async with product(PROFILE, relations=Follows(), limits=bounds) as here:
        ann = await here.phone("ann")
        rooms = [await greet(ann, f"u{n}") for n in range(10)]
        no = await refused(greet(ann, "u10"))
        assert (no.code, no.retry_after is not None) == ("RATE_LIMITED", True)
        for n in range(40):
            await ann.send(rooms[0], f"{n}")
        assert (await refused(ann.send(rooms[0], "one more"))).code == "RATE_LIMITED"


async def test_13_errors_as_http_says_them():
    """ERR-01 to ERR-05, SEND-06, 20, 21. Those of the protocol: tests/protocol/test_errors.py, of
    uploads: below; deadlocks: tests/persistence/postgres/test_writer.py."""
    async with product(PROFILE) as here:
        ann, bob, cid = await here.phones("ann", "bob", "cid")
        room = await here.room("ann", "bob")
        assert fault(await refused(ann.send(room, ""))) == ("VALIDATION_FAILED", "text")
        no = await refused(ann.send(room, "x", reply_to=NOWHERE))
        assert no.code == "MESSAGE_NOT_FOUND"
        first = await ann.send(room, "once", client_id="k")
        assert await ann.send(room, "once", client_id="k", attempt=2) == first
        outside, blocked = await refused(cid.send(room, "x")), await here.room("ann", "cid")
        await cid.ask("user.block", {"user": "ann"})
        await ann.send(blocked, "silently")
        no = await refused(grouped(ann, "cid"))
        assert no.payload() == outside.payload()
        for n in range(60):
            await bob.send(room, f"{n}")
        no = await refused(bob.send(room, "one more"))
        assert (no.code, no.retry_after is not None) == ("RATE_LIMITED", True)

        async def status(user: str, method: str, path: str, body: Any) -> int:
            response = await here.http(user, method, path, body)
            assert response.is_success or response.headers["content-type"] == PROBLEM
            return response.status_code

        say = f"/conversations/{room}/messages"
        again = await here.http("ann", "POST", say, {"text": "once", "client_id": "k"})
        assert (again.status_code, again.json()["id"]) == (201, first["id"])
        late = await here.http("bob", "POST", say, {"text": "x"})
        assert (late.status_code, int(late.headers["Retry-After"]) > 0) == (429, True)
        assert await status("ann", "POST", say, {"text": ""}) == 400
        assert await status("ann", "POST", say, {"text": "x", "reply_to": NOWHERE}) == 404
        assert (
            await status("ann", "POST", f"/conversations/{NOWHERE}/messages", {"text": "x"}) == 404
        )
        assert (
            await status("ann", "POST", f"/conversations/{blocked}/messages", {"text": "x"}) == 201
        )
        assert (
            await status("ann", "POST", "/conversations", {"kind": "group", "members": ["cid"]})
            == 403
        )
        assert await status("ann", "POST", "/attachments", {**FILM, "size": 100 * MIB + 1}) == 413


@waits_for("media")
async def test_14_thumbnails_videos_and_what_becomes_of_them(here: Product):
    """ATT-05, 20; ATT-13, 14, 15, 24, 26."""
    ann, bob = await here.phones("ann", "bob")
    room = await here.room("ann", "bob")
    ten = [{**PHOTO, "url": f"/{n}.jpg"} for n in range(10)]
    await ann.send(room, "", attachments=ten)
    assert (await bob.history(room))[0]["attachments"] == ten
    no = await refused(ann.send(room, "", attachments=[*ten, PHOTO]))
    assert fault(no) == ("VALIDATION_FAILED", "attachments")
    for type, mib in (("image", 10), ("voice", 25), ("video", 100)):
        await takes_up_to(mib, type, partial(ann.send, room, ""))


async def test_15_without_a_network(here: Product):
    """CLI-01, 02, HIST-15."""
    assert list(islice(exponential(), 7)) == [1, 2, 4, 8, 16, 30, 30]
    room = await here.room("ann", "bob")
    bob = await here.phone("bob")
    here.offline = True
    async with here.client("ann", random=lambda: 1.0) as ann:
        for n in range(3):
            await ann.enqueue(room, f"{n}")
        await trio.sleep(100)
        assert len(ann.outbox.waiting) == 3
        here.offline = False
        done: list[Sent] = []
        async for push in ann:
            done += [push] if isinstance(push, Sent) else []
            if len(done) == 3:
                break
    await here.settled()
    assert bob.texts() == ["0", "1", "2"]

    phone, desk = await here.phones("ann", "ann")
    edit = {"message_id": done[0].result["id"], "version": 1}
    await phone.ask("message.edit", {**edit, "text": "first"}, room)
    no = await refused(desk.ask("message.edit", {**edit, "text": "second"}, room))
    assert no.code == "VERSION_CONFLICT"


async def test_16_what_others_may_not(here: Product):
    """SEC-07, 10, 11; SEC-02, 06."""
    ann, bob, cid = await here.phones("ann", "bob", "cid")
    room = await grouped(ann, "bob")
    sent = await ann.send(room, "<img src=x onerror=alert(1)>")
    (message,) = await bob.history(room)
    assert "<img" not in to_html(message["text"], message.get("format", "plain"))
    edit = {"message_id": sent["id"], "text": "x"}
    asked: list[tuple[Phone, str, dict[str, Any]]] = [
        (cid, "message.history", {}),
        (bob, "message.edit", edit),
        (bob, "message.delete", {"message_id": sent["id"]}),
        (bob, "member.add", {"users": ["cid"]}),
        (bob, "member.set_role", {"user": "bob", "role": "admin"}),
    ]
    for phone, name, payload in asked:
        assert (await refused(phone.ask(name, payload, room))).code == "PERMISSION_DENIED", name
    bare = {"Authorization": "", "Cookie": f"palaver={here.token('cid')}"}
    response = await here.http("cid", "PUT", "/settings", {"presence": "nobody"}, headers=bare)
    assert response.status_code == 401, "cookies are not taken here"
    for _ in range(100):
        assert (await here.http("dan", "GET", "/settings")).status_code == 200
    response = await here.http("dan", "GET", "/settings")
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")


@waits_for("retention")
async def test_17_deleted_users_exports_and_logs():
    """SEC-15; PRIV-06, 10."""
    trap = Trap()
    with structlog.testing.capture_logs() as entries:
        async with product(PROFILE, guards=[trap]) as here:
            ann = await here.phone("ann of 5 Elmwood Street")
            room = await here.room(ann.user, "bob")
            trap.spring("poison")
            assert (await refused(ann.send(room, "poison"))).code == "INTERNAL"
    assert entries
    for secret in (ann.user, room, "poison"):
        assert secret not in str(entries)


@waits_for("degradation")
async def test_18_breakers_shedding_and_alerts():
    """DEP-08; DEP-06, 07, MON-03."""
    off = {"typing_enabled": False, "presence_enabled": False, "reactions": "off"}
    async with product(PROFILE, policy=off) as here:
        ann = await here.phone("ann")
        room = await here.room("ann", "bob")
        message = {"message_id": (await ann.send(room, "hello"))["id"]}
        for kind, payload in (
            ("typing.start", {}),
            ("presence.get", {"conversation": room}),
            ("reaction.set", {**message, "emoji": "🐕"}),
        ):
            assert (await refused(ann.ask(kind, payload, room))).code == "FEATURE_DISABLED", kind


@waits_for("moderation")
def test_19_in_units():
    """MOD. The others (HIST, SEND-12, MSG-20, 28, 31) are held by tests of their own."""


@waits_for("media")
async def test_20_a_hundred_in_order():
    """PERF-02; PERF-03. PERF-01, 04, SEND-24 are measured: docs/performance.md."""
    async with product(PROFILE, limits={"messages_per_min": 0}) as here:
        ann, bob = await here.phones("ann", "bob")
        room = await here.room("ann", "bob")
        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon((ann, bob)[n % 2].send, room, f"{n}")
        await here.settled()
        assert len(ann.texts()) == 100
        assert ann.of_kind("message.sent") == bob.of_kind("message.sent")


async def test_21_details_of_the_open_conversation_only(here: Product):
    """CONN-11, CONV-17. RCPT-19: tests/persistence/contract."""
    ann, bob = await here.phones("ann", "bob")
    room, other = await grouped(ann, "bob"), await grouped(ann, "bob")
    await bob.ask("conversation.subscribe", {}, room)
    for each in (room, other):
        await ann.ask("typing.start", {}, each)
        await ann.send(each, "hello")
        await ann.ask("conversation.rename", {"title": "New"}, each)
    await here.settled()
    assert {item["c"] for item in bob.of_kind("typing.started")} == {room}
    for kind in ("message.sent", "conversation.renamed"):
        assert [item["c"] for item in bob.of_kind(kind)] == [room, other]
    await bob.ask("conversation.unsubscribe", {}, room)
    bob.items.clear()
    await trio.sleep(5)
    await ann.ask("typing.start", {}, room)
    await here.settled()
    assert bob.of_kind("typing.started") == []


@waits_for("calls")
async def test_22_what_the_group_is_told_and_what_newcomers_see(here: Product):
    """GRP-13, AUTO-08, HIST-11, MSG-27, ATT-29."""
    ann, cid = await here.phones("ann", "cid")
    room = await grouped(ann, "bob")
    await ann.send(room, "before cid")
    await ann.ask("member.add", {"users": ["cid"]}, room)
    await ann.ask("conversation.rename", {"title": "Dogs"}, room)
    await ann.send(room, "see https://example.org/rex")
    shown = await cid.history(room, system=True)
    assert [each["kind"] for each in shown] == [
        "member.added",
        "conversation.renamed",
        "message.sent",
    ]
    (link,) = shown[-1]["entities"]
    assert (link["kind"], link["url"]) == ("link", "https://example.org/rex")
    photo = await ann.send(room, "", attachments=[PHOTO])
    other = await grouped(cid, "dan")
    forward = {"message_id": photo["id"], "to": other}
    await cid.ask("message.forward", forward, room)
    assert (await cid.history(other))[-1]["attachments"] == [PHOTO]
    await ann.ask("message.delete", {"message_id": photo["id"]}, room)
    assert "attachments" not in (await cid.history(room))[-1]
    assert (await cid.history(other))[-1]["attachments"] == [PHOTO]


@waits_for("moderation", "notifications")
async def test_23_what_is_notified_and_what_is_not():
    """NOTIF-06, 07, 12, MOD-21, RCPT-21. What live events say of it."""
    relations = Follows()
    relations.set("cid", "bob")
    async with product(PROFILE, relations=relations) as here:
        ann, bob, cid = await here.phones("ann", "bob", "cid")
        await bob.ask("conversation.list")
        request, chat = await greet(ann, "bob"), await greet(cid, "bob")
        await trio.sleep(1)
        assert {item["c"] for item in bob.of_kind("message.sent")} == {chat}
        assert bob.payloads("unread.changed")[-1] == {"total": 1, "conversations": {chat: 1}}
        await bob.history(request)
        assert (await ann.ask("conversation.get", {}, request))["members"]["bob"]["read"]["seq"] < 2
        await bob.ask("user.block", {"user": "cid"})
        await trio.sleep(1)
        bob.items.clear()
        await cid.send(chat, "@bob?")
        await trio.sleep(1)
        assert {item["t"] for item in bob.items} == {"skipped"}
        await grouped(ann, "bob", title="Walks")
        assert bob.payloads("conversation.created")[-1]["title"] == "Walks"


@waits_for("calls")
async def test_24_who_is_refused_learns_nothing():
    """REQ-10, 11, 13, ERR-04, CALL-10, 11, 12."""
    async with product(PROFILE, relations=Follows()) as here:
        ann, bob, cid, foe = await here.phones("ann", "bob", "cid", "foe")
        await bob.ask("settings.set", {"messages_from": "no_one"})
        await bob.ask("user.block", {"user": "foe"})
        for kind, payload in (
            ("message.send", {"to": "bob", "text": "Hello!"}),
            ("conversation.create", {"kind": "direct", "members": ["bob"]}),
        ):
            refusals = [await refused(phone.ask(kind, payload)) for phone in (ann, foe)]
            assert [no.code for no in refusals] == ["PRIVACY_DENIED"] * 2
            assert refusals[0].payload() == refusals[1].payload()
        await cid.ask("user.restrict", {"user": "ann"})
        await cid.ask("user.block", {"user": "foe"})
        answers = []
        for phone in (ann, foe):
            await greet(phone, "cid")
            sent = await phone.send(await greet(phone, "cid"), "Are you there?")
            answers.append(sorted(sent))
        room = await here.room("foe", "dan")
        answers.append(sorted(await foe.send(room, "Are you there?")))
        assert answers[0] == answers[1] == answers[2]
        await trio.sleep(1)
        assert cid.of_kind("message.sent", "conversation.created") == []
        assert await listed(cid, filter="requests") == []


async def test_25_from_the_inbox_to_a_hit(here: Product):
    """SRCH-08, 09."""
    ann = await here.phone("ann")
    for user in ("bob", "bobby"):
        await ann.send(await here.room("ann", user), f"hello {user}")
    room = await here.room("ann", "cid")
    await grouped(ann, "dan", title="Bobtails")
    assert sorted(await listed(ann, text="bob")) == ["Bobtails", "bob", "bobby"]
    sent = [await ann.send(room, text) for text in ("one", "the vet", "two")]
    await trio.sleep(1)
    (hit,) = (await ann.ask("message.search", {"query": "vet"}))["hits"]
    assert (hit["c"], hit["id"]) == (room, sent[1]["id"])
    around = await ann.history(hit["c"], around=hit["id"], limit=1)
    assert [each["text"] for each in around] == ["one", "the vet", "two"]


async def test_26_uploads_that_stall(here: Product, mock_clock: MockClock):
    """ATT-23, ERR-05. How clients try it again (CLI-12): tests/gateway/client/test_uploads.py."""

    async def stalling() -> AsyncIterator[bytes]:
        yield CLIP[:10]
        mock_clock.jump(CHUNK_S)
        await trio.sleep_forever()

    announced = await here.web("ann", "POST", "/attachments", {**FILM, "size": len(CLIP)})
    place = f"/attachments/{announced['id']}"
    late = await here.http("ann", "PUT", place, content=stalling())
    assert (late.status_code, late.json()["code"]) == (408, "UPLOAD_TIMEOUT")
    assert (await here.http("ann", "PUT", place, content=CLIP)).is_success
    no = await refused(here.web("ann", "POST", "/attachments", {**FILM, "mime": "video/x-flv"}))
    assert fault(no) == ("INVALID_FILE_TYPE", "mime")
    assert no.details is not None
    assert {"image/webp", "video/mp4", "audio/mpeg"} <= set(no.details["allowed"])
    no = await refused(here.web("ann", "POST", "/attachments", {**FILM, "size": 100 * MIB + 1}))
    assert no.code == "ATTACHMENT_TOO_LARGE"
    assert no.details == {"field": "size", "max_bytes": 100 * MIB}


@waits_for("client")
def test_27_clients_gather_what_they_say():
    """CLI-08, 09, 11, PERF-15, 16."""


@waits_for("cluster", "degradation")
async def test_28_in_operation():
    """DEP-05, PRIV-11; MON-06, 09, DEP-10, 12. From the disk: tests/actors/test_disappearing.py."""
    async with product(PROFILE) as here:
        ann, bob = await here.phones("ann", "bob")
        room = await here.room("ann", "bob")
        await ann.send(room, "Here is the key", expires_in=60)
        await trio.sleep(61)
        assert await bob.history(room) == []
        assert is_ready(here.gateway)
        await here.gateway.drain()
        assert not is_ready(here.gateway)
        assert (ann.closed, bob.closed) == (3001, 3001)


@waits_for("calls")
def test_29_in_the_database():
    """DB-05, 07, 08, 09. What there is of it: tests/persistence/postgres/test_indexes.py."""
