"""Alarms under a clock that jumps: at their time, once, and cheap to move."""

import math

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from palaver.actors.alarms import Alarm, Alarms


@pytest.fixture
def alarms(autojump_clock: trio.testing.MockClock, nursery: trio.Nursery) -> Alarms:
    alarms = Alarms()
    nursery.start_soon(alarms.run)
    return alarms


async def rung(alarms: Alarms, *times: float) -> list[float]:
    """When an alarm rang that was set for `times`, one after the other, at once."""
    began, heard = trio.current_time(), list[float]()
    alarm = Alarm(alarms, lambda: heard.append(trio.current_time() - began))
    for at in times:
        alarm.set(began + at)
    await trio.sleep(1000)
    return heard


@pytest.mark.parametrize(
    ("times", "heard"),
    [
        ([5], [5]),
        ([5, 9], [9]),
        ([9, 5], [5]),
        ([9, 5, 7], [7]),
        ([5, 9, 7], [7]),
        ([5, math.inf], []),
        ([math.inf], []),
        ([-1], [0]),
    ],
)
async def test_it_rings_once_at_the_last_time_it_was_set_for(
    alarms: Alarms, times: list[float], heard: list[float]
):
    assert await rung(alarms, *times) == heard


async def test_it_can_be_set_again_when_it_rings(alarms: Alarms):
    heard = list[float]()

    def ring() -> None:
        heard.append(trio.current_time())
        if len(heard) < 3:
            alarm.set(trio.current_time() + 10)

    alarm = Alarm(alarms, ring)
    alarm.set(10)
    await trio.sleep(100)
    assert heard == [10, 20, 30]


async def test_moving_it_on_leaves_the_heap_alone(alarms: Alarms):
    """Which is what happens at every message: the idle time begins anew."""
    alarm = Alarm(alarms, lambda: None)
    for message in range(1000):
        alarm.set(300.0 + message)
    assert len(alarms) == 1


async def test_many_ring_in_their_order(alarms: Alarms):
    heard = list[int]()
    for n in (3, 1, 2):
        Alarm(alarms, lambda n=n: heard.append(n)).set(n)  # type: ignore[misc]
    await trio.sleep(10)
    assert heard == [1, 2, 3]


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 50) | st.just(math.inf)), max_size=30))
def test_whatever_is_set_when_it_never_rings_early_and_never_late(moves: list[tuple[float, float]]):
    async def main() -> None:
        due, heard = math.inf, list[float]()

        def ring() -> None:
            nonlocal due
            assert due <= trio.current_time() < due + 1e-6, "a clock that jumps adds floats"
            heard.append(due)
            due = math.inf

        async with trio.open_nursery() as nursery:
            alarms = Alarms()
            nursery.start_soon(alarms.run)
            alarm = Alarm(alarms, ring)
            for rest, ahead in moves:
                await trio.sleep(rest)
                assert due > trio.current_time() - 1e-6
                due = trio.current_time() + ahead
                alarm.set(due)
            await trio.sleep(100)
            assert due == math.inf
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
