"""What is said after the welcome: commands, bad frames, backpressure, taking leave."""

import gc

import pytest
import structlog
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from palaver.gateway.connection import Connection
from palaver.gateway.dialogue import Dialogue
from palaver.gateway.socket_outbox import SocketOutbox
from palaver.gateway.websocket import Opening, WebSocket
from palaver.gateway.write_side import WriteSide
from palaver.protocol.codec import Codec
from palaver.protocol.disconnects import FORBIDDEN, REVOKED
from palaver.tests.gateway.harness import (
    BINARY,
    CLOSE,
    CODECS,
    PING,
    PONG,
    TEXT,
    Frame,
    house,
    masked,
)

BAD = b"\xc1"


def send(id: int | None = None) -> dict[str, object]:
    item: dict[str, object] = {"t": "message.send", "c": "room", "d": {"text": "x"}}
    return item if id is None else {**item, "id": id}


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
async def test_CONN_19_a_failing_command_leaves_the_connection_open(codec: Codec) -> None:
    async with house() as here:
        peer = await here.client("ann", codec)
        await peer.send({"t": "fail", "id": "x", "c": "room"})
        reply = await peer.item()
        assert (reply["id"], reply["c"]) == ("x", "room")
        assert reply["error"]["code"] == "MESSAGE_NOT_FOUND"
        await peer.send(send(2))
        assert await peer.item() == {"t": "reply", "id": 2, "c": "room", "ok": {}}


async def test_CONN_02_every_device_gets_it_and_a_broken_one_hurts_no_other() -> None:
    async with house() as here:
        first, second, third = [await here.client("ann") for _ in range(3)]
        await trio.aclose_forcefully(second.stream)
        here.engine.push({"t": "message.sent", "seq": 1})
        for peer in (first, third):
            assert (await peer.item())["seq"] == 1


async def test_CONN_15_only_the_closed_connection_is_detached() -> None:
    async with house() as here:
        first, second = await here.client("ann"), await here.client("ann")
        await first.close()
        await here.engine.until(lambda: len(here.engine.outboxes) == 1)
        here.engine.push({"t": "message.sent", "seq": 1})
        assert (await second.item())["seq"] == 1
        await trio.aclose_forcefully(second.stream)
        await here.engine.until(lambda: not here.engine.outboxes)


async def test_WS_02_a_push_arrives_in_the_encoding_of_each_client() -> None:
    async with house() as here:
        peers = [await here.client("ann", codec) for codec in CODECS]
        here.engine.push({"t": "message.sent", "d": {"text": "läuft"}})
        for peer in peers:
            assert (await peer.item())["d"]["text"] == "läuft"


@pytest.mark.parametrize(
    ("opcode", "data"),
    [
        (BINARY, BAD),
        (BINARY, b""),
        (TEXT, b'{"t":"ping"}'),
        (BINARY, b"\x80"),
        (BINARY, b"\xc7\x01\x01\x01"),
        (BINARY, b"\x91" * 40 + b"\x90"),
    ],
)
async def test_WS_09_a_bad_frame_is_answered_and_nothing_else(opcode: int, data: bytes) -> None:
    async with house() as here:
        peer = await here.client()
        await peer.frame(data, opcode)
        reply = await peer.item()
        assert reply["t"] == "reply"
        assert "id" not in reply
        assert reply["error"]["code"] == "BAD_FRAME"
        await peer.send({"t": "ping"})
        assert await peer.item() == {"t": "pong"}


async def test_WS_09_json_travels_in_text_messages_only() -> None:
    async with house() as here:
        peer = await here.client("ann", CODECS[1])
        await peer.frame(b'{"t":"ping"}', BINARY)
        assert (await peer.item())["error"]["code"] == "BAD_FRAME"
        await peer.frame(b'{"t":"\xff"}', TEXT)
        assert (await peer.item())["error"]["code"] == "BAD_FRAME"


async def test_WS_09_the_fifth_bad_frame_within_a_minute_is_the_last(clock: MockClock) -> None:
    async with house() as here:
        peer = await here.client()
        for _ in range(4):
            await peer.frame(BAD)
            await peer.item()
        await trio.sleep(20)
        await peer.frame(BAD)
        assert (await peer.item())["error"]["code"] == "BAD_FRAME"
        assert await peer.closed() == 3501
        assert not here.engine.outboxes


async def test_WS_09_bad_frames_now_and_then_are_put_up_with(clock: MockClock) -> None:
    async with house() as here:
        peer = await here.client()
        for _ in range(12):
            await peer.frame(BAD)
            assert (await peer.item())["error"]["code"] == "BAD_FRAME"
            await trio.sleep(15)


async def test_a_good_item_beside_a_bad_one_is_not_carried_out() -> None:
    async with house() as here:
        peer = await here.client()
        await peer.send(send(1), {"t": 5})
        assert (await peer.item())["error"]["code"] == "BAD_FRAME"
        assert here.engine.submitted == []


