"""stayeasy: guests and owners of holiday homes, in pairs."""

import jwt
import pytest
import trio

from palaver.engine import Settings
from palaver.engine.profiles import NAMES
from palaver.gateway.client import (
    CallTimeout,
    Client,
    Event,
    ReconnectFailed,
    Sent,
    StateChange,
    linear,
)
from palaver.gateway.client.client import CALL_TIMEOUT
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.references import DropReference
from palaver.tests.gateway.harness import SECRET
from palaver.tests.scenarios.waiting import waits_for
from palaver.tests.support.engines import NOWHERE, refused
from palaver.tests.support.hosts import Directory
from palaver.tests.support.product import Product, fault, product

PROFILE = "stayeasy"
PLAN = {"type": "file", "url": "https://example.org/plan.pdf", "name": "plan.pdf"}
HOUSE = {"property": "p9"}


def shown(user: str) -> dict[str, str]:
    """What is told of somebody in a `Directory`."""
    return {"name": user.title(), "email": f"{user}@example.org", "role": "tutor"}


async def heard(client: Client) -> str:
    """The next message."""
    async for push in client:
        if isinstance(push, Event) and push.kind == "message.sent":
            return str(push.data["text"])
    raise AssertionError("it was closed")


async def to_the_end(client: Client) -> list[StateChange]:
    """How its connection fared from now on, until it gave up."""
    changes = []
    try:
        async for push in client:
            if isinstance(push, StateChange):
                changes.append(push)  # noqa: PERF401  # a comprehension would lose all of them
    except ReconnectFailed:
        return changes
    raise AssertionError("it ended otherwise")


async def test_01_a_message_with_a_file():
    """SEND-10; REST-03. One row for each file: tests/persistence/postgres/test_attachments.py."""
    store = MemoryStore(durability="commit")
    async with product(PROFILE, store=store) as here:
        (owner,) = await here.phones("owner")
        chat = await here.room("guest", "owner")
        body = {"text": "Where is the boat?", "attachments": [PLAN]}
        made = await here.http("guest", "POST", f"/conversations/{chat}/messages", body)
        assert (made.status_code, made.json()["attachments"]) == (201, [PLAN])
        await here.settled()
        assert owner.payloads("message.sent")[0]["attachments"] == [PLAN]
        store = store.crashed()
    async with product(PROFILE, store=store) as here:
        (owner,) = await here.phones("owner")
        (message,) = await owner.history(chat)
        assert (message["text"], message["attachments"]) == ("Where is the boat?", [PLAN])


async def test_02_what_is_answered_is_stored_and_told():
    """SEND-01, 07, 11."""
    store = MemoryStore(durability="commit")
    async with product(PROFILE, store=store) as here:
        guest, owner = await here.phones("guest", "owner")
        chat = await here.room("guest", "owner")
        await guest.send(chat, "Is there a boat?")
        await here.settled()
        assert owner.texts() == ["Is there a boat?"]
        store = store.crashed()
    async with product(PROFILE, store=store) as here:
        (owner,) = await here.phones("owner")
        assert [each["text"] for each in await owner.history(chat)] == ["Is there a boat?"]


async def test_03_what_is_said_offline_waits(here: Product):
    """CLI-02."""
    chat = await here.room("guest", "owner")
    owner = await here.phone("owner")
    here.offline = True
    async with here.client("guest") as guest:
        queued = await guest.enqueue(chat, "hello")
        await trio.sleep(10)
        assert list(guest.outbox.waiting) == [queued]
        here.offline = False
        async for push in guest:
            if isinstance(push, Sent):
                assert push.outgoing is queued
                break
        assert list(guest.outbox.waiting) == []
    await here.settled()
    assert owner.texts() == ["hello"]


async def test_04_who_may_not_connect(here: Product):
    """CONN-05, 07, ERR-07. Sessions and their roles: tests/gateway/auth."""
    expired = jwt.encode({"sub": "guest", "exp": 1}, SECRET, algorithm="HS256")
    for token, code, words in (
        (None, "AUTH_REQUIRED", "Authentication error"),
        (expired, "SESSION_EXPIRED", "Session expired"),
        ("a.b.c", "AUTH_FAILED", "Authentication failed"),
    ):
        peer = here.peer()
        await peer.upgrade()
        error = (await peer.hello(token))["error"]
        assert (error["code"], error["message"]) == (code, words)
        assert await peer.closed() == 3500


