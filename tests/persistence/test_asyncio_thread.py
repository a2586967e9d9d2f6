import asyncio
import sys
import threading
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from palaver.persistence.asyncio_thread import (
    AsyncioThread,
    AsyncioThreadClosed,
    AsyncioThreadDied,
)


@pytest.fixture
async def thread() -> AsyncIterator[AsyncioThread]:
    async with AsyncioThread() as opened:
        yield opened


class Gate:
    """A call that stays on the asyncio side until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.cancelled = threading.Event()
        self._open = asyncio.Event()

    async def wait(self) -> str:
        self.entered.set()
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "through"

    async def let_go(self) -> None:
        self._open.set()


async def happens(event: threading.Event) -> None:
    assert await trio.to_thread.run_sync(event.wait, 5)


async def add(left: int, right: int) -> int:
    await asyncio.sleep(0)
    return left + right


async def test_returns_the_result(thread: AsyncioThread) -> None:
    assert await thread.run(add, 2, 3) == 5


async def test_raises_the_exception(thread: AsyncioThread) -> None:
    async def fail() -> None:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await thread.run(fail)


async def test_one_loop_in_one_thread_that_is_not_ours(thread: AsyncioThread) -> None:
    async def where() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
        return asyncio.get_running_loop(), threading.current_thread()

    loop, other = await thread.run(where)
    assert other is not threading.current_thread()
    assert other.daemon
    assert await thread.run(where) == (loop, other)


async def test_calls_start_in_order_and_run_side_by_side(thread: AsyncioThread) -> None:
    begun: list[int] = []
    results: list[int] = []
    all_begun = asyncio.Event()

    async def begin(number: int) -> int:
        begun.append(number)
        if len(begun) == 100:
            all_begun.set()
        await all_begun.wait()
        return number

    async def call(number: int) -> None:
        results.append(await thread.run(begin, number))

    async with trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(call, number)
    assert sorted(results) == sorted(begun) == list(range(100))

    begun.clear()
    all_begun.set()
    for number in range(50):
        await thread.run(begin, number)
    assert begun == list(range(50))


async def test_a_cancelled_caller_starts_nothing(thread: AsyncioThread) -> None:
    gate = Gate()
    with trio.CancelScope() as scope:
        scope.cancel()
        await thread.run(gate.wait)
    assert scope.cancelled_caught
    assert await thread.run(add, 1, 1) == 2  # so anything before it would have begun
    assert not gate.entered.is_set()


async def test_a_write_outlives_cancellation(thread: AsyncioThread) -> None:
    gate = Gate()
    scope = trio.CancelScope()
    outcomes: list[str] = []

    async def write() -> None:
        with scope:
            outcomes.append(await thread.run(gate.wait))
            await trio.lowlevel.checkpoint()
            outcomes.append("not reached")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await happens(gate.entered)
        scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert outcomes == []
        await thread.run(gate.let_go)
    assert outcomes == ["through"]
    assert scope.cancelled_caught
    assert not gate.cancelled.is_set()


async def test_a_read_ends_at_once_when_cancelled(thread: AsyncioThread) -> None:
    gate = Gate()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: thread.run(gate.wait, cancellable=True))
            await happens(gate.entered)
            scope.cancel()
    assert scope.cancelled_caught
    await happens(gate.cancelled)


async def test_a_read_does_not_wait_for_an_asyncio_side_that_resists(thread: AsyncioThread) -> None:
    entered = threading.Event()
    release = asyncio.Event()
    ended = threading.Event()

    async def stubborn() -> str:
        entered.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                pass
        ended.set()
        return "too late"

    async def let_go() -> None:
        release.set()

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: thread.run(stubborn, cancellable=True))
            await happens(entered)
            scope.cancel()
    assert not ended.is_set()
    await thread.run(let_go)
    await happens(ended)  # and its result goes nowhere


async def test_cancellation_of_asyncio_does_not_reach_trio(thread: AsyncioThread) -> None:
    async def cancel_oneself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(AsyncioThreadDied):
        await thread.run(cancel_oneself)
    assert thread.generation == 1


async def test_death_fails_all_calls_and_the_next_gets_a_new_thread(thread: AsyncioThread) -> None:
    gates = [Gate() for _ in range(3)]
    failures: list[AsyncioThreadDied] = []

    async def wait_for(gate: Gate) -> None:
        with pytest.raises(AsyncioThreadDied) as caught:
            await thread.run(gate.wait)
        failures.append(caught.value)

    async def die() -> None:
        sys.exit("an accident")

    async with trio.open_nursery() as nursery:
        for gate in gates:
            nursery.start_soon(wait_for, gate)
            await happens(gate.entered)
        with pytest.raises(AsyncioThreadDied, match="an accident"):
            await thread.run(die)
    assert len(set(map(id, failures))) == 3
    assert thread.generation == 1
    assert await thread.run(add, 1, 2) == 3
    assert thread.generation == 2


async def test_is_open_only_inside_its_context() -> None:
    thread = AsyncioThread()
    with pytest.raises(AsyncioThreadClosed):
        await thread.run(add, 1, 1)
    async with thread:
        assert await thread.run(add, 1, 1) == 2
    with pytest.raises(AsyncioThreadClosed):
        await thread.run(add, 1, 1)


async def test_close_waits_for_calls_even_if_cancelled_and_refuses_new_ones() -> None:
    gate = Gate()
    outcomes: list[str] = []
    thread = AsyncioThread()

    async def write() -> None:
        outcomes.append(await thread.run(gate.wait))

    async def late() -> None:
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(AsyncioThreadClosed):
            await thread.run(add, 1, 1)
        thread_loop.call_soon_threadsafe(gate._open.set)

    async def get_loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            async with thread:
                thread_loop = await thread.run(get_loop)
                nursery.start_soon(write)
                await happens(gate.entered)
                nursery.start_soon(late)
                scope.cancel()
        assert outcomes == ["through"]
    assert thread_loop.is_closed()


async def test_close_gives_up_at_its_deadline() -> None:
    entered, release = threading.Event(), threading.Event()
    thread = AsyncioThread(close_timeout=0.05)

    async def block() -> None:  # the thread itself, so nothing can be cancelled
        entered.set()
        release.wait()

    async def write() -> None:
        with pytest.raises(AsyncioThreadClosed):
            await thread.run(block)

    async with trio.open_nursery() as nursery, thread:
        nursery.start_soon(write)
        await happens(entered)
        (other,) = (t for t in threading.enumerate() if t.name == "palaver-asyncio-1")
    release.set()
    await trio.to_thread.run_sync(other.join, 5)
    assert not other.is_alive()


async def test_close_without_a_call_has_nothing_to_close() -> None:
    async with AsyncioThread() as thread:
        assert thread.generation == 0


def test_a_thread_left_behind_may_end_after_trio() -> None:
    entered, release = threading.Event(), threading.Event()

    async def block() -> None:
        entered.set()
        release.wait()

    async def main() -> threading.Thread:
        left = AsyncioThread(close_timeout=0)

        async def write() -> None:
            with pytest.raises(AsyncioThreadClosed):
                await left.run(block)

        async with trio.open_nursery() as nursery, left:
            nursery.start_soon(write)
            await happens(entered)
        (other,) = (t for t in threading.enumerate() if t.name == "palaver-asyncio-1")
        return other

    other = trio.run(main)
    release.set()
    other.join(5)
    assert not other.is_alive()