async def test_CONN_20_a_frame_that_is_too_large_closes_with_1009() -> None:
    async with house(connections={"max_frame_bytes": 2000}) as here:
        peer = await here.client()
        await peer.send({"t": "ping", "id": "x", "d": {"pad": "p" * 1900}})
        assert (await peer.item())["t"] == "pong"
        await peer.frame(b"x" * 2001)
        frame = await peer.next()
        assert (frame.opcode, frame.data[:2]) == (CLOSE, (1009).to_bytes(2, "big"))
        # What was on its way does not reset the connection before that was read.
        await peer.stream.send_all(b"x" * 100_000)
        await peer.end()


async def test_a_message_may_come_in_fragments_with_pings_between() -> None:
    async with house() as here:
        peer = await here.client()
        data = peer.codec.encode({"t": "ping", "id": 9, "d": {"pad": "p" * 500}})
        await peer.frame(data[:100], BINARY, fin=False)
        await peer.frame(b"now", PING)
        for at in range(100, 400, 100):
            await peer.frame(data[at : at + 100], 0, fin=False)
        await peer.frame(data[400:], 0)
        assert await peer.next() == Frame(PONG, b"now")
        assert await peer.item() == {"t": "pong", "id": 9}


async def test_fragments_count_together() -> None:
    async with house(connections={"max_frame_bytes": 2000}) as here:
        peer = await here.client()
        await peer.frame(b"x" * 1500, BINARY, fin=False)
        await peer.frame(b"x" * 501, 0)
        assert (await peer.next()).data[:2] == (1009).to_bytes(2, "big")


@pytest.mark.parametrize(
    "data",
    [
        b"\x82\x05hello",  # not masked
        b"\xc2\x80\0\0\0\0",  # a reserved bit
        b"\x83\x80\0\0\0\0",  # a reserved opcode
        masked(b"x" * 126, PING),
        masked(b"", 0),  # a continuation of nothing
    ],
)
async def test_what_breaks_the_websocket_protocol_closes_with_1002(data: bytes) -> None:
    async with house() as here:
        peer = await here.client()
        await peer.stream.send_all(data)
        frame = await peer.next()
        assert (frame.opcode, frame.data[:2]) == (CLOSE, (1002).to_bytes(2, "big"))
        await peer.end()
        await here.engine.until(lambda: not here.engine.outboxes)


async def test_a_thousand_frames_at_once_are_answered_in_order() -> None:
    async with house(limits={"commands_per_s": 0}) as here:
        peer = await here.client()
        frames = [masked(peer.codec.encode(send(n)), BINARY) for n in range(1000)]
        await peer.stream.send_all(b"".join(frames))
        assert [(await peer.item())["id"] for _ in range(1000)] == list(range(1000))


async def test_reading_stops_while_too_many_commands_are_in_flight() -> None:
    async with house(connections={"max_in_flight": 8}) as here:
        here.engine.answers = False
        peer = await here.client()
        await peer.send(*(send(n) for n in range(20)))
        await peer.send({"t": "ping"})
        await wait_all_tasks_blocked()
        assert len(here.engine.submitted) == 8
        here.engine.answer(3)
        await wait_all_tasks_blocked()
        assert len(here.engine.submitted) == 11
        for _ in range(2):
            here.engine.answer(8)
            await wait_all_tasks_blocked()
        assert [item.id for item in here.engine.submitted] == list(range(20))
        replies = [await peer.item() for _ in range(19)]
        assert await peer.item() == {"t": "pong"}
        assert [reply["id"] for reply in replies] == list(range(19))


async def test_what_gets_no_reply_is_not_waited_for() -> None:
    async with house(connections={"max_in_flight": 2}) as here:
        here.engine.answers = False
        peer = await here.client()
        await peer.send(*({"t": "ack", "id": n, "c": "room", "seq": n} for n in range(50)))
        await peer.send(*(send() for _ in range(50)))
        await here.engine.until(lambda: len(here.engine.submitted) == 100)
        assert all(item.id is None for item in here.engine.submitted)


async def test_a_client_that_waits_for_us_is_not_silent(clock: MockClock) -> None:
    async with house(connections={"max_in_flight": 1}) as here:
        here.engine.answers = False
        peer = await here.client()
        await peer.send(send(1), send(2))
        await trio.sleep(500)
        here.engine.answers = True
        here.engine.answer(1)
        assert [(await peer.item())["id"] for _ in range(2)] == [1, 2]


async def test_CONN_08_C_31_a_silent_client_is_pinged_then_closed(clock: MockClock) -> None:
    async with house() as here:
        peer = await here.client()
        began = trio.current_time()
        frames = []
        times = []
        for _ in range(3):
            frames.append(await peer.next())
            times.append(trio.current_time() - began)
        assert [frame.opcode for frame in frames] == [PING, PING, CLOSE]
        assert frames[-1].data[:2] == (3012).to_bytes(2, "big")
        assert times == [30, 60, 90]
        assert not here.engine.outboxes, "offline now, whether it answers the Close or not"
        await peer.end()
        assert trio.current_time() - began == 95


