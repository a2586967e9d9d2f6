"""What is to be done later: taken by one at a time, kept until settled, given up in the end."""

import random
import uuid
from contextlib import suppress
from typing import Any

import trio

from palaver.protocol.delivery import DELIVER
from palaver.protocol.errors import Rejected
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.schedule import SEND, MessageScheduled, ScheduleCancelled
from palaver.protocol.ids import scheduled_id
from palaver.protocol.jobs import HIGH, LEASE_RAN_OUT, LOW, NORMAL, Job, Taken, Tried
from palaver.protocol.personal import FOREVER
from palaver.protocol.webhooks import WEBHOOK
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import Twin
from palaver.tests.support.engines import refused

TRIES = 3
LEASE = 1000


def job(due: int, **more: Any) -> Job:
    return Job(str(uuid.uuid4()), "test", due, {"n": due}, **more)


async def take(twin: Twin, now: int, limit: int = 100) -> Taken:
    return await twin.store.jobs.take(now, limit, now + LEASE, TRIES)


async def test_a_job_comes_when_it_is_due_and_not_before(twin: Twin):
    jobs = twin.store.jobs
    early, late = job(1000), job(2000)
    await jobs.add([late, early])
    assert await take(twin, 999) == Taken([], 1000, False)
    taken = await take(twin, 1000)
    assert [each.id for each in taken.jobs] == [early.id]
    assert taken.next == 2000
    (first,) = taken.jobs
    assert (first.attempts, first.data, first.due) == (1, {"n": 1000}, 1000)
    await jobs.settle([Tried(first)])
    await twin.restart()
    assert [each.id for each in (await take(twin, 5000)).jobs] == [late.id]
    assert await take(twin, 5000) == Taken([], 5000 + LEASE, False)


async def test_a_job_added_again_is_the_same_job(twin: Twin):
    one = job(1000)
    await twin.store.jobs.add([one, one])
    await twin.store.jobs.add([one])
    assert len((await take(twin, 1000)).jobs) == 1
    await twin.store.jobs.add([one])
    assert (await take(twin, 1000)).jobs == []


async def test_SEND_17_higher_priority_first_then_the_oldest(twin: Twin):
    order = [(HIGH, 30), (HIGH, 50), (NORMAL, 10), (NORMAL, 20), (LOW, 5)]
    added = [job(due, priority=priority) for priority, due in order]
    await twin.store.jobs.add(random.Random(1).sample(added, len(added)))
    first = await take(twin, 100, limit=2)
    assert ([each.due for each in first.jobs], first.more) == ([30, 50], True)
    rest = await take(twin, 100)
    assert ([each.due for each in rest.jobs], rest.more) == ([10, 20, 5], False)


async def test_AUTO_07_with_many_workers_each_job_is_taken_once(twin: Twin):
    added = [job(n % 7, priority=n % 3) for n in range(200)]
    await twin.store.jobs.add(added)
    taken: list[str] = []

    async def work() -> None:
        while True:
            found = await take(twin, 10, limit=7)
            taken.extend(each.id for each in found.jobs)
            if len(taken) >= len(added) or not found.more:
                return

    for _ in range(3):  # who meets only rows that others hold goes home early
        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(work)
    assert sorted(taken) == sorted(each.id for each in added)


async def test_AUTO_07_who_dies_over_a_job_loses_it_to_another(twin: Twin):
    jobs = twin.store.jobs
    await jobs.add([job(0)])
    (first,) = (await take(twin, 0)).jobs
    await twin.open()  # another engine; the one before never says what became of it
    assert (await take(twin, LEASE - 1)).jobs == []
    (second,) = (await take(twin, LEASE)).jobs
    assert (second.id, second.attempts) == (first.id, 2)
    await jobs.settle([Tried(first, "too late to matter")])
    await twin.store.jobs.settle([Tried(second)])
    assert await take(twin, 10 * LEASE) == Taken([], None, False)
    assert await twin.store.jobs.dead(10) == []


async def test_AUTO_07_what_a_dead_engine_had_is_taken_over_at_once(twin: Twin):
    jobs = twin.store.jobs
    await jobs.add([job(0), job(0)])
    assert len((await take(twin, 0, limit=1)).jobs) == 1
    await jobs.reclaim(1)
    assert len((await take(twin, 1)).jobs) == 1, "its own stay its own"
    await twin.open()
    await twin.store.jobs.reclaim(2)
    assert await jobs.take(2, 10, 2 + LEASE, TRIES) == Taken([], None, False), "it is fenced off"
    assert [each.attempts for each in (await take(twin, 2)).jobs] == [2, 2]


