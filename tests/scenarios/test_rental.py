"""rental: threads of people who seek and people who let."""

from functools import partial
from typing import Any

import pytest
import trio

from palaver.gateway.client import Event, Refused
from palaver.protocol.disconnects import DRAIN
from palaver.protocol.features.lock import LockConversation
from palaver.protocol.features.references import DropReference
from palaver.protocol.html import to_html
from palaver.tests.scenarios.waiting import waits_for
from palaver.tests.support.engines import NOWHERE, refused
from palaver.tests.support.product import Product, fault, product, takes_up_to

PROFILE = "rental"
DAY = 86_400.0
FLAT = {"listing": "5", "application": "a7"}


async def opened(here: Product, **more: Any) -> str:
    """A thread that ann, who seeks, has opened with bob, who lets."""
    ann = await here.phone("ann")
    payload = {"kind": "thread", "members": ["bob"], **more}
    return str((await ann.ask("conversation.create", payload))["c"])


@waits_for("feeds", "vocabularies")
async def test_01_a_seeker_is_who_the_token_says(here: Product):
    """CONN-05, 06, 10."""
    peer = here.peer()
    await peer.upgrade("/v1/ws?userId=bob")
    assert (await peer.hello(here.token("ann")))["d"]["user"] == "ann"
    liar = here.peer()
    await liar.upgrade()
    assert (await liar.hello("a.b.c"))["error"]["code"] == "AUTH_FAILED"


@waits_for("REST", "vocabularies")
async def test_02_a_thread_from_its_beginning_to_its_end(here: Product):
    """CONV-04, 05, 06, 10, 13."""
    ann, bob = await here.phones("ann", "bob")
    thread = await opened(here, context=FLAT)
    await here.settled()
    (created,) = bob.payloads("conversation.created")
    assert (created["kind"], created["title"]) == ("thread", "ann, bob")
    assert created["context"] == FLAT
    again = await opened(here, context=FLAT)
    assert again != thread
    for listing, found in (("5", 2), ("6", 0)):
        query = {"context": {"listing": listing}}
        rows = (await bob.ask("conversation.list", query))["conversations"]
        assert [row["context"] for row in rows] == [FLAT] * found
    for phone in (ann, bob):
        await phone.ask("conversation.hide", {}, again)
    assert (await ann.ask("conversation.get", {}, thread))["title"] == "ann, bob"
    await bob.ask("conversation.rename", {"title": "Two rooms, south"}, thread)
    await here.settled()
    assert ann.payloads("conversation.renamed")[0]["title"] == "Two rooms, south"

    async def listed(phone: Any, filter: str = "all") -> list[str]:
        rows = (await phone.ask("conversation.list", {"filter": filter}))["conversations"]
        return [row["title"] for row in rows]

    await ann.ask("preference.set", {"archived": True}, thread)
    assert (await listed(ann), await listed(ann, "archived")) == ([], ["Two rooms, south"])
    await ann.ask("conversation.hide", {}, thread)
    assert (await listed(ann, "archived"), await listed(bob)) == ([], ["Two rooms, south"])
    await bob.send(thread, "Still looking?")
    assert await listed(ann) == ["Two rooms, south"]


@waits_for("REST", "vocabularies")
async def test_03_both_sides_get_a_message_and_what_is_counted_of_it(here: Product):
    """SEND-01, 07, CONV-09."""
    ann, bob = await here.phones("ann", "bob")
    thread = await opened(here)
    sent = await ann.send(thread, "Is it still free?")
    await here.settled()
    assert ann.texts() == bob.texts() == ["Is it still free?"]
    state = await bob.ask("conversation.get", {}, thread)
    assert (state["number"], state["unread"], state["last"]["ts"]) == (1, 1, sent["ts"])
    assert (await ann.ask("conversation.get", {}, thread))["unread"] == 0