async def test_05_the_recipient_is_the_other_side(here: Product):
    """CONV-18, 25."""
    guest, owner, other = await here.phones("guest", "owner", "other")
    chat = await here.room("guest", "owner")
    no = await refused(guest.send(chat, "hello", recipient="other"))
    assert fault(no) == ("VALIDATION_FAILED", "recipient")
    await guest.send(chat, "hello")
    await here.settled()
    assert (owner.texts(), other.texts()) == (["hello"], [])
    no = await refused(other.send(chat, "me too"))
    assert (no.code, no.message) == ("PERMISSION_DENIED", "Unauthorized access to chat")
    no = await refused(other.send(NOWHERE, "me too"))
    assert (no.code, no.message) == ("CONVERSATION_NOT_FOUND", "Chat not found")


async def test_06_nothing_is_told_before_it_is_stored():
    """SEND-05, 11, 19."""
    store = MemoryStore(durability="commit")
    async with product(PROFILE, store=store) as here:
        guest, owner = await here.phones("guest", "owner")
        chat = await here.room("guest", "owner")
        await here.settled()
        store.hold()
        async with trio.open_nursery() as nursery:
            answers: list[dict[str, object]] = []

            async def send() -> None:
                answers.append(await guest.send(chat, "stored"))

            nursery.start_soon(send)
            await here.settled()
            assert (answers, owner.texts()) == ([], [])
            store.release()
        assert answers[0].keys() == {"c", "seq", "id", "ts"}
        store.refuse(lambda write: bool(write.events))
        assert (await refused(guest.send(chat, "refused"))).code == "PERSIST_FAILED"
        await here.settled()
        assert owner.texts() == ["stored"]


async def test_07_twenty_at_once_and_one_without_an_answer():
    """SEND-05, CLI-03."""
    store = MemoryStore(durability="commit")
    async with product(PROFILE, store=store) as here, here.client("guest") as guest:
        chat = await here.room("guest", "owner")
        ids: dict[str, str] = {}

        async def send(text: str) -> None:
            ids[text] = (await guest.send(chat, text))["id"]

        async with trio.open_nursery() as nursery:
            for n in range(20):
                nursery.start_soon(send, f"{n}")
        shown = (await guest.history(chat))["messages"]
        assert {each["text"]: each["id"] for each in shown} == ids
        store.hold()
        began = trio.current_time()
        with pytest.raises(CallTimeout):
            await guest.send(chat, "never stored")
        assert trio.current_time() - began == CALL_TIMEOUT == 10
        store.release()


async def test_08_who_does_not_look_is_told_all_the_same(here: Product):
    """SEND-16."""
    guest, owner = await here.phones("guest", "owner")
    chats = [await here.room("guest", "owner"), await here.room("other", "owner")]
    await owner.ask("conversation.list")
    for user, chat in zip(("guest", "other"), chats, strict=True):
        await here.engine.as_user(user).send(chat, "hello")
    await trio.sleep(1)
    assert [item["c"] for item in owner.of_kind("message.sent")] == chats
    told = owner.payloads("unread.changed")[-1]
    assert (told["total"], told["conversations"]) == (2, dict.fromkeys(chats, 1))
    assert len(guest.of_kind("message.sent")) == 1


@waits_for("vocabularies")
async def test_09_a_list_is_read_at_once(here: Product):
    """RCPT-02, 04, 06."""
    guest, owner = await here.phones("guest", "owner")
    chat, other = await here.room("guest", "owner"), await here.room("other", "owner")
    for phone in (guest, owner):
        await phone.ask("conversation.subscribe", {}, chat)
    sent = [await guest.send(chat, f"{n}") for n in range(3)]
    foreign = await here.engine.as_user("other").send(other, "not this one")
    ids = [sent[0]["id"], sent[1]["id"], foreign.id]
    assert (await owner.ask("message.read", {"message_ids": ids}, chat))["unread"] == 1
    await here.settled()
    (told,) = guest.payloads("message.read")
    assert (told["by"], told["seq"]) == ("owner", sent[1]["seq"])
    assert owner.payloads("message.read") == []
    assert (await owner.ask("conversation.get", {}, other))["unread"] == 1
    await owner.send(chat, "mine")
    own = (await owner.history(chat))[-1]["id"]
    no = await refused(owner.ask("message.read", {"message_ids": [own]}, chat))
    assert no.code == "PERMISSION_DENIED"


