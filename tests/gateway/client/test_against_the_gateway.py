"""The client and the real gateway: two implementations of one protocol, over memory streams."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from palaver.gateway.auth import issue_token
from palaver.gateway.client import (
    Client,
    Event,
    Push,
    Refused,
    Rejected,
    Reload,
    Signal,
    StateChange,
)
from palaver.tests.gateway.client.house import house


async def next_of(client: Client, wanted: Callable[[Push], bool]) -> Any:
    async for push in client:
        if wanted(push):
            return push
    raise AssertionError("the client ended")


async def texts(client: Client, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        push = await next_of(client, lambda push: not isinstance(push, StateChange | Signal))
        assert isinstance(push, Event), push
        if push.kind == "message.sent":
            found.append(push.data["text"])
    return found


async def test_two_users_talk(clock: MockClock) -> None:
    async with house() as home, home.client("ann") as ann, home.client("bob") as bob:
        await bob.connected()
        answer = await ann.send_to("bob", "hello")
        c = answer["c"]
        created = await next_of(bob, lambda push: isinstance(push, Event))
        assert (created.kind, created.seq) == ("conversation.created", 1)
        assert await texts(bob, 1) == ["hello"]
        await bob.subscribe(c)
        await ann.typing(c)
        typing = await next_of(
            bob, lambda push: isinstance(push, Signal) and push.kind == "typing.started"
        )
        assert (typing.conversation, typing.data) == (c, {"by": "ann"})
        await bob.read(c)
        assert (await ann.get(c))["members"]["bob"]["read"]["seq"] == answer["seq"]
        page = await bob.history(c)
        assert [message["text"] for message in page["messages"]] == ["hello"]
        with pytest.raises(Rejected, match="MESSAGE_NOT_FOUND"):
            await ann.edit(c, "00000000-0000-0000-0000-000000000000", "x")


async def test_CLI_05_what_was_missed_comes_after_the_reconnect(clock: MockClock) -> None:
    async with house() as home, home.client("ann") as ann, home.client("bob") as bob:
        c = (await ann.send_to("bob", "1"))["c"]
        assert await texts(bob, 1) == ["1"]
        host = home.gateway.engine.as_user("ann")
        for cut in range(5):
            await home.cut()
            for n in range(3):
                await host.send(c, f"{cut}.{n}")
            await next_of(bob, lambda push: push == StateChange("connected"))
            await host.send(c, f"{cut}.live")
            assert await texts(bob, 4) == [f"{cut}.{n}" for n in (0, 1, 2, "live")]


async def test_SEND_05_calls_survive_a_connection_that_keeps_breaking(clock: MockClock) -> None:
    async with house() as home, home.client("ann") as ann, home.client("bob") as bob:
        c = (await ann.send_to("bob", "begin"))["c"]
        answers = {}

        async def send(n: int) -> None:
            answers[n] = (await ann.send(c, f"{n}"))["seq"]

        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon(send, n)
                await trio.lowlevel.checkpoint()
                if n % 10 == 9:
                    await home.cut()
        sent = await texts(bob, 101)
        assert sent == ["begin", *map(str, range(100))], "each once, in order"
        assert sorted(answers.values()) == list(range(3, 103))


async def test_CLI_02_a_backlog_above_the_rate_arrives_whole_and_in_order(
    clock: MockClock,
) -> None:
    async with (
        house(limits={"messages_per_min": 10}) as home,
        home.client("ann", pushes=False) as ann,
    ):
        host = home.gateway.engine.as_user("ann")
        c = await host.create_group("Team", ["bob"])
        queued = [await ann.enqueue(c, f"{n}") for n in range(40)]
        start = trio.current_time()
        for each in queued:
            await each.answer()
        assert trio.current_time() - start > 120, "the rate was kept to"
        page = await ann.history(c)
        assert [message["text"] for message in page["messages"]] == [f"{n}" for n in range(40)]


async def test_too_much_missed_is_to_be_reloaded(clock: MockClock) -> None:
    async with house(actors={"resume_limit": 5}) as home, home.client("bob") as bob:
        await bob.connected()
        host = home.gateway.engine.as_user("ann")
        c = await host.create_group("Team", ["bob"])
        await next_of(bob, lambda push: isinstance(push, Event))
        await home.cut()
        for n in range(10):
            await host.send(c, f"{n}")
        reload = await next_of(bob, lambda push: isinstance(push, Reload))
        assert reload == Reload(c, "too_far", 11, keep=1)
        await host.send(c, "after")
        assert await texts(bob, 1) == ["after"]


async def test_a_conversation_made_meanwhile_is_told(clock: MockClock) -> None:
    async with house() as home, home.client("bob") as bob:
        await bob.connected()
        await bob.conversations()
        await home.cut()
        c = await home.gateway.engine.as_user("ann").create_group("Team", ["bob"])
        reload = await next_of(bob, lambda push: isinstance(push, Reload))
        assert reload == Reload(c, "new", 1)


async def test_delivery_is_acknowledged(clock: MockClock) -> None:
    async with house() as home, home.client("ann") as ann, home.client("bob") as bob:
        answer = await ann.send_to("bob", "hello")
        await ann.subscribe(answer["c"])
        assert await texts(bob, 1) == ["hello"]
        delivered = await next_of(
            ann, lambda push: isinstance(push, Signal) and push.kind == "message.delivered"
        )
        assert delivered.data["by"] == "bob"
        assert delivered.data["seq"] == answer["seq"]


async def test_CONN_21_a_bad_token_is_final(clock: MockClock) -> None:
    async with house() as home, home.client("ann") as ann:
        await ann.connected()
        async with Client("ws://palaver", "nonsense", connector=home.connect) as nobody:
            with pytest.raises(Refused, match="The token is not valid") as caught:
                await nobody.connected()
            assert caught.value.code == 3500


async def test_a_drain_is_quick_and_says_when_to_come_back(clock: MockClock) -> None:
    async with house() as home, home.client("ann") as ann:
        await ann.connected()
        start = trio.current_time()
        await home.gateway.drain()
        assert trio.current_time() - start < 1
        lost = await next_of(
            ann, lambda push: isinstance(push, StateChange) and push.state == "disconnected"
        )
        assert lost.reason == "the server is shutting down"
        assert lost.retry_in > 0


async def test_a_token_is_renewed_before_it_runs_out(clock: MockClock) -> None:
    async with house() as home:
        made = []

        async def fresh() -> str:
            made.append(issue_token(home.gateway.settings.auth, "ann", ttl_s=60))
            return made[-1]

        async with Client("ws://palaver", fresh, connector=home.connect) as ann:
            await ann.connected()
            await trio.sleep(600)
            assert ann.state == "connected"
            assert len(made) > 10


async def test_CLI_06_joining_leaving_and_what_is_called_back(clock: MockClock) -> None:
    async with house() as home, home.client("ann") as ann, home.client("bob") as bob:
        c = await ann.create_group(["bob"], "Team")
        await bob.subscribe(c)
        await ann.typing(c)
        heard = await next_of(bob, lambda push: isinstance(push, Signal) and push.conversation == c)
        assert (heard.kind, heard.data) == ("typing.started", {"by": "ann"})
        await bob.unsubscribe(c)
        await ann.typing(c, on=False)
        await ann.send(c, "hello")
        kinds = []
        while "message.sent" not in kinds:
            push = await next_of(bob, lambda push: not isinstance(push, StateChange))
            kinds.append(push.kind)
        assert "typing.stopped" not in kinds, "only those who have joined are told"


async def test_CLI_07_messages_are_fetched_by_page_or_before_one(clock: MockClock) -> None:
    async with house() as home, home.client("ann", pushes=False) as ann:
        c = await ann.create_group(["bob"])
        for n in range(5):
            await ann.send(c, f"{n}")
        page = await ann.history(c, page=2, limit=2)
        assert (page["page"], page["total"], page["total_pages"]) == (2, 5, 3)
        assert [message["text"] for message in page["messages"]] == ["1", "2"]
        newest = await ann.history(c, limit=2)
        before = await ann.history(c, before=newest["messages"][0]["seq"], limit=2)
        assert [message["text"] for message in before["messages"]] == ["1", "2"]


async def test_what_one_keeps_to_oneself(clock: MockClock) -> None:
    async with house() as home, home.client("ann", pushes=False) as ann:
        sent = await ann.send_to("bob", "lunch at one")
        c, message = sent["c"], sent["id"]
        await ann.star(c, message)
        assert [each["message"]["id"] for each in (await ann.stars())["stars"]] == [message]
        await ann.save_draft(c, "and dinn")
        await ann.prefer(c, muted=True)
        assert [hit["id"] for hit in (await ann.search("lunch", c=c))["hits"]] == [message]
        tomorrow = sent["ts"] + 86_400_000
        await ann.schedule(c, "1", tomorrow, {"text": "later"})
        assert [each["id"] for each in (await ann.scheduled())["scheduled"]] == ["1"]
        await ann.cancel_scheduled("1")
        assert (await ann.settings())["read_receipts"] is True
        assert (await ann.conversations(filter="archived"))["conversations"] == []


async def test_a_deletion_and_its_restoring_find_their_answers(clock: MockClock) -> None:
    policy = {"delete_recovery_days": 60}
    async with house(policy=policy) as home, home.client("ann", pushes=False) as ann:
        sent = await ann.send_to("bob", "hello")
        await ann.delete(sent["c"], sent["id"])
        await home.cut()
        assert (await ann.restore(sent["c"], sent["id"]))["c"] == sent["c"]
