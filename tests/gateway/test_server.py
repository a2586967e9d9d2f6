"""Listening for real: to trio-websocket, which shares no code with the server, and bare sockets."""

import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgpack
import pytest
import structlog
import trio
from trio.testing import MockClock, memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from palaver.actors.outbox import Parcel, Push
from palaver.engine import StartupError
from palaver.gateway import Identity, Listening, serve
from palaver.gateway.listeners import RETRY_S, accept
from palaver.protocol.disconnects import REVOKED
from palaver.tests.gateway.harness import PING, FakeEngine, Peer, fake, settings
from palaver.tests.support.certificates import Authority


class Server:
    def __init__(self, engine: FakeEngine, listening: Listening, nursery: trio.Nursery) -> None:
        self.engine = engine
        self.listening = listening
        self.nursery = nursery
        self.streams: list[trio.SocketStream] = []

    @asynccontextmanager
    async def client(self, user: str = "ann") -> AsyncIterator[WebSocketConnection]:
        host, port = self.listening.host, self.listening.port
        # The library does not always close the stream, so it is ours.
        async with await trio.open_tcp_stream(host, port) as stream, trio.open_nursery() as nursery:
            websocket = await wrap_client_stream(
                nursery, stream, host, "/v1/ws", subprotocols=["palaver.v1.msgpack"]
            )
            async with websocket:
                token = self.listening.issue_token(user)
                await say(websocket, {"t": "hello", "id": 1, "v": 1, "d": {"token": token}})
                assert (await hear(websocket))["t"] == "welcome"
                yield websocket

    async def raw(self, user: str = "ann", buffer: int | None = None) -> Peer:
        """Signed in on a bare socket, which may hold as little as `buffer`."""
        sock = trio.socket.socket()
        if buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.streams.append(stream := trio.SocketStream(sock))
        await sock.connect((self.listening.host, self.listening.port))
        peer = Peer(stream)
        await peer.upgrade()
        await peer.hello(self.listening.issue_token(user))
        return peer


@asynccontextmanager
async def server(**sections: Any) -> AsyncIterator[Server]:
    """Until the end of the block, or until its `nursery` is cancelled."""
    note, engine = fake(settings(**sections))
    async with trio.open_nursery() as outer:
        nursery = await outer.start(_cancellable)
        here = Server(note, await nursery.start(serve, engine), nursery)
        try:
            yield here
        finally:
            nursery.cancel_scope.cancel()
            for stream in here.streams:
                stream.socket.close()


async def _cancellable(*, task_status: trio.TaskStatus[trio.Nursery]) -> None:
    """A nursery beside the one who asks for it, so that cancelling it cancels nobody else."""
    async with trio.open_nursery() as nursery:
        task_status.started(nursery)
        await trio.sleep_forever()


async def say(websocket: WebSocketConnection, *items: dict[str, Any]) -> None:
    await websocket.send_message(msgpack.packb(items[0] if len(items) == 1 else list(items)))


async def hear(websocket: WebSocketConnection) -> dict[str, Any]:
    message = await websocket.get_message()
    assert isinstance(message, bytes), "msgpack travels in binary messages"
    item = msgpack.unpackb(message)
    assert isinstance(item, dict)
    return item


