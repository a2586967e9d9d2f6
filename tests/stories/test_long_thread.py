"""A thread of 10,000 messages, into which devices jump while it goes on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from palaver.gateway.client import ConnectionLost
from palaver.tests.stories.device import Device
from palaver.tests.stories.house import House, house

LENGTH = 10_000
LANES = 600
JUMPS = 6
WRITES = 15
LIMIT = 25


async def fill(home: House, c: str) -> list[str]:
    """The ids of the messages in order. The host writes them: three clients would take longer."""
    users = [home.engine.as_user(user) for user in ("ann", "bob", "cid")]
    ids: dict[int, str] = {}

    async def write(lane: int) -> None:
        for n in range(lane, LENGTH, LANES):
            sent = await users[n % 3].send(c, f"message {n}")
            ids[sent.seq] = sent.id

    async with trio.open_nursery() as nursery:
        for lane in range(LANES):
            nursery.start_soon(write, lane)
    return [ids[seq] for seq in sorted(ids)]


async def page(device: Device, c: str, **cursor: Any) -> list[dict[str, Any]]:
    """A page, on the screen; asked for again if the connection breaks."""
    while True:
        try:
            found = await device.client.history(c, limit=LIMIT, **cursor)
        except ConnectionLost:
            device.come_back()
        else:
            device.views[c].show(found)
            return found["messages"]


async def find(home: House, device: Device, c: str) -> dict[str, Any]:
    """A message somewhere, by what it says; another one, if that says something else by now."""
    while True:
        text = f"message {home.chance.randrange(LENGTH)}"
        try:
            found = await device.client.search(text, c=c)
        except ConnectionLost:
            device.come_back()
            continue
        if found["total"]:
            (hit,) = found["hits"]
            assert hit["text"] == text
            return hit


async def jump(home: House, device: Device, c: str) -> None:
    """To a message that was searched for, and from there up and down."""
    hit = await find(home, device, c)
    messages = await page(device, hit["c"], around=hit["id"])
    assert (hit["id"], hit["seq"]) in {(message["id"], message["seq"]) for message in messages}
    for _ in range(home.chance.randint(1, 4)):
        before = await page(device, c, before=messages[0]["seq"])
        after = await page(device, c, after=messages[-1]["seq"])
        messages = [*before, *messages, *after]
    seqs = [message["seq"] for message in messages]
    assert seqs == sorted(set(seqs)), "no message twice, and all in order"
    window = range(max(seqs[0], 2), min(seqs[-1], LENGTH + 1) + 1)
    assert set(seqs) >= set(window), "and none is left out"


async def tell(home: House, c: str, ids: list[str]) -> None:
    for device in home.devices.values():
        await device.until_it_shows(c)

    async def look(name: str) -> None:
        for _ in range(JUMPS):
            home.devices[name].come_back()
            await home.act(jump(home, home.devices[name], c))

    async def write(user: str) -> None:
        own = ids[("ann", "bob", "cid").index(user) :: 3]
        for n in range(WRITES):
            client = home.of(user).client
            await home.act(client.send(c, f"{user} now {n}"))
            await home.act(client.edit(c, home.chance.choice(own), f"{user} means {n}"))
            await home.act(client.delete(c, home.chance.choice(own)))
            await home.act(client.read(c, home.chance.randint(1, LENGTH)))

    looks = [partial(look, name) for name in home.devices]
    await home.play(*looks, *(partial(write, user) for user in ("ann", "bob", "cid")))
    await home.converges(whole=False)
    kept = [len(device.views[c].messages) for device in home.devices.values()]
    assert min(kept) > 3 * JUMPS * LIMIT, "each has seen much of it"


@pytest.mark.timeout(150)
async def test_HIST_07_HIST_08_SRCH_09_a_thread_of_10_000_messages_is_jumped_into(
    fresh_database: str, tmp_path: Path
):
    async with house(fresh_database, tmp_path, 3) as home:
        c = await home.engine.as_user("ann").create_group("Long", ["bob", "cid"])
        ids = await fill(home, c)
        await home.engine._env.store.searches.caught_up()
        async with home.live(pages=1):
            await tell(home, c, ids)
