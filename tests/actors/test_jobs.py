"""The runner: when it looks, how many it does at a time, and what it does when one fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from palaver.actors.jobs import Bell, Handler, JobLimits, JobRunner
from palaver.engine.testing import TrioClock, numbered_ids
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.errors import Rejected
from palaver.protocol.jobs import Job
from palaver.tests.support.engines import settled

NOW = 1_700_000_000_000
LEASE_S = 60
NONE: Mapping[str, Handler] = {}
LIMITS = JobLimits(concurrency=4, tries=3, backoff_s=2.0, lease_s=LEASE_S, poll_s=1000.0)


class Work:
    """A store of jobs and whoever does them. `done` is what was begun, with the seconds."""

    def __init__(self, beside: Work | None = None) -> None:
        self.store: MemoryStore = beside.store if beside else MemoryStore()
        self.clock: TrioClock = beside.clock if beside else TrioClock(NOW)
        self.bell = Bell()
        self.done: list[tuple[str, int]] = []
        self.act: Callable[[Job], Awaitable[None]] = self.nothing
        self.ids = numbered_ids()
        self.runner: JobRunner

    async def nothing(self, job: Job) -> None: ...

    async def add(self, name: str, after_s: float, *, told: bool = True) -> None:
        due = self.clock() + round(after_s * 1000)
        await self.store.jobs.add([Job(self.ids(), "test", due, {"name": name})])
        if told:
            self.bell.ring(due)

    async def _handle(self, job: Job) -> None:
        self.done.append((job.data["name"], (self.clock() - NOW) // 1000))
        await self.act(job)

    @asynccontextmanager
    async def running(
        self, limits: JobLimits = LIMITS, given_up: Mapping[str, Handler] = NONE
    ) -> AsyncGenerator[None]:
        handlers = {"test": self._handle}
        jobs = self.store.jobs
        self.runner = JobRunner(jobs, self.clock, self.ids, self.bell, handlers, limits, given_up)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.runner.run)
            yield
            nursery.cancel_scope.cancel()

    async def dead(self) -> list[Job]:
        return await self.store.jobs.dead(10)


@pytest.fixture
async def work(autojump_clock: Any) -> Work:
    work = Work()
    work.clock()  # its time begins now
    return work


async def test_AUTO_07_it_wakes_when_the_next_job_is_due(work: Work):
    await work.add("b", 700)
    await work.add("a", 30)
    async with work.running():
        await trio.sleep(2000)
        assert work.done == [("a", 30), ("b", 700)]


async def test_AUTO_07_it_is_woken_by_one_that_is_due_earlier(work: Work):
    await work.add("later", 500)
    async with work.running():
        await trio.sleep(1)
        await work.add("sooner", 10)
        await trio.sleep(20)
        assert work.done == [("sooner", 11)]


async def test_AUTO_07_what_others_have_added_is_found_within_the_poll(work: Work):
    async with work.running():
        await trio.sleep(1)
        await work.add("theirs", 0, told=False)
        await trio.sleep(998)
        assert work.done == []
        await trio.sleep(2)
        assert work.done == [("theirs", 1000)]


async def test_AUTO_07_no_more_than_so_many_at_a_time(work: Work):
    at_once = most = 0

    async def act(job: Job) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await trio.sleep(1)
        at_once -= 1

    work.act = act
    for number in range(50):
        await work.add(str(number), 0)
    async with work.running():
        await trio.sleep(40)
    assert sorted(int(name) for name, _ in work.done) == list(range(50))
    assert most == LIMITS.concurrency


async def test_SEND_13_it_is_tried_three_times_each_later_than_the_last(work: Work):
    async def act(job: Job) -> None:
        raise Rejected("UNAVAILABLE")

    work.act = act
    await work.add("x", 0)
    async with work.running():
        await trio.sleep(1000)
    times = [at for _, at in work.done]
    assert len(times) == 3
    assert 1 <= times[1] <= 3
    assert 6 <= times[2] - times[1] <= 10
    (dead,) = await work.dead()
    assert (dead.error, dead.attempts) == ("UNAVAILABLE", 3)
    assert (work.runner.counters.failed, work.runner.counters.dead) == (3, 1)


async def test_what_there_is_no_room_for_is_tried_until_there_is(work: Work):
    async def act(job: Job) -> None:
        if len(work.done) < 6:
            raise Rejected("OVERLOADED")

    work.act = act
    await work.add("x", 0)
    async with work.running():
        await trio.sleep(100)
    assert len(work.done) == 6
    assert await work.dead() == []


async def test_it_is_not_tried_again_before_it_may_be(work: Work):
    async def act(job: Job) -> None:
        if len(work.done) == 1:
            raise Rejected("OVERLOADED", retry_after=100.0)

    work.act = act
    await work.add("x", 0)
    async with work.running():
        await trio.sleep(1000)
    assert len(work.done) == 2
    assert 100 <= work.done[1][1] <= 125


async def test_MSG_23_that_a_job_is_given_up_is_told_before_it_is_settled(work: Work):
    told: list[str | None] = []

    async def act(job: Job) -> None:
        raise Rejected("PERMISSION_DENIED")

    async def tell(job: Job) -> None:
        assert await work.dead() == []
        told.append(job.error)
        if len(told) == 1:
            raise Rejected("UNAVAILABLE")  # then it is told again

    work.act = act
    await work.add("x", 0)
    async with work.running(given_up={"test": tell}):
        await trio.sleep(100)
    assert told == ["PERMISSION_DENIED"] * 2
    assert len(await work.dead()) == 1


async def test_a_no_that_is_final_is_not_asked_for_again(work: Work):
    async def act(job: Job) -> None:
        raise Rejected("PERMISSION_DENIED")

    work.act = act
    await work.add("x", 0)
    async with work.running():
        await trio.sleep(1000)
    assert len(work.done) == 1
    assert [job.error for job in await work.dead()] == ["PERMISSION_DENIED"]


async def test_a_job_that_crashes_harms_nobody_else(work: Work):
    async def act(job: Job) -> None:
        if job.data["name"] == "bad":
            raise RuntimeError("a mistake")

    work.act = act
    for name in ("bad", "good"):
        await work.add(name, 0)
    async with work.running():
        await trio.sleep(1000)
    assert [name for name, _ in work.done].count("good") == 1
    (dead,) = await work.dead()
    assert (dead.error or "").startswith("INTERNAL 0000")


async def test_a_job_that_hangs_is_cut_off_before_another_may_have_it(work: Work):
    async def act(job: Job) -> None:
        await trio.sleep(10 * LEASE_S)

    work.act = act
    await work.add("x", 0)
    async with work.running():
        await trio.sleep(1000)
    assert len(work.done) == 3
    assert work.done[1][1] >= LEASE_S // 2
    assert len(await work.dead()) == 1


async def test_while_the_store_is_away_nothing_is_lost(work: Work):
    await work.add("x", 1)
    async with work.running(JobLimits(poll_s=5.0)):
        work.store.go_away()
        await trio.sleep(30)
        assert work.done == []
        work.store.come_back()
        await trio.sleep(6)
        assert len(work.done) == 1
    assert await work.dead() == []


async def test_what_was_done_while_the_store_went_away_is_settled_later(work: Work):
    async def act(job: Job) -> None:
        work.store.go_away()

    work.act = act
    await work.add("x", 0)
    async with work.running():
        await trio.sleep(10)
        work.store.come_back()
        await trio.sleep(300)
    assert len(work.done) == 1


async def test_AUTO_07_two_runners_do_each_job_once(work: Work):
    other = Work(beside=work)
    for number in range(40):
        await work.add(str(number), number % 3)
    async with work.running(), other.running():
        await trio.sleep(20)
    done = [int(name) for name, _ in work.done + other.done]
    assert sorted(done) == list(range(40))


async def test_AUTO_07_a_runner_that_dies_is_replaced_when_its_lease_is_over(work: Work):
    async def act(job: Job) -> None:
        await trio.sleep(20)

    work.act = act
    await work.add("x", 0)
    async with work.running():
        await trio.sleep(5)  # and is killed
    other = Work(beside=work)
    async with other.running(JobLimits(poll_s=1.0)):
        await trio.sleep(LEASE_S - 10)
        assert other.done == []
        await trio.sleep(10)
        assert [name for name, _ in other.done] == ["x"]


async def test_stopping_waits_for_what_has_begun_and_takes_nothing_new(work: Work):
    ended = []

    async def act(job: Job) -> None:
        await trio.sleep(3)
        ended.append(job.data["name"])

    work.act = act
    await work.add("now", 0)
    await work.add("later", 2)
    async with work.running():
        await settled()
        await work.runner.stop()
        assert ended == ["now"]
        assert (await work.store.jobs.take(work.clock(), 9, 0, 3)).jobs[0].data["name"] == "later"