async def code(websocket: WebSocketConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await websocket.get_message()
    assert closed.value.reason is not None
    return closed.value.reason.code


async def drained(stream: trio.abc.Stream) -> None:
    while await stream.receive_some():
        pass


async def test_another_implementation_can_talk_to_it() -> None:
    async with server() as here, here.client() as websocket:
        await say(
            websocket, {"t": "message.send", "id": 2, "c": "room", "d": {"text": "x" * 99_999}}
        )
        assert await hear(websocket) == {"t": "reply", "id": 2, "c": "room", "ok": {}}
        here.engine.push({"t": "message.sent", "d": {"text": "y" * 99_999}})
        assert len((await hear(websocket))["d"]["text"]) == 99_999
        await websocket.ping(b"there?")
    await here.engine.until(lambda: not here.engine.outboxes)


async def test_the_client_closes() -> None:
    async with server() as here, here.client() as websocket:
        await websocket.aclose(1000)
        assert websocket.closed is not None
        assert websocket.closed.code == 1000


async def test_CONN_21_the_server_closes_with_a_code() -> None:
    async with server() as here, here.client() as websocket:
        here.engine.outboxes[0].close(REVOKED)
        assert (await hear(websocket))["error"]["code"] == "SESSION_EXPIRED"
        assert await code(websocket) == 3503


async def test_CONN_09_a_connection_that_is_cut_is_noticed() -> None:
    async with server() as here:
        peer = await here.raw()
        assert isinstance(peer.stream, trio.SocketStream)
        peer.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await peer.stream.aclose()
        await here.engine.until(lambda: not here.engine.outboxes)


async def test_SEND_25_a_slow_reader_is_closed_and_the_others_go_on() -> None:
    limits = {"outbox_bytes": 65_536, "send_buffer_bytes": 4096}
    async with server(connections=limits) as here, here.client("bob") as bob:
        slow = await here.raw("ann", buffer=4096)
        pushed = received = 0

        async def read() -> None:
            nonlocal received
            while True:
                assert (await hear(bob))["seq"] == received
                received += 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            while len(here.engine.outboxes) == 2:
                for _ in range(10):
                    here.engine.push({"t": "message.sent", "seq": pushed, "d": {"text": "x" * 500}})
                    pushed += 1
                while received < pushed:
                    await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        assert [outbox.user for outbox in here.engine.outboxes] == ["bob"]
        assert pushed * 500 < 10 * 65_536
        figures = here.engine.metrics.registry.get_sample_value(
            "palaver_connections_closed_total", {"code": "3008"}
        )
        assert figures == 1
        with pytest.raises(trio.BrokenResourceError):
            await drained(slow.stream)


async def test_CONN_16_cancelling_sends_everybody_away_in_peace() -> None:
    async with server() as here, trio.open_nursery() as clients:
        advice: list[float] = []

        async def stay(*, task_status: trio.TaskStatus[None]) -> None:
            async with here.client() as websocket:
                task_status.started()
                goodbye = await hear(websocket)
                assert goodbye["t"] == "goodbye"
                advice.append(goodbye["d"]["reconnect_after"])
                assert await code(websocket) == 3001

        for _ in range(5):
            await clients.start(stay)
        here.nursery.cancel_scope.cancel()
        await here.engine.until(lambda: not here.engine.outboxes)
    assert len(advice) == 5
    assert len(set(advice)) > 1, "spread"


async def test_DEP_11_a_drain_answers_what_is_in_flight_and_takes_nothing_new() -> None:
    async with server() as here:
        here.engine.answers = False
        peer = await here.raw()
        await peer.send({"t": "message.send", "id": 2})
        await here.engine.until(lambda: len(here.engine.submitted) == 1)
        here.nursery.cancel_scope.cancel()
        assert (await peer.item())["t"] == "goodbye"
        await peer.send({"t": "message.send", "id": 3})
        refused = await peer.item()
        assert (refused["id"], refused["error"]["code"]) == (3, "UNAVAILABLE")
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream(here.listening.host, here.listening.port)
        here.engine.answer(1)
        assert (await peer.item())["id"] == 2
        assert await peer.closed() == 3001
        assert not here.engine.outboxes


async def test_a_client_that_does_not_go_is_dropped_in_the_end() -> None:
    async with server(connections={"drain_s": 0.05}) as here:
        deaf, unready = await here.raw("ann"), await here.raw("bob")
        here.engine.answers = False
        await unready.send({"t": "message.send", "id": 2})
        await here.engine.until(lambda: len(here.engine.submitted) == 1)
        began = trio.current_time()
        here.nursery.cancel_scope.cancel()
        await here.engine.until(lambda: not here.engine.outboxes)
        assert trio.current_time() - began >= 0.05
        assert (await deaf.item())["t"] == "goodbye"
        assert (await deaf.next()).data[:2] == (3001).to_bytes(2, "big")
        assert (await unready.item())["t"] == "goodbye"
        with pytest.raises(trio.BrokenResourceError):
            await unready.stream.receive_some()


async def test_a_drain_meets_connections_in_every_state() -> None:
    async with server() as here:
        silent = await trio.open_tcp_stream(here.listening.host, here.listening.port)
        here.streams.append(silent)
        stranger = Peer(await trio.open_tcp_stream(here.listening.host, here.listening.port))
        assert isinstance(stranger.stream, trio.SocketStream)
        here.streams.append(stranger.stream)
        await stranger.upgrade()
        many = [await here.raw(f"user {n}") for n in range(120)]
        here.nursery.cancel_scope.cancel()
        with pytest.raises(trio.BrokenResourceError):
            await drained(silent)
        assert await stranger.closed() == 3001
        for peer in many:
            assert (await peer.item())["t"] == "goodbye"
            assert await peer.closed() == 3001


async def test_it_can_be_stopped_before_anybody_came() -> None:
    async with server() as here:
        assert here.listening.port > 0
        assert here.listening.ws_url == f"ws://127.0.0.1:{here.listening.port}/v1/ws"
        assert here.listening.http_url == f"http://127.0.0.1:{here.listening.http_port}"


@pytest.mark.parametrize("which", ["port", "http_port"])
async def test_a_port_that_is_taken_is_said_in_words(which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, engine = fake(settings(listen={which: port}))
        with pytest.raises(StartupError, match=rf"127\.0\.0\.1:{port}: address already in use"):
            await serve(engine)


async def test_settings_without_a_secret_are_refused_before_anything_listens() -> None:
    _, engine = fake(settings(auth={}))
    with pytest.raises(StartupError, match="secret is missing"):
        await serve(engine)


async def test_a_host_may_bring_listeners_and_a_verifier_of_its_own() -> None:
    class Anybody:
        async def verify(self, token: str | None) -> Identity:
            await trio.lowlevel.checkpoint()
            return Identity(token or "nobody")

    note, engine = fake(settings(auth={}))
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        start = partial(serve, engine, listeners=listeners, verifier=Anybody())
        listening = await nursery.start(start)
        assert listening.port == listeners[0].socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", listening.port) as stream:
            peer = Peer(stream)
            await peer.upgrade()
            await peer.hello("ann")
        assert note.attached == ["ann"]
        with pytest.raises(StartupError, match="does not issue tokens"):
            listening.issue_token("ann")
        nursery.cancel_scope.cancel()


async def test_SEC_13_a_host_s_own_listeners_may_be_encrypted(tmp_path: Path) -> None:
    """Every frame then takes the way through the writer."""
    authority = Authority(tmp_path)
    authority.issue()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(authority.certificate, authority.key)
    note, engine = fake(settings(connections={"heartbeat_s": 0.02, "missed_heartbeats": 1000}))
    [plain] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listeners = [trio.SSLListener(plain, server_side)]
    async with trio.open_nursery() as nursery:
        listening = await nursery.start(partial(serve, engine, listeners=listeners))
        assert listening.ws_url.startswith("wss://")
        stream = await trio.open_ssl_over_tcp_stream(
            "127.0.0.1", listening.port, ssl_context=authority.trusting()
        )
        async with stream:
            peer = Peer(stream)
            await peer.upgrade()
            assert (await peer.hello(listening.issue_token("ann")))["t"] == "welcome"
            for _ in range(3):
                assert (await peer.next()).opcode == PING
            for seq in range(1000):
                note.push({"t": "message.sent", "seq": seq, "d": {"text": "x" * 500}})
            seen = 0
            while seen < 1000:
                frame = await peer.next()
                if frame.opcode != PING:
                    assert peer.codec.decode(frame.data)["seq"] == seen
                    seen += 1
        await note.until(lambda: not note.outboxes)
        nursery.cancel_scope.cancel()


async def test_accepting_survives_a_shortage(autojump_clock: MockClock) -> None:
    class Short(trio.abc.Listener[trio.abc.Stream]):
        attempts = 0

        async def accept(self) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            self.attempts += 1
            if self.attempts <= 3:
                raise OSError(errno.EMFILE, "Too many open files")
            if self.attempts > 4:
                await trio.sleep_forever()
            return memory_stream_pair()[0]

        async def aclose(self) -> None:
            await trio.lowlevel.checkpoint()

    served = trio.Event()

    async def handle(stream: trio.abc.Stream) -> None:
        await trio.lowlevel.checkpoint()
        served.set()

    with structlog.testing.capture_logs() as entries:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept, Short(), handle, nursery)
            await served.wait()
            nursery.cancel_scope.cancel()
    assert trio.current_time() >= 3 * RETRY_S
    assert [entry["event"] for entry in entries] == ["cannot accept connections"]


async def test_one_user_s_bytes_never_reach_another_over_a_reused_number() -> None:
    """Connections come and go, so file descriptors are used again and again."""
    async with server() as here:
        for round in range(30):
            leaving, staying = await here.raw("ann"), await here.raw("bob")
            outbox = next(box for box in here.engine.outboxes if box.user == "ann")
            await trio.aclose_forcefully(leaving.stream)
            await here.engine.until(lambda: len(here.engine.outboxes) == 1)
            late = await here.raw("cleo")
            outbox.offer(Parcel([Push({"t": "message.sent", "d": {"text": "for ann"}})]))
            here.engine.push({"t": "message.sent", "seq": round})
            for peer in (staying, late):
                assert await peer.item() == {"t": "message.sent", "seq": round}
                await trio.aclose_forcefully(peer.stream)
            await here.engine.until(lambda: not here.engine.outboxes)