async def test_SEND_13_after_three_tries_there_is_no_fourth(twin: Twin):
    jobs = twin.store.jobs
    one = job(0)
    await jobs.add([one])
    for attempt in (1, 2, 3):
        (tried,) = (await take(twin, 100 * attempt)).jobs
        assert tried.attempts == attempt
        again = 100 * (attempt + 1) if attempt < TRIES else None
        await jobs.settle([Tried(tried, f"error {attempt}", again)])
    assert await take(twin, 10_000) == Taken([], None, False)
    (dead,) = await jobs.dead(10)
    assert (dead.id, dead.attempts, dead.error, dead.state) == (one.id, 3, "error 3", "dead")


async def test_what_was_not_even_begun_is_no_try(twin: Twin):
    jobs = twin.store.jobs
    await jobs.add([job(0)])
    for attempt in range(5):
        (tried,) = (await take(twin, attempt)).jobs
        assert tried.attempts == 1
        await jobs.settle([Tried(tried, "OVERLOADED", attempt + 1, begun=False)])


async def test_AUTO_07_what_kills_whoever_tries_it_is_given_up_as_well(twin: Twin):
    await twin.store.jobs.add([job(0)])
    for attempt in range(TRIES):
        assert len((await take(twin, attempt * LEASE)).jobs) == 1
    assert (await take(twin, TRIES * LEASE)).jobs == []
    (dead,) = await twin.store.jobs.dead(10)
    assert dead.error == LEASE_RAN_OUT


async def test_AUTO_07_what_was_given_up_can_be_listed_and_tried_again(twin: Twin):
    jobs = twin.store.jobs
    added = [job(n) for n in range(4)]
    await jobs.add(added)
    taken = (await take(twin, 10)).jobs
    await jobs.settle([Tried(each, "no") for each in taken])
    assert [each.id for each in await jobs.dead(2)] == [each.id for each in added[:2]]
    assert await jobs.retry(20, [added[0].id, str(uuid.uuid4())]) == 1
    (again,) = (await take(twin, 20)).jobs
    assert (again.id, again.attempts) == (added[0].id, 1)
    assert await jobs.retry(30) == 3
    assert len((await take(twin, 30)).jobs) == 3


# Scheduled messages: a job with an owner, and an entry in the owner's log.


def scheduled(id: str, due: int, text: str = "later", user: str = "ann") -> MessageScheduled:
    conversation = "8a3f0f6e-0000-5000-8000-000000000001"
    return MessageScheduled(id, scheduled_id(user, id), conversation, due, {"text": text})


async def listed(twin: Twin, *states: Any) -> list[tuple[str, str]]:
    found = await twin.store.jobs.owned("ann", SEND, states or ("pending",), 100)
    return [(each.data["id"], each.state) for each in found]


async def test_MSG_23_what_is_scheduled_is_in_the_log_and_among_the_jobs(twin: Twin):
    logs, jobs = twin.store.user_logs, twin.store.jobs
    await logs.append("ann", scheduled("b", 200), 1)
    await logs.append("ann", scheduled("a", 100), 1)
    await logs.append("bob", scheduled("a", 100, user="bob"), 1)
    await logs.append("ann", scheduled("b", 300, "changed"), 1)
    assert await listed(twin) == [("a", "pending"), ("b", "pending")]
    assert [event.n for event in await logs.after("ann", 0, 10)] == [2, 3]
    first, second = await jobs.owned("ann", SEND, ["pending"], 10)
    assert await jobs.owned("ann", SEND, ["pending"], 10, (first.due, first.id)) == [second]
    assert (second.due, second.data["message"]) == (300, {"text": "changed"})
    taken = await take(twin, 100)
    assert sorted(each.owner or "" for each in taken.jobs) == ["ann", "bob"]
    assert taken.next == 300