async def test_04_markdown_of_2000_characters_and_no_html(here: Product):
    """SEND-03, MSG-02, SEC-07."""
    ann, bob = await here.phones("ann", "bob")
    thread = await opened(here)
    await ann.send(thread, "x" * 2000)
    no = await refused(ann.send(thread, "x" * 2001))
    assert (no.code, no.details) == ("MESSAGE_TOO_LONG", {"field": "text", "max_chars": 2000})
    await ann.send(thread, "**bold**<script>alert(1)</script>")
    message = (await bob.history(thread))[-1]
    assert message["format"] == "markdown"
    shown = to_html(message["text"], message["format"])
    assert "<strong>bold</strong>" in shown
    assert "<script" not in shown


@waits_for("media")
async def test_05_a_thread_is_closed_to_others(here: Product):
    """CONV-18."""
    ann, cid = await here.phones("ann", "cid")
    thread = await opened(here)
    message = {"message_id": (await ann.send(thread, "hello"))["id"]}
    asked: dict[str, dict[str, Any]] = {
        "conversation.get": {},
        "conversation.rename": {"title": "mine"},
        "conversation.subscribe": {},
        "message.send": {"text": "hello"},
        "message.history": {},
        "message.edit": {**message, "text": "x"},
        "message.delete": message,
        "message.read": {},
        "message.readers": message,
        "media.list": {},
        "member.list": {},
        "typing.start": {},
    }
    for name, payload in asked.items():
        assert (await refused(cid.ask(name, payload, thread))).code == "PERMISSION_DENIED", name
        no = await refused(cid.ask(name, payload, NOWHERE))
        assert no.code == "CONVERSATION_NOT_FOUND", name


async def test_06_replies_edits_and_deletions(here: Product):
    """MSG-03, 06, 08, 12, 13."""
    ann, bob = await here.phones("ann", "bob")
    thread = await opened(here)
    first = await ann.send(thread, "Is it free?")
    await bob.send(thread, "Yes", reply_to=first["id"])
    await here.settled()
    preview = ann.payloads("message.sent")[-1]["preview"]
    assert (preview["by"], preview["text"]) == ("ann", "Is it free?")
    here.clock.jump(3 * DAY)
    edit = {"message_id": first["id"], "text": "Is it still free?"}
    edited = await ann.ask("message.edit", edit, thread)
    assert (await bob.history(thread))[0]["edited_at"] == edited["ts"]
    await ann.ask("message.delete", {"message_id": first["id"]}, thread)
    (left,) = await bob.history(thread)
    assert (left["text"], left["preview"]) == ("Yes", {"unavailable": True})
    here.clock.jump(29 * DAY)
    await ann.ask("message.restore", {"message_id": first["id"]}, thread)
    assert [each["text"] for each in await bob.history(thread)] == ["Is it still free?", "Yes"]


@waits_for("REST", "vocabularies")
async def test_07_who_reads_and_who_keeps_that_to_oneself(here: Product):
    """RCPT-01, 06, 08."""
    ann, bob = await here.phones("ann", "bob")
    thread = await opened(here)
    await ann.ask("conversation.subscribe", {}, thread)
    first = await ann.send(thread, "one")
    await bob.ask("message.read", {"message_ids": [first["id"]]}, thread)
    await here.settled()
    (told,) = ann.payloads("message.read")
    assert (told["by"], told["seq"]) == ("bob", first["seq"])
    assert told["at"] >= first["ts"]
    await bob.ask("settings.set", {"read_receipts": False})
    await ann.send(thread, "two")
    assert (await bob.ask("message.read", {}, thread))["unread"] == 0
    await trio.sleep(1)
    assert len(ann.payloads("message.read")) == 1


@waits_for("REST", "vocabularies")
async def test_08_typing_and_being_online_are_seen(here: Product):
    """RCPT-11, 16, 17."""
    (ann,) = await here.phones("ann")
    thread = await opened(here)
    await ann.ask("conversation.subscribe", {}, thread)
    bob = await here.phone("bob")
    await bob.ask("typing.start", {}, thread)
    await here.settled()
    (told,) = ann.payloads("presence.changed")
    assert (told["user"], told["online"]) == ("bob", True)
    assert ann.payloads("typing.started") == [{"by": "bob"}]
    users = (await ann.ask("presence.get", {"conversation": thread}))["users"]
    assert users["bob"]["online"]


