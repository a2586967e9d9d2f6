"""Blocks, restrictions, requests: who may reach whom, and who hears of what (REQ)."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, Follows, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.protocol.features.blocks import BlockUser, RestrictUser, UnblockUser
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.requests import AcceptRequest, DeclineRequest
from palaver.protocol.features.settings import SetSettings
from palaver.tests.support.engines import Lives, group, refused, say, settled
from palaver.tests.support.stores import Watch

BLOCKS = {"blocks": "silent"}
REQUESTS = {"blocks": "silent", "message_requests": True}


async def ok(device: Device, kind: str, c: str | None = None, /, **payload: Any) -> dict[str, Any]:
    reply = await device.ask(kind, payload, c=c)
    assert "ok" in reply, reply
    answer: dict[str, Any] = reply["ok"]
    return answer


async def no(device: Device, kind: str, c: str | None = None, /, **payload: Any) -> dict[str, Any]:
    error: dict[str, Any] = (await device.ask(kind, payload, c=c))["error"]
    return error


async def listed(device: Device, filter: str = "all") -> list[str]:
    rows = (await ok(device, "conversation.list", filter=filter))["conversations"]
    return [row["c"] for row in rows]


async def texts(engine: Engine, user: str, room: str) -> list[str]:
    return [message["text"] for message in await engine.as_user(user).history(room)]


# Blocks.


async def test_REQ_08_after_a_block_nothing_passes_in_either_direction():
    async with memory_engine(policy=BLOCKS) as engine:
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        for device in (ann, bob):
            await ok(device, "conversation.subscribe", room)
        await ok(bob, "user.block", user="ann")
        at = len(ann.items), len(bob.items)
        for device in (ann, bob):
            await device.ask("message.send", {"text": "psst @bob", "mentions": ["bob"]}, c=room)
            await ok(device, "typing.start", room)
            await ok(device, "message.read", room)
            device.submit("ack", c=room, seq=3)
        await trio.sleep(20)
        passed = {item["t"] for item in bob.items[at[1] :]}
        assert passed == {"reply", "skipped"}
        by = [item["d"].get("by", "ann") for item in ann.items[at[0] :] if "d" in item]
        assert set(by) == {"ann"}, "she hears of herself only"
        error = await no(bob, "message.send", room, text="x")
        assert error["code"] == "PERMISSION_DENIED"
        assert await texts(engine, "bob", room) == ["hello"]
        assert await texts(engine, "ann", room) == ["hello", "psst @bob"]


async def test_REQ_08_what_was_said_meanwhile_does_not_arrive_after_unblocking():
    lives = Lives(policy=BLOCKS)
    async with lives.life() as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        bob = Device(engine, "bob")
        assert (await ok(bob, "conversation.list"))["unread"] == 1
        await ok(bob, "user.block", user="ann")
        await say(engine, room, "ann", "one", "two")
        await trio.sleep(1)
        assert bob.of_kind("unread.changed")[-1]["d"]["total"] == 0
        assert (await ok(bob, "conversation.list"))["conversations"] == []
        await ok(bob, "user.unblock", user="ann")
        await say(engine, room, "ann", "three")
        assert await texts(engine, "bob", room) == ["hello", "three"]
        lives.restart()
    async with lives.life() as engine:
        bob = Device(engine, "bob")
        (row,) = (await ok(bob, "conversation.list"))["conversations"]
        assert (row["unread"], row["last"]["text"]) == (2, "three")
        resumed = await ok(bob, "conversation.resume", room, epoch=1, seq=2)
        assert resumed["recovered"]
        (gap,) = bob.of_kind("skipped")
        assert (gap["d"]["from"], gap["seq"]) == (3, 4)
        assert bob.texts() == ["three"]


async def test_REQ_08_a_block_holds_after_a_restart_and_for_whoever_has_never_written():
    lives = Lives(policy=BLOCKS)
    async with lives.life() as engine:
        await engine.as_user("bob").do(BlockUser(user="ann"))
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        bob = Device(engine, "bob")
        assert await listed(bob) == [], "nor is it there"
        lives.restart()
    async with lives.life() as engine:
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "more")
        assert bob.items == [], "he is told nothing of what he has never seen"
        assert await listed(bob) == await listed(bob, "requests") == []
        assert (await ok(bob, "sync.changes", cursor="0"))["conversations"] == []
        await engine.as_user("bob").do(UnblockUser(user="ann"))
        assert await listed(bob, "requests") == []
        await say(engine, room, "ann", "sorry")
        assert await listed(bob, "requests") == [room]
        assert await texts(engine, "bob", room) == ["sorry"]


async def test_REQ_08_presence_does_not_pass():
    async with memory_engine(policy=BLOCKS) as engine:
        room = await group(engine, "ann", "bob", "cid")
        ann, bob, cid = (Device(engine, user) for user in ("ann", "bob", "cid"))
        await settled()
        for device in (ann, bob, cid):
            await ok(device, "conversation.subscribe", room)
        await trio.sleep(100)
        at = engine.now()
        await ok(bob, "user.block", user="ann")
        (gone,) = ann.of_kind("presence.changed")
        assert gone["d"] == {"user": "bob", "online": False, "last_seen": at}
        assert cid.of_kind("presence.changed") == []
        await trio.sleep(100)
        await ok(bob, "user.restrict", user="ann")
        users = (await ok(ann, "presence.get", conversation=room))["users"]
        assert users["bob"] == {"online": False, "last_seen": at}
        assert (await ok(cid, "presence.get", conversation=room))["users"]["bob"]["online"]
        bob.leave()
        await trio.sleep(100)
        bob = Device(engine, "bob")
        await ok(bob, "conversation.subscribe", room)
        assert len(ann.of_kind("presence.changed")) == 1, "he has come and gone, unseen"
        await ok(bob, "user.block", user="ann")
        ann.leave()
        await trio.sleep(100)
        assert bob.of_kind("presence.changed") == [], "nor does he hear of her"
        assert [item["d"]["user"] for item in cid.of_kind("presence.changed")][-1] == "ann"
        ann = Device(engine, "ann")
        await ok(ann, "conversation.subscribe", room)
        users = (await ok(bob, "presence.get", conversation=room))["users"]
        assert users["ann"] == {"online": False, "last_seen": None}
        await ok(bob, "user.unblock", user="ann")
        assert ann.of_kind("presence.changed")[-1]["d"] == {"user": "bob", "online": True}


async def test_REQ_09_adding_who_has_blocked_one_is_refused_like_anything_else():
    async with memory_engine(policy=BLOCKS) as engine:
        room = await group(engine, "ann", "cid")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        other = await group(engine, "dan", "eve")
        expected = await no(ann, "conversation.rename", other, title="x")
        await ok(bob, "user.block", user="ann")
        assert await no(ann, "member.add", room, users=["dan", "bob"]) == expected
        create = {"kind": "group", "title": "x", "members": ["dan", "bob"]}
        assert await no(ann, "conversation.create", **create) == expected
        own = await group(engine, "bob", "cid")
        assert (await no(bob, "member.add", own, users=["ann"]))["code"] == "PERMISSION_DENIED"
        await ok(bob, "user.restrict", user="ann")
        await ok(ann, "member.add", room, users=["bob"])


async def test_C_38_where_blocks_are_forbidden_a_message_is_refused_like_anything_else():
    async with memory_engine(policy={"blocks": "forbidden"}) as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        ann, bob, cid = (Device(engine, user) for user in ("ann", "bob", "cid"))
        other = await group(engine, "dan", "eve")
        await ok(bob, "user.block", user="ann")
        await ok(bob, "user.block", user="cid")
        expected = await no(ann, "message.send", other, text="x")
        assert await no(ann, "message.send", room, text="x") == expected
        assert await no(cid, "message.send", to="bob", text="x") == expected
        assert (await no(ann, "message.send", room, text="x" * 5000))["code"] == "MESSAGE_TOO_LONG"
        await ok(bob, "user.restrict", user="ann")
        await ok(ann, "message.send", room, text="x")
        assert await texts(engine, "bob", room) == ["hello"]


async def test_REQ_10_whoever_is_restricted_may_be_written_to_and_does_not_reach_one():
    async with memory_engine(policy=BLOCKS) as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        bob, ann = Device(engine, "bob"), Device(engine, "ann")
        await ok(bob, "user.restrict", user="ann")
        await say(engine, room, "ann", "one")
        await say(engine, room, "bob", "leave me alone")
        await say(engine, room, "ann", "two")
        assert bob.texts() == ["leave me alone"]
        assert ann.texts() == ["one", "leave me alone", "two"]
        assert await texts(engine, "bob", room) == ["hello", "leave me alone"]


async def test_REQ_08_blocks_do_not_hide_messages_inside_groups():
    async with memory_engine(policy=BLOCKS) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await ok(bob, "user.block", user="ann")
        await say(engine, room, "ann", "to all")
        assert bob.texts() == ["to all"]
        assert await listed(bob) == [room]


async def test_REQ_08_blocked_users_are_listed_and_unblocked():
    async with memory_engine(policy=BLOCKS | {"max_blocks": 3}) as engine:
        bob, phone = Device(engine, "bob"), Device(engine, "bob")
        for user in ("cid", "ann"):
            await ok(bob, "user.block", user=user)
        await ok(bob, "user.restrict", user="dan")
        assert await ok(bob, "user.block", user="cid") == {}
        assert [item["d"]["level"] for item in phone.of_kind("block.changed")] == [
            *("blocked", "blocked", "restricted")
        ]
        page = await ok(bob, "block.list", limit=2)
        assert page["blocks"] == [
            {"user": "ann", "level": "blocked"},
            {"user": "cid", "level": "blocked"},
        ]
        assert page["more"] is True
        rest = await ok(bob, "block.list", after="cid")
        assert rest == {"blocks": [{"user": "dan", "level": "restricted"}], "more": False}
        assert (await no(bob, "user.block", user="eve"))["details"]["max_blocks"] == 3
        assert (await no(bob, "user.block", user="bob"))["code"] == "SELF_MESSAGE"
        await ok(bob, "user.unblock", user="ann")
        assert await ok(bob, "user.unblock", user="ann") == {}
        await ok(bob, "user.block", user="eve")


async def test_REQ_08_a_block_while_the_conversation_is_being_opened_holds():
    store = MemoryStore()
    watch = Watch(store)
    async with memory_engine(store=store, policy=BLOCKS) as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        await trio.sleep(1000)
        watch.hold("load")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        ann.submit("message.send", {"text": "now"}, c=room, id=1)
        await settled()
        await ok(bob, "user.block", user="ann")
        watch.release()
        await settled()
        assert "ok" in ann.reply(1)
        assert bob.texts() == []


async def test_C_38_blocking_is_off_unless_the_product_says_otherwise():
    async with memory_engine() as engine:
        bob = engine.as_user("bob")
        for command in (BlockUser(user="ann"), RestrictUser(user="ann")):
            assert (await refused(bob.do(command))).code == "FEATURE_DISABLED"
        change = SetSettings(messages_from="no_one")
        assert (await refused(bob.do(change))).code == "FEATURE_DISABLED"


# Who may write, and how it arrives.

RELATIONS = {
    "strangers": (False, False),
    "the sender follows": (True, False),
    "the recipient follows": (False, True),
    "friends": (True, True),
}
ARRIVES: dict[str, list[str]] = {
    # in the order of RELATIONS
    "everyone": ["request", "inbox", "request", "inbox"],
    "friends": ["denied", "denied", "denied", "inbox"],
    "following": ["denied", "denied", "request", "inbox"],
    "no_one": ["denied", "denied", "denied", "denied"],
}


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("level", ARRIVES)
async def test_REQ_01_four_settings_by_four_relations(level: str, relation: str):
    follows, followed = RELATIONS[relation]
    relations = Follows()
    relations.set("ann", "bob", follows)
    relations.set("bob", "ann", followed)
    async with memory_engine(relations=relations, policy=REQUESTS) as engine:
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await ok(bob, "settings.set", messages_from=level)
        assert (await ok(bob, "settings.get"))["messages_from"] == level
        reply = await ann.ask("message.send", {"to": "bob", "text": "hello"})
        arrives = ARRIVES[level][list(RELATIONS).index(relation)]
        if arrives == "denied":
            assert reply["error"]["code"] == "PRIVACY_DENIED"
        assert (len(await listed(bob)), len(await listed(bob, "requests"))) == {
            "inbox": (1, 0),
            "request": (0, 1),
            "denied": (0, 0),
        }[arrives]


async def test_REQ_02_each_branch_and_the_earlier_reason_is_told():
    relations = Follows()
    relations.set("fan", "bob")
    async with memory_engine(
        relations=relations, policy=REQUESTS, limits={"messages_per_min": 1}
    ) as engine:
        bob = Device(engine, "bob")
        await ok(bob, "user.block", user="foe")
        await ok(bob, "user.restrict", user="bore")
        sent = {}
        for user in ("fan", "stranger", "foe", "bore"):
            device = Device(engine, user, limited=True)
            sent[user] = (await ok(device, "message.send", to="bob", text="hello"))["c"]
            error = await no(device, "message.send", to="bob", text="more")
            assert error["code"] == "RATE_LIMITED"
        assert await listed(bob) == [sent["fan"]]
        assert await listed(bob, "requests") == [sent["stranger"]]
        assert bob.texts() == ["hello"], "that of the fan"


@pytest.mark.parametrize("user", ["ann", "bob", None])
async def test_REQ_02_the_next_first_message_goes_by_what_the_host_says_now(user: str | None):
    relations = Follows()
    async with memory_engine(relations=relations, policy=REQUESTS) as engine:
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        await ok(bob, "settings.set", messages_from="following")
        relations.set("ann", "bob")
        assert (await refused(ann.send_to("bob", "hi"))).code == "PRIVACY_DENIED"
        relations.set("bob", "ann")
        assert (await refused(ann.send_to("bob", "hi"))).code == "PRIVACY_DENIED", "nobody said so"
        engine.relations_changed(user)
        room = (await ann.send_to("bob", "hi")).conversation
        assert await listed(bob) == [room]


@pytest.mark.parametrize("command", ["message.send", "conversation.create"])
async def test_REQ_11_REQ_13_no_one_is_no_one_and_nothing_is_made(command: str):
    """A block does not show either: to be blocked is answered in the same way."""
    async with memory_engine(policy=REQUESTS) as engine:
        bob = engine.as_user("bob")
        await bob.do(SetSettings(messages_from="no_one"))
        await bob.do(BlockUser(user="foe"))
        payloads: dict[str, dict[str, Any]] = {
            "message.send": {"to": "bob", "text": "hello"},
            "conversation.create": {"kind": "direct", "members": ["bob"]},
        }
        errors = [
            await no(Device(engine, user), command, **payloads[command])
            for user in ("stranger", "foe")
        ]
        denied = Rejected("PERMISSION_DENIED").payload()
        assert errors == [{**denied, "code": "PRIVACY_DENIED"}] * 2
        assert engine.health()["conversations"] == 0


async def test_REQ_11_where_blocks_are_forbidden_privacy_is_still_told_first():
    async with memory_engine(policy=REQUESTS | {"blocks": "forbidden"}) as engine:
        bob = engine.as_user("bob")
        await bob.do(SetSettings(messages_from="no_one"))
        await bob.do(BlockUser(user="foe"))
        for user in ("stranger", "foe"):
            error = await refused(engine.as_user(user).send_to("bob", "hello"))
            assert error.code == "PRIVACY_DENIED"


async def test_REQ_13_to_create_it_first_goes_round_nothing():
    async with memory_engine(policy=REQUESTS) as engine:
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        room = (await ann.do(CreateConversation(kind="direct", members=["bob"])))["c"]
        assert await listed(bob) == await listed(bob, "requests") == [], "nothing to read yet"
        await ann.send(room, "hello")
        assert (await listed(bob), await listed(bob, "requests")) == ([], [room])
        await engine.as_user("bob").do(SetSettings(messages_from="no_one"))
        await ann.send(room, "more")
        assert await texts(engine, "bob", room) == ["hello", "more"], "what is there goes on"


async def test_REQ_03_requests_are_a_list_of_their_own_and_at_most_one_of_a_conversation():
    async with memory_engine(policy=REQUESTS) as engine:
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        room = (await ann.send_to("bob", "hello")).conversation
        for filter in ("all", "unread", "archived"):
            assert await listed(bob, filter) == []
        assert (await ann.send_to("bob", "there")).conversation == room
        (row,) = (await ok(bob, "conversation.list", filter="requests"))["conversations"]
        assert (row["c"], row["request"], row["unread"]) == (room, "pending", 2)
        assert row["last"]["text"] == "there"
        (row,) = (await ann.inbox())["conversations"]
        assert row["c"] == room
        assert "request" not in row, "for its sender it is none"
        other = (await engine.as_user("cid").send_to("bob", "hi")).conversation
        assert set(await listed(bob, "requests")) == {other, room}
        await ok(bob, "request.decline", other)
        assert await listed(bob, "requests") == [room]


async def test_REQ_03_a_request_lasts_over_restarts():
    lives = Lives(policy=REQUESTS)
    async with lives.life() as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        lives.restart()
    async with lives.life() as engine:
        bob = Device(engine, "bob")
        assert (await listed(bob), await listed(bob, "requests")) == ([], [room])
        await say(engine, room, "ann", "more")
        assert bob.of_kind("message.sent") == []
        assert (await ok(bob, "conversation.get", room))["request"] == "pending"
        await ok(bob, "request.accept", room)
        lives.restart()
    async with lives.life() as engine:
        bob = Device(engine, "bob")
        assert (await listed(bob), await listed(bob, "requests")) == ([room], [])
        await say(engine, room, "ann", "again")
        assert bob.texts() == ["again"]


async def test_REQ_04_of_a_request_nobody_is_notified():
    async with memory_engine(policy=REQUESTS) as engine:
        bob = Device(engine, "bob")
        assert (await ok(bob, "conversation.list"))["unread"] == 0
        before = len(bob.items)
        ann = engine.as_user("ann")
        room = (await ann.send_to("bob", "hello @bob")).conversation
        mention = {"text": "psst", "mentions": ["bob"]}
        await ok(Device(engine, "ann"), "message.send", room, **mention)
        await trio.sleep(2)
        assert len(bob.items) == before
        assert (await ok(bob, "conversation.list"))["unread"] == 0
        assert (await ok(bob, "sync.changes", cursor="0"))["conversations"] == []


async def test_REQ_05_RCPT_21_previewing_a_request_marks_nothing_read():
    async with memory_engine(policy=REQUESTS) as engine:
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        room = (await ok(ann, "message.send", to="bob", text="hello"))["c"]
        await ok(ann, "conversation.subscribe", room)
        before = await ok(ann, "conversation.get", room)
        assert (await ok(bob, "conversation.get", room))["request"] == "pending"
        (message,) = (await ok(bob, "message.history", room))["messages"]
        assert message["text"] == "hello"
        await ok(bob, "conversation.subscribe", room)
        assert (await ok(bob, "message.read", room))["unread"] == 1
        await ok(bob, "typing.start", room)
        bob.submit("ack", c=room, seq=2)
        await trio.sleep(20)
        assert ann.items[-1]["t"] == "reply", "she has seen nothing"
        assert await ok(ann, "conversation.get", room) == before
        assert (await ok(ann, "message.readers", room, message_id=message["id"]))["readers"] == []


async def test_REQ_06_accepted_it_is_a_conversation_like_any_other():
    async with memory_engine(policy=REQUESTS) as engine:
        ann, bob, phone = (Device(engine, user) for user in ("ann", "bob", "bob"))
        await ok(bob, "conversation.list")
        room = (await ok(ann, "message.send", to="bob", text="hello"))["c"]
        before = len(ann.items)
        await ok(bob, "request.accept", room)
        (answered,) = phone.of_kind("request.answered")
        assert answered["d"] == {"conversation": room, "status": "accepted"}
        await trio.sleep(1)
        assert bob.of_kind("unread.changed")[-1]["d"] == {"total": 1, "conversations": {room: 1}}
        assert len(ann.items) == before
        assert (await listed(bob), await listed(bob, "requests")) == ([room], [])
        await ok(ann, "message.send", room, text="more")
        assert phone.texts() == ["more"]
        assert await ok(bob, "request.accept", room) == {}
        await ok(ann, "conversation.subscribe", room)
        await ok(bob, "message.read", room)
        assert len(ann.of_kind("message.read")) == 1


async def test_REQ_05_whoever_asks_does_not_see_who_is_online_before_they_are_accepted():
    async with memory_engine(policy=REQUESTS) as engine:
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        room = (await ok(ann, "message.send", to="bob", text="hello"))["c"]
        await ok(ann, "conversation.subscribe", room)
        unseen = {"online": False, "last_seen": None}
        assert (await ok(ann, "presence.get", conversation=room))["users"]["bob"] == unseen
        await ok(bob, "user.block", user="ann")
        assert (await ok(ann, "presence.get", conversation=room))["users"]["bob"] == unseen
        await ok(bob, "user.unblock", user="ann")
        bob.leave()
        await trio.sleep(100)
        assert (await ok(ann, "presence.get", conversation=room))["users"]["bob"] == unseen
        bob = Device(engine, "bob")
        await settled()
        assert ann.of_kind("presence.changed") == []
        await ok(bob, "request.accept", room)
        assert (await ok(ann, "presence.get", conversation=room))["users"]["bob"]["online"]


@pytest.mark.parametrize("attached", [True, False])
async def test_REQ_06_whoever_answers_has_accepted(attached: bool):
    lives = Lives(policy=REQUESTS)
    async with lives.life() as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        bob = Device(engine, "bob") if attached else None
        await say(engine, room, "bob", "hi")
        if bob is not None:
            assert bob.texts() == ["hi"], "his own devices get what he says"
        await settled()
        assert await listed(Device(engine, "bob")) == [room]
        lives.restart()
    async with lives.life() as engine:
        assert await listed(Device(engine, "bob")) == [room]


async def test_REQ_07_declined_it_is_gone_from_all_lists_and_stays_so():
    lives = Lives(policy=REQUESTS)
    async with lives.life() as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        bob = Device(engine, "bob")
        await ok(bob, "request.decline", room)
        assert await ok(bob, "request.decline", room) == {}
        await say(engine, room, "ann", "but", "why")
        lives.restart()
    async with lives.life() as engine:
        bob = Device(engine, "bob")
        await say(engine, room, "ann", "hello?")
        for filter in ("all", "unread", "archived", "requests"):
            assert await listed(bob, filter) == []
        assert (await ok(bob, "sync.changes", cursor="0"))["conversations"] == []
        assert await texts(engine, "bob", room) == []
        assert (await ok(bob, "message.search", query="hello"))["hits"] == []
        assert len(await texts(engine, "ann", room)) == 4
        await ok(bob, "request.accept", room)
        await say(engine, room, "ann", "thanks")
        assert await texts(engine, "bob", room) == ["thanks"]
        (row,) = (await ok(bob, "conversation.list"))["conversations"]
        assert (row["unread"], row["last"]["text"]) == (1, "thanks")


# A slow host.


class Slow:
    """Relations that take their time, or fail."""

    def __init__(self) -> None:
        self.open = trio.Event()
        self.error: Exception | None = None

    async def find(self, pairs: Any) -> Any:
        if self.error is not None:
            raise self.error
        await self.open.wait()
        return await Follows().find(pairs)


async def test_REQ_02_a_slow_host_delays_nobody_but_whoever_waits_for_it():
    slow = Slow()
    async with memory_engine(relations=slow, policy=REQUESTS) as engine:
        ann, cid = Device(engine, "ann"), Device(engine, "cid")
        room = await group(engine, "ann", "cid")
        ann.submit("message.send", {"to": "bob", "text": "hello"}, id=1)
        await settled()
        assert ann.of_kind("reply") == []
        await ok(cid, "message.send", room, text="meanwhile")
        await ok(ann, "message.send", room, text="elsewhere")
        slow.open.set()
        await settled()
        assert "ok" in ann.reply(1)


async def test_SEND_22_the_host_is_not_asked_about_what_is_wrong_anyway():
    slow = Slow()
    slow.error = AssertionError("asked")
    async with memory_engine(relations=slow, policy=REQUESTS) as engine:
        ann = Device(engine, "ann")
        for payload, code in (
            ({"to": "bob", "text": "x" * 5000}, "MESSAGE_TOO_LONG"),
            ({"to": "bob", "text": "hi", "type": "voice"}, "INVALID_MESSAGE_TYPE"),
        ):
            assert (await no(ann, "message.send", **payload))["code"] == code
        two = {"kind": "direct", "members": ["bob", "cid"]}
        assert (await no(ann, "conversation.create", **two))["code"] == "VALIDATION_FAILED"


@pytest.mark.parametrize("fails", [True, False])
async def test_REQ_02_while_the_host_does_not_answer_nothing_is_made(fails: bool):
    slow = Slow()
    slow.error = ValueError("no") if fails else None
    async with memory_engine(relations=slow, policy=REQUESTS) as engine:
        ann = engine.as_user("ann")
        error = await refused(ann.send_to("bob", "hello", client_id="1"))
        assert (error.code, error.retryable) == ("UNAVAILABLE", True)
        slow.error = None
        slow.open.set()
        await ann.send_to("bob", "hello", client_id="1")


async def test_CONV_15_each_list_holds_what_it_is_for():
    relations = Follows()
    for user in ("ann", "cid", "dan"):
        relations.set(user, "bob")
    async with memory_engine(relations=relations, policy=REQUESTS) as engine:
        bob, sent = Device(engine, "bob"), {}
        for user in ("ann", "cid", "dan", "eve", "fay", "gus"):
            sent[user] = (await engine.as_user(user).send_to("bob", "hello")).conversation
        await ok(bob, "message.read", sent["ann"])
        await ok(bob, "preference.set", sent["dan"], archived=True)
        await ok(bob, "request.decline", sent["fay"])
        await ok(bob, "user.block", user="gus")
        lists = {
            filter: set(await listed(bob, filter))
            for filter in ("all", "unread", "archived", "requests")
        }
        assert lists == {
            "all": {sent["ann"], sent["cid"]},
            "unread": {sent["cid"]},
            "archived": {sent["dan"]},
            "requests": {sent["eve"]},
        }
        (row,) = (await ok(bob, "conversation.list", filter="requests", text="ev"))["conversations"]
        assert row["c"] == sent["eve"]


async def test_CONV_18_accepting_is_for_whoever_is_asked():
    async with memory_engine(policy=REQUESTS) as engine:
        room = (await engine.as_user("ann").send_to("bob", "hello")).conversation
        for command in (AcceptRequest(), DeclineRequest()):
            assert await engine.as_user("ann").do(command, room) == {}
            error = await refused(engine.as_user("cid").do(command, room))
            assert error.code == "PERMISSION_DENIED"
        assert await listed(Device(engine, "bob"), "requests") == [room]


# What is already there.


async def test_RCPT_08_ERR_04_marks_of_before_stay_as_they_were():
    """Who has blocked is as somebody who reads no more, not who hides what they read."""
    async with memory_engine(policy=BLOCKS | {"receipts_optout": True}) as engine:
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        room = (await ok(ann, "message.send", to="bob", text="hello"))["c"]
        await ok(bob, "message.read", room)
        before = (await ok(ann, "conversation.get", room))["members"]["bob"]
        assert before["read"]["seq"] == 2
        await ok(bob, "user.block", user="ann")
        await ok(ann, "message.send", room, text="more")
        await ok(bob, "message.read", room)
        assert (await ok(ann, "conversation.get", room))["members"]["bob"] == before
