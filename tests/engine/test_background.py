"""What goes on behind the scenes outlives the cancellation of what stands before them."""

import pytest
import trio

from palaver.engine.background import Background


async def test_it_goes_on_while_a_cancelled_body_cleans_up():
    alive = []

    async def work():
        while True:
            await trio.lowlevel.checkpoint()
            alive.append(True)

    with trio.CancelScope() as scope:
        async with Background() as nursery:
            nursery.start_soon(work)
            try:
                scope.cancel()
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    alive.clear()
                    for _ in range(5):
                        await trio.lowlevel.checkpoint()
                    assert alive
    assert scope.cancelled_caught


async def test_errors_of_the_body_come_as_they_are():
    with pytest.raises(ZeroDivisionError):
        async with Background():
            raise ZeroDivisionError


async def test_a_failing_task_ends_the_body():
    async def fail():
        raise ZeroDivisionError

    async def wait_behind_it():
        async with Background() as nursery:
            nursery.start_soon(fail)
            await trio.sleep_forever()

    with pytest.raises(ExceptionGroup) as caught:
        await wait_behind_it()
    assert caught.group_contains(ZeroDivisionError)
