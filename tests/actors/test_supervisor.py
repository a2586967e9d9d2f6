from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
import trio

from palaver.actors.supervisor import MAX_COOL_DOWN_S, RETRY_S, Counters, Limits, supervise
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.errors import Rejected
from palaver.tests.support.engines import group, refused, say, settled
from palaver.tests.support.faults import Trap

LIMITS = Limits(max_crashes=3, window_s=5.0, cool_down_s=30.0)


class Scripted:
    """An actor whose every life is one step of a script."""

    def __init__(self, *script: Callable[[], BaseException | None]) -> None:
        self._script = list(script)
        self.lives: list[float] = []
        self.crashes: list[Rejected] = []
        self.refusals: list[Rejected] = []
        self.retiring = False
        self.needed = False
        self.message = trio.Event()

    async def run(self) -> None:
        self.lives.append(trio.current_time())
        if not self._script:
            return
        error = self._script.pop(0)()
        if error is None:
            await trio.sleep_forever()
        else:
            raise error

    def crashed(self, error: Rejected) -> None:
        self.crashes.append(error)

    def refuse_waiting(self, error: Rejected) -> None:
        self.refusals.append(error)

    async def waiting(self) -> None:
        await self.message.wait()
        self.message = trio.Event()


def crash() -> BaseException:
    return ZeroDivisionError()


async def run(actor: Scripted, limits: Limits = LIMITS) -> Counters:
    counters, ids = Counters(), count(1)
    await supervise(actor, "actor", limits, lambda: f"id {next(ids)}", counters)
    return counters


async def test_ERR_06_three_crashes_in_five_seconds_are_survived():
    actor = Scripted(crash, crash, crash)
    counters = await run(actor)
    assert len(actor.lives) == 4
    assert [no.code for no in actor.crashes] == ["INTERNAL"] * 3
    assert [no.correlation for no in actor.crashes] == ["id 1", "id 2", "id 3"]
    assert actor.refusals == []
    assert (counters.crashes, counters.quarantines) == (3, 0)


async def test_ERR_06_the_fourth_crash_quarantines_and_the_cool_down_grows():
    actor = Scripted(*[crash] * 12)
    started = trio.current_time()
    counters = await run(actor)
    assert (counters.crashes, counters.quarantines) == (12, 3)
    pauses = [later - earlier for earlier, later in zip(actor.lives, actor.lives[1:], strict=False)]
    assert [pause for pause in pauses if pause] == pytest.approx([30, 60, 120])
    assert actor.lives[-1] - started == pytest.approx(210)
    assert {no.code for no in actor.refusals} == {"UNAVAILABLE"}
    assert actor.refusals[0].retry_after == 30.0
    assert actor.refusals[0].correlation == actor.crashes[3].correlation


async def test_the_cool_down_has_an_end():
    actor = Scripted(*[crash] * 40)
    await run(actor)
    pauses = [later - earlier for earlier, later in zip(actor.lives, actor.lives[1:], strict=False)]
    assert max(pauses) == pytest.approx(MAX_COOL_DOWN_S)


