"""How much a user may send and how often devices may come; what the host itself does is free."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine.testing import Device, memory_engine
from palaver.protocol.errors import Rejected
from palaver.protocol.features.requests import AcceptRequest
from palaver.tests.support.engines import NOWHERE, Lives, group, say
from palaver.tests.support.stores import Watch

THREE = {"messages_per_min": 3}


async def send(device: Device, room: str, text: str = "hi", **payload: Any) -> Any:
    """What it is answered: the result, or the code of the error."""
    reply = await device.ask("message.send", {"text": text, **payload}, c=room)
    return reply["ok"] if "ok" in reply else reply["error"]["code"]


async def test_SEC_03_the_thirty_first_message_in_a_minute_is_limited():
    async with memory_engine(limits={"messages_per_min": 30}) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann", limited=True)
        for n in range(30):
            assert isinstance(await send(ann, room, str(n)), dict)
        reply = await ann.ask("message.send", {"text": "one more"}, c=room)
        assert reply["error"]["code"] == "RATE_LIMITED"
        assert reply["error"]["retryable"]
        assert reply["error"]["retry_after"] == 2.0  # SEC-05: when the next token comes
        await trio.sleep(2)
        assert isinstance(await send(ann, room), dict)
        assert await send(ann, room) == "RATE_LIMITED"


async def test_SEC_03_it_is_the_user_s_rate_whatever_the_device_and_the_conversation():
    async with memory_engine(limits=THREE) as engine:
        rooms = [await group(engine, "ann", "bob") for _ in range(2)]
        devices = [Device(engine, "ann", limited=True) for _ in range(2)]
        bob = Device(engine, "bob", limited=True)
        for room, device in zip([*rooms, rooms[0]], [*devices, devices[0]], strict=True):
            assert isinstance(await send(device, room), dict)
        assert await send(devices[1], rooms[1]) == "RATE_LIMITED"
        assert isinstance(await send(bob, rooms[0]), dict)


async def test_SEC_03_only_sending_counts():
    async with memory_engine(limits=THREE) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann", limited=True)
        for _ in range(10):
            for query in ("conversation.get", "message.history", "message.read", "typing.start"):
                assert "ok" in await ann.ask(query, c=room)
        assert isinstance(await send(ann, room), dict)


async def test_SEND_22_membership_before_rate_before_length():
    async with memory_engine(limits=THREE, policy={"max_chars": 5}) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob", limited=True)
        assert await send(bob, room, "too long") == "MESSAGE_TOO_LONG"
        for _ in range(2):
            await send(bob, room)
        assert await send(bob, room, "too long") == "RATE_LIMITED"
        assert await send(bob, NOWHERE) == "CONVERSATION_NOT_FOUND"
        await engine.as_user("ann").remove_member(room, "bob")
        assert await send(bob, room) == "PERMISSION_DENIED"
        eve = Device(engine, "eve", limited=True)
        for _ in range(4):
            assert await send(eve, room) == "PERMISSION_DENIED"


async def test_SEND_22_a_guard_is_not_asked_about_what_is_over_the_rate():
    asked = []

    class Note:
        def check(self, command, context, state):
            asked.append(getattr(command, "text", None))
            return command

    async with memory_engine(limits={"messages_per_min": 1}, guards=[Note()]) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann", limited=True)
        for text in ("one", "two"):
            await send(ann, room, text)
        assert asked == [None, "one"]


async def test_a_repetition_counts_but_is_told_what_became_of_the_first():
    async with memory_engine(limits=THREE) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann", limited=True)
        first = await send(ann, room, client_id="k")
        for attempt in range(2, 9):
            assert await send(ann, room, client_id="k", attempt=attempt) == first
        assert await send(ann, room) == "RATE_LIMITED"


async def test_a_repetition_over_the_rate_reads_nothing_and_finds_the_first_later():
    lives = Lives(limits=THREE)
    async with lives.life() as engine:
        room = await group(engine, "ann", "bob")
        first = await send(Device(engine, "ann"), room, client_id="k")
    lives.restart()
    async with lives.life() as engine:
        await say(engine, room, "bob", *map(str, range(300)))  # out of the ring
        watch = Watch(lives.store)
        ann = Device(engine, "ann", limited=True)
        for _ in range(3):
            await send(ann, room)
        assert await send(ann, room, client_id="k", attempt=2) == "RATE_LIMITED"
        assert watch.calls["find"] == 0
        await trio.sleep(20)
        assert await send(ann, room, client_id="k", attempt=3) == first


async def test_the_host_s_own_calls_are_not_limited():
    async with memory_engine(limits={"messages_per_min": 1, "connects_per_min": 1}) as engine:
        ann = engine.as_user("ann")
        room = await group(engine, "ann", "bob")
        for _ in range(3):
            async with ann.pushes():
                await ann.send(room, "hi")


@pytest.mark.parametrize("section", ["messages_per_min", "connects_per_min"])
async def test_SEC_14_zero_switches_a_rate_off(section: str):
    async with memory_engine(limits={section: 0}) as engine:
        room = await group(engine, "ann", "bob")
        for _ in range(20 if section == "messages_per_min" else 100):
            ann = Device(engine, "ann", limited=True)
            for _ in range(5 if section == "messages_per_min" else 0):
                assert isinstance(await send(ann, room), dict)
            ann.leave()


async def test_CONN_04_the_twenty_first_sign_in_within_a_minute_is_limited():
    async with memory_engine() as engine:
        for _ in range(20):
            Device(engine, "ann", limited=True).leave()
        with pytest.raises(Rejected, match="RATE_LIMITED") as no:
            Device(engine, "ann", limited=True)
        assert no.value.retry_after == 3.0
        Device(engine, "bob", limited=True)
        await trio.sleep(3)
        Device(engine, "ann", limited=True)


async def test_CONN_04_attempts_over_the_cap_of_devices_count_too():
    async with memory_engine(connections={"max_per_user": 1}) as engine:
        Device(engine, "ann", limited=True)
        for _ in range(19):
            with pytest.raises(Rejected, match="CONNECTION_LIMIT"):
                Device(engine, "ann", limited=True)
        with pytest.raises(Rejected, match="RATE_LIMITED"):
            Device(engine, "ann", limited=True)


async def test_going_away_does_not_fill_the_buckets_and_they_do_not_stay_for_ever():
    async with memory_engine(limits={"messages_per_min": 1}) as engine:
        room = await group(engine, "ann", "bob")
        ann = Device(engine, "ann", limited=True)
        await send(ann, room)
        ann.leave()
        await trio.sleep(20)  # offline for long
        again = Device(engine, "ann", limited=True)
        assert await send(again, room) == "RATE_LIMITED"
        again.leave()
        await trio.sleep(60)
        assert not engine._env.hub.sessions


# Requests.

FIVE = {"requests_per_min": 5, "messages_per_min": 0}


async def test_C_28_the_sixth_request_in_a_minute_is_limited_on_whatever_connection():
    async with memory_engine(limits=FIVE) as engine:
        room = await group(engine, "ann", "bob")
        devices = [Device(engine, "ann", limited=True) for _ in range(2)]
        bob = Device(engine, "bob", limited=True)
        asked = (
            *(("conversation.get", room), ("message.history", room), ("conversation.list", None)),
            *(("no.such.command", room), ("message.send", room)),  # whatever comes of it
        )
        for n, (kind, c) in enumerate(asked):
            reply = await devices[n % 2].ask(kind, c=c)
            assert reply.get("error", {}).get("code") != "RATE_LIMITED"
        for device, kind in zip(devices, ("message.send", "conversation.get"), strict=True):
            error = (await device.ask(kind, {"nonsense": 1}, c=room))["error"]
            assert (error["code"], error["retry_after"]) == ("RATE_LIMITED", 12.0), "unread"
        assert "ok" in await bob.ask("conversation.get", c=room)
        await trio.sleep(12)
        assert "ok" in await devices[0].ask("conversation.get", c=room)
        assert "error" in await devices[1].ask("conversation.get", c=room)


async def test_C_28_to_say_where_one_is_is_no_request():
    async with memory_engine(limits=FIVE) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        ann = Device(engine, "ann", limited=True)
        for _ in range(5):
            await ann.ask("conversation.get", c=room)
        assert "error" in await ann.ask("conversation.get", c=room)
        (sent,) = await say(engine, room, "bob", "hello")
        await bob.ask("conversation.subscribe", c=room)
        ann.submit("ack", c=room, seq=sent.seq)
        for kind in ("typing.start", "typing.stop", "message.read"):
            assert "ok" in await ann.ask(kind, c=room)
        told = [item["t"] for item in bob.items[-4:]]
        assert sorted(told) == ["message.delivered", "message.read", *TYPING]


TYPING = ("typing.started", "typing.stopped")


async def test_C_28_what_the_host_asks_for_is_not_counted():
    async with memory_engine(limits=FIVE) as engine:
        room = await group(engine, "ann", "bob")
        for _ in range(20):
            await engine.as_user("ann").conversation(room)
        ann = Device(engine, "ann", limited=True)
        payload = {"kind": "group", "members": ["bob"]}
        room = (await ann.ask("conversation.create", payload))["ok"]["c"]
        for _ in range(2):
            await ann.ask("message.send", {"text": "x"}, c=room)
        sent = (await ann.ask("message.send", {"text": "x"}, c=room))["ok"]
        forward = {"message_id": sent["id"], "to": room}
        assert "ok" in await ann.ask("message.forward", forward, c=room), "one, whatever it takes"


async def test_C_28_coming_back_does_not_fill_the_bucket_and_it_does_not_stay_for_ever():
    async with memory_engine(limits={"requests_per_min": 2}) as engine:
        ann = Device(engine, "ann", limited=True)
        ann.leave()
        await trio.sleep(10)
        assert not engine._env.hub.sessions
        stranger = Device(engine, "eve", limited=True)
        for _ in range(2):
            await stranger.ask("settings.get")
        stranger.leave()
        await trio.sleep(10)
        stranger = Device(engine, "eve", limited=True)
        assert "error" in await stranger.ask("settings.get")
        stranger.leave()
        await trio.sleep(120)
        assert not engine._env.hub.sessions
        ann.submit("settings.get", id=1)  # without a connection, as by HTTP
        await trio.sleep(120)
        assert not engine._env.hub.sessions


# Strangers.


REQUESTS = {"message_requests": True}


async def test_SEC_04_the_fifty_first_message_in_an_hour_to_strangers_is_limited():
    limits = {"messages_per_min": 0, "messages_to_strangers_per_h": 50}
    async with memory_engine(limits=limits, policy=REQUESTS) as engine:
        ann = Device(engine, "ann", limited=True)
        friend = (await engine.as_user("friend").send_to("ann", "hi")).conversation
        assert "ok" in await ann.ask("request.accept", c=friend)
        room = (await ann.ask("message.send", {"to": "bob", "text": "1"}))["ok"]["c"]
        for n in range(49):
            assert isinstance(await send(ann, room, str(n)), dict)
        assert await send(ann, room) == "RATE_LIMITED"
        reply = await ann.ask("message.send", {"to": "cid", "text": "1"})
        assert reply["error"]["retry_after"] == 72.0
        assert isinstance(await send(ann, friend), dict), "no stranger"
        await engine.as_user("bob").do(AcceptRequest(), room)
        assert isinstance(await send(ann, room), dict), "no stranger any more"


async def test_SEC_04_the_eleventh_new_conversation_of_a_day_is_limited():
    limits = {"new_conversations_per_day": 10}
    new = {"kind": "group", "title": "x", "members": ["bob"]}
    async with memory_engine(limits=limits) as engine:
        ann = Device(engine, "ann", limited=True)
        for n in range(5):
            again = {**new, "client_id": f"{n}"}
            assert "ok" in await ann.ask("conversation.create", again)
            room = (await ann.ask("message.send", {"to": f"user {n}", "text": "hi"}))["ok"]["c"]
            assert isinstance(await send(ann, room), dict)
            assert "ok" in await ann.ask("conversation.create", again), "not a new one"
        for kind, payload in (
            ("conversation.create", new),
            ("conversation.create", {"kind": "direct", "members": ["cid"]}),
            ("message.send", {"to": "cid", "text": "hi"}),
        ):
            reply = await ann.ask(kind, payload)
            assert reply["error"]["code"] == "RATE_LIMITED"
        ann.leave()
        await trio.sleep(8640 + 60)
        ann = Device(engine, "ann", limited=True)
        assert "ok" in await ann.ask("message.send", {"to": "cid", "text": "hi"})
        assert "error" in await ann.ask("message.send", {"to": "dan", "text": "hi"})


async def test_C_29_new_conversations_are_not_limited_unless_the_product_says_so():
    async with memory_engine(limits={"messages_per_min": 0}) as engine:
        ann = Device(engine, "ann", limited=True)
        for n in range(20):
            assert "ok" in await ann.ask("message.send", {"to": f"user {n}", "text": "hi"})
