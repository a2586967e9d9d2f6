"""Who has a subscription: let in, heard, and sent away when it lapses (GRP-14, SEC-12)."""

from __future__ import annotations

import pytest
import trio

from palaver.actors.gate import AGAIN_S
from palaver.engine import Engine
from palaver.engine.host import Subscription
from palaver.engine.local import Disconnected
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.protocol.disconnects import PREMIUM_REQUIRED
from palaver.protocol.errors import Rejected
from palaver.protocol.features.history import MessageHistory
from palaver.protocol.features.schedule import ListScheduled, ScheduleMessage
from palaver.tests.support.engines import group, refused, say, settled
from palaver.tests.support.hosts import Subscribers

REQUIRED = {"premium_required": True}
TTL_S = 60.0


async def a_room(engine: Engine, *users: str) -> str:
    """A group that the host has made, since it is not asked about itself."""
    return await engine.as_host().create_group("Room", users)


async def code(engine: Engine, user: str, room: str) -> str:
    """What `user` is answered who writes to the room."""
    reply = await Device(engine, user).ask("message.send", {"text": user}, c=room)
    return str(reply.get("error", {"code": "ok"})["code"])


async def test_GRP_14_who_has_no_subscription_may_neither_read_nor_send():
    async with memory_engine(premium=Subscribers("ann"), policy=REQUIRED) as engine:
        room = await group(engine, "ann", "bob")
        bob = engine.as_user("bob")
        assert (await refused(bob.send(room, "hi"))).code == "PREMIUM_REQUIRED"
        assert (await refused(bob.do(MessageHistory(), room))).code == "PREMIUM_REQUIRED"
        with pytest.raises(Rejected, match="PREMIUM_REQUIRED"):
            async with bob.pushes():
                pass
        await engine.as_user("ann").send(room, "alone")


async def test_GRP_14_SEC_12_a_lapse_is_noticed_by_the_next_command_and_ends_the_connections():
    premium = Subscribers("ann", "bob")
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        room = await group(engine, "ann", "bob")
        phone, laptop = Device(engine, "bob"), Device(engine, "bob")
        await settled()
        premium.subscriptions.pop("bob")
        assert "ok" in await phone.ask("message.send", {"text": "still"}, c=room)
        engine.premium_changed("bob")
        began = trio.current_time()
        reply = await phone.ask("message.send", {"text": "no more"}, c=room)
        assert reply["error"]["code"] == "PREMIUM_REQUIRED"
        assert reply["error"]["retryable"] is False
        await settled()
        assert phone.disconnects[0] is laptop.disconnects[0] is PREMIUM_REQUIRED
        assert trio.current_time() - began < 1


async def test_GRP_14_who_only_listens_is_sent_away_within_a_second():
    premium = Subscribers("ann", "bob", "cid")
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        room = await group(engine, "ann", "bob", "cid")
        devices = [Device(engine, user) for user in ("bob", "cid")]
        await settled()
        async with engine.as_user("bob").pushes() as pushes:
            premium.subscriptions.pop("bob")
            engine.premium_changed()
            with trio.fail_after(1):
                with pytest.raises(Disconnected) as end:
                    await anext(pushes)
            assert end.value.disconnect is PREMIUM_REQUIRED
        assert [device.disconnects for device in devices] == [[PREMIUM_REQUIRED], []]
        await say(engine, room, "ann", "for the others")
        assert devices[1].texts() == ["for the others"]


async def test_GRP_14_a_subscription_lapses_at_its_time():
    clock = TrioClock()
    premium = Subscribers("ann", bob=Subscription(valid_until=clock() + 30_000))
    async with memory_engine(premium=premium, policy=REQUIRED, clock=clock) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await trio.sleep(29)
        assert bob.disconnects == []
        await trio.sleep(2)
        assert bob.disconnects == [PREMIUM_REQUIRED]
        assert await code(engine, "bob", room) == "PREMIUM_REQUIRED"


async def test_GRP_14_one_that_was_renewed_in_time_goes_on():
    """The host is asked anew before anybody is sent away, if what it said is old."""
    clock = TrioClock()
    end = clock() + 100_000
    premium = Subscribers(ann=Subscription(end))
    async with memory_engine(premium=premium, policy=REQUIRED, clock=clock) as engine:
        ann = Device(engine, "ann")
        await trio.sleep(90)
        premium.subscriptions["ann"] = Subscription(end + 20_000)
        await trio.sleep(15)
        assert ann.disconnects == []
        await trio.sleep(60)
        assert ann.disconnects == [PREMIUM_REQUIRED]