@waits_for("REST", "vocabularies")
async def test_10_chats_and_their_pages():
    """CONV-07, 19, HIST-02, 03, 05, 09."""
    async with product(PROFILE, users=Directory("guest", "owner")) as here:
        owner = await here.phone("owner")
        chat = await here.room("guest", "owner")
        guest = here.engine.as_user("guest")
        sent = []
        for n in range(119):
            here.clock.jump(1)
            sent.append(await guest.send(chat, f"{n}"))
        phone = await here.phone("guest")
        await phone.send(chat, "119", context=HOUSE, attachments=[PLAN])
        answer = await owner.ask("conversation.list")
        (row,) = answer["conversations"]
        assert (row["last"]["text"], row["last"]["by"], row["unread"]) == ("119", "guest", 120)
        assert row["last"]["attachments"] == ["file"]
        assert answer["users"] == {user: shown(user) for user in ("guest", "owner")}
        page = await owner.ask("message.history", {}, chat)
        assert [each["text"] for each in page["messages"]] == [f"{n}" for n in range(70, 120)]
        keys = ("page", "limit", "total", "total_pages", "more")
        assert [page[key] for key in keys] == [1, 50, 120, 3, True]
        assert page["users"] == {"guest": shown("guest")}
        last = page["messages"][-1]
        assert (last["by"], last["context"], last["attachments"]) == ("guest", HOUSE, [PLAN])
        page = await owner.ask("message.history", {"page": 3, "limit": 50}, chat)
        assert [each["text"] for each in page["messages"]] == [f"{n}" for n in range(20)]
        before = await owner.history(chat, before_time=sent[10].at)
        assert [each["text"] for each in before] == [f"{n}" for n in range(10)]


async def test_11_five_attempts_then_no_more(here: Product):
    """CLI-01, 05, HIST-07."""
    chat = await here.room("guest", "owner")
    owner = here.engine.as_user("owner")
    async with here.client("guest", backoff=linear, random=lambda: 1.0) as guest:
        await guest.connected()
        await owner.send(chat, "hello")
        assert await heard(guest) == "hello"
        await trio.aclose_forcefully(here.lines[-1])
        await owner.send(chat, "missed")
        assert await heard(guest) == "missed"
        here.offline = True
        await trio.aclose_forcefully(here.lines[-1])
        changes = await to_the_end(guest)
        waits = [each.retry_in for each in changes if each.state == "disconnected"]
        assert waits == [1, 2, 3, 4, 5, None]


@waits_for("retention")
def test_12_the_archive():
    """PRIV-02, 03, 04."""


@waits_for("retention")
def test_13_in_the_database():
    """DB-02, 04: tests/persistence/postgres/test_indexes.py; DB-03, as to all of one sender."""


@waits_for("retention")
async def test_14_what_goes_with_a_property_and_with_a_user(here: Product):
    """CONV-05; PRIV-12."""
    guest, owner = await here.phones("guest", "owner")
    chat = await here.room("guest", "owner")
    await guest.send(chat, "Is it free in May?", context=HOUSE)
    await guest.send(chat, "Or another one?", context={"property": "p8"})
    (message,) = await owner.history(chat, context=HOUSE)
    assert (message["text"], message["context"]) == ("Is it free in May?", HOUSE)
    await here.engine.as_host().do(DropReference(context=HOUSE))
    await here.settled()
    assert owner.payloads("reference.dropped")[0]["message_id"] == message["id"]
    assert await owner.history(chat, context=HOUSE) == []
    left = [(each["text"], each["context"]) for each in await owner.history(chat)]
    assert left == [
        ("Is it free in May?", {"property": None}),
        ("Or another one?", {"property": "p8"}),
    ]


async def test_15_messages_are_limited(here: Product):
    """SEC-03."""
    guest = await here.phone("guest")
    chat = await here.room("guest", "owner")
    for n in range(60):
        await guest.send(chat, f"{n}")
    no = await refused(guest.send(chat, "61"))
    assert no.code == "RATE_LIMITED"
    assert no.retry_after is not None
    await trio.sleep(no.retry_after)
    await guest.send(chat, "61")


