"""Peers that are broken, hostile or gone: each costs little, gets a defined answer, and nobody
else feels it."""

import random
from contextlib import suppress
from typing import Any

import msgpack
import pytest
import structlog
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, memory_stream_pair

from palaver.protocol.disconnects import DISCONNECTS
from palaver.protocol.errors import ERRORS
from palaver.protocol.features import COMMANDS
from palaver.tests.gateway.harness import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Peer,
    house,
    masked,
    request,
    town,
)
from palaver.tests.gateway.test_server import server

CODES = {1002, 1007, 1009, *(why.code for why in DISCONNECTS)}


async def ask(peer: Peer, kind: str, payload: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """The Reply to one command, whatever comes before it."""
    await peer.send({"t": kind, "id": "asked", "d": payload, **keys})
    while (item := await peer.item()).get("id") != "asked":
        pass
    return item


# One by one.


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        pytest.param(b"\x82\xff" + b"\x7f" * 8 + b"mask", 1009, id="announces exabytes"),
        pytest.param(b"\x82\xff" + b"\xff" * 8 + b"mask", 1009, id="announces less than nothing"),
        pytest.param(masked(b"\xdd\xff\xff\xff\xff", BINARY), "BAD_FRAME", id="bomb, array"),
        pytest.param(masked(b"\xdf\xff\xff\xff\xff", BINARY), "BAD_FRAME", id="bomb, map"),
        pytest.param(masked(b"\xdc\xff\xff" * 1000, BINARY), "BAD_FRAME", id="bombs in bombs"),
        pytest.param(masked(b"\x91" * 100_000, BINARY), "BAD_FRAME", id="nested without end"),
        pytest.param(masked(b"\x81\xa1t\xa2\xff\xfe", BINARY), "BAD_FRAME", id="not UTF-8"),
        pytest.param(masked(b"\x81\xa1t\xc4\x01x", BINARY), "BAD_FRAME", id="bytes for a string"),
        pytest.param(masked(b"\x81\xa1t\x07", BINARY), "BAD_FRAME", id="a number for a string"),
        pytest.param(masked(b"x", PING, fin=False), 1002, id="control frame in fragments"),
        pytest.param(masked(b"x", BINARY, fin=False) * 2, 1002, id="message within a message"),
        pytest.param(masked(b"\x03", CLOSE), 1002, id="half a code"),
        pytest.param(masked(b"\x03\xed", CLOSE), 1002, id="a code that may not travel"),
        pytest.param(masked(b"\x03\xe8\xff", CLOSE), 1007, id="a reason that is not UTF-8"),
    ],
)
async def test_WS_09_SEC_09_what_it_is_answered(data: bytes, answer: str | int) -> None:
    async with house() as here:
        other, peer = await here.client("bob"), await here.client("ann")
        await peer.stream.send_all(data)
        if isinstance(answer, str):
            assert (await peer.item())["error"]["code"] == answer
            await peer.send({"t": "ping"})
            assert await peer.item() == {"t": "pong"}
        else:
            frame = await peer.next()
            assert (frame.opcode, int.from_bytes(frame.data[:2], "big")) == (CLOSE, answer)
            await peer.end()
        await other.send({"t": "ping"})
        assert await other.item() == {"t": "pong"}


async def test_byte_by_byte_it_is_understood_all_the_same() -> None:
    async with house() as here:
        peer = here.peer()
        hello = {"t": "hello", "id": 1, "d": {"token": here.token("ann")}}
        for byte in request() + masked(peer.codec.encode([hello, {"t": "ping"}]), BINARY):
            await peer.stream.send_all(bytes([byte]))
        assert (await peer.response()).status == 101
        assert (await peer.item())["t"] == "welcome"
        assert await peer.item() == {"t": "pong"}


# Over real sockets, in real time.


async def test_CONN_08_a_peer_that_vanished_is_given_up() -> None:
    """Half-open: nothing comes from it, not even a reset."""
    async with server(connections={"heartbeat_s": 0.02}) as here:
        gone = await here.raw()
        await here.engine.until(lambda: not here.engine.outboxes)
        assert [(await gone.next()).opcode for _ in range(3)] == [PING, PING, CLOSE]


