"""An engine with Postgres behind a listening gateway, and five devices of three people."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from palaver.engine import Engine, Settings
from palaver.gateway import Listening, serve
from palaver.gateway.client import ConnectionLost, Rejected
from palaver.tests.stories.device import Device, differences, loaded

OWNERS = {"ann's phone": "ann", "ann's desk": "ann", "bob's phone": "bob", "bob's desk": "bob"}
OWNERS["cid's phone"] = "cid"

EXPECTED = {"PERMISSION_DENIED", "LAST_ADMIN", "MESSAGE_NOT_FOUND", "USER_NOT_FOUND"}
"""What people are told who do not know yet what somebody else has just done."""

RATES = ("requests_per_min", "messages_per_min", "connects_per_min", "commands_per_s")


class House:
    """`chance` decides everything: the same seed tells the same story, up to what runs side by
    side."""

    def __init__(self, engine: Engine, listening: Listening, chance: random.Random) -> None:
        self.engine = engine
        self.url = listening.ws_url
        self.token = listening.issue_token
        self.chance = chance
        self.devices: dict[str, Device] = {}
        self.refusals: list[str] = []
        self._done = 0
        self._moved = trio.Event()

    @asynccontextmanager
    async def live(self, pages: float = float("inf")) -> AsyncIterator[None]:
        """With every device switched on."""
        async with AsyncExitStack() as stack:
            for name, user in OWNERS.items():
                device = Device(self.url, self.token(user), pages)
                self.devices[name] = await stack.enter_async_context(device.on())
            yield

    def any_of(self, user: str) -> Device:
        """One of the devices of `user`, there or away."""
        names = [name for name, owner in OWNERS.items() if owner == user]
        return self.devices[self.chance.choice(names)]

    def of(self, user: str) -> Device:
        """The same, there: who wants something at once goes where there is a network."""
        device = self.any_of(user)
        device.come_back()
        return device

    async def act(self, action: Awaitable[object]) -> None:
        """Whatever somebody does; they may be told that it cannot be done any more."""
        try:
            await action
        except Rejected as no:
            if no.code not in EXPECTED:
                raise
            self.refusals.append(no.code)
        except ConnectionLost:
            pass  # of what may not be repeated
        finally:
            self._done += 1
            self._moved.set()
            self._moved = trio.Event()

    async def play(self, *scripts: Callable[[], Awaitable[None]]) -> None:
        """All scripts side by side, while devices drop and return; to the end of what they keep to
        be sent."""
        async with trio.open_nursery() as dropping:
            dropping.start_soon(self._come_and_go)
            async with trio.open_nursery() as nursery:
                for script in scripts:
                    nursery.start_soon(script)
            dropping.cancel_scope.cancel()
        for device in self.devices.values():
            device.come_back()
            await device.until_all_is_sent()

    async def _come_and_go(self) -> None:
        while True:
            names = self.chance.sample(sorted(self.devices), self.chance.randint(1, 2))
            for name in names:
                await self.devices[name].drop()
            await self._pass(self.chance.randint(3, 20))
            for name in names:
                self.devices[name].come_back()
            await self._pass(self.chance.randint(3, 20))

    async def _pass(self, actions: int) -> None:
        """As long as so much takes; or for a moment, if all wait for whom we hold up."""
        until = self._done + actions
        with trio.move_on_after(0.2):
            while self._done < until:
                await self._moved.wait()

    async def converges(self, *, whole: bool = True) -> None:
        """Every device shows what its user sees who signs in now; see `differences`."""
        for user in ("ann", "bob", "cid"):
            devices = {name: self.devices[name] for name in OWNERS if OWNERS[name] == user}
            differ: dict[str, list[object]] = {"nobody": ["has looked"]}
            with trio.move_on_after(40):
                while differ:
                    fresh = await loaded(self.url, self.token(user))
                    differ = {
                        name: found
                        for name, device in devices.items()
                        if (found := differences(device.state, fresh, whole=whole))
                    }
                    if differ:  # they may be ahead of what was just loaded, and hear no more
                        with trio.move_on_after(0.2):
                            await devices[min(differ)].changed.wait()
            assert not differ


@asynccontextmanager
async def house(dsn: str, data: Path, seed: int, **sections: Any) -> AsyncIterator[House]:
    """Where everybody will be at home; see `House.live`."""
    sections |= {
        "storage": {"dsn": dsn, "data": data},
        "auth": {"secret": "s" * 32},
        "listen": {"port": 0, "http_port": 0},
        "actors": {"ring": 16},  # little is answered from memory alone
        "limits": dict.fromkeys(RATES, 0),
    }
    async with Engine(Settings(**sections)) as engine, trio.open_nursery() as nursery:
        yield House(engine, await nursery.start(serve, engine), random.Random(seed))
        nursery.cancel_scope.cancel()