async def test_crashes_that_lie_far_apart_do_not_add_up():
    async def one_now_and_then() -> None:
        for _ in range(20):
            actor.message.set()
            await trio.sleep(2.0)

    class Slow(Scripted):
        async def run(self) -> None:
            await self.waiting()
            await super().run()

    actor = Slow(*[crash] * 19, lambda: Rejected("UNAVAILABLE"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one_now_and_then)
        counters = await run(actor)
    assert (counters.crashes, counters.quarantines) == (19, 0)


async def test_whoever_comes_during_a_quarantine_is_told_how_long_it_lasts(nursery: trio.Nursery):
    actor = Scripted(*[crash] * 4, lambda: None)
    nursery.start_soon(run, actor)
    await trio.sleep(10)
    actor.message.set()
    await trio.sleep(1)
    assert [no.retry_after for no in actor.refusals] == [30, 20]
    nursery.cancel_scope.cancel()


async def test_an_actor_that_cannot_load_now_is_given_up():
    actor = Scripted(lambda: Rejected("UNAVAILABLE", retry_after=3.0))
    counters = await run(actor)
    assert len(actor.lives) == 1
    assert [no.retry_after for no in actor.refusals] == [3.0]
    assert counters.crashes == 0


async def test_an_actor_that_is_needed_tries_again_when_somebody_asks_and_by_itself(
    nursery: trio.Nursery,
):
    actor = Scripted(*[lambda: Rejected("UNAVAILABLE")] * 3, lambda: None)
    actor.needed = True
    nursery.start_soon(run, actor)
    await trio.sleep(1)
    actor.message.set()
    await trio.sleep(3 * RETRY_S)
    pauses = [later - actor.lives[0] for later in actor.lives[1:]]
    assert pauses == pytest.approx([1, 1 + RETRY_S, 1 + 2 * RETRY_S])
    nursery.cancel_scope.cancel()


async def test_a_retiring_actor_does_not_sit_out_its_quarantine():
    actor = Scripted(*[crash] * 4)
    actor.retiring = True
    started = trio.current_time()
    await run(actor)
    assert trio.current_time() == started


async def test_cancellation_passes_through():
    actor = Scripted(lambda: None)
    with trio.move_on_after(1) as scope:
        await run(actor)
    assert scope.cancelled_caught
    assert actor.crashes == []


# The same with a real conversation.


async def test_ERR_06_the_asker_learns_of_a_crash_and_nobody_else_does():
    trap = Trap()
    async with memory_engine(guards=[trap]) as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "cid")
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        trap.spring("boom")
        ann.submit("message.send", {"text": "before"}, c=room, id=1)
        ann.submit("message.send", {"text": "boom"}, c=room, id=2)
        bob.submit("message.send", {"text": "after"}, c=room, id=1)
        ann.submit("message.send", {"text": "elsewhere"}, c=other, id=3)
        await settled()
        error = ann.reply(2)["error"]
        assert (error["code"], error["retryable"]) == ("INTERNAL", True)
        assert error["correlation"]
        assert trap.sprung == 1, "the message is not tried again"
        assert ann.reply(1)["ok"]["seq"] == 2
        assert bob.reply(1)["ok"]["seq"] == 3, "the rest of the mailbox survives"
        assert "ok" in ann.reply(3), "other conversations go on"
        assert engine.health()["crashes"] == 1
        assert [m["text"] for m in await engine.as_user("bob").history(room)] == ["before", "after"]


async def test_ERR_06_a_quarantined_conversation_is_unavailable_and_comes_back():
    trap = Trap()
    async with memory_engine(guards=[trap]) as engine:
        room, other = await group(engine, "ann", "bob"), await group(engine, "ann", "cid")
        ann = engine.as_user("ann")
        trap.spring("boom", times=4)
        for _ in range(4):
            assert (await refused(ann.send(room, "boom"))).code == "INTERNAL"
        no = await refused(ann.send(room, "hello?"))
        assert (no.code, no.retryable, no.correlation is not None) == ("UNAVAILABLE", True, True)
        assert no.retry_after is not None
        assert 0 < no.retry_after <= 30
        assert (await refused(ann.conversation(room))).code == "UNAVAILABLE"
        await say(engine, other, "ann", "still here")
        await trio.sleep(no.retry_after)
        assert (await ann.send(room, "hello!")).seq == 2


async def test_what_waits_behind_a_crash_keeps_its_order():
    trap = Trap()
    async with memory_engine(guards=[trap], actors={"ring": 1}) as engine:
        room = await group(engine, "ann", "bob")
        (first, *_) = await say(engine, room, "bob", "one", "two", "three")
        ann = Device(engine, "ann")
        trap.spring("boom")
        # The reply waits for a read of the log, and the rest waits for the reply.
        ann.submit("message.send", {"text": "boom", "reply_to": first.id}, c=room, id=0)
        for n in range(1, 20):
            ann.submit("message.send", {"text": f"{n}"}, c=room, id=n)
        await settled()
        assert ann.reply(0)["error"]["code"] == "INTERNAL"
        assert [text for text in ann.texts() if text.isdigit()] == [f"{n}" for n in range(1, 20)]


async def test_members_are_told_where_the_conversation_stands_after_a_crash():
    trap = Trap()
    async with memory_engine(guards=[trap]) as engine:
        room = await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        trap.spring("boom")
        await refused(engine.as_user("ann").send(room, "boom"))
        await settled()
        (head,) = bob.of_kind("conversation.head")
        assert (head["c"], head["d"]) == (room, {"epoch": 1, "seq": 1})
