"""tuggroups: groups that belong to the host, with threads in them."""

from functools import partial
from typing import Any

import pytest
import trio

from palaver.engine import Settings
from palaver.engine.host import Subscription
from palaver.gateway.health import health
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.html import to_html
from palaver.protocol.policy import Policy
from palaver.tests.scenarios.waiting import waits_for
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import Groups, Subscribers
from palaver.tests.support.product import Phone, Product, fault, product, takes_up_to

PROFILE = "tuggroups"
ROLES = {"ann": "owner", "bob": "admin", "cid": "moderator"}
DAY = 86_400.0


async def tug(here: Product) -> tuple[str, list[Phone]]:
    """A group of the host's, with somebody of every role."""
    room = await here.external("ann", "bob", "cid", "dan", **ROLES)
    return room, await here.phones("ann", "bob", "cid", "dan")


@waits_for("vocabularies")
async def test_01_five_connections_and_no_sixth():
    """CONN-03, 05, 09, 16; GRP-14."""
    async with product(PROFILE, premium=Subscribers("ann")) as here:
        liar = here.peer()
        assert (await liar.upgrade("/v1/ws?token=a.b.c")).status == 401
        guest = here.peer()
        await guest.upgrade()
        assert (await guest.hello(here.token("guest")))["error"]["code"] == "PREMIUM_REQUIRED"
        assert await guest.closed() == 3506
        phones = [await here.phone("ann") for _ in range(5)]
        sixth = here.peer()
        await sixth.upgrade()
        assert (await sixth.hello(here.token("ann")))["error"]["code"] == "CONNECTION_LIMIT"
        assert await sixth.closed() == 3504
        await phones[0].drop()
        await here.settled()
        assert here.engine.health()["connections"] == 4
        phones[0] = await here.phone("ann")
        await here.gateway.drain()
        await here.settled()
        assert {phone.closed for phone in phones} == {3001}


@waits_for("REST", "vocabularies")
async def test_02_messages_of_each_role(here: Product):
    """MSG-03, 04, 08, 10."""
    room, (_, bob, cid, dan) = await tug(here)
    admins = {"message_id": (await bob.send(room, "by an admin"))["id"]}
    members = {"message_id": (await dan.send(room, "by a member"))["id"]}
    here.clock.jump(3 * DAY)
    await bob.ask("message.edit", {**admins, "text": "edited"}, room)
    no = await refused(dan.ask("message.edit", {**members, "text": "edited"}, room))
    assert no.code == "EDIT_WINDOW_EXPIRED"
    for phone, message in ((dan, admins), (cid, members)):
        no = await refused(phone.ask("message.delete", message, room))
        assert no.code == "PERMISSION_DENIED"
    await bob.ask("message.delete", members, room)
    assert [each.get("text") for each in await dan.history(room, limit=1)] == [None]
    page = await dan.history(room, limit=1)
    older = await dan.history(room, before=page[0]["seq"])
    assert [each["text"] for each in older] == ["edited"]


@waits_for("vocabularies")
async def test_03_everybody_on_every_device_in_one_order(here: Product):
    """SEND-07, 09; WS-06."""
    room, phones = await tug(here)
    phones += await here.phones("ann", "dan")
    async with trio.open_nursery() as nursery:
        for n in range(20):
            nursery.start_soon(phones[n % 4].send, room, f"{n}")
    await here.settled()
    heard = [phone.of_kind("message.sent") for phone in phones]
    assert len(heard[0]) == 20
    assert all(each == heard[0] for each in heard)


async def test_04_seven_types_and_what_becomes_of_them(here: Product):
    """MSG-01, SEND-12, 18. The states of a message: tests/gateway/client/test_status.py."""
    room, (ann, bob, *_) = await tug(here)
    url = "https://example.org/f"
    media: dict[str, dict[str, Any]] = {
        "image": {"url": url},
        "voice": {"url": url, "duration_s": 3},
        "video": {"url": url, "duration_s": 3},
        "file": {"url": url, "name": "f"},
    }
    for type, metadata in media.items():
        await ann.send(room, "", type=type, metadata=metadata)
    await ann.send(room, "plain")
    last = await ann.send(room, "heed", type="announcement")
    await here.engine.post(room, "from the system")
    await here.settled()
    types = [each.get("type", "text") for each in bob.payloads("message.sent")]
    assert types == [*media, "text", "announcement"]
    assert bob.payloads("message.posted")[0]["text"] == "from the system"
    no = await refused(ann.send(room, "?", type="poll"))
    assert no.code == "INVALID_MESSAGE_TYPE"

    await ann.ask("conversation.subscribe", {}, room)
    await bob.peer.send({"t": "ack", "c": room, "seq": last["seq"]})
    await trio.sleep(2)
    await bob.ask("message.read", {"seq": last["seq"]}, room)
    await trio.sleep(2)
    for kind in ("message.delivered", "message.read"):
        (told,) = ann.payloads(kind)
        assert (told["by"], told["seq"]) == ("bob", last["seq"])


