"""An engine in a thread of its own, used from asyncio and from code that blocks."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from palaver import Settings
from palaver.engine import StartupError
from palaver.engine.user import User
from palaver.hosting import AsyncioEngine, AsyncioUser, BlockingEngine, BlockingUser
from palaver.hosting.asyncio import AsyncioIterator
from palaver.protocol.errors import Rejected
from palaver.protocol.policy import Policy
from palaver.tests.support.hosts import Subscribers

SETTINGS = Settings.model_validate({"storage": {"memory": True}})
LISTENING = Settings.model_validate(
    {
        "storage": {"memory": True},
        "auth": {"secret": "an example secret of at least 32 bytes"},
        "listen": {"port": 0, "http_port": 0},
    }
)


@pytest.mark.parametrize("facade", [AsyncioUser, BlockingUser])
def test_each_has_what_a_user_has(facade: type):
    wanted = {name for name in vars(User) if not name.startswith("_")}
    assert {name for name in vars(facade) if not name.startswith("_")} == wanted
    for name in wanted - {"pushes"}:
        assert inspect.signature(getattr(facade, name)) == inspect.signature(getattr(User, name))


def test_a_blocking_call_returns_what_came_of_it():
    with BlockingEngine(SETTINGS) as engine:
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        room = ann.create_group("Lunch", ["bob"])
        sent = ann.send(room, "the usual place?")
        bob.send(room, "see you at one", reply_to=sent.id)
        assert [each["text"] for each in ann.history(room)] == [
            "the usual place?",
            "see you at one",
        ]
        with pytest.raises(Rejected, match="PERMISSION_DENIED"):
            engine.as_user("eve").send(room, "let me in")


def test_threads_may_share_a_user():
    with BlockingEngine(SETTINGS) as engine, ThreadPoolExecutor(8) as pool:
        ann = engine.as_user("ann")
        room = ann.create_group("Log", [])
        sent = list(pool.map(lambda number: ann.send(room, str(number)), range(40)))
        assert sorted(each.seq for each in sent) == list(range(2, 42))


def test_a_blocking_reader_gets_everything_in_order():
    with BlockingEngine(SETTINGS) as engine:
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        room = ann.create_group("Log", ["bob"])
        with bob.pushes() as pushes, engine.subscribe(room) as events:
            for number in range(3):
                ann.send(room, f"{number}")
            pushed = [item["d"]["text"] for item in (next(pushes) for _ in range(3))]
            assert pushed == ["0", "1", "2"]
            assert [next(events).seq for _ in range(4)] == [1, 2, 3, 4]


def test_what_the_engine_has_besides_is_called_in_its_thread():
    with BlockingEngine(SETTINGS) as engine:
        room = engine.as_user("ann").create_group("Ops", [])
        engine.call(engine.engine.post, room, "deployed", metadata={"build": 7})
        engine.call_sync(engine.engine.revoke, user="ann")
        assert engine.call_sync(engine.engine.health)["status"] == "ok"
        with pytest.raises(Rejected, match="FEATURE_DISABLED"):
            engine.call(engine.engine.membership_changed, "chess club", "ann")


def test_stopping_twice_is_as_good_as_once():
    engine = BlockingEngine(SETTINGS)
    engine.start()
    engine.stop()
    engine.stop()
    with pytest.raises(RuntimeError, match="not running"):
        engine.as_user("ann").inbox()


def test_clients_can_connect():
    with BlockingEngine(LISTENING, listen=True) as engine:
        assert engine.listening is not None
        assert engine.listening.ws_url.startswith("ws://")


def test_who_waits_under_asyncio_holds_nobody_up():
    async def main() -> None:
        async with AsyncioEngine(SETTINGS) as engine:
            ann, bob = engine.as_user("ann"), engine.as_user("bob")
            room = await ann.create_group("Log", ["bob"])
            sent = await asyncio.gather(*(ann.send(room, str(number)) for number in range(20)))
            assert sorted(each.seq for each in sent) == list(range(2, 22))
            with pytest.raises(Rejected, match="PERMISSION_DENIED"):
                await engine.as_user("eve").send(room, "let me in")
            assert (await engine.call_sync(engine.engine.health))["status"] == "ok"
            assert await bob.read(room) == 0

    asyncio.run(main())


def test_a_wait_that_was_cancelled_loses_nothing():
    async def main() -> None:
        async with AsyncioEngine(SETTINGS) as engine:
            ann, bob = engine.as_user("ann"), engine.as_user("bob")
            room = await ann.create_group("Log", ["bob"])
            async with bob.pushes() as pushes, engine.subscribe(room, after=1) as events:
                waits = [asyncio.ensure_future(anext(pushes)), asyncio.ensure_future(anext(events))]
                await asyncio.sleep(0)
                for wait in waits:
                    wait.cancel()
                await asyncio.wait(waits)
                await ann.send(room, "first")
                await ann.send(room, "second")
                assert [(await anext(pushes))["d"]["text"] for _ in range(2)] == ["first", "second"]
                assert [(await anext(events)).seq for _ in range(2)] == [2, 3]

    asyncio.run(main())


def test_leaving_ends_a_reader_that_still_waits():
    async def main() -> None:
        async with AsyncioEngine(SETTINGS) as engine:
            async with engine.as_user("bob").pushes() as pushes:
                wait = asyncio.ensure_future(anext(pushes))
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await wait

    asyncio.run(main())


def test_what_cannot_start_says_so_where_it_was_started():
    settings = Settings.model_validate({"storage": {"dsn": "postgresql://nobody@127.0.0.1:1/none"}})
    with pytest.raises(StartupError), BlockingEngine(settings):
        pass


def test_GRP_14_a_lapse_is_told_from_any_thread():
    premium = Subscribers("ann")
    chosen = SETTINGS.model_copy(update={"policy": Policy(premium_required=True)})
    with BlockingEngine(chosen, premium=premium) as engine:
        ann = engine.as_user("ann")
        ann.create_group("Room", [])
        premium.subscriptions.clear()
        engine.call_sync(engine.engine.premium_changed, "ann")
        with pytest.raises(Rejected, match="PREMIUM_REQUIRED"):
            ann.inbox()


def test_a_wait_under_asyncio_that_is_cancelled_loses_nothing_whenever_that_is():
    asked: list[Future[str]] = []

    class Portal:
        """Behind which everything happens when the test says so."""

        def start_task_soon(self, act: object) -> Future[str]:
            return asked.pop(0)

    async def nothing() -> AsyncIterator[str]:
        yield ""

    async def main(yields: int) -> None:
        first, second = Future[str](), Future[str]()
        asked[:] = [first, second]
        portal: Any = Portal()
        items = AsyncioIterator(nothing(), portal)
        waiting = asyncio.create_task(anext(items))
        await asyncio.sleep(0)
        first.set_result("one")
        for _ in range(yields):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        second.set_result("two")
        if waiting.cancelled():
            assert await anext(items) == "one"
        assert await anext(items) == "two"

    for yields in range(5):
        asyncio.run(main(yields))


def test_one_task_at_a_time_waits_for_what_comes_next():
    async def main() -> None:
        async with AsyncioEngine(SETTINGS) as engine, engine.as_user("ann").pushes() as pushes:
            first = asyncio.create_task(anext(pushes))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task waits"):
                await anext(pushes)
            first.cancel()

    asyncio.run(main())
