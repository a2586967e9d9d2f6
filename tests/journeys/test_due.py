"""`make due`: ten thousand scheduled messages that are due in the same second, while the engine is
killed twice. Each is sent once; how late they were is printed."""

import statistics
import time
from collections import Counter
from typing import Any

import pytest
import trio

from palaver.gateway.client import Client

pytestmark = [pytest.mark.due, pytest.mark.timeout(1200)]

MESSAGES, USERS = 10_000, 20


def now() -> int:
    return time.time_ns() // 1_000_000


async def history(client, c):
    """All messages of a conversation, oldest first."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, int] = {}
    while True:
        page = await client.call("message.history", {"limit": 100, **cursor}, c=c)
        found[:0] = page["messages"]
        if not page["more"]:
            return found
        cursor = {"before": page["messages"][0]["seq"]}


async def schedule(client, c, numbers, send_at):
    for number in numbers:
        payload = {"id": f"{number}", "send_at": send_at, "message": {"text": f"{number}"}}
        await client.call("message.schedule", payload, c=c)


async def number_of(client, c):
    return (await client.call("conversation.get", {}, c=c))["number"]


async def test_MSG_23_AUTO_07_ten_thousand_in_one_second_and_two_kills(served, token):
    users = [f"user{number}" for number in range(USERS)]
    rooms = []
    async with served.start() as server:
        began = time.monotonic()
        async with Client(server.ws_url, token(users[0]), pushes=False) as client:
            for number in range(USERS):
                created = await client.call(
                    "conversation.create",
                    {"kind": "group", "members": users, "client_id": f"room {number}"},
                )
                rooms.append(created["c"])
        # A generous guess of how long it takes to schedule all of them.
        send_at = now() + 120_000
        async with trio.open_nursery() as nursery:

            async def author(number):
                async with Client(server.ws_url, token(users[number]), pushes=False) as client:
                    await schedule(client, rooms[number], range(number, MESSAGES, USERS), send_at)

            for number in range(USERS):
                nursery.start_soon(author, number)
        took = time.monotonic() - began
        print(f"\nscheduled {MESSAGES} messages in {took:.1f} s")
        assert now() < send_at, "scheduled too slowly for this test"
        await trio.sleep((send_at - now()) / 1000 + 0.3)
        await server.kill()
    killed = now()
    async with served.start() as server:
        await trio.sleep(0.5)
        await server.kill()
    async with served.start() as server:
        print(f"killed {killed - send_at} ms after it; up again {now() - send_at} ms after it")
        async with Client(server.ws_url, token(users[0]), pushes=False) as client:
            for _ in range(600):
                if sum([await number_of(client, c) for c in rooms]) >= MESSAGES:
                    break
                await trio.sleep(0.5)
            await trio.sleep(5)  # in which none may come twice
            sent = [message for c in rooms for message in await history(client, c)]
            failed = await client.call("schedule.list", {"status": "failed"})
        assert await server.stop() == 0
    times = Counter(message["text"] for message in sent)
    assert times == Counter(str(number) for number in range(MESSAGES))
    assert failed["scheduled"] == []
    late = sorted(message["ts"] - send_at for message in sent)
    assert late[0] >= 0, "none is early"
    cuts = statistics.quantiles(late, n=100)
    lives = Counter(message["ts"] // 1000 for message in sent)
    print(f"late by p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, at most {late[-1]} ms")
    print(f"in each second: {[lives[second] for second in sorted(lives)]}")
