"""clients/examples/plain-node.mjs: a client from docs/protocol.md alone holds the promise."""

from __future__ import annotations

import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from palaver.gateway.client import Client

EXAMPLE = Path(__file__).parents[2] / "clients/examples/plain-node.mjs"


class Person:
    """Types lines into the example, and reads what it prints."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._told = trio.Event()
        self._gone = False

    @property
    def texts(self) -> list[str]:
        """What is on the screen: what was said, in its order, without what was taken back."""
        screen: list[tuple[int, str]] = []
        for line in self.lines:
            if taken_back := re.match(r"-- forget after (\d+)", line):
                screen = [said for said in screen if said[0] <= int(taken_back[1])]
            elif said := re.match(r"(\d+) \w+: (.*)", line):
                screen.append((int(said[1]), said[2]))
        return [text for _, text in sorted(screen)]

    async def says(self, *texts: str) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send_all("".join(f"{text}\n" for text in texts).encode())

    async def until(self, *texts: str) -> None:
        while not set(texts) <= set(self.texts):
            assert not self._gone, self.lines
            await self._told.wait()

    async def read(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        async for data in self.process.stdout:
            *lines, rest = (rest + data).split(b"\n")
            self.lines += [line.decode() for line in lines]
            self._told.set()
            self._told = trio.Event()
        self._gone = True
        self._told.set()


@asynccontextmanager
async def person(url: str, token: str, other: str) -> AsyncIterator[Person]:
    process = await trio.lowlevel.open_process(
        ["node", "--experimental-websocket", "--no-warnings", str(EXAMPLE), url, token, other],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    async with trio.open_nursery() as nursery:
        found = Person(process)
        nursery.start_soon(found.read)
        try:
            yield found
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
            nursery.cancel_scope.cancel()


def test_it_is_short_and_needs_nothing() -> None:
    source = EXAMPLE.read_text()
    assert len(source.splitlines()) < 200
    assert re.findall(r"^import .* from \"(.*)\";", source, re.M) == ["node:readline"]


async def test_SEND_06_each_message_is_there_once_after_kill_9(served, token):
    """What was typed while there was no server, too."""
    said = [f"{who} {n}" for who in ("ann", "bob") for n in range(60)]
    ann_says, bob_says = said[:60], said[60:]
    async with served.start() as server:
        port = server.ws_url.rsplit(":", 1)[1].partition("/")[0]
        async with (
            person(server.ws_url, token("ann"), "bob") as ann,
            person(server.ws_url, token("bob"), "ann") as bob,
        ):
            await ann.says(*ann_says[:20])
            await bob.says(*bob_says[:20])
            await ann.until("bob 3")
            await server.kill()  # in the midst of it
            await ann.says(*ann_says[20:40])
            await bob.says(*bob_says[20:40])
            async with served.start("--port", port) as again:
                await ann.says(*ann_says[40:])
                await bob.says(*bob_says[40:])
                await ann.until(*said)
                await bob.until(*said)
                async with Client(again.ws_url, token("ann"), pushes=False) as client:
                    c = await client.create_direct("bob")
                    newest = (await client.history(c, limit=100))["messages"]
                    first = await client.history(c, before=newest[0]["seq"], limit=100)
                history = [each["text"] for each in (*first["messages"], *newest)]
                assert sorted(history) == sorted(said)
                for sender in (ann_says, bob_says):
                    assert [text for text in history if text in sender] == sender
                for each in (ann, bob):
                    assert each.texts == history
