"""A group whose members the host is asked about: who comes in, who stays, who is out (GRP-16)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.ids import HOST
from palaver.tests.support.engines import NOWHERE, Lives, refused, settled
from palaver.tests.support.hosts import Groups

FOUR = {"roles": ["member", "moderator", "admin", "owner"]}
CHANGES = ("member.added", "member.removed", "member.role_changed")


class Club:
    """A group of the host's, who knows it as chess. It begins empty."""

    def __init__(self, engine: Engine, groups: Groups, id: str) -> None:
        self.engine = engine
        self.groups = groups
        self.id = id

    @property
    def members(self) -> dict[str, str]:
        """What the host would say."""
        return self.groups.roles["chess"]

    async def ok(self, device: Device, kind: str, **payload: Any) -> dict[str, Any]:
        reply = await device.ask(kind, payload, c=self.id)
        assert "ok" in reply, reply
        result: dict[str, Any] = reply["ok"]
        return result

    async def no(self, device: Device, kind: str, **payload: Any) -> str:
        return str((await device.ask(kind, payload, c=self.id))["error"]["code"])

    async def devices(self, *users: str) -> list[Device]:
        """Of members who have subscribed, and have been told nothing yet."""
        devices = [Device(self.engine, user) for user in users]
        for device in devices:
            await self.ok(device, "conversation.subscribe")
        for device in devices:
            device.items.clear()
        self.groups.asked.clear()
        return devices


async def created(engine: Engine, **more: Any) -> str:
    command = CreateConversation(
        kind="external_group", members=[], title="Chess", client_id="chess", **more
    )
    return str((await engine.as_host().do(command))["c"])


@asynccontextmanager
async def club(*, host: Any = None, policy: Any = None, **roles: str) -> AsyncGenerator[Club]:
    groups = Groups(chess=roles)
    async with memory_engine(
        membership=groups, host=host or {}, policy={**FOUR, **(policy or {})}
    ) as engine:
        yield Club(engine, groups, await created(engine))


def changes(device: Device) -> list[dict[str, Any]]:
    """Who came and went, as the device was told."""
    return [item["d"] | {"t": item["t"]} for item in device.of_kind(*CHANGES)]


# Who comes in.


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("message.send", {"text": "hi"}),
        ("message.history", {}),
        ("conversation.get", {}),
        ("conversation.subscribe", {}),
        ("conversation.resume", {"epoch": 1, "seq": 1}),
    ],
)
async def test_GRP_16_who_belongs_is_let_in_by_whatever_they_ask(kind: str, payload: Any):
    async with club(ann="owner", bob="moderator") as here:
        (ann,) = await here.devices("ann")
        bob = Device(here.engine, "bob")
        await here.ok(bob, kind, **payload)
        (joined,) = changes(ann)
        assert joined["t"] == "member.added"
        assert (joined["users"], joined["role"]) == (["bob"], "moderator")
        assert "by" not in joined
        assert here.groups.asked == [[("chess", "bob")]]
        shown = await here.ok(bob, "conversation.get")
        assert {user: each["role"] for user, each in shown["members"].items()} == here.members


async def test_GRP_16_strangers_stay_out():
    async with club(ann="owner") as here:
        (ann,) = await here.devices("ann")
        eve = Device(here.engine, "eve")
        for kind, payload in (("message.send", {"text": "hi"}), ("message.history", {})):
            assert await here.no(eve, kind, **payload) == "PERMISSION_DENIED"
        assert here.groups.asked == [[("chess", "eve")]], "that she is none is remembered"
        assert not changes(ann)
        here.members["eve"] = "member"
        await trio.sleep(6)
        await here.ok(eve, "message.send", text="hi")


async def test_GRP_16_members_are_not_asked_about_while_the_word_on_them_is_recent():
    async with club(ann="owner", bob="member") as here:
        ann, bob = await here.devices("ann", "bob")
        for n in range(5):
            await here.ok(ann, "message.send", text=str(n))
            await here.ok(bob, "message.read", seq=n + 3)
        assert here.groups.asked == []
        await trio.sleep(61)
        await here.ok(ann, "message.send", text="later")
        assert here.groups.asked == [[("chess", "ann")]]


async def test_GRP_16_other_conversations_are_none_of_the_host_s():
    async with club(ann="owner") as here:
        ann = here.engine.as_user("ann")
        await ann.send(await ann.create_group("Room", ["bob"]), "hi")
        await ann.send_to("bob", "hi")
        assert here.groups.asked == []


