"""tutoring: students and tutors, in pairs."""

from functools import partial
from typing import Any

import trio

from palaver.engine.host import Account
from palaver.gateway.client import Sent
from palaver.tests.scenarios.waiting import waits_for
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import GONE, Bookings, Directory, person, shared
from palaver.tests.support.product import Product, fault, product, takes_up_to

PROFILE = "tutoring"
UNLIMITED = {"messages_per_min": 0}
LESSON = {"booking": "100"}


def people(*ids: str, **accounts: Account) -> Directory:
    """All of the same family; and more than may be shown is known of them."""
    return Directory(
        **{id: person(id, first_name=id.title(), last_name="Lee") for id in ids}, **accounts
    )


@waits_for("REST", "vocabularies")
async def test_01_a_message_by_its_recipient():
    """REST-04, SEND-02, CONV-19."""
    async with product(PROFILE, users=people("ann", "tom")) as here:
        ann, tom = await here.phones("ann", "tom")
        message = {"to": "tom", "text": "Is Tuesday fine?", "context": LESSON}
        sent = await ann.ask("message.send", message)
        page = await tom.ask("message.history", {}, sent["c"])
        assert page["messages"] == [
            {
                **{key: sent[key] for key in ("id", "seq", "ts")},
                "kind": "message.sent",
                "by": "ann",
                "number": 1,
                "text": "Is Tuesday fine?",
                "context": LESSON,
            }
        ]
        names = {"first_name": "Ann", "last_name": "Lee", "role": "tutor"}
        assert page["users"] == {"ann": {"email": "ann@example.org", **names}}
        assert (await tom.ask("conversation.get", {}, sent["c"]))["unread"] == 1


async def test_02_what_cannot_be_sent():
    """CONV-22, 23, 24, SEND-03."""
    lessons = Bookings(
        {("booking", "100"): shared("ann", "tom"), ("booking", "101"): shared("tom")}
    )
    users = people("ann", "tom", tim=GONE)
    async with product(PROFILE, users=users, contexts=lessons) as here:
        (ann,) = await here.phones("ann")

        async def refusal(text: str, to: str = "tom", **more: Any) -> str:
            message = {"to": to, "text": text, **more}
            return (await refused(ann.ask("message.send", message))).code

        assert await refusal("hello", to="ann") == "SELF_MESSAGE"
        for nobody in ("nobody", "tim"):
            assert await refusal("hello", to=nobody) == "USER_NOT_FOUND"
        assert await refusal("") == "VALIDATION_FAILED"
        assert await refusal("x" * 2001) == "MESSAGE_TOO_LONG"
        assert await refusal("hello", context={"lesson": "100"}) == "VALIDATION_FAILED"
        for foreign in ("101", "102"):
            assert await refusal("hello", context={"booking": foreign}) == "CONTEXT_FORBIDDEN"
        assert (await ann.ask("conversation.list"))["conversations"] == []
        await ann.ask("message.send", {"to": "tom", "text": "x" * 2000})
        await ann.ask("message.send", {"to": "tom", "text": "hello", "context": LESSON})


@waits_for("moderation")
def test_03_addresses_are_masked_until_there_is_a_booking():
    """MOD-12, 13."""


@waits_for("vocabularies")
async def test_04_the_recipient_and_all_devices_of_the_sender_get_it(here: Product):
    """SEND-05, 08; WS-05."""
    phone, desk, tom = await here.phones("ann", "ann", "tom")
    message = {"to": "tom", "text": "Tuesday?", "client_id": "t1"}
    sent = await phone.ask("message.send", message)
    await here.settled()
    for each in (phone, desk, tom):
        (told,) = each.payloads("message.sent")
        assert (told["id"], told["client_id"], told["by"]) == (sent["id"], "t1", "ann")