async def test_05_threads_below_a_message(here: Product):
    """CONV-20, HIST-12."""
    room, (ann, bob, cid, dan) = await tug(here)
    root = (await ann.send(room, "Who comes?"))["id"]
    await cid.ask("conversation.subscribe", {"thread": root}, room)
    for n, phone in enumerate((bob, dan, bob)):
        await phone.send(room, f"{n}", thread=root)
    await bob.ask("typing.start", {"thread": root}, room)
    await here.settled()
    assert [told["count"] for told in ann.payloads("thread.replied")] == [1, 2, 3]
    assert cid.payloads("typing.started") == [{"by": "bob", "thread": root}]
    assert ann.payloads("typing.started") == []
    listed = (await dan.ask("thread.list", {"message_id": root}, room))["messages"]
    assert [each["text"] for each in listed] == ["0", "1", "2"]


@waits_for("REST", "vocabularies")
async def test_06_ten_reactions_and_one_s_own(here: Product):
    """MSG-14, 15, 16."""
    room, (ann, bob, *_) = await tug(here)
    message = {"message_id": (await ann.send(room, "Cake!"))["id"]}
    names = Policy().listed_reactions
    assert len(names) == 10
    for emoji in (*names, ":party_tug:", "🎂"):
        await bob.ask("reaction.set", {**message, "emoji": emoji}, room)
    await ann.ask("reaction.set", {**message, "emoji": "love"}, room)
    await bob.ask("reaction.set", {**message, "emoji": "angry", "on": False}, room)
    no = await refused(bob.ask("reaction.set", {**message, "emoji": "hate"}, room))
    assert no.code == "VALIDATION_FAILED"
    (shown,) = await ann.history(room)
    counts = dict.fromkeys((*names, ":party_tug:", "🎂"), 1) | {"love": 2}
    del counts["angry"]
    assert shown["reactions"] == counts


@waits_for("notifications")
async def test_07_who_is_mentioned_is_told(here: Product):
    """MSG-20; NOTIF-05."""
    room, (ann, bob, cid, dan) = await tug(here)
    await ann.send(room, "You two, and @dan", mentions=["bob", "stranger"])
    await here.settled()
    assert [len(each.of_kind("message.mentioned")) for each in (ann, bob, cid, dan)] == [0, 1, 0, 1]
    assert cid.payloads("message.sent")[0]["mentions"] == ["bob", "dan"]


@waits_for("REST", "vocabularies")
async def test_08_typing_in_a_thread_ends_by_itself(here: Product):
    """RCPT-11, 12, 14; RCPT-15."""
    room, (ann, bob, *_) = await tug(here)
    root = (await ann.send(room, "root"))["id"]
    await ann.ask("conversation.subscribe", {"thread": root}, room)
    await bob.ask("typing.start", {"thread": root}, room)
    await trio.sleep(9)
    assert len(ann.of_kind("typing.started")) == 1
    assert ann.of_kind("typing.stopped") == []
    await trio.sleep(2)
    assert ann.payloads("typing.stopped") == [{"by": "bob", "thread": root}]


async def test_09_who_is_online(here: Product):
    """RCPT-16."""
    room, (ann, bob, *_) = await tug(here)
    await ann.ask("conversation.subscribe", {}, room)
    await bob.drop()
    await trio.sleep(10)
    (told,) = ann.payloads("presence.changed")
    assert (told["user"], told["online"]) == ("bob", False)
    users = (await ann.ask("presence.get", {"conversation": room}))["users"]
    assert not users["bob"]["online"]
    assert users["cid"]["online"]


async def test_10_who_pins_and_who_announces(here: Product):
    """MSG-18, 25."""
    room, (ann, bob, cid, dan) = await tug(here)
    message = {"message_id": (await dan.send(room, "Saturday at ten"))["id"]}
    assert (await refused(dan.ask("message.pin", message, room))).code == "PERMISSION_DENIED"
    await cid.ask("message.pin", message, room)
    (pinned,) = (await dan.ask("pin.list", {}, room))["messages"]
    assert pinned["text"] == "Saturday at ten"
    for phone in (cid, dan):
        no = await refused(phone.send(room, "heed", type="announcement"))
        assert no.code == "PERMISSION_DENIED"
    for phone in (ann, bob):
        await phone.send(room, "heed", type="announcement")