@waits_for("media")
async def test_09_attachments_from_upload_to_deletion(here: Product):
    """ATT-05; ATT-01, 03, 06, 10, 11, 13, 16, 17, 18, 19."""
    ann = await here.phone("ann")
    thread = await opened(here)
    for type, mib in (("image", 10), ("file", 25)):
        await takes_up_to(mib, type, partial(ann.send, thread, ""))


async def test_10_what_happens_to_applications_and_viewings_is_told_in_the_thread(here: Product):
    """AUTO-01, 02, 03, CONV-27. Told by HTTP: tests/gateway/test_host_calls.py."""
    ann, bob = await here.phones("ann", "bob")
    words = {"seeker": "Ann", "listing": "Elm Street 5", "user": "Bob", "change": "a new price"}
    told = {
        "application_submitted": "Ann has applied for Elm Street 5.",
        "viewing_scheduled": "A viewing of Elm Street 5 is planned for Monday. Please confirm it.",
        "viewing_confirmed": "The viewing of Elm Street 5 at Monday is confirmed.",
        "application_status_changed": "The application for Elm Street 5 is now: accepted.",
        "listing_updated": "Elm Street 5 has been changed: a new price.",
        "listing_filled": "Elm Street 5 has been let.",
        "application_completed": "The application for Elm Street 5 is complete.",
        "profile_updated": "Bob has changed their profile.",
    }
    assert told.keys() == here.policy.events.keys()
    words.update(status="accepted", time="Monday")
    for event in told:
        for _ in range(2):  # as a product does that did not hear the answer
            sent = await here.engine.happened(
                event, id=f"{event} of a7", context=FLAT, users=["ann", "bob"], variables=words
            )
            assert len(sent) == 1
    await here.settled()
    (thread,) = (item["c"] for item in bob.of_kind("conversation.created"))
    for phone in (ann, bob):
        (created,) = phone.payloads("conversation.created")
        assert (created["context"], created["title"]) == (FLAT, "Elm Street 5")
        shown = [posted["text"] for posted in phone.payloads("message.posted")]
        assert shown == list(told.values())
    await here.engine.as_host().do(DropReference(context={"application": "a7"}))
    await here.settled()
    assert bob.payloads("reference.dropped")[0]["context"] == {"application": "a7"}
    shown = (await bob.ask("conversation.get", {}, thread))["context"]
    assert shown == {"listing": "5", "application": None}


OPENERS = {
    "available": "Is {listing} still available?",
    "viewing": "Could I see {listing} on {day}?",
}


@waits_for("automation")
async def test_11_suggestions_reminders_and_deadlines():
    """AUTO-06; AUTO-04, 05."""
    async with product(PROFILE, policy={"templates": OPENERS}) as here:
        ann = await here.phone("ann")
        suggested = (await ann.ask("template.list"))["templates"]
        assert [each["text"] for each in suggested] == [*OPENERS.values()]


@waits_for("moderation")
async def test_12_a_thread_is_suspended_for_a_while(here: Product):
    """CONV-21, MOD-09; MOD-01 to MOD-11."""
    ann, bob = await here.phones("ann", "bob")
    thread = await opened(here)
    await ann.send(thread, "before")
    until = here.engine.now() + 3_600_000
    await here.engine.as_host().do(LockConversation(until=until), thread)
    no = await refused(bob.send(thread, "shouting"))
    assert (no.code, no.details) == ("CONVERSATION_LOCKED", {"until": until})
    assert [each["text"] for each in await bob.history(thread)] == ["before"]
    here.clock.jump(3600)
    await bob.send(thread, "calm")


@waits_for("moderation")
def test_13_links_are_previewed_if_they_are_safe():
    """MOD-19."""


async def test_14_search_by_substring_newest_first(here: Product):
    """SRCH-01, 06, 07. That an index serves it: tests/persistence/plans."""
    ann, cid = await here.phones("ann", "cid")
    thread, other = await opened(here), await here.room("bob", "cid")
    for text in ("The flat on Elmwood Street", "elmwood again", "gone: Elmwood", "no hit"):
        here.clock.jump(1)
        last = await ann.send(thread, text)
        if text.startswith("gone"):
            await ann.ask("message.delete", {"message_id": last["id"]}, thread)
    await cid.send(other, "somebody else's Elmwood")
    await trio.sleep(1)
    hits = (await ann.ask("message.search", {"query": "MWOO"}))["hits"]
    assert [hit["text"] for hit in hits] == ["elmwood again", "The flat on Elmwood Street"]


