"""Every peer that can be started here does what the figures say of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Self

import asyncpg
import pytest

from palaver.benchmarks.checks import COUNTER, Numbers
from palaver.benchmarks.dialect import MARKER, NUMBER, Line, Refused, text
from palaver.benchmarks.lines import close, connect, do, receive
from palaver.benchmarks.peers import PEERS, npm
from palaver.benchmarks.peers.node_peer import NodePeer
from palaver.benchmarks.postgres import Postgres, temporary_data
from palaver.benchmarks.target import Target, Tokens

CHATS = ("fastapi", "socketio", "ws")
"""Those that store messages and check tokens."""

Start = Callable[..., Target]


def can_run(name: str) -> None:
    """Skips the test if not, and says why."""
    peer = PEERS[name]
    if why := peer.missing():
        pytest.skip(f"{name} {why}")
    if isinstance(peer, NodePeer) and not npm.cache().is_dir():
        pytest.skip(
            f"{name}: its packages are not there yet; `palaver bench --peer {name}` gets them"
        )


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Callable[[str], Target]]:
    """The peer of that name, without a database."""
    started: dict[str, Target] = {}

    with ExitStack() as stack:

        def start(name: str) -> Target:
            can_run(name)
            if name not in started:
                started[name] = stack.enter_context(PEERS[name].start(None, {}))
            return started[name]

        yield start


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with temporary_data() as data, Postgres(data) as running:
        yield running


class Sql:
    """One connection to Postgres, for tests that are not asynchronous themselves."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(asyncpg.connect(self._dsn))
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()

    def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        return self._runner.run(self._connection.fetch(sql, *arguments))


def connected(target: Target, *users: str) -> list[Line]:
    return [connect(target.dialect, target.address, user, target.tokens(user)) for user in users]


def sign_in(target: Target, line: Line, token: str) -> None:
    for step in target.dialect.sign_in(target.address, line.user, token):
        do(line, step)


def frames(target: Target, room: str, sender: int, count: int, size: int = 120) -> list[bytes]:
    """The sender's messages in turn, numbered as the generator does it."""
    frame = target.dialect.message(room, text(size))
    return [frame.replace(NUMBER, b"%012d" % (sender * COUNTER + n)) for n in range(1, count + 1)]


def read(line: Line, wanted: dict[bytes, int]) -> bytes:
    """Everything received until each of the markers has been seen so many times."""
    line.sock.settimeout(10)
    while any(line.rest.count(marker) < times for marker, times in wanted.items()):
        receive(line)
    data = bytes(line.rest)
    line.rest.clear()
    return data


@pytest.mark.parametrize("name", PEERS)
def test_a_message_reaches_everybody_in_the_room_once_and_is_replied_to(
    name: str, in_memory: Start
) -> None:
    target = in_memory(name)
    dialect = target.dialect
    ann, bob, cid = lines = connected(target, "ann", "bob", "cid")
    room = dialect.open_room(lines if dialect.senders_listen else [bob, cid], "group")
    sent = frames(target, room, 7, 3) + frames(target, room, 8, 1, 10_240)
    ann.sock.sendall(b"".join(sent))
    for line in lines:
        delivered = 4 if line is not ann or dialect.senders_listen else 0
        replied = 4 if line is ann else 0
        data = read(line, {MARKER: delivered, dialect.reply: replied})
        check = dialect.check()
        for at in range(0, len(data), 50):
            check.feed(data[at : at + 50])
        assert (check.deliveries, check.problems) == (delivered, [])
        if line is ann:
            assert data.count(dialect.reply) == replied
    close(lines)


@pytest.mark.parametrize("name", PEERS)
def test_a_message_reaches_nobody_outside_of_its_room(name: str, in_memory: Start) -> None:
    target = in_memory(name)
    dialect = target.dialect
    ann, bob, cid = lines = connected(target, "ann", "bob", "cid")
    room = dialect.open_room([ann, bob] if dialect.senders_listen else [bob], "group")
    other = dialect.open_room([ann, cid] if dialect.senders_listen else [cid], "group")
    ann.sock.sendall(frames(target, room, 1, 1)[0] + frames(target, other, 2, 1)[0])
    for line, sender in ((bob, 1), (cid, 2)):
        assert Numbers().feed(read(line, {MARKER: 1})) == [sender * COUNTER + 1]
    close(lines)


@pytest.mark.parametrize("name", PEERS)
def test_a_line_survives_what_keeps_it_alive(name: str, in_memory: Start) -> None:
    target = in_memory(name)
    lines = connected(target, "ann", "bob")
    for line in lines:
        line.sock.sendall(target.dialect.alive * 2)
    assert target.dialect.open_room(lines, "direct")
    close(lines)


@pytest.mark.parametrize("name", CHATS)
def test_a_token_that_others_signed_is_refused(name: str, in_memory: Start) -> None:
    target = in_memory(name)
    forged = Tokens("another-secret-of-more-than-32-bytes")("ann")
    for token in (forged, "", target.tokens("ann")[:-4]):
        with socket.create_connection(target.address) as sock, pytest.raises(Refused):
            sign_in(target, Line("ann", sock), token)


@pytest.mark.parametrize("name", CHATS)
def test_nobody_speaks_in_a_room_without_being_in_it(name: str, in_memory: Start) -> None:
    target = in_memory(name)
    member, stranger = lines = connected(target, "ann", "bob")
    room = target.dialect.open_room([member], "group")
    stranger.sock.sendall(frames(target, room, 1, 1)[0])
    said = read(stranger, {b"not in this room": 1})
    assert target.dialect.reply not in said
    close(lines)


@pytest.mark.parametrize("name", CHATS)
def test_nothing_is_said_of_a_message_before_its_row_is_stored(
    name: str, postgres: Postgres
) -> None:
    can_run(name)
    with ExitStack() as stack:
        target = stack.enter_context(PEERS[name].start((postgres.dsn, 1), {}))
        dialect = target.dialect
        lines = connected(target, "ann", "bob")
        stack.callback(close, lines)
        room = dialect.open_room(lines, "direct")
        sql = stack.enter_context(Sql(postgres.dsn))
        sql.fetch("BEGIN")
        sql.fetch("LOCK TABLE peer_message IN SHARE MODE")  # nobody else inserts from here on
        lines[0].sock.sendall(b"".join(frames(target, room, 1, 20)))
        while not sql.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"):
            pass
        for line in lines:
            line.sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                line.sock.recv(1)
        sql.fetch("ROLLBACK")
        for line, replies in zip(lines, (20, 0), strict=True):
            data = read(line, {MARKER: 20, dialect.reply: replies})
            check = dialect.check()
            check.feed(data)
            assert (check.deliveries, check.problems) == (20, [])
            assert data.count(dialect.reply) == replies
        stored = sql.fetch("SELECT sender, text FROM peer_message WHERE room = $1", room)
        numbers = [Numbers().feed(row["text"].encode()) for row in stored]
        assert sorted(numbers) == [[COUNTER + n] for n in range(1, 21)]
        assert {row["sender"] for row in stored} == {"ann"}
