"""What the host said is remembered, shared and bounded; while it is away it is left in peace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
import trio

from palaver.engine.host.asking import Asking
from palaver.engine.host.facts import BATCH, Facts
from palaver.engine.settings import Host
from palaver.tests.support.engines import refused, settled


class Oracle:
    """Has a word on every id but those in `silent`: how often it was asked until then."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.silent: set[str] = set()
        self.delay_s = 0.1
        self.broken = False
        self.busy = self.most = 0

    async def ask(self, ids: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(ids))
        word = len(self.asked)
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await trio.sleep(self.delay_s)
        finally:
            self.busy -= 1
        if self.broken:
            raise RuntimeError(f"no words on {ids}")
        return {id: word for id in ids if id not in self.silent}


@asynccontextmanager
async def remembered(oracle: Oracle, **settings: Any) -> AsyncIterator[Facts[str, int]]:
    host = Host(**settings)
    async with trio.open_nursery() as nursery:
        yield Facts(oracle.ask, Asking("oracle", host), nursery, host)
        nursery.cancel_scope.cancel()


async def test_it_is_asked_once_until_that_is_old():
    oracle = Oracle()
    oracle.silent = {"nobody"}
    async with remembered(oracle, cache_ttl_s=60, absent_ttl_s=5) as facts:
        for _ in range(3):
            assert await facts.find(["a", "nobody"]) == {"a": 1}
        await trio.sleep(10)
        assert (facts.are_known(["a"]), facts.are_known(["a", "nobody"])) == (True, False)
        oracle.silent.clear()
        assert await facts.find(["a", "nobody"]) == {"a": 1, "nobody": 2}
        await trio.sleep(55)
        assert not facts.are_known(["a"])
        assert facts.get("a") == 1, "better than nothing"
        assert await facts.find(["a"]) == {"a": 3}
        assert oracle.asked == [["a", "nobody"], ["nobody"], ["a"]]


async def test_who_asks_at_the_same_time_shares_the_answer():
    oracle = Oracle()
    async with remembered(oracle) as facts, trio.open_nursery() as nursery:
        answers: dict[tuple[str, ...], dict[str, int]] = {}

        async def find(*ids: str) -> None:
            answers[ids] = await facts.find(ids)

        nursery.start_soon(find, "a", "b")
        await settled()
        nursery.start_soon(find, "b", "c")
        await settled()
        nursery.start_soon(find, "c")
        await trio.sleep(1)
        assert oracle.asked == [["a", "b"], ["c"]]
        assert answers == {
            ("a", "b"): {"a": 1, "b": 1},
            ("b", "c"): {"b": 1, "c": 2},
            ("c",): {"c": 2},
        }


async def test_who_gives_up_takes_the_answer_from_nobody():
    oracle = Oracle()
    async with remembered(oracle) as facts, trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(facts.find, ["a"])
            await settled()
            scope.cancel()
            await facts.find(["a"])
        await trio.sleep(1)
        assert facts.are_known(["a"])
        assert oracle.asked == [["a"]]


async def test_many_are_asked_for_in_batches_and_not_all_at_once():
    oracle = Oracle()
    ids = [f"{n}" for n in range(10 * BATCH)]
    async with remembered(oracle, max_requests=3) as facts:
        assert len(await facts.find(ids)) == len(ids)
        assert [len(batch) for batch in oracle.asked] == [BATCH] * 10
        assert oracle.most == 3


async def test_what_is_remembered_is_bounded():
    oracle = Oracle()
    ids = [f"{n}" for n in range(1500)]
    async with remembered(oracle, cache_size=1000) as facts:
        await facts.find(ids[:1000])
        facts.get("0")  # it was needed last
        assert await facts.find(ids[1000:]) != {}
        assert facts.are_known(["0", *ids[1000:]])
        assert sum(facts.are_known([id]) for id in ids) == 1000
        assert len(await facts.find(ids)) == 1500, "that they do not fit takes nothing away"


async def test_what_is_invalidated_is_asked_for_again():
    oracle = Oracle()
    async with remembered(oracle) as facts:
        await facts.find(["a", "b"])
        facts.invalidate("a")
        assert (facts.get("a"), facts.get("b")) == (None, 1)
        assert await facts.find(["a", "b"]) == {"a": 2, "b": 1}
        facts.invalidate(None)
        assert await facts.find(["a", "b"]) == {"a": 3, "b": 3}


async def test_an_answer_from_before_an_invalidation_is_not_kept():
    oracle = Oracle()
    async with remembered(oracle) as facts, trio.open_nursery() as nursery:
        nursery.start_soon(facts.find, ["a", "b"])
        await settled()
        facts.invalidate("a")
        await trio.sleep(1)
        assert facts.are_known(["b"])
        assert not facts.are_known(["a"])
        nursery.start_soon(facts.find, ["a", "b"])
        await settled()
        facts.invalidate("a")
        assert await facts.find(["a"]) == {"a": 3}, "not the answer that is under way"


async def test_an_answer_that_comes_late_is_none():
    oracle = Oracle()
    async with remembered(oracle, timeout_s=2, max_requests=1) as facts:
        oracle.delay_s = 1.5
        async with trio.open_nursery() as nursery:
            nursery.start_soon(facts.find, ["a"])
            await settled()
            no = await refused(facts.find(["b"]))  # its turn comes too late
        assert (no.code, no.retryable) == ("UNAVAILABLE", True)
        assert facts.are_known(["a"])
        assert not facts.are_known(["b"])


async def test_a_host_that_is_away_is_left_in_peace():
    oracle = Oracle()
    oracle.broken = True
    async with remembered(oracle, failures=3, cool_down_s=10) as facts:
        refusals = [await refused(facts.find([f"{n}"])) for n in range(10)]
        assert {no.code for no in refusals} == {"UNAVAILABLE"}
        assert len(oracle.asked) == 3
        assert refusals[-1].retry_after == 10
        await trio.sleep(10)
        for _ in range(5):
            await refused(facts.find(["a"]))
        assert len(oracle.asked) == 4, "it is tried, once"
        oracle.broken = False
        await trio.sleep(10)
        assert await facts.find(["a"]) == {"a": 5}
        assert len(await facts.find(["b", "c"])) == 2


async def test_what_the_host_fails_with_is_logged_without_its_words():
    oracle = Oracle()
    oracle.broken = True
    with structlog.testing.capture_logs() as entries:
        async with remembered(oracle, failures=1, cool_down_s=1) as facts:
            await refused(facts.find(["sesame"]))
            oracle.broken = False
            await trio.sleep(1)
            await facts.find(["sesame"])
    assert [entry["event"] for entry in entries] == [
        "the host gave no answer",
        "the host answers again",
    ]
    assert entries[0]["reason"] == "RuntimeError"
    assert "sesame" not in str(entries)
