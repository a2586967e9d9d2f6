"""A link does to a connection what its names say."""

import contextlib

import pytest
import trio

from palaver.benchmarks.chaos.link import Link
from palaver.benchmarks.chaos.polling import until


@pytest.fixture
async def link(nursery):
    """A link to a server that echoes in capitals."""

    async def echo(stream):
        with contextlib.suppress(trio.BrokenResourceError):
            async for data in stream:
                await stream.send_all(data.upper())

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, echo, [listener])
    link = Link(lambda: listener.socket.getsockname())
    await nursery.start(link.serve)
    return link


async def call(link):
    return await trio.open_tcp_stream("127.0.0.1", link.port)


async def hear(stream, count):
    """Exactly so many bytes."""
    heard = b""
    while len(heard) < count:
        data = await stream.receive_some()
        assert data
        heard += data
    return heard


async def test_it_forwards_both_ways(link):
    async with await call(link) as stream:
        await stream.send_all(b"hello")
        assert await hear(stream, 5) == b"HELLO"


async def test_cut_means_reset(link):
    async with await call(link) as stream:
        await stream.send_all(b"hello")
        assert await hear(stream, 5) == b"HELLO"
        link.cut()
        with pytest.raises(trio.BrokenResourceError) as error:
            await stream.receive_some()
        assert isinstance(error.value.__cause__, ConnectionResetError)


async def test_a_deaf_link_swallows_and_says_nothing(link):
    async with await call(link) as stream:
        link.deaf = True
        await stream.send_all(b"lost")
        await until(lambda: link.swallowed == 4)
        link.deaf = False
        await stream.send_all(b"heard")
        assert await hear(stream, 5) == b"HEARD"


async def test_a_slow_link_loses_nothing(link):
    link.slow = True
    async with await call(link) as stream:
        await stream.send_all(b"a" * 1500)
        assert await hear(stream, 1500) == b"A" * 1500


async def test_nobody_there_closes(nursery):
    link = Link(lambda: None)
    await nursery.start(link.serve)
    async with await call(link) as stream:
        assert await stream.receive_some() == b""