@waits_for("vocabularies")
async def test_05_tabs_with_the_token_in_the_url(here: Product):
    """CONN-02, 05, 06, 08, 15."""
    liar = here.peer()
    assert (await liar.upgrade("/v1/ws?token=a.b.c")).status == 401
    peer = here.peer()
    assert (await peer.upgrade(f"/v1/ws?token={here.token('ann')}")).status == 101
    assert (await peer.hello(None))["d"]["user"] == "ann"
    await peer.send({"t": "ping", "id": 7})
    assert await peer.item() == {"t": "pong", "id": 7}
    broken, tab, tom = await here.phones("ann", "ann", "tom")
    await peer.close()
    await broken.drop()
    await tom.ask("message.send", {"to": "ann", "text": "one tab is left"})
    await here.settled()
    assert tab.texts() == ["one tab is left"]


@waits_for("REST", "vocabularies")
async def test_06_the_list_has_100_newest_first(here: Product):
    """CONV-03, 07, C-24."""
    ann, tom = await here.phones("ann", "tom")
    for context in ({"booking": "101"}, LESSON, {}, LESSON):
        here.clock.jump(1)
        message = {"to": "ann", "text": "hello", "context": context}
        await tom.ask("message.send", message)
    rows = (await ann.ask("conversation.list"))["conversations"]
    entries = [(row["context"], row["unread"]) for row in rows]
    assert entries == [(LESSON, 2), ({}, 1), ({"booking": "101"}, 1)]
    for n in range(101):
        here.clock.jump(1)
        await here.engine.as_user(f"u{n}").send_to("ann", f"{n}")
    rows = (await ann.ask("conversation.list"))["conversations"]
    assert [row["last"]["text"] for row in rows] == [f"{n}" for n in range(100, 0, -1)]
    assert {row["unread"] for row in rows} == {1}
    assert len((await ann.ask("conversation.list", {"limit": 200}))["conversations"]) == 104
    assert (await refused(ann.ask("conversation.list", {"limit": 201}))).code == (
        "VALIDATION_FAILED"
    )


@waits_for("REST", "vocabularies")
async def test_07_history_by_pages_oldest_first(here: Product):
    """HIST-02, 04, 06."""
    ann = here.engine.as_user("ann")
    pair = await here.room("ann", "tom")
    sent = [await ann.send(pair, f"{n}") for n in range(121)]
    await ann.delete(pair, sent[0].id)
    tom = await here.phone("tom")
    texts = [f"{n}" for n in range(1, 121)]
    assert [each["text"] for each in await tom.history(pair)] == texts[:50]
    page = await tom.ask("message.history", {"page": 2}, pair)
    assert [each["text"] for each in page["messages"]] == texts[50:100]
    assert (page["page"], page["limit"], page["total"], page["total_pages"]) == (2, 50, 120, 3)
    assert len(await tom.history(pair, page=1, limit=100)) == 100
    no = await refused(tom.history(pair, page=1, limit=101))
    assert fault(no) == ("VALIDATION_FAILED", "limit")
    for text in ("about it", "still"):
        await tom.send(pair, text, context=LESSON)
    await tom.send(pair, "now another", context={"booking": "101"})
    page = await tom.ask("message.history", {"page": 1, "context": LESSON}, pair)
    assert [each["text"] for each in page["messages"]] == ["about it", "still"]
    assert page["total"] == 2


@waits_for("media", "REST")
async def test_08_a_message_with_its_file_in_one_request(here: Product):
    """ATT-05; ATT-02, 06, 08, 09, 10, 28."""
    (ann,) = await here.phones("ann")

    pair = await here.room("ann", "tom")
    send = partial(ann.send, pair, "see")
    for type, mib in (("image", 5), ("file", 10)):
        await takes_up_to(mib, type, send)
    two = [{"type": "image", "url": f"/files/{n}"} for n in (1, 2)]
    assert fault(await refused(send(attachments=two))) == ("VALIDATION_FAILED", "attachments")
    video = {"type": "video", "url": "/files/1"}
    assert (await refused(send(attachments=[video]))).code == "INVALID_FILE_TYPE"


