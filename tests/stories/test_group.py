"""A busy group: people come, go, rise and fall while messages fly and devices drop."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from pathlib import Path

import pytest

from palaver.tests.stories.house import House, house

ACTIONS = 120


async def live(home: House, user: str, c: str) -> None:
    """What `user` does to the group. Ann stays, and stays admin, so there is always one."""
    chance = home.chance
    others = [other for other in ("bob", "cid") if other != user]
    for n in range(ACTIONS):
        device = home.of(user)
        client, view = device.client, device.views.get(c)
        known = list(view.messages) if view is not None else []
        own = [id for id in known if view is not None and view.messages[id]["by"] == user]
        action: Awaitable[object]
        match chance.randrange(20):
            case 0 | 1 if own:
                action = client.edit(c, chance.choice(own), f"{user} edits {n}")
            case 2 if known:
                action = client.delete(c, chance.choice(known))
            case 3 if known:
                action = client.pin(c, chance.choice(known))
            case 4 if view is not None and view.pins:
                action = client.unpin(c, chance.choice(list(view.pins)))
            case 5 | 6 if view is not None:
                action = client.read(c, chance.randint(1, view.seq))
            case 7:
                action = client.rename(c, f"{user}'s {n}")
            case 8 | 9 | 10:
                action = client.add_members(c, [chance.choice(others)])
            case 11:
                action = client.remove_member(c, chance.choice(others))
            case 12 | 13:
                role = chance.choice(["admin", "member"])
                action = client.set_role(c, chance.choice(others), role)
            case 14 if user != "ann":
                action = client.leave(c, confirm=chance.random() < 0.5)
            case 15 | 16:
                action = home.any_of(user).client.enqueue(c, f"{user} says {n}, some day")
            case _:
                action = client.send(c, f"{user} says {n}")
        await home.act(action)


@pytest.mark.parametrize("durability", ["write_behind", "commit"])
async def test_HIST_07_GRP_07_a_busy_group(fresh_database: str, tmp_path: Path, durability: str):
    async with (
        house(fresh_database, tmp_path, 1, policy={"durability": durability}) as home,
        home.live(),
    ):
        c = await home.devices["ann's desk"].client.create_group(["bob", "cid"], "Trip")

        await home.play(*(partial(live, home, user, c) for user in ("ann", "bob", "cid")))
        await home.converges()
        happened = {kind for device in home.devices.values() for kind in device.kinds}
        assert happened >= {"member.added", "member.removed", "member.role_changed"}
        assert happened >= {"message.edited", "message.deleted", "message.pinned"}
        assert "PERMISSION_DENIED" in home.refusals
