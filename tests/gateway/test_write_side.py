"""The write side: order, joining, bounds, partial writes, and whose bytes go where."""

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from palaver.engine.sections import Connections
from palaver.gateway.metrics import Counters
from palaver.gateway.write_side import CHUNK, WriteSide
from palaver.protocol.disconnects import SLOW, Disconnect

LIMIT = 65_536


class Bench:
    """A write side on one end of a stream, and what became of it."""

    def __init__(self, stream: trio.abc.Stream, nursery: trio.Nursery, **limits: Any) -> None:
        self.stream = stream
        self.counters = Counters(lambda: 1)
        self.aborts: list[Disconnect | None] = []
        self.side = WriteSide(
            stream,
            Connections(outbox_bytes=LIMIT, **limits),
            nursery,
            self.counters,
            self.aborts.append,
        )


@asynccontextmanager
async def plain(**limits: Any) -> AsyncIterator[tuple[Bench, trio.SocketStream]]:
    """On a real socket that holds little."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        end.setblocking(False)
    async with trio.open_nursery() as nursery:
        near, far = (
            trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in (ours, theirs)
        )
        async with near, far:
            yield Bench(near, nursery, **limits), far
            nursery.cancel_scope.cancel()


class Gate:
    """A memory stream whose `send_all` waits at a gate; `sent` is what has passed it."""

    def __init__(self) -> None:
        self.near, self.far = memory_stream_pair()
        self.sent: list[bytes] = []
        self._open = trio.Event()
        send_all = self.near.send_stream.send_all

        async def gated(data: Any) -> None:
            await self._open.wait()
            self.sent.append(bytes(data))
            await send_all(data)

        self.near.send_stream.send_all = gated  # type: ignore[method-assign]

    def open(self) -> None:
        self._open.set()


@asynccontextmanager
async def gated(**limits: Any) -> AsyncIterator[tuple[Bench, Gate]]:
    gate = Gate()
    async with trio.open_nursery() as nursery:
        yield Bench(gate.near, nursery, **limits), gate
        nursery.cancel_scope.cancel()


async def read(stream: trio.abc.Stream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await stream.receive_some(65_536)
        assert more
        data += more
    return data


async def test_an_idle_socket_is_written_to_at_once() -> None:
    async with plain() as (bench, far):
        bench.side.write(b"one")
        bench.side.write(b"two")
        assert far.socket.fileno() != -1
        # Without any await so far, it is there already.
        assert os.read(far.socket.fileno(), 100) == b"onetwo"


async def test_the_rest_of_a_partial_write_goes_first() -> None:
    async with plain() as (bench, far):
        parts = [bytes([n]) * 20_000 for n in range(1, 4)]
        for part in parts:
            bench.side.write(part)
        assert await read(far, 60_000) == b"".join(parts)
        # Drained, so the next one is written at once again.
        await bench.side.drained()
        bench.side.write(b"next")
        assert os.read(far.socket.fileno(), 100) == b"next"
    assert bench.aborts == []


async def test_SEND_23_what_waits_is_joined() -> None:
    async with gated() as (bench, gate):
        events = [b"event %d;" % n for n in range(1000)]
        for event in events:
            bench.side.write(event)
        gate.open()
        await bench.side.drained()
        assert b"".join(gate.sent) == b"".join(events)
        assert len(gate.sent) < 10


async def test_long_queues_go_out_in_chunks() -> None:
    async with plain() as (bench, far):
        bench.side.write(b"h" * 3 * CHUNK)
        for n in range(60):
            bench.side.write(bytes([n]) * 1000)
        data = await read(far, 3 * CHUNK + 60_000)
        assert data[3 * CHUNK :: 1000] == bytes(range(60))


async def test_SEND_25_a_reader_that_does_not_read_is_cut_off_as_slow() -> None:
    async with plain() as (bench, far):
        for _ in range(LIMIT // 1000):
            bench.side.write(b"x" * 1000)
        assert bench.aborts == []
        for _ in range(LIMIT // 1000):
            bench.side.write(b"x" * 1000)
        assert bench.aborts == [SLOW]
        assert bench.side.aborted
        bench.side.write(b"more")
        await wait_all_tasks_blocked()
        received = os.read(far.socket.fileno(), 1_000_000)
        assert len(received) < LIMIT
        assert bench.aborts == [SLOW], "only once"


async def test_SEND_25_signals_go_first() -> None:
    async with gated() as (bench, gate):
        bench.side.write(b"head;")
        await wait_all_tasks_blocked()  # in the hands of the stream: it cannot be dropped
        for n in range(10):
            bench.side.write(b"signal %d" % n, True)
            bench.side.write(b"event %d;" % n)
        for _ in range(LIMIT // 10_000):
            bench.side.write(b"x" * 10_000)
        assert bench.counters.dropped == 0
        bench.side.write(b"late signal" + b"x" * 10_000, True)
        assert bench.counters.dropped == 1, "the new one, if it may be dropped"
        bench.side.write(b"y" * 5_400)
        assert bench.counters.dropped == 11, "otherwise those that wait"
        assert bench.aborts == []
        gate.open()
        await bench.side.drained()
        sent = b"".join(gate.sent)
        assert b"signal" not in sent
        assert sent.startswith(b"head;event 0;event 1;")
        assert sent.endswith(b"y")


async def test_one_parcel_may_be_larger_than_the_bound() -> None:
    async with plain() as (bench, far):
        bench.side.write(b"a" * 4 * LIMIT)
        bench.side.write(b"b" * 1000)
        assert bench.aborts == []
        assert await read(far, 4 * LIMIT + 1000) == b"a" * 4 * LIMIT + b"b" * 1000


@pytest.mark.parametrize("bench_on", [plain, gated], ids=["socket", "other stream"])
async def test_a_socket_without_progress_is_given_up(
    bench_on: Callable[..., Any], clock: MockClock
) -> None:
    async with bench_on(stalled_s=30) as (bench, _):
        bench.side.write(b"x" * 50_000)
        await trio.sleep(29)
        assert bench.aborts == []
        await trio.sleep(2)
        assert bench.aborts == [SLOW]


async def test_slow_progress_is_progress(clock: MockClock) -> None:
    async with plain(stalled_s=30) as (bench, far):
        bench.side.write(b"x" * 50_000)
        left = 50_000
        while left:
            await trio.sleep(29)
            left -= len(await far.receive_some())
        assert bench.aborts == []


@pytest.mark.parametrize("waiting", [False, True])
async def test_nothing_follows_the_last_frame(waiting: bool) -> None:
    async with plain() as (bench, far):
        head = b"x" * 50_000 if waiting else b""
        bench.side.write(head)
        bench.side.finish(b"close")
        bench.side.write(b"more")
        assert await read(far, len(head) + 5) == head + b"close"
        await bench.side.drained()
        bench.side.write(b"more")
        assert bench.side.ended
        assert not bench.side.aborted
        with pytest.raises(BlockingIOError):
            os.read(far.socket.fileno(), 100)


async def test_a_client_that_is_gone_ends_it_quietly() -> None:
    async with plain() as (bench, far):
        await far.aclose()
        bench.side.write(b"one")
        bench.side.write(b"two")
        assert bench.aborts == [None]
    async with plain() as (bench, far):
        bench.side.write(b"x" * 50_000)
        await far.aclose()
        await bench.side.drained()
        assert bench.aborts == [None]


async def test_an_error_of_the_stream_stays_here() -> None:
    async with gated() as (bench, gate):

        async def explode(data: object) -> None:
            await trio.lowlevel.checkpoint()
            raise RuntimeError("secret")

        gate.near.send_stream.send_all = explode  # type: ignore[method-assign]
        bench.side.write(b"x")
        await bench.side.drained()
        assert bench.aborts == [None]


async def test_the_number_of_a_closed_socket_is_never_used_again() -> None:
    """The kernel gives it to the next socket at once: here to another user's."""
    async with plain() as (bench, _):
        number = bench.stream.socket.fileno()  # type: ignore[attr-defined]
        await bench.stream.aclose()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for end in (ours, theirs):
                end.setblocking(False)
            assert number in (ours.fileno(), theirs.fileno())
            bench.side.write(b"for ann only")
            for end in (ours, theirs):
                with pytest.raises(BlockingIOError):
                    end.recv(100)
        assert bench.aborts == [None]


async def test_aborting_wakes_who_waits() -> None:
    async with gated() as (bench, gate), trio.open_nursery() as nursery:
        bench.side.write(b"x")
        nursery.start_soon(bench.side.drained)
        await wait_all_tasks_blocked()
        bench.side.abort()
    assert gate.sent == []