async def test_GRP_14_who_has_just_paid_is_let_in():
    premium = Subscribers("ann")
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        room = await group(engine, "ann", "bob")
        assert await code(engine, "bob", room) == "PREMIUM_REQUIRED"
        premium.subscriptions["bob"] = Subscription()
        assert await code(engine, "bob", room) == "PREMIUM_REQUIRED", "remembered for a little"
        await trio.sleep(engine.settings.host.absent_ttl_s)
        assert await code(engine, "bob", room) == "ok"


async def test_GRP_14_the_host_itself_needs_none():
    premium = Subscribers()
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        room = await a_room(engine, "ann")
        await engine.post(room, "welcome")
        host = engine.as_host()
        await host.add_members(room, ["bob"])
        async with host.pushes():
            await settled()
    assert premium.asked == []


async def test_GRP_14_without_a_port_everybody_has_one():
    async with memory_engine(policy=REQUIRED) as engine:
        await say(engine, await group(engine, "ann"), "ann", "hi")
        engine.premium_changed()


async def test_without_being_required_it_closes_nothing():
    premium = Subscribers("ann")
    async with memory_engine(premium=premium) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        premium.delay_s = 1.0
        engine.premium_changed()
        began = trio.current_time()
        assert await code(engine, "bob", room) == "ok"
        assert trio.current_time() == began, "nor does it wait"
        await trio.sleep(2)
        assert bob.disconnects == []
        known = engine._env.host.premium
        assert known is not None
        assert [known.is_premium(user) for user in ("ann", "bob")] == [False, False]


async def test_HIST_10_who_has_none_does_not_wait_either_where_none_is_required():
    premium = Subscribers("ann")
    async with memory_engine(premium=premium, policy={"free_history_days": 90}) as engine:
        room = await group(engine, "ann", "bob")
        assert await code(engine, "bob", room) == "ok"
        premium.delay_s = 1.0
        await trio.sleep(TTL_S)
        began = trio.current_time()
        assert await code(engine, "bob", room) == "ok"
        assert trio.current_time() == began


async def test_SEND_17_who_is_premium_is_known_of_those_who_are_here():
    premium = Subscribers("ann")
    async with memory_engine(premium=premium) as engine:
        Device(engine, "ann")
        Device(engine, "bob")
        await settled()
        known = engine._env.host.premium
        assert known is not None
        assert [known.is_premium(user) for user in ("ann", "bob")] == [True, False]
        assert premium.asked == [["ann", "bob"]] or premium.asked == [["bob", "ann"]]


async def test_a_slow_host_delays_only_the_user_concerned_and_keeps_their_order():
    """semantics §5: slow checks run outside of the actors, in order per user."""
    premium = Subscribers("ann", "bob", "cid")
    host = {"timeout_s": 3}
    async with memory_engine(premium=premium, policy=REQUIRED, host=host) as engine:
        room = await group(engine, "ann", "bob", "cid")
        await say(engine, room, "cid", "known")
        premium.delay_s, began = 2.0, trio.current_time()
        bob = Device(engine, "bob")
        for n in range(10):
            bob.submit("message.send", {"text": f"{n}"}, c=room, id=n)
        bob.submit("settings.get", id="later")
        cid = Device(engine, "cid")
        await cid.ask("message.send", {"text": "at once"}, c=room)
        await settled()
        assert trio.current_time() == began
        assert (cid.texts(), bob.of_kind("reply")) == (["at once"], [])
        await trio.sleep(1)
        bob.submit("message.send", {"text": "last"}, c=room, id="last")
        await trio.sleep(1)
        await settled()
        assert cid.texts() == ["at once", *map(str, range(10)), "last"]
        assert premium.asked[-1] == ["bob"], "once"


async def test_no_message_waits_for_what_is_asked_anew():
    premium = Subscribers("ann")
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        room = await group(engine, "ann")
        ann = Device(engine, "ann")
        await settled()
        premium.asked.clear()
        premium.delay_s = 1.0
        await trio.sleep(TTL_S)
        began = trio.current_time()
        for n in range(20):
            assert "ok" in await ann.ask("message.send", {"text": f"{n}"}, c=room)
        assert trio.current_time() == began
        await trio.sleep(2)
        assert premium.asked == [["ann"]]
        premium.subscriptions.clear()
        await trio.sleep(TTL_S)
        assert "ok" in await ann.ask("message.send", {"text": "asked meanwhile"}, c=room)
        await trio.sleep(2)
        assert ann.disconnects == [PREMIUM_REQUIRED], "it said no"