async def test_GRP_16_who_was_removed_may_come_back():
    async with club(ann="owner", bob="member") as here:
        (bob,) = await here.devices("bob")
        del here.members["bob"]
        await here.engine.membership_changed("chess", "bob")
        here.members["bob"] = "admin"
        await here.engine.membership_changed("chess", "bob")
        assert [change["t"] for change in changes(bob)] == ["member.removed", "member.added"]
        await here.ok(bob, "message.send", text="back")


async def test_GRP_16_GRP_02_a_full_group_takes_nobody():
    async with club(policy={"max_members": 2}, ann="owner", bob="member", cid="member") as here:
        await here.devices("ann", "bob")
        cid = Device(here.engine, "cid")
        assert await here.no(cid, "message.send", text="hi") == "GROUP_FULL"


# Who stays, and as what.


async def test_GRP_16_who_is_a_member_no_more_is_found_out_when_the_word_is_old():
    async with club(ann="owner", bob="member") as here:
        ann, bob = await here.devices("ann", "bob")
        del here.members["bob"]
        await here.ok(bob, "message.send", text="not noticed yet")
        await trio.sleep(61)
        bob.items.clear()
        assert await here.no(bob, "message.send", text="too late") == "PERMISSION_DENIED"
        await here.ok(ann, "message.send", text="among us")
        await here.ok(ann, "typing.start")
        await settled()
        assert ann.texts() == ["not noticed yet", "among us"]
        assert [item["t"] for item in bob.items] == ["member.removed", "reply"]
        assert not bob.disconnects


async def test_GRP_16_a_role_is_the_host_s_to_say():
    async with club(ann="owner", bob="member") as here:
        ann, bob = await here.devices("ann", "bob")
        sent = await here.ok(ann, "message.send", text="pin me")
        pin = {"message_id": sent["id"]}
        assert await here.no(bob, "message.pin", **pin) == "PERMISSION_DENIED"
        here.members["bob"] = "admin"
        await trio.sleep(61)
        await here.ok(bob, "message.pin", **pin)
        (change,) = changes(ann)
        assert (change["t"], change["user"], change["role"]) == (
            "member.role_changed",
            "bob",
            "admin",
        )


async def test_GRP_16_nobody_waits_for_the_host_but_who_asks():
    async with club(ann="owner", bob="member") as here:
        ann, bob = await here.devices("ann", "bob")
        await trio.sleep(61)
        await here.ok(ann, "message.history")
        here.groups.delay_s, began = 1.0, trio.current_time()
        bob.submit("message.send", {"text": "one"}, c=here.id, id="one")
        bob.submit("message.send", {"text": "two"}, c=here.id, id="two")
        await here.ok(ann, "message.send", text="at once")
        assert trio.current_time() == began
        await trio.sleep(1)
        await settled()
        assert ann.texts() == ["at once", "one", "two"]


@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_GRP_16_while_the_host_is_away_its_last_word_counts(when_away: str):
    async with club(ann="owner", bob="member", host={"when_away": when_away}) as here:
        ann, bob = await here.devices("ann", "bob")
        await trio.sleep(61)
        here.groups.broken = True
        await here.ok(ann, "message.send", text="still here")
        eve = Device(here.engine, "eve")
        reply = await eve.ask("message.send", {"text": "hi"}, c=here.id)
        assert (reply["error"]["code"], reply["error"]["retryable"]) == ("UNAVAILABLE", True)
        no = await refused(here.engine.membership_changed("chess", "bob"))
        assert no.code == "UNAVAILABLE"
        reply = await bob.ask("message.send", {"text": "and me?"}, c=here.id)
        if when_away == "allow":
            assert "ok" in reply
        else:
            assert reply["error"]["code"] == "UNAVAILABLE"
        assert not changes(ann)


# What the host tells.


async def test_GRP_16_what_was_removed_has_no_access_when_the_call_returns():
    """And of what is sent after it nothing arrives, though the removed ask for nothing."""
    async with club(ann="owner", bob="member", cid="member") as here:
        ann, bob, cid = await here.devices("ann", "bob", "cid")
        del here.members["bob"]
        began = trio.current_time()
        await here.engine.membership_changed("chess", "bob")
        assert trio.current_time() - began < 1
        await here.ok(ann, "message.send", text="without bob")
        await here.ok(ann, "typing.start")
        await settled()
        assert [item["t"] for item in bob.items] == ["member.removed"]
        assert [item["t"] for item in cid.items] == [
            "member.removed",
            "message.sent",
            "typing.started",
        ]
        assert "by" not in bob.items[0]["d"]
        for kind, payload in (("message.send", {"text": "hi"}), ("message.history", {})):
            assert await here.no(bob, kind, **payload) == "PERMISSION_DENIED"
        assert here.groups.asked == [[("chess", "bob")]]
        assert (await bob.ask("conversation.list"))["ok"]["conversations"] == []
        assert not bob.disconnects


