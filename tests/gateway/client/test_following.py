"""Pushes: once, in order, made good after a gap, a reconnect or a crash; and acknowledged."""

from typing import Any

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.gateway.client import Client, Event, Push, Reload, Signal, StateChange
from palaver.tests.gateway.client.scripted import Peer, Server, row, sent


async def news(client: Client, count: int) -> list[Push]:
    """The next items that are no state changes."""
    found: list[Push] = []
    while len(found) < count:
        push = await anext(client)
        if not isinstance(push, StateChange):
            found.append(push)
    return found


async def seqs(client: Client, count: int) -> list[int]:
    found = await news(client, count)
    assert all(isinstance(push, Event) for push in found), found
    return [push.seq for push in found if isinstance(push, Event)]


async def resume(peer: Peer) -> Any:
    """The next resume; acks on the way are passed over."""
    while (item := await peer.item())["t"] != "conversation.resume":
        assert item["t"] in ("ack", "conversation.subscribe"), item
    return item


def recovered(seq: int, epoch: int = 1, n: int = 0, moved: tuple[Any, ...] = ()) -> dict[str, Any]:
    marks = {"n": n, "moved": list(moved)}
    return {"recovered": True, "epoch": epoch, "seq": seq, "marks": marks}


async def test_events_and_signals_come_in_the_order_of_the_wire(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.say(sent(1, "hello"), sent(2))
        await peer.say({"t": "typing.started", "c": "c", "ts": 5, "d": {"by": "bob"}})
        await peer.push(2)
        await peer.push(3)
        first, second, typing, third = await news(client, 4)
    data = {"id": "m1", "by": "bob", "text": "hello", "number": 1}
    assert first == Event("message.sent", "c", 1, 1001, data)
    assert isinstance(second, Event)
    assert isinstance(third, Event)
    assert (second.seq, third.seq) == (2, 3)
    assert typing == Signal("typing.started", "c", 5, {"by": "bob"})


async def test_WS_08_a_gap_is_resumed_and_what_lies_beyond_comes_in_its_place(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await peer.push(4)
        await peer.push(5)
        asked = await resume(peer)
        assert asked["d"] == {"epoch": 1, "seq": 1, "marks": 0}
        for seq in (2, 3, 4, 5):
            await peer.push(seq)
        await peer.reply(asked, **recovered(5))
        await peer.push(6)
        assert await seqs(client, 6) == [1, 2, 3, 4, 5, 6]


async def test_hidden_events_leave_no_gap(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await peer.say({"t": "skipped", "c": "c", "seq": 4, "d": {"from": 2}})
        await peer.push(5)
        assert await seqs(client, 2) == [1, 5]


async def test_CLI_05_after_a_reconnect_what_was_missed_comes_before_what_is_new(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        assert await peer.welcome(cursor="10") == {"n": 0}
        for c in ("c", "d", "e"):
            await peer.push(1, c=c)
        await news(client, 3)
        await peer.drop()

        peer = await server.peer()
        asked = await peer.welcome(rows=[row(1, 3, "c"), row(1, 1, "d")], cursor="11")
        assert asked == {"n": 0, "cursor": "10"}
        # e moved since the last comparison and is in no row: it may be ahead of a lost log.
        resumes = {item["c"]: item for item in [await resume(peer), await resume(peer)]}
        assert resumes.keys() == {"c", "e"}
        await peer.push(2)
        await peer.push(3)
        await peer.reply(resumes["c"], **recovered(3))
        await peer.reply(resumes["e"], **recovered(1))
        await peer.push(4)
        assert await seqs(client, 3) == [2, 3, 4]

        await peer.drop()
        peer = await server.peer()
        assert await peer.welcome(rows=[]) == {"n": 0, "cursor": "11"}
        asked = await resume(peer)
        assert (asked["c"], asked["d"]["seq"]) == ("c", 4)


async def test_CLI_05_what_cannot_be_recovered_is_to_be_reloaded(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def read() -> None:
            await client.get("c")

        nursery.start_soon(read)
        await peer.reply(await peer.expect("conversation.get"), epoch=2, seq=9, marks=4)
        await peer.push(10)
        await peer.push(11)
        await news(client, 2)
        await peer.drop()

        peer = await server.peer()
        await peer.welcome(rows=[row(3, 10)])
        asked = await resume(peer)
        assert asked["d"] == {"epoch": 2, "seq": 11, "marks": 4}
        await peer.reply(asked, recovered=False, reason="diverged", reload_after=9, epoch=3, seq=10)
        await peer.push(11)
        reload, event = await news(client, 2)
        assert reload == Reload("c", "diverged", 10, keep=9)
        assert isinstance(event, Event)
        assert event.seq == 11


async def test_a_conversation_that_came_up_meanwhile_is_reported_and_followed(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.drop()
        peer = await server.peer()
        await peer.welcome(rows=[row(1, 5, "new")])
        await peer.push(6, c="new")
        reload, event = await news(client, 2)
        assert reload == Reload("new", "new", 5)
        assert isinstance(event, Event)


async def test_who_was_removed_meanwhile_is_told(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await peer.push(1, c="d")
        await news(client, 2)
        await peer.drop()
        peer = await server.peer()
        await peer.welcome()
        for _ in range(2):
            asked = await resume(peer)
            if asked["c"] == "c":
                await peer.reply(asked, recovered=False, reason="not_member", epoch=1, seq=3)
            else:
                await peer.refuse(asked, "CONVERSATION_NOT_FOUND")
        reloads = await news(client, 2)
        assert set(reloads) == {Reload("c", "not_member"), Reload("d", "conversation_not_found")}


async def test_RCPT_06_marks_that_alone_moved_meanwhile_come_where_one_looks(
    clock: MockClock, server: Server
) -> None:
    async with server.client(ack_every=None) as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await news(client, 1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.subscribe, "c")
            await peer.reply(await peer.expect("conversation.subscribe"))
        await peer.drop()
        for moved in ((), ({"user": "bob", "read": 1, "delivered": 1},)):
            peer = await server.peer()
            await peer.welcome(rows=[row(1, 1)])
            await peer.reply(await resume(peer), **recovered(1, n=len(moved), moved=moved))
            await wait_all_tasks_blocked()
            await peer.drop()
        read, delivered = await news(client, 2)
        assert read == Signal("message.read", "c", 0, {"by": "bob", "seq": 1})
        assert delivered == Signal("message.delivered", "c", 0, {"by": "bob", "seq": 1})


async def test_who_was_removed_from_where_nothing_else_happened_is_told_too(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await news(client, 1)
        await peer.drop()
        peer = await server.peer()
        await peer.welcome(rows=[row(1, 1)])  # all is as it was
        await wait_all_tasks_blocked()
        await peer.drop()
        peer = await server.peer()
        await peer.welcome(left=["c", "never heard of"])
        asked = await resume(peer)
        await peer.reply(asked, recovered=False, reason="not_member", epoch=1, seq=2)
        assert await news(client, 1) == [Reload("c", "not_member")]


async def test_a_lost_last_event_is_found_by_the_head(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome(rows=[])
        await peer.push(1)
        await peer.say({"t": "conversation.head", "c": "c", "d": {"epoch": 1, "seq": 2}})
        asked = await resume(peer)
        await peer.push(2)
        await peer.reply(asked, **recovered(2))
        await peer.say({"t": "conversation.head", "c": "c", "d": {"epoch": 1, "seq": 2}})
        assert await seqs(client, 2) == [1, 2]
        await wait_all_tasks_blocked()


async def test_a_resume_is_asked_again_when_the_server_could_not(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await peer.push(3)
        start = trio.current_time()
        await peer.refuse(await resume(peer), "UNAVAILABLE", retryable=True, retry_after=4)
        asked = await resume(peer)
        assert trio.current_time() - start == 5
        await peer.push(2)
        await peer.push(3)
        await peer.reply(asked, **recovered(3))
        assert await seqs(client, 3) == [1, 2, 3]


async def test_without_an_overview_every_conversation_is_resumed(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await news(client, 1)
        await peer.drop()
        peer = await server.peer()
        hello = await peer.expect("hello")
        await peer.say({"t": "welcome", "id": hello["id"], "d": {"user": "ann"}})
        await peer.refuse(await peer.expect("sync.changes"), "VALIDATION_FAILED")
        assert (await resume(peer))["c"] == "c"


async def test_marks_that_moved_meanwhile_come_as_signals(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await peer.push(3)
        moved = {"user": "bob", "read": 2, "delivered": 3}
        await peer.reply(await resume(peer), **recovered(3, n=9, moved=(moved,)))
        _, read, delivered = await news(client, 3)
        assert read == Signal("message.read", "c", 0, {"by": "bob", "seq": 2})
        assert delivered == Signal("message.delivered", "c", 0, {"by": "bob", "seq": 3})
        await peer.push(5)
        assert (await resume(peer))["d"] == {"epoch": 1, "seq": 3, "marks": 9}


async def test_one_s_own_log_is_followed_by_pushes_and_caught_up_with_in_parts(
    clock: MockClock, server: Server
) -> None:
    def entry(n: int) -> dict[str, Any]:
        return {"n": n, "kind": "draft.saved", "data": {"text": f"{n}"}, "ts": n}

    def pushed(n: int) -> dict[str, Any]:
        return {"t": "draft.saved", "n": n, "ts": n, "d": {"text": f"{n}"}}

    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.say(pushed(1))
        await news(client, 1)
        await peer.drop()
        peer = await server.peer()
        hello = await peer.expect("hello")
        await peer.say({"t": "welcome", "id": hello["id"], "v": 1, "d": {"user": "ann"}})
        asked = await peer.expect("sync.changes")
        assert asked["d"] == {"cursor": "1", "n": 1}
        await peer.say(pushed(5))
        answer: dict[str, Any] = {"conversations": [], "left": []}
        await peer.reply(asked, cursor="2", log=[entry(2), entry(3)], more=True, **answer)
        asked = await peer.expect("sync.changes")
        assert asked["d"] == {"cursor": "2", "n": 3}, "what is pushed does not hide what is missing"
        await peer.reply(asked, cursor="3", log=[entry(4), entry(5)], more=False, **answer)
        await peer.say(pushed(6))
        found = await news(client, 6)
        texts = [push.data["text"] for push in found if isinstance(push, Signal)]
        assert texts == ["5", "2", "3", "4", "5", "6"]
        await peer.drop()
        assert (await (await server.peer()).welcome())["n"] == 6


async def test_RCPT_09_marks_told_together_come_singly(clock: MockClock, server: Server) -> None:
    bob, cid = {"by": "bob", "seq": 2, "at": 7}, {"by": "cid", "seq": 3, "at": 8}
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        told = {"read": [bob, cid], "delivered": [cid]}
        await peer.say({"t": "message.receipts", "c": "c", "ts": 9, "d": told})
        assert await news(client, 3) == [
            Signal("message.read", "c", 9, bob),
            Signal("message.read", "c", 9, cid),
            Signal("message.delivered", "c", 9, cid),
        ]


async def test_a_subscription_is_renewed_on_every_connection(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()
        nursery.start_soon(client.subscribe, "c")
        await peer.reply(await peer.expect("conversation.subscribe"))
        await peer.drop()
        peer = await server.peer()
        await peer.welcome()
        asked = await peer.expect("conversation.subscribe")
        assert asked["c"] == "c"
        before = trio.current_time()
        await peer.refuse(asked, "RATE_LIMITED", retryable=True, retry_after=12.0)
        asked = await peer.expect("conversation.subscribe")
        assert trio.current_time() - before >= 12, "it is asked again"
        await peer.refuse(asked, "PERMISSION_DENIED")
        await peer.drop()
        peer = await server.peer()
        await peer.welcome()
        with trio.move_on_after(5):
            raise AssertionError(await peer.item())


async def test_what_is_taken_is_acknowledged_at_most_twice_a_second(
    clock: MockClock, server: Server
) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        start = trio.current_time()
        for seq in range(1, 11):
            await peer.push(seq)
            await peer.push(seq, c="d", by="ann")
            await news(client, 2)
            await trio.sleep(0.1)
        await trio.sleep(2)
        acks = []
        with trio.move_on_after(1):
            while True:
                acks.append(await peer.expect("ack"))
        assert {ack["c"] for ack in acks} == {"c"}, "one's own are not acknowledged"
        assert acks[-1] == {"t": "ack", "c": "c", "seq": 10}
        assert len(acks) <= 3
        assert trio.current_time() - start == 4


async def test_what_nobody_takes_is_bounded_and_nothing_is_lost(
    clock: MockClock, server: Server
) -> None:
    async with server.client(queue=8) as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def flood() -> None:
            for seq in range(1, 101):
                await peer.push(seq)

        nursery.start_soon(flood)
        await wait_all_tasks_blocked()
        assert len(client._inbox._items) == 8
        assert await seqs(client, 100) == list(range(1, 101))


async def test_state_changes_that_nobody_takes_do_not_pile_up(
    clock: MockClock, server: Server
) -> None:
    server.down = True
    async with server.client(queue=8) as client:
        await trio.sleep(10_000)
        assert len(client._inbox._items) <= 8
        assert client._inbox._items[-1] == StateChange("disconnected", "connection refused", 30.0)


async def test_a_void_takes_back_what_is_known(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1)
        await peer.push(2)
        void = {"t": "void", "c": "c", "seq": 2, "ts": 9, "d": {"id": "v", "of": "m2"}}
        await peer.say(void, void, sent(3))
        kinds = [push.kind for push in await news(client, 5) if isinstance(push, Event)]
        assert kinds == ["message.sent", "message.sent", "void", "void", "message.sent"]


async def test_what_is_met_in_the_middle_is_to_be_loaded(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
        await peer.push(1, c="whole")
        joined = {"t": "member.added", "c": "joined", "seq": 5, "d": {"users": ["ann"]}}
        await peer.say(joined, sent(7, c="middle"))
        whole, joined_, reload, last = await news(client, 4)
        assert isinstance(whole, Event)
        assert isinstance(joined_, Event)
        assert reload == Reload("middle", "new", 6)
        assert isinstance(last, Event)


async def test_a_call_from_inside_the_loop_does_not_wait_for_itself(
    clock: MockClock, server: Server
) -> None:
    async with server.client(queue=8) as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        await peer.welcome()

        async def answer() -> None:
            for seq in range(1, 20):
                await peer.push(seq)
            await peer.reply(await peer.expect("conversation.get"), epoch=1, seq=19)

        nursery.start_soon(answer)
        await wait_all_tasks_blocked()
        async for _ in client:
            assert (await client.get("c"))["seq"] == 19
            break


async def test_a_client_that_only_calls_follows_nothing(clock: MockClock, server: Server) -> None:
    async with server.client(pushes=False) as client, trio.open_nursery() as nursery:
        peer = await server.peer()
        hello = await peer.expect("hello")
        await peer.say({"t": "welcome", "id": hello["id"], "d": {"user": "ann"}})
        for seq in range(1, 5000):
            await peer.push(seq)

        async def answer() -> None:
            await peer.reply(await peer.expect("message.send"), seq=5000)

        nursery.start_soon(answer)
        assert (await client.send("c", "hello"))["seq"] == 5000


async def test_iteration_ends_with_the_client(clock: MockClock, server: Server) -> None:
    async with server.client() as client:
        peer = await server.peer()
        await peer.welcome()
    assert [push async for push in client if not isinstance(push, StateChange)] == []