@waits_for("REST", "vocabularies")
async def test_11_search_in_one_group(here: Product):
    """SRCH-02."""
    room, (ann, *_) = await tug(here)
    other = await here.external("ann", "bob")
    await ann.send(room, "the rope is here")
    await ann.send(other, "the rope is there")
    await trio.sleep(1)
    no = await refused(ann.ask("message.search", {"query": "rope"}))
    assert fault(no) == ("VALIDATION_FAILED", "conversation")
    (hit,) = (await ann.ask("message.search", {"query": "rope", "conversation": room}))["hits"]
    assert hit["text"] == "the rope is here"


@waits_for("media")
async def test_12_uploads(here: Product):
    """ATT-05; ATT-06, 07, 08, 13, 16, 21, 22."""
    room, (ann, *_) = await tug(here)
    for type, mib in (("image", 10), ("voice", 25), ("video", 100), ("file", 50)):
        await takes_up_to(mib, type, partial(ann.send, room, ""))


@waits_for("notifications")
async def test_13_who_was_away_gets_it(here: Product):
    """SEND-14; SEND-13."""
    room, (ann, _, _, dan) = await tug(here)
    state = await dan.ask("conversation.get", {}, room)
    await dan.drop()
    for n in range(5):
        await ann.send(room, f"{n}")
    dan = await here.phone("dan")
    await dan.ask("conversation.resume", {"epoch": state["epoch"], "seq": state["seq"]}, room)
    assert dan.texts() == ["0", "1", "2", "3", "4"]


async def test_14_thirty_a_minute_of_a_size(here: Product):
    """SEC-03, CONN-20. Bodies of HTTP: tests/gateway/test_http.py."""
    room, (ann, _, _, dan) = await tug(here)
    for n in range(30):
        await dan.send(room, f"{n}")
    assert (await refused(dan.send(room, "31"))).code == "RATE_LIMITED"
    await ann.send(room, "dan writes a lot")
    assert here.settings.limits.max_payload_bytes == 10_000_000
    await ann.peer.frame(bytes(here.settings.connections.max_frame_bytes + 1))
    await here.settled()
    assert ann.closed == 1009


async def test_15_what_is_tried_in_vain(here: Product):
    """SEC-07, 08, 12, GRP-14, 15."""
    room, (ann, bob, cid, dan) = await tug(here)
    for text in ("<script>alert(1)</script>", "'; DROP TABLE log; --", '{"$gt": ""}'):
        await dan.send(room, text)
        message = (await ann.history(room))[-1]
        assert message["text"] == text
        assert "<script" not in to_html(text, message.get("format", "plain"))
    no = await refused(dan.send(room, "x", by="ann"))
    assert fault(no) == ("VALIDATION_FAILED", "by")
    sent = {"message_id": (await ann.send(room, "by the owner"))["id"]}
    may = {
        "message.pin": [ann, bob, cid],
        "message.unpin": [ann, bob, cid],
        "conversation.rename": [ann, bob],
        "conversation.lock": [ann, bob],
        "conversation.unlock": [ann, bob],
        "message.delete": [ann, bob],
    }
    for name, those in may.items():
        payload = sent if name.startswith("message") else {}
        for n, phone in enumerate((dan, cid, bob, ann)):
            payload = {"title": f"{n}"} if name == "conversation.rename" else payload
            if phone in those:
                await phone.ask(name, payload, room)
            else:
                no = await refused(phone.ask(name, payload, room))
                assert no.code == "PERMISSION_DENIED", f"{phone.user}: {name}"
    async with product(PROFILE, premium=Subscribers("ann")) as elsewhere:
        room = await elsewhere.external("ann", "bob")
        no = await refused(elsewhere.engine.as_user("bob").send(room, "x"))
        assert no.code == "PREMIUM_REQUIRED"


async def test_16_what_cannot_be_read_hurts_nobody(here: Product):
    """WS-09, SEC-09."""
    room, (ann, bob, *_) = await tug(here)
    for data in (b"", b"\xc1", b"\x80", b"\x93\x01"):
        await bob.peer.frame(data)
    await here.settled()
    assert [item["error"]["code"] for item in bob.of_kind("reply")] == ["BAD_FRAME"] * 4
    for payload in ({}, {"text": 1}, {"text": "x", "thread": []}, {"text": "x", "a": {}}):
        no = await refused(bob.ask("message.send", payload, room))
        assert no.code == "VALIDATION_FAILED"
    await bob.peer.frame(b"\xc1")
    await here.settled()
    assert bob.closed == 3501
    await ann.send(room, "all well")