@pytest.mark.parametrize("durability", ["commit", "write_behind"])
async def test_GRP_16_all_members_are_asked_about(durability: str):
    names = [f"u{n:03}" for n in range(250)]
    members = dict.fromkeys(names, "member")
    policy = {"durability": durability, "max_members": 5000}
    async with club(policy=policy, **members) as here:
        await here.engine.membership_changed("chess", *names)
        assert sorted(map(len, here.groups.asked)) == [50, 100, 100]
        devices = await here.devices("u000", "u001", "u249")
        here.members["u000"] = "owner"
        for n in range(100, 250):
            del here.members[f"u{n:03}"]
        here.members["new"] = "member"
        await here.engine.membership_changed("chess")
        assert max(map(len, here.groups.asked)) == 100
        state = await here.engine.as_user("u001").conversation(here.id)
        assert {user: each["role"] for user, each in state["members"].items()} == {
            user: role for user, role in here.members.items() if user != "new"
        }
        await here.ok(devices[0], "message.send", text="hi")
        await settled()
        assert [device.texts() for device in devices] == [["hi"], ["hi"], []]


async def test_GRP_16_a_change_that_is_none_is_told_to_nobody():
    async with club(ann="owner", bob="member") as here:
        ann, _ = await here.devices("ann", "bob")
        await here.engine.membership_changed("chess")
        await here.engine.membership_changed("chess", "eve", "ann", "ann")
        assert ann.items == []


@pytest.mark.parametrize("later_s", [0.1, 1.5])
async def test_GRP_16_only_the_later_of_two_words_counts(later_s: float):
    """The answer to a question from before the removal lets nobody in, be it late or early."""
    async with club(ann="owner", bob="member") as here:
        ann, bob = await here.devices("ann", "bob")
        await trio.sleep(61)
        here.groups.delay_s = 1.0
        bob.submit("message.send", {"text": "of a member"}, c=here.id, id=1)
        await settled()
        del here.members["bob"]
        here.groups.delay_s = later_s
        await here.engine.membership_changed("chess", "bob")
        await trio.sleep(2)
        assert bob.reply(1)["error"]["code"] == "PERMISSION_DENIED"
        assert [change["t"] for change in changes(ann)] == ["member.removed"]
        assert ann.texts() == []


async def test_GRP_16_two_calls_at_once_end_with_what_the_host_said_last():
    async with club(ann="owner", bob="member", cid="member") as here:
        ann, *_ = await here.devices("ann", "bob", "cid")
        here.groups.delay_s = 1.0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.engine.membership_changed, "chess")
            await settled()
            del here.members["bob"]
            here.groups.delay_s = 0.1
            began = trio.current_time()
            await here.engine.membership_changed("chess", "bob")
            assert trio.current_time() - began < 1, "the first one does not hold up the second"
            assert [change["t"] for change in changes(ann)] == ["member.removed"]
        assert len(changes(ann)) == 1
        here.groups.delay_s = 0.0
        async with trio.open_nursery() as nursery:
            del here.members["cid"]
            for _ in range(5):
                nursery.start_soon(here.engine.membership_changed, "chess", "cid")
        assert len(changes(ann)) == 2, "once each"


async def test_GRP_16_what_the_host_does_by_command_is_not_undone_by_what_it_said_before():
    async with club(ann="owner", bob="member") as here:
        ann, bob = await here.devices("ann", "bob")
        del here.members["bob"]
        await here.engine.as_host().remove_member(here.id, "bob")
        assert await here.no(bob, "message.send", text="hi") == "PERMISSION_DENIED"
        assert len(changes(ann)) == 1


