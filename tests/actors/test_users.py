"""Whom the host knows: who can be written to, and who the users in an answer are."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.errors import ERRORS
from palaver.protocol.features.pins import PinMessage
from palaver.protocol.features.stars import StarMessage
from palaver.tests.support.engines import group, refused, say, settled
from palaver.tests.support.hosts import GONE, Directory, person

NAMING: list[tuple[str, dict[str, Any]]] = [
    ("message.send", {"to": "WHO", "text": "hi"}),
    ("conversation.create", {"kind": "direct", "members": ["WHO"]}),
    ("conversation.create", {"kind": "group", "members": ["bob", "WHO"]}),
    ("member.add", {"users": ["bob", "WHO"]}),
]
PAGES: list[tuple[str, dict[str, Any], bool]] = [
    ("conversation.get", {}, True),
    ("member.list", {}, True),
    ("message.history", {}, True),
    ("message.history", {"system": True}, True),
    ("message.history", {"page": 1}, True),
    ("message.readers", {"message_id": "FIRST"}, True),
    ("pin.list", {}, True),
    ("thread.list", {"message_id": "FIRST"}, True),
    ("conversation.list", {}, False),
    ("sync.changes", {"cursor": "0"}, False),
    ("message.search", {"query": "hello"}, False),
    ("star.list", {}, False),
    ("presence.list", {}, False),
]


async def naming(device: Device, room: str, kind: str, payload: Any, who: str) -> dict[str, Any]:
    """The Reply to the command with `who` in place of WHO."""
    given = json.loads(json.dumps(payload).replace("WHO", who))
    return await device.ask(kind, given, c=room if kind == "member.add" else None)


@pytest.mark.parametrize("who", ["zed", "old"])
@pytest.mark.parametrize(("kind", "payload"), NAMING)
async def test_CONV_23_SEND_21_who_is_unknown_or_inactive_is_not_found(
    kind: str, payload: dict[str, Any], who: str
):
    async with memory_engine(users=Directory("ann", "bob", "cid", old=GONE)) as engine:
        room = await group(engine, "ann", "cid")
        ann, seq = Device(engine, "ann"), (await say(engine, room, "ann", "hi"))[0].seq
        error = (await naming(ann, room, kind, payload, who))["error"]
        assert (error["code"], ERRORS[error["code"]].http) == ("USER_NOT_FOUND", 404)
        assert error["details"] == {"user": who}
        assert ann.events() == ann.events(room), "nothing came of it"
        assert (await ann.ask("conversation.get", c=room))["ok"]["seq"] == seq
        assert "ok" in await naming(ann, room, kind, payload, "cid")


async def test_CONV_23_who_leaves_the_product_cannot_be_written_to_any_more():
    users = Directory("ann", "bob")
    async with memory_engine(users=users) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("bob", "hi")
        users.accounts["bob"] = GONE
        await ann.send_to("bob", "remembered")
        engine.user_changed("bob")
        assert (await refused(ann.send_to("bob", "hello?"))).code == "USER_NOT_FOUND"
        again = await ann.send(sent.conversation, "in what there is")
        assert again.seq == sent.seq + 2
        users.accounts["bob"] = person("bob")
        await trio.sleep(100)
        await ann.send_to("bob", "noticed in time")


async def test_SEND_06_a_repetition_gets_the_first_answer_whoever_is_there_now():
    users = Directory("ann", "bob")
    async with memory_engine(users=users) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("bob", "hi", client_id="k")
        users.accounts.clear()
        engine.user_changed()
        assert await ann.send_to("bob", "hi", client_id="k") == sent


async def test_CONV_23_what_was_opened_before_somebody_left_is_found_again():
    users = Directory("ann", "bob")
    async with memory_engine(users=users) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_direct("bob")
        users.accounts["bob"] = GONE
        engine.user_changed()
        assert await ann.create_direct("bob") == room


async def test_SEND_22_the_host_is_asked_last():
    users = Directory("ann", "bob")
    policy = {"max_chars": 10, "max_members": 3}
    async with memory_engine(users=users, policy=policy) as engine:
        room = await group(engine, "ann", "bob")
        users.asked.clear()
        bob = Device(engine, "bob")
        for kind, payload, c, code in (
            ("member.add", {"users": ["zed"]}, room, "PERMISSION_DENIED"),
            ("message.send", {"to": "zed", "text": "x" * 11}, None, "MESSAGE_TOO_LONG"),
            ("message.send", {"to": "bob", "text": "x"}, None, "SELF_MESSAGE"),
            ("conversation.create", {"kind": "group", "members": [*"wxyz"]}, None, "GROUP_FULL"),
        ):
            assert (await bob.ask(kind, payload, c=c))["error"]["code"] == code
        assert users.asked == []


async def test_a_slow_host_delays_only_the_senders_concerned():
    """semantics §5: slow checks run outside of the actor, in order per sender and conversation."""
    users = Directory("ann", "bob", "cid", "dan")
    async with memory_engine(users=users, host={"timeout_s": 3}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        users.delay_s, began = 2.0, trio.current_time()
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        ann.submit("member.add", {"users": ["dan"]}, c=room, id="slow")
        ann.submit("message.send", {"text": "after it"}, c=room, id="behind")
        ann.submit("message.send", {"to": "bob", "text": "elsewhere"}, id="elsewhere")
        await bob.ask("message.send", {"text": "at once"}, c=room)
        await settled()
        assert trio.current_time() == began
        assert sorted(bob.texts()) == ["at once", "elsewhere"]
        assert ann.of_kind("reply")[0]["id"] == "elsewhere"
        await trio.sleep(2)
        await settled()
        kinds = [(item["t"], item["d"].get("text")) for item in bob.events(room)]
        assert kinds == [
            ("message.sent", "at once"),
            ("member.added", None),
            ("message.sent", "after it"),
        ]


async def test_SEND_22_membership_is_checked_again_when_the_host_has_answered():
    users = Directory("ann", "bob", "dan")
    policy = {"roles": ["member", "admin", "owner"]}
    async with memory_engine(users=users, policy=policy) as engine:
        room = await group(engine, "ann", "bob")
        await engine.as_user("ann").set_role(room, "bob", "admin")
        users.delay_s = 1.0
        bob = Device(engine, "bob")
        bob.submit("member.add", {"users": ["dan"]}, c=room, id=1)
        await settled()
        await engine.as_user("ann").remove_member(room, "bob")
        await trio.sleep(2)
        assert bob.reply(1)["error"]["code"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_CONV_23_while_the_host_is_away_the_settings_say_what_holds(when_away: str):
    users = Directory("ann", "bob")
    users.broken = True
    async with memory_engine(users=users, host={"when_away": when_away}) as engine:
        reply = await Device(engine, "ann").ask("message.send", {"to": "bob", "text": "hi"})
        registry = engine.metrics.registry
        value = registry.get_sample_value("palaver_host_unanswered_total", {"asked": "users"})
        assert value == 1
        if when_away == "allow":
            assert "ok" in reply
        else:
            assert (reply["error"]["code"], reply["error"]["retryable"]) == ("UNAVAILABLE", True)


async def test_the_host_itself_is_not_asked_whether_it_is_right():
    async with memory_engine(users=Directory("ann")) as engine:
        room = await group(engine, "ann")
        await engine.as_host().add_members(room, ["a machine"])


async def a_talk(engine: Engine) -> tuple[str, str]:
    """A room in which everything is that is listed anywhere, and the id of its first message."""
    ann, bob = engine.as_user("ann"), engine.as_user("bob")
    room = await group(engine, "ann", "bob")
    (first,) = await say(engine, room, "ann", "hello")
    await bob.send(room, "hello, too", reply_to=first.id)
    await bob.read(room)
    await ann.do(PinMessage(message_id=first.id), room)
    await bob.do(StarMessage(message_id=first.id), room)
    bobs = Device(engine, "bob")
    await bobs.ask("message.send", {"text": "hello below", "thread": first.id}, c=room)
    Device(engine, "ann")
    return room, first.id


@pytest.mark.parametrize(("kind", "payload", "of_room"), PAGES)
async def test_HIST_09_CONV_19_an_answer_says_once_who_its_users_are(
    kind: str, payload: dict[str, Any], of_room: bool
):
    policy = {"user_fields": ["name", "role"], "threads": True}
    async with memory_engine(users=Directory("ann", "bob"), policy=policy) as engine:
        room, first = await a_talk(engine)
        given = {name: first if value == "FIRST" else value for name, value in payload.items()}
        reader = Device(engine, "bob")
        answer = (await reader.ask(kind, given, c=room if of_room else None))["ok"]
        everybody = {
            "ann": {"name": "Ann", "role": "tutor"},
            "bob": {"name": "Bob", "role": "tutor"},
        }
        assert answer["users"], "it speaks of somebody"
        assert answer["users"].items() <= everybody.items()
        if kind in ("conversation.get", "message.history", "conversation.list", "message.search"):
            assert answer["users"] == everybody


async def test_HIST_09_whom_a_message_quotes_and_mentions_is_told_too():
    users = Directory("ann", "bob", "cid")
    async with memory_engine(users=users, policy={"user_fields": ["name"]}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        (first,) = await say(engine, room, "ann", "hi")
        bob = Device(engine, "bob")
        quote = {"text": "@cid", "reply_to": first.id, "mentions": ["cid"]}
        await bob.ask("message.send", quote, c=room)
        page = (await bob.ask("message.history", {"limit": 1}, c=room))["ok"]
        assert page["users"].keys() == {"ann", "bob", "cid"}


async def test_HIST_09_who_is_gone_is_shown_and_who_never_was_is_not():
    users = Directory("ann", "bob", "cid")
    async with memory_engine(users=users, policy={"user_fields": ["name"]}) as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "bob", "bye")
        users.accounts["bob"] = GONE
        del users.accounts["cid"]
        engine.user_changed()
        state = (await Device(engine, "ann").ask("conversation.get", c=room))["ok"]
        assert state["users"] == {"ann": {"name": "Ann"}, "bob": {"name": "Gone"}}


async def test_a_page_without_names_is_better_than_none():
    users = Directory("ann", "bob")
    async with memory_engine(users=users) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "bob", "hi")
        engine.user_changed()
        users.broken = True
        ann = Device(engine, "ann")
        for kind, c in (("message.history", room), ("conversation.list", None)):
            answer = (await ann.ask(kind, c=c))["ok"]
            assert answer["users"] == {}
            assert answer.get("messages") or answer.get("conversations")
        assert (await ann.ask("user.get", {"users": ["bob"]}))["error"]["code"] == "UNAVAILABLE"


async def test_a_page_waits_for_its_names_once_and_keeps_the_order():
    users = Directory("ann", "bob")
    async with memory_engine(users=users, policy={"user_fields": ["name"]}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "one")
        engine.user_changed()
        users.delay_s = 1.0
        bob = Device(engine, "bob")
        bob.submit("message.history", c=room, id="page")
        bob.submit("message.send", {"text": "two"}, c=room, id="mine")
        await settled()
        await say(engine, room, "ann", "meanwhile")
        assert bob.texts() == ["meanwhile"]
        await trio.sleep(2)
        page = bob.reply("page")["ok"]
        assert [message["text"] for message in page["messages"]] == ["one", "meanwhile"]
        assert page["users"] == {"ann": {"name": "Ann"}}
        assert [item["id"] for item in bob.of_kind("reply")] == ["page", "mine"]


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_who_resumes_gets_events_and_no_names(durability: str):
    users = Directory("ann", "bob")
    async with memory_engine(users=users, policy={"durability": durability}) as engine:
        room = await group(engine, "ann", "bob")
        await say(engine, room, "ann", "one", "two")
        engine.user_changed()
        users.asked.clear()
        bob = Device(engine, "bob")
        answer = (await bob.ask("conversation.resume", {"epoch": 1, "seq": 2}, c=room))["ok"]
        assert (answer["recovered"], bob.texts()) == (True, ["two"])
        assert "users" not in answer
        assert users.asked == []


async def test_no_message_costs_a_question():
    users = Directory("ann", "bob")
    async with memory_engine(users=users) as engine:
        sent = await engine.as_user("ann").send_to("bob", "hi")
        users.asked.clear()
        engine.user_changed()
        bob = Device(engine, "bob")
        await say(engine, sent.conversation, "ann", *(f"{n}" for n in range(100)))
        assert len(bob.texts()) == 100
        assert users.asked == []


async def test_CONV_19_who_came_with_a_push_is_asked_for():
    policy = {"user_fields": ["name", "email"]}
    async with memory_engine(users=Directory("ann", "bob"), policy=policy) as engine:
        ann = Device(engine, "ann")
        answer = await ann.ask("user.get", {"users": ["bob", "zed"]})
        assert answer["ok"] == {"users": {"bob": {"name": "Bob", "email": "bob@example.org"}}}


async def test_whom_one_can_write_to_is_found():
    users = Directory("ann", "bob", "bea")
    async with memory_engine(users=users, policy={"user_fields": ["name"]}) as engine:
        answer = await Device(engine, "ann").ask("user.search", {"text": " B "})
        assert answer["ok"] == {
            "found": ["bob", "bea"],
            "users": {"bob": {"name": "Bob"}, "bea": {"name": "Bea"}},
        }


async def test_without_a_port_every_id_is_a_user_of_whom_nothing_is_said():
    async with memory_engine() as engine:
        sent = await engine.as_user("ann").send_to("whoever", "hi")
        ann = Device(engine, "ann")
        for kind, c in (("message.history", sent.conversation), ("conversation.list", None)):
            assert "users" not in (await ann.ask(kind, c=c))["ok"]
        for kind, payload in (("user.get", {"users": ["ann"]}), ("user.search", {"text": "a"})):
            assert (await ann.ask(kind, payload))["error"]["code"] == "FEATURE_DISABLED"