@waits_for("moderation")
def test_17_what_a_machine_thinks_of_it():
    """MOD-14."""


@waits_for("notifications")
async def test_18_more_history_and_first_in_line():
    """HIST-10; SEND-17."""
    premium = Subscribers("ann", "bob", cid=Subscription(extended_history=False))
    async with product(PROFILE, premium=premium) as here:
        room = await here.external("ann", "bob", "cid")
        await here.engine.as_user("ann").send(room, "long ago")
        here.clock.jump(91 * DAY)
        bob, cid = await here.phones("bob", "cid")
        assert [each["text"] for each in await bob.history(room)] == ["long ago"]
        page = await cid.ask("message.history", {}, room)
        assert (page["messages"], page["limited"]) == ([], True)


async def test_19_health(here: Product):
    """MON-01."""
    await tug(here)
    report = health(here.gateway)
    assert report["status"] == "ok"
    assert report["checks"].keys() >= {"storage", "actors", "sockets", "keys"}
    assert report["sockets"]["open"] == 4
    assert {"rates", "process"} <= report.keys()


async def test_20_the_environment_switches_it_otherwise(monkeypatch: pytest.MonkeyPatch):
    """SEC-14, DEP-08."""
    monkeypatch.setenv("PALAVER_POLICY__REACTIONS", "off")
    monkeypatch.setenv("PALAVER_LIMITS__MESSAGES_PER_MIN", "2")
    assert Settings(profile=PROFILE).connections.max_per_user == 5
    async with product(PROFILE) as here:
        room, (ann, *_) = await tug(here)
        message = {"message_id": (await ann.send(room, "one"))["id"]}
        no = await refused(ann.ask("reaction.set", {**message, "emoji": "like"}, room))
        assert no.code == "FEATURE_DISABLED"
        await ann.send(room, "two")
        assert (await refused(ann.send(room, "three"))).code == "RATE_LIMITED"


@waits_for("media")
def test_21_under_load():
    """PERF-05, 08, 09, 10, 11, 13. What there is of it is measured: docs/performance.md."""


async def test_22_the_host_says_who_is_in(here: Product):
    """GRP-16."""
    room, (ann, *_, dan) = await tug(here)
    no = await refused(ann.ask("member.remove", {"user": "dan"}, room))
    assert no.code == "PERMISSION_DENIED"
    no = await refused(ann.ask("conversation.create", {"kind": "external_group", "members": []}))
    assert no.code == "FEATURE_DISABLED"
    host = here.engine.as_host()
    await host.remove_member(room, "dan")
    await ann.send(room, "without dan")
    await here.settled()
    assert dan.items[-1]["t"] == "member.removed"
    assert (await refused(dan.history(room))).code == "PERMISSION_DENIED"
    await host.add_members(room, ["eve"])
    await (await here.phone("eve")).send(room, "hello")

    groups = Groups(tug=dict.fromkeys(("ann", "bob", "dan"), "member") | ROLES)
    async with product(PROFILE, membership=groups) as here:
        create = CreateConversation(kind="external_group", members=[], client_id="tug")
        room = (await here.engine.as_host().do(create))["c"]
        ann, bob, dan, eve = await here.phones("ann", "bob", "dan", "eve")
        for phone in (ann, bob, dan):
            await phone.send(room, "here")
        assert (await refused(eve.send(room, "and I?"))).code == "PERMISSION_DENIED"
        del groups.roles["tug"]["dan"]
        groups.roles["tug"]["bob"] = "member"
        await here.engine.membership_changed("tug", "dan")
        await ann.send(room, "without dan")
        await here.settled()
        assert dan.items[-1]["t"] == "member.removed"
        assert dan.closed is None
        await here.engine.membership_changed("tug")
        groups.roles["tug"]["eve"] = "moderator"
        await here.engine.membership_changed("tug", "eve")
        await eve.send(room, "I, too")
        (change,) = ann.payloads("member.role_changed")
        assert (change["user"], change["role"]) == ("bob", "member")


@waits_for("notifications")
def test_23_who_is_offline_is_pushed_to():
    """NOTIF-08, 09. SEND-23: tests/gateway/test_write_side.py."""


@waits_for("analytics")
async def test_24_what_each_connection_does(here: Product):
    """ANA-06; MON-07."""
    _, (ann, *_) = await tug(here)
    await ann.drop()
    await here.settled()
    sockets = health(here.gateway)["sockets"]
    assert (sockets["open"], sockets["opened"]) == (3, 4)


@waits_for("REST", "vocabularies")
def test_25_nine_endpoints_three_commands_and_the_event():
    """REST-02, WS-03."""
