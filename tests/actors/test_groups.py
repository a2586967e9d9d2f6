"""Groups as their members' devices see them: members, roles, settings, locks."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.protocol.features import EVENTS
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.group_settings import ChangeSettings
from palaver.protocol.features.history import MessageHistory
from palaver.protocol.features.lock import LockConversation
from palaver.protocol.features.members import AddMembers, ListMembers
from palaver.tests.support.engines import Lives, group, refused, say


async def test_GRP_01_CONV_04_all_members_are_told_of_a_new_group():
    async with memory_engine() as engine:
        users = ["ann", "bob", "cid", "dan", "eve"]
        devices = [Device(engine, user) for user in (*users, "bob")]
        room = await engine.as_user("ann").create_group("Trip", users[1:])
        for device in devices:
            (created,) = device.events()
            assert (created["t"], created["c"]) == ("conversation.created", room)
            assert created["d"]["roles"].keys() == set(users)
            assert created["d"]["title"] == "Trip"


async def test_CONV_03_a_pair_has_many_threads_and_one_for_each_client_id():
    async with memory_engine(policy={"kinds": ["thread"]}) as engine:
        ann = engine.as_user("ann")

        async def thread(client_id: str | None) -> str:
            command = CreateConversation(kind="thread", members=["bob"], client_id=client_id)
            return str((await ann.do(command))["c"])

        assert await thread("1") == await thread("1")
        assert len({await thread(each) for each in ("1", "2", None, None)}) == 4
        assert (await refused(ann.send_to("bob", "hi"))).code == "FEATURE_DISABLED"


async def test_CONV_06_CONV_17_a_title_is_made_and_then_changed():
    async with memory_engine(policy={"title_template": "{members}"}) as engine:
        bob = Device(engine, "bob")
        ann = engine.as_user("ann")
        room = await ann.create_group(None, ["bob"])
        assert (await ann.conversation(room))["title"] == "ann, bob"
        await ann.rename(room, "Trip")
        assert [item["d"]["title"] for item in bob.events(room)] == ["ann, bob", "Trip"]
        assert [row["title"] for row in (await ann.inbox())["conversations"]] == ["Trip"]


async def test_GRP_03_GRP_06_CONV_17_settings_reach_every_device_and_hold_after_a_restart():
    lives = Lives()
    changes = {"description": "Trips", "icon": "i.png", "who_may_send": "admins"}
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        devices = [Device(engine, user) for user in ("ann", "bob", "bob")]
        await engine.as_user("ann").do(ChangeSettings.model_validate(changes), room)
        for device in devices:
            (event,) = device.of_kind("conversation.settings_changed")
            assert event["d"] == {"id": event["d"]["id"], "by": "ann", **changes}
    lives.restart()
    async with lives.life() as engine:
        bob = engine.as_user("bob")
        assert (await bob.conversation(room))["settings"] == changes
        no = await refused(bob.send(room, "x"))
        assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "send_messages"})
        await engine.as_user("ann").send(room, "x")


@pytest.mark.parametrize("restart", [False, True])
async def test_GRP_15_the_product_s_table_holds_for_what_is_loaded_too(restart: bool):
    lives = Lives(policy={"permissions": {"pin_messages": "member"}, "max_members": 3})
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        (said,) = await say(engine, room, "ann", "hello")
        if not restart:
            await engine.as_user("bob").pin(room, said.id)
    if restart:
        lives.restart()
        async with lives.life() as engine:
            await engine.as_user("bob").pin(room, said.id)


async def test_GRP_02_C_15_a_product_says_how_many_fit():
    async with memory_engine(policy={"max_members": 3}) as engine:
        ann = engine.as_user("ann")
        no = await refused(ann.create_group("Trip", ["bob", "cid", "dan"]))
        assert (no.code, no.details) == ("GROUP_FULL", {"max_members": 3})
        room = await ann.create_group("Trip", ["bob"])
        await ann.add_members(room, ["cid"])
        assert (await refused(ann.add_members(room, ["dan"]))).code == "GROUP_FULL"


async def test_GRP_07_access_ends_at_once_and_comes_back_with_membership():
    async with memory_engine() as engine:
        room = await group(engine, "ann", "bob", "cid")
        bob, cid = Device(engine, "bob"), Device(engine, "cid")
        ann = engine.as_user("ann")
        await ann.send(room, "for all")
        await ann.remove_member(room, "bob")
        await ann.send(room, "without bob")
        assert bob.texts() == ["for all"]
        assert bob.items[-1]["t"] == "member.removed"
        for query in ("message.history", "conversation.get", "member.list"):
            reply = await bob.ask(query, c=room)
            assert reply["error"]["code"] == "PERMISSION_DENIED", query
        resumed = await bob.ask("conversation.resume", {"epoch": 1, "seq": 2}, c=room)
        assert resumed["ok"]["reason"] == "not_member"
        assert (await engine.as_user("bob").inbox())["conversations"] == []
        await ann.add_members(room, ["bob"])
        await ann.send(room, "for all again")
        assert bob.texts() == ["for all", "for all again"]
        seen = [message["text"] for message in await engine.as_user("bob").history(room)]
        assert seen == ["for all", "for all again"]
        assert cid.texts() == ["for all", "without bob", "for all again"]


async def test_GRP_10_members_by_prefix_with_their_roles():
    async with memory_engine() as engine:
        room = await group(engine, "zoe", "ann", "anna", "bob", "Anton", "andy")
        zoe = engine.as_user("zoe")
        await zoe.set_role(room, "anna", "admin")
        await zoe.remove_member(room, "andy")
        await group(engine, "zoe", "anouk")

        async def members(**query: Any) -> list[tuple[str, str]]:
            answer = await engine.as_user("bob").do(ListMembers(**query), room)
            return [(each["user"], each["role"]) for each in answer["members"]]

        assert await members(prefix="an") == [("ann", "member"), ("anna", "admin")]
        assert await members(prefix="an", after="ann") == [("anna", "admin")]
        assert await members(prefix="x") == []
        assert [user for user, _ in await members()] == ["Anton", "ann", "anna", "bob", "zoe"]
        assert (await engine.as_user("bob").do(ListMembers(limit=2), room))["more"]


async def system(engine: Engine, user: str, room: str, **query: Any) -> list[str]:
    """History as an app would show it."""
    answer = await engine.as_user(user).do(MessageHistory(system=True, **query), room)
    lines = []
    for item in answer["messages"]:
        by = item.get("by", "the host")
        match item["kind"]:
            case "message.sent":
                lines.append(f"{by}: {item['text']}")
            case "conversation.renamed":
                lines.append(f"{by} named it {item['title']}")
            case "conversation.settings_changed":
                lines.append(f"{by} described it: {item['description']}")
            case "conversation.locked":
                lines.append(f"{by} locked it")
            case "member.added":
                lines.append(f"{by} added {', '.join(item['users'])}")
            case "member.removed" if item["user"] == by:
                lines.append(f"{by} left")
            case "member.removed":
                lines.append(f"{by} removed {item['user']}")
            case "member.role_changed":
                lines.append(f"{by} made {item['user']} {item['role']}")
            case kind:
                raise AssertionError(kind)
    return lines


@pytest.mark.parametrize("ring", [1, 100])
async def test_GRP_13_AUTO_08_members_and_settings_appear_as_system_messages(ring: int):
    async with memory_engine(actors={"ring": ring}) as engine:
        ann = engine.as_user("ann")
        room = await group(engine, "ann", "bob")
        (said,) = await say(engine, room, "ann", "hello")
        await ann.pin(room, said.id)
        await ann.add_members(room, ["cid", "dan"])
        await engine.as_host().do(AddMembers(users=["eve"]), room)
        await ann.remove_member(room, "dan")
        await ann.set_role(room, "bob", "admin")
        await ann.rename(room, "Trip")
        await ann.do(ChangeSettings(description="To Rome"), room)
        await say(engine, room, "bob", "great")
        await engine.as_user("cid").leave(room)
        await ann.do(LockConversation(), room)
        story = [
            "ann: hello",
            "ann added cid, dan",
            "the host added eve",
            "ann removed dan",
            "ann made bob admin",
            "ann named it Trip",
            "ann described it: To Rome",
            "bob: great",
            "cid left",
            "ann locked it",
        ]
        assert await system(engine, "bob", room) == story
        assert await system(engine, "bob", room, limit=4) == story[-4:]
        assert await system(engine, "bob", room, limit=4, after=0) == story[:4]
        assert await system(engine, "bob", room, around=said.id, limit=2) == story[:3]
        assert await system(engine, "eve", room) == story[2:], "from where they joined"
        assert [message["text"] for message in await ann.history(room)] == ["hello", "great"]
        view = await engine.as_user("bob").conversation(room)
        assert (view["number"], view["last"]["text"]) == (2, "great"), "they do not count"


def test_AUTO_08_all_that_happens_to_members_and_settings_is_shown():
    shown = {name: kind for name, kind in EVENTS.items() if kind.is_system}
    about = {name for name in EVENTS if name.startswith(("conversation.", "member."))}
    assert shown.keys() == about - {"conversation.created"}
    for name, kind in shown.items():
        taken = {"id", "seq", "ts", "kind", "by", "number"}
        assert not taken.intersection(kind.field_names()), f"{name} could not be served flat"


async def test_CONV_21_a_lock_of_an_hour():
    clock = TrioClock()
    async with memory_engine(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        said = await engine.as_user("ann").send(room, "hello", client_id="1")
        bob = Device(engine, "bob")
        await engine.as_user("ann").do(LockConversation(until=clock() + 3_600_000), room)
        assert await engine.as_user("ann").send(room, "hello", client_id="1", attempt=2) == said
        no = await refused(engine.as_user("bob").send(room, "x"))
        assert (no.code, no.retry_after) == ("CONVERSATION_LOCKED", 3600.0)
        assert (await engine.as_user("bob").history(room))[0]["id"] == said.id
        assert await engine.as_user("bob").read(room) == 0
        view = await engine.as_user("bob").conversation(room)
        assert view["lock"] == {"until": bob.of_kind("conversation.locked")[0]["d"]["until"]}
        clock.jump(3600)
        await engine.as_user("bob").send(room, "at last")


async def test_CONV_21_a_lock_ends_at_its_time_though_nobody_was_there():
    lives, clock = Lives(), TrioClock()
    async with lives.life(clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        await engine.as_user("ann").do(LockConversation(until=clock() + 3_600_000), room)
    for crash in (lives.restart, lives.crash):
        crash()
        async with lives.life(clock=clock) as engine:
            no = await refused(engine.as_user("bob").send(room, "x"))
            assert no.code == "CONVERSATION_LOCKED"
    clock.jump(3600)
    lives.restart()
    async with lives.life(clock=clock) as engine:
        await engine.as_user("bob").send(room, "at last")


async def test_CONV_09_counters_are_the_same_after_a_restart():
    lives = Lives()

    async def counters(engine: Engine) -> list[Any]:
        views = [await engine.as_user(user).conversation(room) for user in ("ann", "bob")]
        rows = [
            row
            for user in ("ann", "bob")
            for row in (await engine.as_user(user).inbox())["conversations"]
        ]
        assert [row["unread"] for row in rows] == [view["unread"] for view in views]
        return [(view["number"], view["last"]["ts"], view["unread"]) for view in views]

    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        sent = await say(engine, room, "ann", "one", "two", "three")
        before = await counters(engine)
        assert before == [(3, sent[-1].at, 0), (3, sent[-1].at, 3)]
    lives.restart()
    async with lives.life() as engine:
        assert await counters(engine) == before
