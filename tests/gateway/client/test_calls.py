"""Calls: correlation, timeouts, what happens to them when the connection does not hold."""

import gc

import msgpack
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.gateway.client import CallTimeout, ClientClosed, ConnectionLost, Rejected
from palaver.gateway.client.calls import WINDOW, Call
from palaver.protocol.values import BadFrame
from palaver.tests.gateway.client.scripted import Server


async def test_SEND_05_twenty_sends_in_flight_each_get_their_own_answer(
    clock: MockClock, server: Server
) -> None:
    answers: dict[int, int] = {}

    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def send(n: int) -> None:
            answers[n] = (await client.send("c", f"text {n}"))["seq"]

        for n in range(20):
            nursery.start_soon(send, n)
        items = [await peer.expect("message.send") for _ in range(20)]
        assert len({item["id"] for item in items}) == 20
        assert len({item["d"]["client_id"] for item in items}) == 20
        for item in reversed(items):
            await peer.reply(item, c="c", seq=int(item["d"]["text"].split()[1]))
    assert answers == {n: n for n in range(20)}


async def test_a_refusal_is_raised_as_the_same_class_that_an_engine_raises(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def refuse() -> None:
            item = await peer.item()
            await peer.refuse(item, "GROUP_FULL", details={"max_members": 3})

        nursery.start_soon(refuse)
        with pytest.raises(Rejected) as caught:
            await client.add_members("c", ["dan"])
        assert (caught.value.code, caught.value.details) == ("GROUP_FULL", {"max_members": 3})


async def test_a_retryable_no_is_tried_again_when_the_server_said(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()
        times: list[float] = []

        async def refuse() -> None:
            for code, attempt in [("OVERLOADED", None), ("UNAVAILABLE", None), ("INTERNAL", 2)]:
                item = await peer.expect("message.send")
                times.append(trio.current_time())
                assert item["d"].get("attempt") == attempt
                await peer.refuse(item, code, retryable=True, retry_after=0.5)
            item = await peer.expect("message.send")
            times.append(trio.current_time())
            assert item["d"]["attempt"] == 3
            await peer.reply(item, seq=1)

        nursery.start_soon(refuse)
        assert (await client.send("c", "hello", client_id="k"))["seq"] == 1
        assert [time - times[0] for time in times] == [0, 1.5, 4.0, 8.5]


async def test_a_no_that_outlasts_the_timeout_or_the_retries_is_raised(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def refuse(times: int, retry_after: float) -> None:
            for _ in range(times):
                item = await peer.expect("message.read")
                await peer.refuse(item, "RATE_LIMITED", retryable=True, retry_after=retry_after)

        nursery.start_soon(refuse, 1, 60)
        with pytest.raises(Rejected, match="RATE_LIMITED"):
            await client.read("c")
        nursery.start_soon(refuse, 4, 0.1)
        with pytest.raises(Rejected, match="RATE_LIMITED"):
            await client.read("c")


async def test_no_more_than_a_window_is_in_flight(clock: MockClock, server: Server) -> None:
    answered = 0
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def send(n: int) -> None:
            nonlocal answered
            await client.send("c", f"{n}")
            answered += 1

        for n in range(100):
            nursery.start_soon(send, n)
            await trio.lowlevel.checkpoint()
        items = [await peer.expect("message.send") for _ in range(WINDOW)]
        with trio.move_on_after(1):
            raise AssertionError(await peer.item())
        for n in range(100):
            await peer.reply(items.pop(0), seq=n)
            if n + WINDOW < 100:
                items.append(await peer.expect("message.send"))
                assert items[-1]["d"]["text"] == f"{n + WINDOW}"
    assert answered == 100


async def test_a_ping_is_answered_whatever_waits(clock: MockClock, server: Server) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()
        for n in range(WINDOW + 1):
            nursery.start_soon(client.send, "c", f"{n}")
        for _ in range(WINDOW):
            await peer.expect("message.send")
        await peer.say({"t": "ping", "id": 7})
        with trio.fail_after(1):
            assert (await peer.expect("pong"))["id"] == 7
        nursery.cancel_scope.cancel()


async def test_calls_given_up_while_there_is_no_connection_are_forgotten(
    clock: MockClock, server: Server
) -> None:
    server.down = True
    async with server.client() as client:
        for n in range(50):
            with trio.move_on_after(0.1):
                await client.send("c", f"{n}")
        gc.collect()
        kept = [each for each in gc.get_objects() if isinstance(each, Call)]
        assert len(kept) <= 1


async def test_a_code_of_a_later_server_is_kept(clock: MockClock, server: Server) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def refuse() -> None:
            await peer.refuse(await peer.item(), "OUT_OF_CHEESE", retryable=False)

        nursery.start_soon(refuse)
        with pytest.raises(Rejected) as caught:
            await client.get("c")
        assert (caught.value.code, caught.value.retryable) == ("OUT_OF_CHEESE", False)


async def test_CLI_02_what_is_sent_offline_waits_and_goes_in_order(
    clock: MockClock, server: Server
) -> None:
    server.down = True
    answers = []

    async with server.client() as client, trio.open_nursery() as nursery:

        async def send(n: int) -> None:
            answers.append((await client.send("c", f"{n}"))["seq"])

        for n in range(5):
            nursery.start_soon(send, n)
            await wait_all_tasks_blocked()
        await trio.sleep(0.5)
        server.down = False
        peer = await server.peer()
        hello = await peer.expect("hello")
        await peer.say({"t": "welcome", "id": hello["id"], "d": {"user": "ann"}})
        for n in range(5):
            item = await peer.expect("message.send")
            assert item["d"]["text"] == f"{n}"
            assert "attempt" not in item["d"], "it was never written before"
            await peer.reply(item, c="c", seq=n)
    assert answers == [0, 1, 2, 3, 4]


async def test_CLI_03_no_answer_within_ten_seconds_and_the_retry_keeps_its_id(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()
        start = trio.current_time()
        with pytest.raises(CallTimeout, match=r"message\.send: no answer in time") as caught:
            await client.send("c", "hello")
        assert trio.current_time() - start == 10
        assert caught.value.sent
        first = await peer.expect("message.send")

        async def answer() -> None:
            second = await peer.expect("message.send")
            assert second["d"] == {**first["d"], "attempt": 2}
            await peer.reply(second, c="c", seq=1, duplicate=True)

        nursery.start_soon(answer)
        assert (await client.call(*caught.value.again))["duplicate"]


async def test_CLI_03_a_late_answer_disturbs_nobody(clock: MockClock, server: Server) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()
        with pytest.raises(CallTimeout):
            await client.get("c")
        late = await peer.item()

        async def answer() -> None:
            item = await peer.item()
            await peer.reply(late, late=True)
            await peer.reply(item, late=False)

        nursery.start_soon(answer)
        assert await client.get("c") == {"late": False}


async def test_a_durable_call_in_flight_is_repeated_on_the_next_connection(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def send() -> None:
            assert (await client.send("c", "hello"))["seq"] == 7

        nursery.start_soon(send)
        first = await peer.expect("message.send")
        for attempt in (2, 3):
            await peer.drop()
            peer = await server.peer()
            await peer.welcome()
            again = await peer.expect("message.send")
            assert again["d"] == {**first["d"], "attempt": attempt}
            if attempt == 3:
                await peer.refuse(again, "OVERLOADED", retryable=True)
                again = await peer.expect("message.send")
                assert again["d"]["attempt"] == 3, "the first two may have happened all the same"
                await peer.reply(again, c="c", seq=7)


async def test_any_other_call_in_flight_fails_with_the_connection(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def read() -> None:
            with pytest.raises(ConnectionLost, match=r"message\.read"):
                await client.read("c", 3)

        nursery.start_soon(read)
        await peer.expect("message.read")
        await peer.drop()


async def test_a_call_given_up_before_it_was_written_is_never_written(
    clock: MockClock, server: Server
) -> None:
    server.down = True
    async with server.client() as client:
        with trio.move_on_after(0.1):
            await client.send("c", "never mind")
        server.down = False
        peer = await server.peer()
        await peer.welcome()
        with trio.move_on_after(0.1):
            await client.send("c", "this one")
        assert (await peer.expect("message.send"))["d"]["text"] == "this one"


async def test_what_would_end_the_connection_is_refused_before_it_is_written(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        for value in ("\ud800", "a\x00b", float("nan"), 2**64, object()):
            with pytest.raises(BadFrame):
                await client.send("c", "text", metadata={"value": value})
        with pytest.raises(Rejected, match="PAYLOAD_TOO_LARGE"):
            await client.send("c", "x" * 2_000_000)


async def test_frames_stay_below_what_the_server_takes(clock: MockClock, server: Server) -> None:
    sizes = []
    async with server.client(pushes=False) as client, trio.open_nursery() as nursery:

        async def send(n: int) -> None:
            if n == 3:
                with pytest.raises(Rejected, match="PAYLOAD_TOO_LARGE"):
                    await client.send("c", "x" * 4000)
            else:
                await client.send("c", "x" * 500)

        for n in range(10):
            nursery.start_soon(send, n)
        peer = await server.peer()
        hello = await peer.expect("hello")
        await peer.say({"t": "welcome", "id": hello["id"], "d": {"user": "a", "max_frame": 2048}})
        answered = 0
        while answered < 9:
            frame = await peer.websocket.get_message()
            sizes.append(len(frame))
            items = msgpack.unpackb(frame)  # type: ignore[arg-type]
            for item in items if isinstance(items, list) else [items]:
                await peer.reply(item, seq=1)
                answered += 1
    assert 1000 < max(sizes) <= 2048


async def test_leaving_fails_the_calls_of_other_tasks(clock: MockClock, server: Server) -> None:
    async with trio.open_nursery() as nursery:
        async with server.client() as client:

            async def send() -> None:
                with pytest.raises(ClientClosed):
                    await client.send("c", "hello")

            nursery.start_soon(send)
            peer = await server.peer()
            await peer.welcome()
            await peer.expect("message.send")
        with pytest.raises(ClientClosed):
            await client.send("c", "hello")


async def test_a_client_is_entered_once(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        pass
    with pytest.raises(RuntimeError, match="entered once"):
        async with client:
            pass


async def test_exceptions_leave_the_client_as_they_are(clock: MockClock, server: Server) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with server.client():
            raise KeyError("mine")