@waits_for("latency", "retention")
async def test_16_figures_to_watch():
    """MON-02; MON-04, 05."""
    store = MemoryStore(durability="commit")
    async with product(PROFILE, store=store) as here:
        (guest,) = await here.phones("guest")
        chat = await here.room("guest", "owner")
        await guest.send(chat, "stored")
        store.refuse(lambda write: True)
        assert (await refused(guest.send(chat, "not stored"))).code == "PERSIST_FAILED"
        figures = {
            (sample.name, *sample.labels.values()): sample.value
            for family in here.gateway.counters.collect()
            for sample in family.samples
        }
        assert figures["palaver_connections",] == 1
        assert figures["palaver_connections_opened_total",] == 1
        assert figures["palaver_replies_total",] == 2
        assert figures["palaver_errors_total", "PERSIST_FAILED"] == 1


@waits_for("cluster")
def test_17_two_processes_serve_one_chat():
    """DEP-02."""


@waits_for("vocabularies")
def test_18_configured_by_the_environment(monkeypatch: pytest.MonkeyPatch):
    """DEP-01, under names of our own."""
    for name, value in {
        "PALAVER_PROFILE": PROFILE,
        "PALAVER_LISTEN__ALLOWED_ORIGINS": '["https://stay.example"]',
        "PALAVER_AUTH__SECRET": SECRET,
        "PALAVER_STORAGE__DSN": "postgresql://localhost/stay",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.policy.profile == PROFILE
    assert settings.listen.allowed_origins == ["https://stay.example"]
    assert settings.auth.secret is not None
    assert settings.storage.dsn is not None


async def test_19_as_a_program_uses_it(here: Product):
    """CLI-06."""
    async with here.client("guest") as guest, here.client("owner") as owner:
        chat = await guest.create_direct("owner")
        await owner.subscribe(chat)
        await guest.send(chat, "Is there a boat?")
        async for push in owner:
            match push:
                case Event("message.sent", conversation, data={"by": by, "text": text}):
                    assert (conversation, by, text) == (chat, "guest", "Is there a boat?")
                    break


@waits_for("retention")
async def test_20_its_numbers(here: Product):
    """50 in a page, five attempts a second apart and growing, 10 s for an answer; 365 and 90
    days."""
    assert here.policy.messages_page == here.policy.conversations_page == 50
    assert list(linear()) == [1, 2, 3, 4, 5]
    assert CALL_TIMEOUT == 10


@waits_for("vocabularies")
async def test_21_pages_are_for_the_two_alone(here: Product):
    """CONV-18; CLI-07, REST-05."""
    other = await here.phone("other")
    chat = await here.room("guest", "owner")
    for query in ({}, {"page": 1}, {"page": 1, "limit": 10, "before_time": 1}):
        assert (await refused(other.history(chat, **query))).code == "PERMISSION_DENIED"


async def test_22_files_that_lie_elsewhere(here: Product):
    """ATT-04. Their rows: tests/persistence/postgres/test_attachments.py."""
    guest, owner = await here.phones("guest", "owner")
    chat = await here.room("guest", "owner")
    file = {"name": "plan.pdf", "url": "https://example.org/plan.pdf"}
    await guest.send(chat, "", type="file", metadata=file)
    await guest.send(chat, "", attachments=[PLAN])
    as_type, attached = await owner.history(chat)
    assert (as_type["type"], as_type["text"], as_type["metadata"]) == ("file", "", file)
    assert (attached["text"], attached["attachments"]) == ("", [PLAN])
    assert (await owner.ask("media.list", {}, chat))["messages"] == [attached, as_type]
    for profile in sorted({*NAMES} - {PROFILE}):
        async with product(profile) as other:
            ann = await other.phone("ann")
            room = await other.room("ann", "bob")
            no = await refused(ann.send(room, "see", attachments=[{**PLAN, "type": "image"}]))
            assert fault(no) == ("VALIDATION_FAILED", "attachments.0.url")


async def test_23_a_client_says_how_it_is_connected(here: Product):
    """CLI-13."""
    async with here.client("guest", backoff=lambda: linear(attempts=1)) as guest:
        await guest.connected()
        here.offline = True
        await trio.aclose_forcefully(here.lines[-1])
        assert [change.state for change in await to_the_end(guest)] == [
            *("connecting", "connected", "disconnected"),
            *("connecting", "disconnected", "reconnect_failed"),
        ]
