"""Direct conversations, in which much is edited and taken back while a device is away."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from pathlib import Path

from palaver.tests.stories.house import House, house

ACTIONS = 80
PAIRS = [("ann", "bob"), ("bob", "cid"), ("cid", "ann")]


async def talk(home: House, pair: tuple[str, str], c: str) -> None:
    """Both write, edit, delete and read what is theirs."""
    chance = home.chance
    for n in range(ACTIONS):
        user = chance.choice(pair)
        device = home.of(user)
        client, view = device.client, await device.until_it_shows(c)
        own = [id for id, message in view.messages.items() if message["by"] == user]
        action: Awaitable[object]
        match chance.randrange(10):
            case 0 | 1 | 2 if own:
                action = client.edit(c, chance.choice(own), f"{user} means {n}")
            case 3 | 4 if own:
                action = client.delete(c, chance.choice(own))
            case 5:
                action = client.read(c, chance.randint(1, view.seq))
            case 6:
                action = home.any_of(user).client.enqueue(c, f"{user} wrote {n}")
            case _:
                action = client.send(c, f"{user} says {n}")
        await home.act(action)


async def test_HIST_07_MSG_07_MSG_11_edits_and_deletions_while_a_device_is_away(
    fresh_database: str, tmp_path: Path
):
    async with house(fresh_database, tmp_path, 2) as home, home.live():
        rooms = [await home.of(one).client.create_direct(other) for one, other in PAIRS]
        ann = home.devices["ann's desk"].client
        said = [await ann.send(rooms[0], f"line {n}") for n in range(30)]
        away = home.devices["bob's desk"]
        assert (await away.until_it_shows(rooms[0])).roles.keys() == {"ann", "bob"}
        await away.drop()
        for n, message in enumerate(said[::2]):
            await ann.edit(rooms[0], message["id"], f"line {2 * n}, amended")
        for message in said[::3]:
            await ann.delete(rooms[0], message["id"])
        before = {message["id"]: message["seq"] for message in said}
        away.come_back()
        await home.converges()
        view = away.views[rooms[0]]
        assert [view.messages[id].get("text") for id in before] == [
            None if n % 3 == 0 else f"line {n}, amended" if n % 2 == 0 else f"line {n}"
            for n in range(30)
        ]

        talks = zip(PAIRS, rooms, strict=True)
        await home.play(*(partial(talk, home, pair, room) for pair, room in talks))
        await home.converges()