async def test_MSG_23_what_is_cancelled_is_never_taken(twin: Twin):
    logs = twin.store.user_logs
    one = scheduled("a", 100)
    no = await refused(logs.append("ann", ScheduleCancelled("a", one.job), 1))
    assert no.code == "MESSAGE_NOT_FOUND"
    await logs.append("ann", one, 1)
    for _ in range(2):
        await logs.append("ann", ScheduleCancelled("a", one.job), 1)
    assert await take(twin, 1000) == Taken([], None, False)
    assert await listed(twin, "cancelled") == [("a", "cancelled")]
    (job,) = await twin.store.jobs.owned("ann", SEND, ["cancelled"], 1)
    assert "message" not in job.data, "nothing of it is kept"
    no = await refused(logs.append("ann", one, 1))
    assert no.code == "VERSION_CONFLICT"
    assert [event.data.name for event in await logs.after("ann", 0, 9)] == ["schedule.cancelled"]


async def test_MSG_23_once_begun_it_is_neither_changed_nor_cancelled(twin: Twin):
    logs, jobs = twin.store.user_logs, twin.store.jobs
    one = scheduled("a", 100)
    await logs.append("ann", one, 1)
    (taken,) = (await take(twin, 100)).jobs
    for data in (scheduled("a", 500), ScheduleCancelled("a", one.job)):
        no = await refused(logs.append("ann", data, 1))
        assert no.code == "VERSION_CONFLICT"
    assert [event.n for event in await logs.after("ann", 0, 10)] == [1]
    await jobs.settle([Tried(taken)])
    assert await listed(twin, "done") == [("a", "done")]
    (entry,) = await logs.after("ann", 0, 10)
    assert isinstance(entry.data, MessageScheduled)
    assert entry.data.message is None, "what was sent is in the conversation alone"
    (job,) = await jobs.owned("ann", SEND, ["done"], 10)
    assert "message" not in job.data


async def test_MSG_23_to_cancel_and_to_begin_exclude_each_other(twin: Twin):
    logs = twin.store.user_logs
    cancelled: set[str] = set()
    begun: set[str] = set()
    entries = [scheduled(f"{n}", 100) for n in range(30)]
    for entry in entries:
        await logs.append("ann", entry, 1)

    async def cancel(entry: MessageScheduled) -> None:
        with suppress(Rejected):
            await logs.append("ann", ScheduleCancelled(entry.id, entry.job), 1)
            cancelled.add(entry.job)

    async def begin() -> None:
        while found := (await take(twin, 100, limit=3)).jobs:
            begun.update(each.id for each in found)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(begin)
        for entry in reversed(entries):
            nursery.start_soon(cancel, entry)
    begun.update(each.id for each in (await take(twin, 100)).jobs)
    assert not cancelled & begun
    assert cancelled | begun == {entry.job for entry in entries}


async def test_SEND_13_with_a_message_that_is_announced_goes_a_job(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "nobody is told of this").outcome()
    assert await take(twin, FOREVER) == Taken([], None, False)
    write = chat.write("ann", SendMessage(text="hello"))
    write.events[0].announced = True
    await chat.append(write).outcome()
    (job,) = (await take(twin, FOREVER)).jobs
    sent = chat.log[-1]
    assert (job.kind, job.due, job.priority) == (DELIVER, sent.at, NORMAL)
    assert job.data == {"conversation": chat.id, "message_id": sent.id}


async def test_AUTO_07_with_an_event_that_is_told_by_webhook_goes_a_job(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    write = chat.write("ann", SendMessage(text="hello"))
    write.events[0].webhook = True
    await chat.append(write).outcome()
    (job,) = (await take(twin, FOREVER)).jobs
    sent = chat.log[-1]
    assert (job.kind, job.due, job.priority) == (WEBHOOK, sent.at, NORMAL)
    assert job.data == {"conversation": chat.id, "event_id": sent.id, "seq": sent.seq}


async def test_MSG_23_how_many_of_a_user_s_are_still_to_come(twin: Twin):
    logs = twin.store.user_logs
    for n in range(4):
        for user in ("ann", "bob"):
            await logs.append(user, scheduled(f"{n}", 1000 * (n + 1), user=user), 1)
    cancelled = scheduled_id("ann", "3")
    await logs.append("ann", ScheduleCancelled("3", cancelled), 2)
    jobs = twin.store.jobs
    one, nobody = scheduled_id("ann", "1"), scheduled_id("ann", "unheard")
    assert await jobs.ahead("ann", SEND, 1000, besides=nobody) == 2
    assert await jobs.ahead("ann", SEND, 1000, besides=one) == 1
    assert await jobs.ahead("ann", SEND, 2000, besides=nobody) == 1
    assert await jobs.ahead("bob", SEND, 1000, besides=one) == 3
    assert await jobs.ahead("bob", "another", 0, besides=one) == 0