async def test_who_connects_and_says_nothing_is_given_up() -> None:
    async with server(connections={"hello_timeout_s": 0.02}) as here:
        silent = await trio.open_tcp_stream(here.listening.host, here.listening.port)
        here.streams.append(silent)
        with pytest.raises(trio.BrokenResourceError):
            await silent.receive_some()


async def test_SEND_25_who_never_reads_is_given_up_and_the_others_go_on() -> None:
    limits = {"stalled_s": 0.05, "send_buffer_bytes": 4096}
    async with server(connections=limits) as here, here.client("bob") as bob:
        await here.raw("ann", buffer=4096)
        here.engine.push({"t": "message.sent", "d": {"text": "x" * 500_000}})
        assert len(await bob.get_message()) > 500_000
        await here.engine.until(lambda: len(here.engine.outboxes) == 1)
        assert here.engine.outboxes[0].user == "bob"


@pytest.mark.parametrize("when", ["handshake", "message"])
async def test_who_trickles_is_given_up(when: str) -> None:
    """A byte now and then is no sign of life: a frame must be whole one day."""
    limits = {"hello_timeout_s": 0.1} if when == "handshake" else {"heartbeat_s": 0.05}
    async with server(connections=limits) as here, here.client("bob") as bob:
        if when == "handshake":
            stream = await trio.open_tcp_stream(here.listening.host, here.listening.port)
            here.streams.append(stream)
            peer, data = Peer(stream), request()
        else:
            peer, data = await here.raw("ann"), masked(b"x" * 100_000, BINARY)

        async def trickle() -> None:
            try:
                for byte in data:
                    await peer.stream.send_all(bytes([byte]))
                    await trio.sleep(0.005)  # which makes it a trickle
            except trio.BrokenResourceError:
                pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trickle)
            if when == "message":
                while (frame := await peer.next()).opcode != CLOSE:
                    assert frame.opcode == PING
                assert frame.data[:2] == (3012).to_bytes(2, "big")
            else:
                with suppress(trio.BrokenResourceError):  # unless the other task has met it
                    assert await peer.stream.receive_some() == b""
            nursery.cancel_scope.cancel()
        await bob.ping(b"still here?")


async def test_SEND_25_a_slow_consumer_loses_signals_then_the_connection_and_then_nothing() -> None:
    """3008 and a resume: in the end it has seen every event once, and so has everybody else."""
    limits = {"outbox_bytes": 65_536, "send_buffer_bytes": 4096}
    rates = {"requests_per_min": 0, "messages_per_min": 0}
    every = {"typing_min_interval_s": 0.0}
    async with town(connections=limits, limits=rates, policy=every) as here:
        slow, quick = here.on_socket(), await here.client("ann")
        await slow.upgrade()
        await slow.hello(here.token("bob"))
        made = await ask(quick, "conversation.create", {"kind": "group", "members": ["bob"]})
        room = made["ok"]["c"]
        await ask(slow, "conversation.subscribe", {}, c=room)
        last = 1
        while here.gateway.counters.closed["3008"] == 0:
            await ask(quick, "typing.start", {}, c=room)
            last = (await ask(quick, "message.send", {"text": "x" * 3000}, c=room))["ok"]["seq"]
        assert here.gateway.counters.dropped > 0
        seen: list[int] = []
        try:
            while True:
                item = await slow.item()
                seen += [item["seq"]] if "seq" in item else []
        except (AssertionError, trio.BrokenResourceError):  # it was cut off in the middle
            pass
        again = await here.client("bob")
        position = {"epoch": 1, "seq": seen[-1]}
        await again.send({"t": "conversation.resume", "id": "r", "c": room, "d": position})
        while (item := await again.item()).get("id") != "r":
            seen.append(item["seq"])
        assert item["ok"]["recovered"]
        assert seen == list(range(2, last + 1)), "the first came before it subscribed"


# All together.

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | words
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(words, inner), max_leaves=8
)
kinds = st.sampled_from([*COMMANDS, "hello", "refresh", "ping", "pong", "goodbye", "nonsense"])
items = st.fixed_dictionaries(
    {"t": kinds},
    optional={
        "id": st.integers(0, 9) | words,
        "c": st.sampled_from(["", "lobby", "00000000-0000-7000-8000-000000000001"]),
        "seq": st.integers(0, 9),
        "d": st.dictionaries(
            st.sampled_from(["text", "kind", "members", "to", "seq", "epoch", "token", "limit"]),
            values | st.sampled_from(["group", "direct", ["bob"], "bob", 1]),
        ),
        "v": st.integers(0, 2),
    },
)
randoms = st.integers(0, 2**32).map(random.Random)


