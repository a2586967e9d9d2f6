"""The client in a thread of its own, used from asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from palaver.gateway import issue_token
from palaver.gateway.client import Client, ClientClosed, Event, Push, Refused, Rejected, Sent
from palaver.gateway.client.calling import Calling
from palaver.hosting import AsyncioClient, BlockingEngine
from palaver.tests.hosting.test_hosting import LISTENING


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with BlockingEngine(LISTENING, listen=True) as engine:
        assert engine.listening is not None
        yield engine.listening.ws_url


def client(url: str, user: str, **options: object) -> AsyncioClient:
    return AsyncioClient(url, issue_token(LISTENING.auth, user), **options)


async def all_of(client: AsyncioClient, begun: asyncio.Event) -> list[Push]:
    pushes = []
    async for push in client:
        pushes.append(push)
        begun.set()
    return pushes


def test_it_has_what_the_client_has() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    told_by_init = {"state", "welcome", "outbox"}
    assert public(AsyncioClient) == public(Client) | told_by_init | {"answer"}
    # What is not overridden is made of `call` alone, so it belongs to no loop.
    own = public(Client) & set(vars(Client))
    assert own | set(vars(Calling)) & public(Calling) <= set(vars(AsyncioClient))


def test_calls_and_pushes(url: str) -> None:
    async def main() -> None:
        async with client(url, "ann", pushes=False) as ann, client(url, "bob") as bob:
            c = await ann.create_direct("bob")
            await bob.connected()
            for n in range(3):
                await ann.send(c, f"{n}")
            texts = []
            async for push in bob:
                if isinstance(push, Event) and push.kind == "message.sent":
                    texts.append(push.data["text"])
                    if len(texts) == 3:
                        break
            assert texts == ["0", "1", "2"]
            assert (bob.user, bob.state) == ("bob", "connected")
            with pytest.raises(Rejected, match="longer"):
                await ann.send(c, "x" * 5000)

    asyncio.run(main())


def test_what_is_enqueued_is_answered(url: str) -> None:
    async def main() -> None:
        async with client(url, "ann") as ann:
            outgoing = await ann.enqueue(await ann.create_direct("bob"), "hello")
            assert (await ann.answer(outgoing))["seq"] > 1
            async for push in ann:
                if isinstance(push, Sent):
                    assert push.outgoing is outgoing
                    break

    asyncio.run(main())


def test_a_wait_that_is_cancelled_loses_nothing(url: str) -> None:
    async def main() -> None:
        async with client(url, "eve") as eve, client(url, "ann", pushes=False) as ann:
            await eve.connected()
            seen: list[Push] = []
            while not (seen and isinstance(seen[-1], Event)):
                try:
                    seen.append(await asyncio.wait_for(anext(eve), 0.001))
                except TimeoutError:
                    if ann.outbox.waiting or len(seen) > 100:
                        continue
                    await ann.send_to("eve", "hello")
            kinds = [push.kind for push in seen if isinstance(push, Event)]
            assert kinds[0] in ("conversation.created", "message.sent")

    asyncio.run(main())


def test_a_token_and_progress_are_asked_for_where_the_program_runs(url: str) -> None:
    async def main() -> None:
        here, threads = threading.get_ident(), set()

        async def token() -> str:
            threads.add(threading.get_ident())
            await asyncio.sleep(0)
            return issue_token(LISTENING.auth, "ann")

        async with AsyncioClient(url, token) as ann:
            await ann.connected()
        assert threads == {here}

    asyncio.run(main())


def test_its_end_leaves_no_thread_and_a_refusal_is_raised(url: str) -> None:
    async def main() -> None:
        async with AsyncioClient(url, "nonsense") as ann:
            with pytest.raises(Refused):
                await ann.connected()
            with pytest.raises(Refused):
                [push async for push in ann]
        begun = asyncio.Event()
        async with client(url, "ann") as ann:
            reading = asyncio.create_task(all_of(ann, begun))
            await begun.wait()
        assert await reading, "a loop elsewhere ends as well"
        assert not [push async for push in ann]
        with pytest.raises(ClientClosed):
            await ann.call("conversation.list")
        assert "palaver client" not in {thread.name for thread in threading.enumerate()}

    asyncio.run(main())


def test_a_url_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="not a WebSocket URL"):
        AsyncioClient("http://x", "t")
