"""The outgoing queue: what is enqueued is sent once, in order, when the server will have it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.gateway.client import (
    Client,
    ClientClosed,
    Event,
    Expired,
    Failed,
    Outbox,
    OutboxForeign,
    OutboxFull,
    OutboxInUse,
    Refused,
    Rejected,
    Sent,
    linear,
)
from palaver.gateway.client.sender import SLOTS
from palaver.tests.gateway.client.scripted import Peer, Server, sent


async def outcome(client: Client) -> Sent | Failed:
    async for push in client:
        if isinstance(push, Sent | Failed):
            return push
    raise AssertionError("the client ended")


async def text_of(peer: Peer) -> tuple[dict[str, Any], str, int]:
    item = await peer.expect("message.send")
    return item, item["d"]["text"], item["d"].get("attempt", 1)


async def test_CLI_02_what_is_enqueued_offline_is_sent_in_order_after_the_connection(
    clock: MockClock, server: Server
) -> None:
    server.down = True
    async with server.client() as client:
        queued = [await client.enqueue("c", f"{n}") for n in range(3)]
        assert [each.state for each in queued] == ["queued"] * 3
        assert client.outbox.waiting == tuple(queued)
        server.down = False
        peer = await server.peer()
        await peer.welcome()
        for n, each in enumerate(queued):
            item, text, attempt = await text_of(peer)
            assert (text, attempt, item["d"]["client_id"]) == (f"{n}", 1, each.client_id)
            await peer.reply(item, c="c", seq=n + 1, id=f"m{n}", ts=0)
            assert await outcome(client) == Sent(
                each, {"c": "c", "seq": n + 1, "id": f"m{n}", "ts": 0}
            )
        assert [(await each.answer())["seq"] for each in queued] == [1, 2, 3]
        assert client.outbox.waiting == ()


async def test_CLI_04_it_is_told_after_the_event_that_it_led_to(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        mine = await client.enqueue("c", "hello")
        item, _, _ = await text_of(peer)
        await peer.say(sent(1, "hello", by="ann"), {"t": "reply", "id": item["id"], "ok": {}})
        await peer.push(2, "after")
        news = [push async for push in _until_seq(client, 2)]
        assert [type(push) for push in news] == [Event, Sent, Event]
        assert (mine.state, await mine.answer()) == ("sent", {})


async def _until_seq(client: Client, seq: int) -> Any:
    async for push in client:
        if isinstance(push, Event | Sent):
            yield push
        if isinstance(push, Event) and push.seq == seq:
            return


@pytest.mark.parametrize(
    ("code", "retry_after", "attempt"),
    [
        ("UNAVAILABLE", 2, 2),
        ("INTERNAL", None, 2),
        ("OVERLOADED", None, 1),
        ("RATE_LIMITED", 30, 1),
    ],
)
async def test_a_retryable_no_holds_its_conversation_until_the_server_wants_it_again(
    clock: MockClock, server: Server, code: str, retry_after: float | None, attempt: int
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await client.enqueue("c", "first", client_id="k")
        item, _, _ = await text_of(peer)
        await client.enqueue("c", "second")
        await client.enqueue("d", "elsewhere")
        start = trio.current_time()
        await peer.refuse(item, code, retryable=True, retry_after=retry_after)
        item, text, _ = await text_of(peer)
        assert (text, trio.current_time()) == ("elsewhere", start), "others go on"
        await peer.reply(item, seq=1)
        item, text, said = await text_of(peer)
        assert (text, said, item["d"]["client_id"]) == ("first", attempt, "k")
        assert trio.current_time() - start == 1 + (retry_after or 0), "the jitter comes on top"
        await peer.reply(item, seq=1)
        assert (await text_of(peer))[1] == "second"


async def test_a_final_no_is_told_and_the_next_one_goes(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        bad, good = await client.enqueue("c", "bad"), await client.enqueue("c", "good")
        item, _, _ = await text_of(peer)
        await peer.refuse(item, "PERMISSION_DENIED")
        item, text, _ = await text_of(peer)
        assert text == "good"
        await peer.reply(item, seq=1)
        news = await outcome(client)
        assert isinstance(news, Failed)
        assert isinstance(news.error, Rejected)
        assert (news.outgoing, news.error.code) == (bad, "PERMISSION_DENIED")
        assert news.outgoing.payload["text"] == "bad", "to be shown with its error"
        with pytest.raises(Rejected, match="PERMISSION_DENIED"):
            await bad.answer()
        assert await good.answer() == {"seq": 1}
        assert (bad.state, client.outbox.waiting) == ("failed", ())


async def test_SEND_06_a_break_before_the_answer_makes_it_a_repetition_also_of_what_follows(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await client.enqueue("c", "hello", client_id="k")
        await text_of(peer)
        await peer.drop()
        peer = await server.peer()
        await peer.welcome()
        item, text, attempt = await text_of(peer)
        assert (text, attempt, item["d"]["client_id"]) == ("hello", 2, "k")
        await peer.refuse(item, "OVERLOADED", retryable=True)
        item, _, attempt = await text_of(peer)
        assert attempt == 2, "the first may have happened all the same"
        await peer.reply(item, seq=7, duplicate=True)
        news = await outcome(client)
        assert isinstance(news, Sent)
        assert news.result == {"seq": 7, "duplicate": True}


async def test_whatever_can_be_repeated_can_be_enqueued(clock: MockClock, server: Server) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("message.edit", {"message_id": "m", "text": "new"}),
        ("message.delete", {"message_id": "m"}),
        ("message.read", {"seq": 3}),
        ("conversation.rename", {"title": "Team"}),
    ]
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        for name, payload in calls:
            await client.enqueue_call(name, payload, "c")
        for number, (name, payload) in enumerate(calls):
            item = await peer.expect(name)
            assert payload.items() <= item["d"].items()
            assert ("client_id" in item["d"]) == (name != "message.read")
            if name == "message.read":
                await peer.drop()
                peer = await server.peer()
                await peer.welcome()
                item = await peer.expect(name)
                assert item["d"] == payload, "it cannot say that it is a repetition"
            await peer.reply(item, seq=number)
        for name in ("message.history", "typing.start", "message.read", "no.such"):
            with pytest.raises(ValueError, match=f"{name} cannot be repeated"):
                await client.enqueue_call(name, {}, "c")


async def test_too_old_a_command_fails_and_says_whether_it_was_sent(
    clock: MockClock, server: Server
) -> None:
    async with server.client(outbox=Outbox(max_age=60)) as client:
        peer = await server.peer()
        await peer.welcome()
        start = trio.current_time()
        taken, behind = await client.enqueue("c", "taken"), await client.enqueue("c", "behind")
        await text_of(peer)
        for outgoing, was_sent in ((taken, True), (behind, False)):
            news = await outcome(client)
            assert isinstance(news, Failed)
            assert isinstance(news.error, Expired)
            assert (news.outgoing, news.error.sent) == (outgoing, was_sent)
            name, payload, c = news.error.again
            assert (name, payload["text"], c) == ("message.send", outgoing.payload["text"], "c")
            assert payload.get("attempt", 1) == (2 if was_sent else 1)
        assert trio.current_time() - start == 60


async def test_an_age_ends_also_the_wait_for_a_retry(clock: MockClock, server: Server) -> None:
    async with server.client(outbox=Outbox(max_age=10)) as client:
        peer = await server.peer()
        await peer.welcome()
        start = trio.current_time()
        mine = await client.enqueue("c", "hello")
        item, _, _ = await text_of(peer)
        await peer.refuse(item, "UNAVAILABLE", retryable=True, retry_after=60)
        with pytest.raises(Expired, match=r"message\.send: it could not be sent in time") as caught:
            await mine.answer()
        assert (caught.value.sent, trio.current_time() - start) == (True, 10)


async def test_a_full_outbox_takes_no_more_until_something_is_answered(
    clock: MockClock, server: Server
) -> None:
    outbox = Outbox(max_commands=2, max_bytes=1000)
    async with server.client(outbox=outbox) as client:
        peer = await server.peer()
        await peer.welcome()
        first = await client.enqueue("c", "1")
        with pytest.raises(OutboxFull, match="the outbox is full: 1 commands"):
            await client.enqueue("c", "x" * 1000)
        await client.enqueue("c", "2")
        with pytest.raises(OutboxFull, match="2 commands"):
            await client.enqueue("d", "3")
        item, _, _ = await text_of(peer)
        await peer.reply(item, seq=1)
        await first.answer()
        await wait_all_tasks_blocked()
        await client.enqueue("d", "3")


async def test_many_conversations_leave_room_for_calls(clock: MockClock, server: Server) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()
        for n in range(SLOTS + 2):
            await client.enqueue(f"{n}", "hello")
        items = [await peer.expect("message.send") for _ in range(SLOTS)]
        nursery.start_soon(client.get, "c")
        await peer.reply(await peer.expect("conversation.get"))
        await peer.refuse(items[0], "RATE_LIMITED", retryable=True, retry_after=5)
        with trio.move_on_after(1):
            raise AssertionError(await peer.item())
        await peer.refuse(items[1], "UNAVAILABLE", retryable=True, retry_after=60)
        assert (await peer.item())["c"] == f"{SLOTS}"


async def test_SEND_06_the_same_client_id_is_kept_once(clock: MockClock, server: Server) -> None:
    server.down = True
    async with server.client() as client:
        first = await client.enqueue("c", "hello", client_id="k")
        assert await client.enqueue("c", "hello", client_id="k") is first
        assert await client.enqueue("d", "hello", client_id="k") is not first, "ids are per chat"


async def test_what_could_never_be_sent_is_refused_at_once(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        for text, code in (("a\x00b", "BAD_FRAME"), ("x" * 2_000_000, "PAYLOAD_TOO_LARGE")):
            with pytest.raises(Rejected, match=code):
                await client.enqueue("c", text)
        assert client.outbox.waiting == ()


async def test_what_one_client_leaves_the_next_one_sends(clock: MockClock, server: Server) -> None:
    outbox = Outbox()
    async with server.client(outbox=outbox) as client:
        peer = await server.peer()
        await peer.welcome()
        queued = [await client.enqueue("c", "1"), await client.enqueue("c", "2")]
        await text_of(peer)
        with pytest.raises(OutboxInUse):
            async with server.client(outbox=outbox):
                raise AssertionError("two clients would send everything twice")
    for each in queued:
        with pytest.raises(ClientClosed):
            await each.answer()
        assert each.state == "queued"
    with pytest.raises(ClientClosed):
        await client.enqueue("c", "too late")
    async with server.client(outbox=outbox) as client:
        assert client.outbox.waiting == tuple(queued)
        third = await client.enqueue("c", "3")
        peer = await server.peer()
        await peer.welcome()
        for n, (each, attempt) in enumerate(zip([*queued, third], (2, 2, 1), strict=True)):
            item, *said = await text_of(peer)
            assert said == [f"{n + 1}", attempt]
            await peer.reply(item, seq=n)
            assert await each.answer() == {"seq": n}


async def test_nobody_sends_what_another_user_wrote(clock: MockClock, server: Server) -> None:
    outbox = Outbox()
    for user, foreign in (("ann", False), ("bob", True), ("ann", False)):
        async with server.client(outbox=outbox) as client:
            peer = await server.peer()
            hello = await peer.expect("hello")
            await client.enqueue("c", f"by {user}")
            await peer.say({"t": "welcome", "id": hello["id"], "d": {"user": user}})
            if not foreign:
                await client.connected()
                continue
            with pytest.raises(OutboxForeign, match="another user"):
                await client.connected()
            with pytest.raises(OutboxForeign):
                await client.enqueue("c", "more")


async def test_nothing_is_enqueued_with_a_client_that_will_not_connect_again(
    clock: MockClock, server: Server
) -> None:
    async with server.client(backoff=linear) as client:
        peer = await server.peer()
        await peer.welcome()
        mine = await client.enqueue("c", "hello")
        await peer.close(3507, "forbidden")
        with pytest.raises(Refused):
            await mine.answer()
        assert mine.state == "queued"
        with pytest.raises(Refused):
            await client.enqueue("c", "hello")