@waits_for("media", "REST")
def test_09_files_are_downloaded_by_the_two_alone():
    """ATT-11, 18."""


@waits_for("REST", "vocabularies")
async def test_10_the_recipient_alone_reads_it_and_once(here: Product):
    """RCPT-01, 04, 05, 06."""
    ann, tom = await here.phones("ann", "tom")
    sent = await ann.ask("message.send", {"to": "tom", "text": "hello"})
    pair, message = sent["c"], {"message_ids": [sent["id"]]}
    for phone in (ann, tom):
        await phone.ask("conversation.subscribe", {}, pair)
    assert (await refused(ann.ask("message.read", message, pair))).code == "PERMISSION_DENIED"
    first = await tom.ask("message.read", message, pair)
    await trio.sleep(5)
    assert await tom.ask("message.read", message, pair) == first
    await here.settled()
    assert ann.payloads("message.read") == [{"by": "tom", "seq": sent["seq"], "at": first["at"]}]
    assert tom.payloads("message.read") == []


async def test_11_all_of_one_conversation_is_read_and_no_other(here: Product):
    """RCPT-03."""
    tom = await here.phone("tom")
    for user in ("ann", "bea"):
        for n in range(3):
            await here.engine.as_user(user).send_to("tom", f"{n}")
    bea = await here.phone("bea")
    lesson = await bea.ask("message.send", {"to": "tom", "text": "?", "context": LESSON})

    async def unread() -> list[tuple[str, str | None, int]]:
        rows = (await tom.ask("conversation.list"))["conversations"]
        return [(row["members"][0], row["context"].get("booking"), row["unread"]) for row in rows]

    pair = await here.room("bea", "tom")
    assert (await tom.ask("message.read", {}, pair))["unread"] == 0
    assert {*await unread()} == {("ann", None, 3), ("bea", None, 0), ("bea", "100", 1)}
    assert (await here.web("tom", "POST", f"/conversations/{lesson['c']}/read", {}))["unread"] == 0
    assert {*await unread()} == {("ann", None, 3), ("bea", None, 0), ("bea", "100", 0)}


async def test_12_search_with_totals(here: Product):
    """SRCH-01, 03, 04, 07. Stems and rank: tests/persistence/postgres/test_searches.py."""
    ann, tom = here.engine.as_user("ann"), await here.phone("tom")
    for n in range(45):
        await ann.send_to("tom", f"calculus {n}")
    await ann.send_to("bea", "calculus for bea")
    await trio.sleep(1)
    query = {"query": "calculus"}
    pages = [await tom.ask("message.search", {**query, "page": n}) for n in (1, 2, 3)]
    assert [len(page["hits"]) for page in pages] == [20, 20, 5]
    assert (pages[0]["total"], pages[0]["total_pages"]) == (45, 3)
    by_http = await here.web("tom", "GET", "/search/messages", **query, page=3)
    assert [hit["id"] for hit in by_http["hits"]] == [hit["id"] for hit in pages[2]["hits"]]
    for bad in ({"query": "c"}, {**query, "limit": 51}):
        assert (await refused(tom.ask("message.search", bad))).code == "VALIDATION_FAILED"
        assert (await here.http("tom", "GET", "/search/messages", params=bad)).status_code == 400


@waits_for("moderation")
async def test_13_one_s_own_is_edited_for_15_minutes(here: Product):
    """MSG-03, 05, 07."""
    ann, tom = await here.phones("ann", "tom")
    sent = await ann.ask("message.send", {"to": "tom", "text": "Tusday"})
    pair = sent["c"]

    def edit(text: str) -> dict[str, str]:
        return {"message_id": sent["id"], "text": text}

    here.clock.jump(14 * 60 + 59)
    assert (await refused(tom.ask("message.edit", edit("mine"), pair))).code == "PERMISSION_DENIED"
    assert (await refused(ann.ask("message.edit", edit(""), pair))).code == "VALIDATION_FAILED"
    no = await refused(ann.ask("message.edit", edit("x" * 2001), pair))
    assert no.code == "MESSAGE_TOO_LONG"
    await ann.ask("message.edit", edit("Tuesday"), pair)
    await here.settled()
    (told,) = tom.payloads("message.edited")
    assert (told["message_id"], told["text"]) == (sent["id"], "Tuesday")
    here.clock.jump(2)
    no = await refused(ann.ask("message.edit", edit("Wednesday"), pair))
    assert no.code == "EDIT_WINDOW_EXPIRED"