@waits_for("retention")
def test_15_what_is_kept_and_what_is_given_out():
    """PRIV-01, 05, 06."""


@waits_for("notifications")
def test_16_push_digest_sms_and_badge():
    """NOTIF-01 to NOTIF-04."""


async def test_17_messages_and_connections_are_limited(here: Product):
    """CONN-04, SEC-03."""
    ann = await here.phone("ann")
    thread = await opened(here)
    for n in range(60):
        await ann.send(thread, f"{n}")
    assert (await refused(ann.send(thread, "61"))).code == "RATE_LIMITED"
    for _ in range(20):
        await (await here.phone("bob")).drop()
        await here.settled()
    peer = here.peer()
    await peer.upgrade()
    assert (await peer.hello(here.token("bob")))["error"]["code"] == "RATE_LIMITED"


@waits_for("encryption")
def test_18_content_is_encrypted_at_rest():
    """PRIV-08, SEC-13."""


async def test_19_who_loses_the_network_misses_nothing(here: Product):
    """HIST-07, SEND-14."""
    ann = await here.phone("ann")
    thread = await opened(here)
    seen: list[str] = []
    async with here.client("bob") as bob:
        await bob.connected()
        await ann.send(thread, "0")
        async for push in bob:
            if isinstance(push, Event) and push.kind == "message.sent":
                seen.append(push.data["text"])
                if len(seen) == 1:
                    await trio.aclose_forcefully(here.lines[-1])
                    for n in range(1, 6):
                        await ann.send(thread, f"{n}")
                if len(seen) == 6:
                    break
    assert seen == ["0", "1", "2", "3", "4", "5"]


async def test_20_a_whole_conversation_by_both_transports(here: Product):
    """The flows of items 2 to 8, by HTTP as well, and a file that is looked at. SEND-10."""
    ann, bob = await here.phones("ann", "bob")
    thread = await opened(here, context=FLAT)
    await ann.ask("conversation.subscribe", {}, thread)
    first = await ann.send(thread, "Is it still free?")
    await bob.ask("typing.start", {}, thread)
    plan = {"type": "file", "url": "/files/plan.pdf", "name": "plan.pdf", "size": 4711}
    answer = await bob.send(thread, "It is.", reply_to=first["id"], attachments=[plan])
    await here.settled()
    assert ann.payloads("typing.started") == [{"by": "bob"}]
    told = ann.payloads("message.sent")[-1]
    assert (told["attachments"], told["preview"]["text"]) == ([plan], "Is it still free?")
    (seen,) = (await ann.ask("media.list", {}, thread))["messages"]
    assert (seen["id"], seen["attachments"]) == (answer["id"], [plan])
    assert (await ann.ask("message.read", {}, thread))["unread"] == 0
    edit = {"message_id": first["id"], "text": "Is the flat still free?"}
    await ann.ask("message.edit", edit, thread)
    await bob.ask("message.delete", {"message_id": answer["id"]}, thread)
    assert (await ann.ask("media.list", {}, thread))["messages"] == []
    (left,) = await bob.history(thread)
    assert left["text"] == "Is the flat still free?"
    await by_http(here)


async def by_http(here: Product) -> None:
    """The same without a socket."""
    thread = await opened(here, context=FLAT)
    at = f"/conversations/{thread}"
    rows = (await here.web("ann", "GET", "/conversations"))["conversations"]
    assert {row["c"]: row["context"] for row in rows}[thread] == FLAT
    first = await here.web("ann", "POST", f"{at}/messages", {"text": "Is it still free?"})
    plan = {"type": "file", "url": "/files/plan.pdf", "name": "plan.pdf", "size": 4711}
    answer = await here.web(
        *("bob", "POST", f"{at}/messages"),
        {"text": "It is.", "reply_to": first["id"], "attachments": [plan]},
    )
    assert answer["preview"]["text"] == "Is it still free?"
    (seen,) = (await here.web("ann", "GET", f"{at}/media"))["messages"]
    assert (seen["id"], seen["attachments"]) == (answer["id"], [plan])
    assert (await here.web("ann", "POST", f"/messages/{answer['id']}/read", {}))["unread"] == 0
    edit = {"text": "Is the flat still free?"}
    await here.web("ann", "PATCH", f"/messages/{first['id']}", edit)
    await here.web("bob", "DELETE", f"/messages/{answer['id']}")
    (left,) = (await here.web("bob", "GET", f"{at}/messages"))["messages"]
    assert left["text"] == edit["text"]