async def test_CONN_08_a_heartbeat_may_be_shorter_than_the_time_for_hello(
    clock: MockClock,
) -> None:
    async with house(connections={"heartbeat_s": 4, "hello_timeout_s": 10}) as here:
        peer = await here.client()
        began = trio.current_time()
        assert (await peer.next()).opcode == PING
        assert trio.current_time() - began == 4


@pytest.mark.parametrize("sign", ["pong", "ping", "item"])
async def test_CONN_08_any_sign_of_life_will_do(sign: str, clock: MockClock) -> None:
    async with house() as here:
        peer = await here.client()
        for _ in range(10):
            await trio.sleep(25)
            if sign == "item":
                await peer.send({"t": "pong"})
            else:
                await peer.frame(b"", PONG if sign == "pong" else PING)
                if sign == "ping":
                    assert (await peer.next()).opcode == PONG
        assert len(here.engine.outboxes) == 1


async def test_a_client_may_say_goodbye_and_still_gets_its_answers() -> None:
    async with house() as here:
        here.engine.answers = False
        peer = await here.client()
        await peer.send(send(1), {"t": "goodbye"}, send(2))
        refused = await peer.item()
        assert (refused["id"], refused["error"]["code"]) == (2, "UNAVAILABLE")
        here.engine.answer(1)
        assert (await peer.item())["id"] == 1
        assert await peer.closed() == 1000


async def test_what_comes_before_a_close_is_carried_out() -> None:
    async with house() as here:
        peer = await here.client()
        close = masked((1000).to_bytes(2, "big"), CLOSE)
        await peer.stream.send_all(masked(peer.codec.encode(send(1)), BINARY) + close)
        assert (await peer.next()).opcode == CLOSE
        await peer.end()
        assert [item.id for item in here.engine.submitted] == [1]


async def test_the_engine_closes_after_what_it_gave() -> None:
    async with house() as here:
        peer = await here.client()
        here.engine.push({"t": "message.sent", "seq": 1})
        outbox = here.engine.outboxes[0]
        outbox.close(REVOKED)
        outbox.close(REVOKED)
        here.engine.push({"t": "message.sent", "seq": 2})
        assert (await peer.item())["seq"] == 1
        assert (await peer.item())["error"]["code"] == "SESSION_EXPIRED"
        assert await peer.closed() == 3503
        assert not here.engine.outboxes


async def test_a_close_is_not_waited_for_without_end(clock: MockClock) -> None:
    async with house() as here:
        peer = await here.client()
        here.engine.outboxes[0].close(FORBIDDEN)
        began = trio.current_time()
        await peer.next()
        await peer.send({"t": "ping"})
        await peer.end()
        assert trio.current_time() - began == 5


@pytest.mark.parametrize("how", ["closed", "cut", "refused", "no token", "revoked"])
async def test_an_ended_connection_leaves_nothing_to_the_garbage_collector(how: str) -> None:
    """Which runs seldom in a large process, and until then everything would stay."""
    kinds = (Connection, Dialogue, SocketOutbox, WriteSide, WebSocket, Opening)

    def all_there() -> list[object]:
        return [thing for thing in gc.get_objects() if isinstance(thing, kinds)]

    gc.collect()
    others = {id(thing) for thing in all_there()}  # of a test before, which something still holds

    def there() -> list[object]:
        return [thing for thing in all_there() if id(thing) not in others]

    async with house() as here:
        gc.collect()
        gc.disable()
        try:
            assert there() == []
            if how == "refused":
                peer = here.peer()
                await peer.upgrade("/elsewhere")
            elif how == "no token":
                peer = await here.connected()
                await peer.hello("nonsense")
                await peer.closed()
            else:
                peer = await here.client()
                assert len(there()) == 5
            if how == "revoked":
                here.engine.outboxes[0].close(REVOKED)
                await peer.item()
                await peer.closed()
            if how == "closed":
                await peer.close()
                await peer.next()
            await trio.aclose_forcefully(peer.stream)
            await wait_all_tasks_blocked()
            assert there() == []
        finally:
            gc.enable()


@given(data=st.binary(max_size=400), opcode=st.sampled_from([0, TEXT, BINARY, PING, CLOSE]))
@settings(max_examples=60)
def test_WS_09_no_bytes_make_it_stumble(data: bytes, opcode: int) -> None:
    async def main() -> None:
        async with house() as here:
            peer = await here.client()
            await peer.frame(data, opcode)
            await peer.stream.send_all(data)
            await peer.stream.send_eof()  # type: ignore[attr-defined]
            while await peer.stream.receive_some(65_536):
                pass
            await here.engine.until(lambda: not here.engine.outboxes)

    with structlog.testing.capture_logs() as entries:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    assert entries == []
