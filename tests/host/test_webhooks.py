"""Webhooks: the product is told of stored events, signed, in order, at least once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from structlog.testing import capture_logs

from palaver.actors.turns import Turns
from palaver.engine import Engine, StartupError
from palaver.engine.testing import memory_engine
from palaver.protocol.errors import Rejected
from palaver.protocol.events import Event
from palaver.tests.support.hooked import Hooked
from palaver.tests.support.hosts import SECRET

KINDS = ["conversation.created", "message.sent", "message.deleted"]


@asynccontextmanager
async def connected(**sections: Any) -> AsyncIterator[tuple[Hooked, Engine]]:
    product = Hooked()
    async with product.listening():
        webhooks = {"url": product.url, "secret": SECRET, "events": KINDS}
        webhooks |= sections.pop("webhooks", {})
        sections = {"jobs": {"backoff_s": 0.001}, "webhooks": webhooks, **sections}
        async with memory_engine(**sections) as engine:
            yield product, engine


async def test_AUTO_07_stored_events_of_the_chosen_kinds_are_told_in_order():
    async with connected() as (product, engine):
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        await ann.rename(room, "Ops 2")  # of a kind that is not told
        sent = [await ann.send(room, f"hi {n}") for n in range(20)]
        await product.heard(21)
        kinds = [body["type"] for _, body in product.told]
        assert kinds == ["conversation.created", *["message.sent"] * 20]
        assert product.texts == [f"hi {n}" for n in range(20)]
        id, last = product.told[-1]
        assert id == sent[-1].id
        assert last["timestamp"].endswith("Z")
        assert last["data"] == {
            "t": "message.sent",
            "c": room,
            "seq": sent[-1].seq,
            "ts": sent[-1].at,
            "d": {"id": id, "by": "ann", "number": 20, "text": "hi 19"},
        }


async def test_AUTO_07_what_the_product_does_not_take_is_told_again_under_the_same_id():
    async with connected(jobs={"backoff_s": 0.001}) as (product, engine):
        product.broken = True
        ann = engine.as_user("ann")
        await ann.create_group("Ops", ["bob"])
        await product.heard(2)
        product.broken = False
        await product.heard(3)
        ((_, body),) = product.told
        assert body["type"] == "conversation.created"


async def test_AUTO_07_after_three_tries_it_is_a_dead_letter_that_can_be_retried():
    async with connected() as (product, engine):
        product.broken = True
        await engine.as_user("ann").create_group("Ops", ["bob"])
        await product.heard(3)
        jobs = engine._env.store.jobs
        await engine._jobs.stop()  # so that what was tried is settled
        dead = await jobs.dead(10)
        assert [(job.kind, job.error) for job in dead] == [("webhook", "UNAVAILABLE")]
        assert await jobs.retry(engine.now()) == 1


async def test_HIST_06_what_was_deleted_by_then_is_told_without_its_content():
    async with connected(jobs={"backoff_s": 0.2}) as (product, engine):
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        await product.heard(1)
        product.broken = True
        sent = await ann.send(room, "secret")
        await product.heard(2)
        await ann.delete(room, sent.id)
        await product.heard(3)
        product.broken = False
        await product.heard(5)
        assert {body["type"] for _, body in product.told} == set(KINDS)
        assert "secret" not in str(product.told)


async def test_SEC_17_what_is_told_is_in_no_log():
    with capture_logs() as logs:
        async with connected() as (product, engine):
            product.broken = True
            ann = engine.as_user("ann")
            await ann.send(await ann.create_group("Ops", ["bob"]), "a secret between us")
            await product.heard(4)
    assert "the host gave no answer" in str(logs)
    assert "a secret between us" not in str(logs)
    assert SECRET not in str(logs)


async def test_AUTO_07_while_webhooks_are_off_no_job_is_made(monkeypatch: pytest.MonkeyPatch):
    def made(event: Event) -> bool:
        return event.webhook or bool(event.jobs())

    async with memory_engine() as engine:
        room = await engine.as_user("ann").create_group("Ops", ["bob"])
        async with engine.subscribe(room) as events:
            await engine.as_user("ann").send(room, "hi")
            assert [made(await anext(events)) for _ in range(2)] == [False, False]


@pytest.mark.parametrize(
    ("webhooks", "words"),
    [
        ({"events": ["message.sent"]}, r"webhooks\.url and webhooks\.secret"),
        ({"events": ["message.said"], "url": "http://x"}, r"no event 'message\.said'"),
        ({"events": ["message.sent"], "url": "x", "secret": SECRET}, "https://"),
        ({"events": ["message.sent"], "url": "http://x", "secret": "x"}, r"webhooks\.secret must"),
    ],
)
async def test_settings_that_cannot_work_are_refused_in_words(webhooks: Any, words: str):
    with pytest.raises(StartupError, match=words):
        async with memory_engine(webhooks=webhooks):
            pass


async def test_turns_are_taken_in_order_of_seq_and_one_at_a_time(autojump_clock: Any):
    turns, done = Turns(), list[str]()

    async def work(conversation: str, seq: int) -> None:
        async with turns.turn(conversation, seq):
            done.append(f"{conversation}{seq} begins")
            await trio.sleep(1)
            done.append(f"{conversation}{seq} ends")

    async with trio.open_nursery() as nursery:
        for seq in (3, 1, 2):
            nursery.start_soon(work, "a", seq)
        await trio.sleep(0.5)
        nursery.start_soon(work, "b", 9)
    a = [each for each in done if each.startswith("a")]
    assert a == [f"a{n} {what}" for n in (1, 2, 3) for what in ("begins", "ends")]
    assert done.index("b9 begins") == 1
    assert turns._lines == {}


async def test_whose_turn_does_not_come_is_not_tried(autojump_clock: Any):
    turns = Turns()
    async with turns.turn("a", 1):
        with pytest.raises(Rejected) as caught:
            async with turns.turn("a", 2):
                pytest.fail("it was not its turn")
    assert caught.value.code == "OVERLOADED"
    assert turns._lines == {}