async def test_14_one_s_own_is_deleted_for_both(here: Product):
    """MSG-08, 11, SRCH-07. That the row stays: tests/persistence/contract."""
    ann, tom = await here.phones("ann", "tom")
    sent = await ann.ask("message.send", {"to": "tom", "text": "a slip"})
    pair, message = sent["c"], {"message_id": sent["id"]}
    assert (await refused(tom.ask("message.delete", message, pair))).code == "PERMISSION_DENIED"
    await ann.ask("message.delete", message, pair)
    await trio.sleep(1)
    (told,) = tom.payloads("message.deleted")
    assert (told["message_id"], told["by"]) == (sent["id"], "ann")
    for phone in (ann, tom):
        assert await phone.history(pair) == []
        assert (await phone.ask("message.search", {"query": "slip"}))["total"] == 0


@waits_for("client")
def test_15_a_client_in_the_foreground_reads_by_itself():
    """CLI-10."""


async def test_16_what_is_shown_at_once_gets_its_id_later(here: Product):
    """CLI-04."""
    pair = await here.room("ann", "tom")
    async with here.client("ann") as ann:
        shown, id = await ann.enqueue(pair, "hello"), None
        async for push in ann:
            if isinstance(push, Sent):
                assert push.outgoing is shown
                id = push.result["id"]
                break
        (kept,) = (await ann.history(pair))["messages"]
        assert (kept["id"], kept["text"]) == (id, "hello")


async def test_17_order_reconnection_and_the_number_of_connections():
    """PERF-02, HIST-07, CONN-03."""
    async with product(PROFILE, limits=UNLIMITED) as here:
        ann, tom = await here.phones("ann", "tom")
        pair = await here.room("ann", "tom")
        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon((ann, tom)[n % 2].send, pair, f"{n}")
        await here.settled()
        assert len(tom.texts()) == 100
        assert ann.of_kind("message.sent") == tom.of_kind("message.sent")
        await tom.drop()
        await ann.send(pair, "away")
        tom = await here.phone("tom")
        await tom.ask("conversation.resume", {"epoch": 1, "seq": 101}, pair)
        assert tom.texts() == ["away"]
        for _ in range(9):
            await here.phone("ann")
        peer = here.peer()
        await peer.upgrade()
        assert (await peer.hello(here.token("ann")))["error"]["code"] == "CONNECTION_LIMIT"


@waits_for("media", "moderation")
async def test_18_the_first_message_makes_the_conversation(here: Product):
    """CONV-02, 03; ATT-12, MOD-23."""
    (ann,) = await here.phones("ann")
    first = await ann.ask("message.send", {"to": "tom", "text": "one"})
    second = await ann.ask("message.send", {"to": "tom", "text": "two"})
    assert first["c"] == second["c"]
    (row,) = (await ann.ask("conversation.list"))["conversations"]
    assert (row["c"], row["kind"]) == (first["c"], "direct")
    found = []
    for context in ({}, LESSON, {"booking": "101"}, LESSON):
        message = {"to": "tom", "text": "three", "context": context}
        found.append((await ann.ask("message.send", message))["c"])
    assert found[0] == first["c"]
    assert found[1] == found[3]
    assert len({*found}) == 3


@waits_for("moderation", "REST", "vocabularies")
def test_19_ten_endpoints_five_events_eight_methods():
    """REST-02, WS-03, CLI-14, MOD-18."""