async def test_GRP_16_the_next_lookup_mends_what_a_crash_has_left():
    """The host has answered, and nothing came of it."""
    groups = Groups(chess={"ann": "owner", "bob": "member"})
    lives = Lives(membership=groups, policy=FOUR)
    async with lives.life() as engine:
        room = await created(engine)
        for user in ("ann", "bob"):
            await engine.as_user(user).send(room, "hi")
        del groups.roles["chess"]["bob"]
        groups.delay_s = 1.0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.membership_changed, "chess", "bob")
            await settled()
            lives.crash()
            nursery.cancel_scope.cancel()
    groups.delay_s = 0.0
    async with lives.life() as engine:
        ann = Device(engine, "ann")
        no = await refused(engine.as_user("bob").send(room, "still here?"))
        assert no.code == "PERMISSION_DENIED"
        assert [change["t"] for change in changes(ann)] == ["member.removed"]


async def test_GRP_16_a_change_of_members_waits_for_room_like_any_other():
    store, groups = MemoryStore(capacity=1), Groups(chess={"ann": "owner", "bob": "member"})
    async with memory_engine(store=store, membership=groups, policy=FOUR) as engine:
        room = await created(engine)
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await ann.ask("message.send", {"text": "hi"}, c=room)
        ann.items.clear()
        store.journal.hold()
        ann.submit("message.send", {"text": "fills it"}, c=room)
        await settled()
        bob.submit("message.send", {"text": "in the end"}, c=room, id=1)
        await settled()
        assert not changes(ann)
        store.journal.release()
        await settled()
        assert "ok" in bob.reply(1)
        assert [item["t"] for item in ann.events()] == [
            "message.sent",
            "member.added",
            "message.sent",
        ]


async def test_GRP_16_a_group_without_an_id_of_the_host_s_goes_by_the_conversation_s():
    groups = Groups()
    async with memory_engine(membership=groups, policy=FOUR) as engine:
        command = CreateConversation(kind="external_group", members=["ann"])
        room = str((await engine.as_host().do(command))["c"])
        groups.roles[room] = {"ann": "member", "bob": "member"}
        await engine.as_user("bob").send(room, "hi")
        groups.roles[room] = {}
        await engine.membership_changed(room)
        assert (await refused(engine.as_user("ann").send(room, "hi"))).code == "PERMISSION_DENIED"


async def test_GRP_16_what_is_no_group_of_the_host_s_is_not_found():
    async with club(ann="owner") as here:
        other = await here.engine.as_user("ann").create_group("Room", ["bob"])
        for group in ("go", NOWHERE, other, here.id, HOST):
            no = await refused(here.engine.membership_changed(group, "ann"))
            assert no.code == "CONVERSATION_NOT_FOUND", group


async def test_GRP_16_without_the_port_the_host_s_commands_alone_count():
    async with memory_engine(policy=FOUR) as engine:
        room = await created(engine)
        assert (await refused(engine.as_user("ann").send(room, "hi"))).code == "PERMISSION_DENIED"
        await engine.as_host().add_members(room, ["ann"])
        await engine.as_user("ann").send(room, "hi")
        assert (await refused(engine.membership_changed("chess"))).code == "FEATURE_DISABLED"


# By tokens.


async def test_GRP_16_tokens_say_who_is_in():
    async with memory_engine(host={"membership": "claims"}, policy=FOUR) as engine:
        room = await created(engine)
        engine.introduce("ann", {"groups": {"chess": "owner"}})
        engine.introduce("bob", {"groups": ["chess"]})
        engine.introduce("eve", {"groups": []})
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        await ann.rename(room, "Chess, at last")
        await bob.send(room, "hi")
        assert (await refused(engine.as_user("eve").send(room, "hi"))).code == "PERMISSION_DENIED"
        await engine.membership_changed("chess", "bob")
        assert (await refused(bob.send(room, "hi"))).code == "PERMISSION_DENIED"
        engine.introduce("bob", {"groups": ["chess"]})
        await bob.send(room, "hi")
        engine.introduce("bob", {"groups": ["go"]})
        assert (await refused(bob.send(room, "hi"))).code == "PERMISSION_DENIED"
        assert (await refused(engine.membership_changed("chess"))).code == "FEATURE_DISABLED"


async def test_GRP_16_whom_no_token_has_spoken_of_is_what_they_were():
    lives = Lives(host={"membership": "claims"}, policy=FOUR)
    async with lives.life() as engine:
        room = await created(engine)
        engine.introduce("ann", {"groups": ["chess"]})
        await engine.as_user("ann").send(room, "hi")
    lives.restart()
    async with lives.life() as engine:
        await engine.as_user("ann").send(room, "again")
        await engine.membership_changed("chess", "ann")
        assert (await refused(engine.as_user("ann").send(room, "hi"))).code == "PERMISSION_DENIED"