@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_SEC_12_while_the_host_is_away_its_last_word_holds(when_away: str):
    premium = Subscribers("ann")
    host = {"when_away": when_away}
    async with memory_engine(premium=premium, policy=REQUIRED, host=host) as engine:
        room = await a_room(engine, "ann", "bob", "cid")
        assert await code(engine, "ann", room) == "ok"
        assert await code(engine, "bob", room) == "PREMIUM_REQUIRED"
        premium.broken = True
        await trio.sleep(1000)
        assert await code(engine, "ann", room) == "ok"
        assert await code(engine, "bob", room) == "PREMIUM_REQUIRED"
        assert await code(engine, "cid", room) == ("ok" if when_away == "allow" else "UNAVAILABLE")


async def test_GRP_14_whoever_was_not_known_is_sent_away_when_the_host_is_back():
    premium = Subscribers("ann", "bob")
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        await settled()
        premium.broken = True
        premium.subscriptions.pop("ann")
        engine.premium_changed()
        await trio.sleep(100)
        assert ann.disconnects == []
        premium.broken = False
        await trio.sleep(engine.settings.host.cool_down_s + 2 * AGAIN_S)
        assert (ann.disconnects, bob.disconnects) == ([PREMIUM_REQUIRED], [])


async def test_SEC_12_what_was_being_answered_when_it_changed_is_not_believed():
    premium = Subscribers("ann")
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        room = await a_room(engine, "ann")
        premium.delay_s = 1.0
        ann = Device(engine, "ann")
        ann.submit("message.send", {"text": "hi"}, c=room, id=1)
        await trio.sleep(0.5)
        premium.subscriptions.clear()
        engine.premium_changed("ann")
        await trio.sleep(3)
        assert ann.reply(1)["error"]["code"] == "PREMIUM_REQUIRED"
        assert PREMIUM_REQUIRED in ann.disconnects


async def test_one_who_waits_may_not_ask_for_ever_more():
    premium = Subscribers("ann")
    actors = {"waiting_per_sender": 2}
    async with memory_engine(premium=premium, policy=REQUIRED, actors=actors) as engine:
        premium.delay_s = 1.0
        ann = Device(engine, "ann")
        for n in range(3):
            ann.submit("settings.get", id=n)
        assert ann.reply(2)["error"]["code"] == "OVERLOADED"
        await trio.sleep(2)
        assert all("ok" in ann.reply(n) for n in (0, 1))


async def test_GRP_14_what_was_scheduled_is_not_sent_after_a_lapse():
    premium = Subscribers("ann")
    async with memory_engine(premium=premium, policy=REQUIRED) as engine:
        room, ann = await group(engine, "ann"), engine.as_user("ann")
        later = {"id": "k", "send_at": engine.now() + 10_000, "message": {"text": "later"}}
        await ann.do(ScheduleMessage.model_validate(later), room)
        premium.subscriptions.clear()
        engine.premium_changed("ann")
        await trio.sleep(60)
        premium.subscriptions["ann"] = Subscription()
        engine.premium_changed("ann")
        (failed,) = (await ann.do(ListScheduled(status="failed")))["scheduled"]
        assert failed["id"] == "k"
        assert failed["error"] == "PREMIUM_REQUIRED"


async def test_GRP_14_by_tokens():
    policy, host = REQUIRED, {"premium": "claims"}
    async with memory_engine(policy=policy, host=host) as engine:
        engine.introduce("ann", {"premium": True})
        room = await group(engine, "ann")
        phone = Device(engine, "ann")
        engine.introduce("ann", {"premium": engine.now() / 1000 + 60})
        assert phone.disconnects == []
        await trio.sleep(61)
        assert phone.disconnects == [PREMIUM_REQUIRED]
        engine.introduce("ann", {"premium": True})
        assert await code(engine, "ann", room) == "ok"
        laptop = Device(engine, "ann")
        engine.introduce("ann", {})
        assert laptop.disconnects == [PREMIUM_REQUIRED], "the new token says so no more"