packed = msgpack.packb


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with something left out, doubled or changed."""
    if not data:
        return b"\xff"
    at, count = chance.randrange(len(data)), chance.randrange(1, 5)
    middle = chance.choice([b"", data[at : at + count] * 2, chance.randbytes(count)])
    return data[:at] + middle + data[at + count :]


def fragmented(data: bytes, chance: random.Random) -> bytes:
    """One message in fragments, with a control frame between them, or what goes wrong with that."""
    cut = chance.randint(0, len(data))
    between = chance.choice([b"", masked(b"?", PING), masked(b"!", PONG), masked(b"x", BINARY)])
    first, rest = masked(data[:cut], BINARY, fin=False), masked(data[cut:], 0)
    return first + between + rest


messages = items.map(packed) | st.lists(items, max_size=5).map(packed)
whole = st.builds(masked, messages, st.just(BINARY))
bad = st.one_of(
    st.builds(lambda data, chance: masked(mutated(data, chance), BINARY), messages, randoms),
    (values | st.floats() | st.text()).map(lambda value: masked(packed(value), BINARY)),
    st.builds(fragmented, messages, randoms),
)
fatal = st.one_of(
    st.builds(lambda data, chance: mutated(masked(data, BINARY), chance), messages, randoms),
    st.builds(masked, st.binary(max_size=200), st.sampled_from([0, TEXT, *range(3, 16)])),
    messages.map(lambda data: bytes([0x82, min(len(data), 125)]) + data),  # not masked
    st.binary(max_size=40),
)
streams = st.tuples(
    st.lists(whole, min_size=1, max_size=9),
    st.lists(bad, max_size=3),
    st.lists(whole, max_size=3),
    st.lists(fatal, max_size=2),
).map(lambda parts: b"".join(frame for part in parts for frame in part))
openings = st.integers(0, 9).flatmap(
    lambda n: st.builds(mutated, st.just(request()), randoms) if n == 9 else st.just(request())
)


async def heard(peer: Peer) -> None:
    """Until the end of the stream: whatever the server says is well-formed and has its name."""
    while True:
        try:
            frame = await peer.next()
        except AssertionError as error:
            if "the stream ended after b''" in str(error):
                return
            raise
        if frame.opcode == CLOSE:
            assert not frame.data or int.from_bytes(frame.data[:2], "big") in CODES
        elif frame.opcode != PONG:
            item = peer.codec.decode(frame.data)
            assert isinstance(item["t"], str)
            if "error" in item:
                assert item["error"]["code"] in ERRORS.keys() - {"INTERNAL"}


@given(
    opening=openings,
    signs_in=st.sampled_from([True] * 9 + [False]),
    stream=streams,
    cuts=randoms,
)
@settings(max_examples=100, deadline=None)
def test_WS_09_SEC_09_whatever_a_peer_sends_it_hurts_nobody_else(
    opening: bytes, signs_in: bool, stream: bytes, cuts: random.Random
) -> None:
    async def main() -> None:
        async with town() as here:
            witness = await here.client("bob")
            tasks = len(here.gateway.nursery.child_tasks)
            ours, theirs = memory_stream_pair()
            peer = Peer(theirs, real=True)
            hello = {"t": "hello", "d": {"token": here.token("ann")}}
            data = opening + (masked(packed(hello), BINARY) if signs_in else b"") + stream
            async with trio.open_nursery() as nursery:
                nursery.start_soon(here.gateway.serve_stream, ours)
                with suppress(trio.BrokenResourceError):  # it may be closed by now
                    while data:
                        size = cuts.randint(1, len(data))
                        await theirs.send_all(data[:size])
                        data = data[size:]
                    await theirs.send_eof()
                if opening == request():
                    assert (await peer.response()).status == 101
                    await heard(peer)
            sent = await ask(witness, "message.send", {"text": "all well", "to": "cleo"})
            assert "ok" in sent
            assert here.gateway.connections == 1
            assert len(here.gateway.nursery.child_tasks) == tasks

    with structlog.testing.capture_logs() as entries:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [entry for entry in entries if entry["log_level"] in ("warning", "error")] == []
