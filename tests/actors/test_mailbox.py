import pytest
import trio

from palaver.actors.mailbox import Mailbox
from palaver.tests.support.engines import settled


async def test_first_in_first_out():
    mailbox: Mailbox[int] = Mailbox(10)
    for n in range(5):
        assert mailbox.offer(n)
    assert len(mailbox) == 5
    assert [mailbox.take() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert mailbox.take() is None


async def test_a_full_mailbox_says_no_and_keeps_what_it_has():
    mailbox: Mailbox[int] = Mailbox(2)
    assert mailbox.offer(1)
    assert mailbox.offer(2)
    assert not mailbox.offer(3)
    assert mailbox.take() == 1
    assert mailbox.offer(4)
    assert [mailbox.take(), mailbox.take(), mailbox.take()] == [2, 4, None]


async def test_the_actor_s_own_follow_ups_always_find_room():
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.offer(1)
    mailbox.post(2)
    assert len(mailbox) == 2
    assert not mailbox.offer(3)


async def test_what_is_put_back_comes_first_in_its_order():
    mailbox: Mailbox[int] = Mailbox(10)
    mailbox.offer(3)
    mailbox.put_back([1, 2])
    assert [mailbox.take(), mailbox.take(), mailbox.take()] == [1, 2, 3]


async def test_one_wake_up_serves_a_whole_burst(nursery: trio.Nursery):
    mailbox: Mailbox[int] = Mailbox(100)
    bursts: list[list[int]] = []

    async def read() -> None:
        while True:
            await mailbox.wait()
            burst = []
            while (item := mailbox.take()) is not None:
                burst.append(item)
            bursts.append(burst)

    nursery.start_soon(read)
    await settled()
    for n in range(50):
        mailbox.offer(n)
    await settled()
    assert bursts == [list(range(50))]
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("full", [False, True])
async def test_waiting_is_a_checkpoint(full: bool):
    mailbox: Mailbox[int] = Mailbox(10)
    if full:
        mailbox.offer(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await mailbox.wait()
    assert scope.cancelled_caught


async def test_it_can_be_woken_for_nothing(nursery: trio.Nursery):
    mailbox: Mailbox[int] = Mailbox(10)
    woken = trio.Event()

    async def read() -> None:
        await mailbox.wait()
        woken.set()

    nursery.start_soon(read)
    await settled()
    assert not woken.is_set()
    mailbox.wake()
    await woken.wait()
    assert mailbox.take() is None