async def test_21_the_same_by_long_polling(here: Product):
    """CONN-13."""
    thread = await opened(here, context=FLAT)
    at = f"/conversations/{thread}"
    told = await here.web("bob", "GET", "/sync", watch=thread)
    sent = await here.web("ann", "POST", f"{at}/messages", {"text": "Is it still free?"})
    message = f"/messages/{sent['id']}"
    kinds: list[str] = []
    for method, path, body in (
        ("PATCH", message, {"text": "Is the flat still free?"}),
        ("DELETE", message, None),
        ("PATCH", at, {"title": "The flat"}),
    ):
        query = {"cursor": told["cursor"], "wait": 30, "watch": thread}
        told = await here.web("bob", "GET", "/sync", **query)
        kinds += [item["t"] for item in told["items"]]
        await here.web("ann", method, path, body)
    told = await here.web("bob", "GET", "/sync", cursor=told["cursor"], watch=thread)
    kinds += [item["t"] for item in told["items"]]
    assert kinds == ["message.sent", "message.edited", "message.deleted", "conversation.renamed"]
    await here.web("ann", "POST", f"{at}/typing", {})
    await here.web("bob", "POST", f"{at}/read", {})
    told = await here.web("ann", "GET", "/sync", watch=thread)
    assert {each["user"] for each in told["marks"][thread]} >= {"bob"}


@waits_for("analytics")
def test_22_volume_response_time_and_conversion():
    """ANA-01, 02, 03."""


@waits_for("media")
def test_23_under_load():
    """PERF-05 to PERF-12. What there is of it is measured: docs/performance.md."""


@waits_for("REST", "vocabularies")
def test_24_sixteen_endpoints_and_two_vocabularies():
    """REST-02, WS-04, CONV-08."""


@waits_for("automation", "notifications")
async def test_25_openers_and_what_users_choose():
    """MSG-30, PRIV-14, REQ-12; NOTIF-10, CONV-27."""
    async with product(PROFILE, policy={"templates": OPENERS}) as here:
        ann, bob = await here.phones("ann", "bob")
        thread = await opened(here, context=FLAT)
        opener = {"template": "viewing", "variables": {"listing": "the flat"}}
        no = await refused(ann.ask("template.send", opener, thread))
        assert fault(no) == ("VALIDATION_FAILED", "variables.day")
        opener["variables"] = {"listing": "the flat", "day": "{Monday}"}
        await ann.ask("template.send", opener, thread)
        await here.settled()
        assert bob.texts() == ["Could I see the flat on {Monday}?"]

        chosen = {"read_receipts": False, "presence": "nobody"}
        await ann.ask("settings.set", chosen)
        assert chosen.items() <= (await (await here.phone("ann")).ask("settings.get")).items()


@waits_for("media", "moderation", "retention")
def test_26_rules_scans_and_idle_threads():
    """MOD-17, 22, HIST-14, SEC-16."""


async def test_27_a_client_comes_back_only_where_it_may():
    """CONN-14, 21. TLS: tests/gateway/test_tls.py."""
    async with product(PROFILE) as here, here.client("ann") as ann:
        await ann.connected()
        here.engine.disconnect("ann", DRAIN)
        await here.settled()
        assert ann.state == "disconnected"
        await ann.connected()
        assert len(here.lines) == 2
        here.engine.revoke(user="ann")
        with pytest.raises(Refused) as refusal:
            async for _ in ann:
                pass
        assert refusal.value.code == 3503
        assert len(here.lines) == 2
