"""The outgoing queue in a file: it outlives the program, and refuses what is not its own."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import PIPE

import pytest
import trio

from palaver.gateway.auth import issue_token
from palaver.gateway.client import (
    ClientClosed,
    DiskOutbox,
    Expired,
    OutboxForeign,
    OutboxInUse,
    OutboxUnusable,
    Outgoing,
)
from palaver.tests.gateway.client.house import house

USES = """
import sys, trio
from palaver.gateway.client import DiskOutbox, OutboxInUse

async def main():
    outbox = DiskOutbox(sys.argv[1])
    try:
        await outbox.open()
    except OutboxInUse as error:
        sys.exit(str(error))

trio.run(main)
"""

ENQUEUES = """
import os, sys, trio
from palaver.gateway.client import Client, DiskOutbox
from palaver.gateway.client.connection import tcp

deaf = False

async def connect(address):
    stream = await tcp(address)
    receive = stream.receive_some

    async def receive_some(max_bytes=None):
        data = await receive(max_bytes)
        if deaf:
            await trio.sleep_forever()
        return data

    stream.receive_some = receive_some
    return stream

async def main(url, token, c, path):
    global deaf
    outbox = DiskOutbox(path)
    async with Client(url, token, pushes=False, outbox=outbox, connector=connect) as client:
        await client.connected()
        deaf = True
        for n in range(3):
            await client.enqueue(c, f"{n}")
        os.write(1, b"kept")
        await trio.sleep_forever()

trio.run(main, *sys.argv[1:])
"""


def command(n: int, c: str = "c") -> Outgoing:
    payload = {"text": f"{n}", "client_id": f"k{n}"}
    return Outgoing("message.send", payload, c, f"k{n}", time.time(), 50)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


async def filled(path: Path, count: int = 3) -> None:
    outbox = DiskOutbox(path)
    await outbox.open()
    for n in range(count):
        await outbox.keep(command(n))
    await outbox.close()


async def found(path: Path) -> list[tuple[str, int]]:
    outbox = DiskOutbox(path)
    await outbox.open()
    await outbox.close()
    return [(each.payload["text"], each.payload["attempt"]) for each in outbox.waiting]


async def test_CLI_02_what_is_kept_is_found_again_as_a_repetition_and_what_is_answered_is_not(
    path: Path,
) -> None:
    await filled(path)
    outbox = DiskOutbox(path)
    await outbox.open()
    await outbox.drop(outbox.waiting[1])
    await outbox.keep(command(3))
    await outbox.close()
    assert await found(path) == [("0", 2), ("2", 2), ("3", 2)]
    assert stat.S_IMODE((await trio.Path(path).stat()).st_mode) == 0o600


async def test_several_tasks_keep_in_the_order_of_their_calls(path: Path) -> None:
    outbox = DiskOutbox(path)
    await outbox.open()
    async with trio.open_nursery() as nursery:
        for n in range(20):
            nursery.start_soon(outbox.keep, command(n))
            await trio.lowlevel.checkpoint()
    await outbox.close()
    assert [text for text, _ in await found(path)] == [f"{n}" for n in range(20)]


async def test_its_age_is_counted_across_restarts(path: Path) -> None:
    outbox = DiskOutbox(path)
    await outbox.open()
    old, new = command(1), command(2)
    old.at -= 3600
    await outbox.keep(old)
    await outbox.keep(new)
    await outbox.close()
    async with house() as home:
        outbox = DiskOutbox(path, max_age=1800)
        async with home.client("ann", pushes=False, outbox=outbox) as client:
            first, second = client.outbox.waiting
            with pytest.raises(Expired) as caught:
                await first.answer()
            assert caught.value.sent, "nobody knows what the program of then did"
            assert second.deadline > trio.current_time() + 1000


async def test_two_processes_do_not_share_a_file(path: Path) -> None:
    outbox = DiskOutbox(path)
    await outbox.open()
    with pytest.raises(OutboxInUse, match="it is in use"):
        await DiskOutbox(path).open()
    run = [sys.executable, "-c", USES, str(path)]
    other = await trio.run_process(run, check=False, capture_stderr=True)
    assert other.returncode == 1
    assert other.stderr.decode() == f"{path} cannot be used: it is in use\n"
    await outbox.close()
    with pytest.raises(ClientClosed):
        await outbox.keep(command(1))
    assert (await trio.run_process(run)).returncode == 0


def _emptied(path: Path) -> None:
    os.truncate(path, 0)
    path.with_name("outbox-wal").write_bytes(b"x" * 4096)


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()


def _garbled(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE outgoing SET payload = x'c1' WHERE n = 2")
    db.close()


def _overwritten(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + os.urandom(4096) + data[8192:])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_text("notes of somebody else" * 100), "not a database"),
        (_foreign, "the database of another program"),
        (_newer, "its format is 2, not 1"),
        (_garbled, "it holds what cannot be read"),
        (_overwritten, ""),
        (lambda path: path.write_bytes(path.read_bytes()[:4096]), ""),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), ""),
        (_emptied, "it is empty, but its log is not"),
    ],
)
async def test_a_foreign_or_torn_file_is_refused_in_words_and_kept(
    path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    await filled(path)
    damage(path)
    before = await trio.Path(path).read_bytes()
    with pytest.raises(OutboxUnusable, match=f"{path.name} cannot be used: .*{reason}"):
        await DiskOutbox(path).open()
    assert await trio.Path(path).read_bytes() == before


async def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    for place, reason in ((tmp_path, "unable to open"), (tmp_path / "a" / "b", "no such file")):
        with pytest.raises(OutboxUnusable, match=f"{place} cannot be used: {reason}"):
            await DiskOutbox(place).open()


async def test_a_file_that_cannot_be_written_any_more_refuses_to_keep(path: Path) -> None:
    outbox = DiskOutbox(path)
    await outbox.open()
    assert outbox._file is not None
    outbox._file._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(OutboxUnusable, match="full"):  # noqa: PT012
        for n in range(1000):
            await outbox.keep(command(n))
    kept = [each.payload["text"] for each in outbox.waiting]
    await outbox.close()
    assert [text for text, _ in await found(path)] == kept


async def test_a_file_belongs_to_its_user_until_it_is_empty(path: Path) -> None:
    async with house() as home:
        c = await home.gateway.engine.as_user("ann").create_group("Team", ["bob"])
        outbox = DiskOutbox(path)
        await outbox.open()
        await outbox.claim("ann")
        await outbox.keep(command(1, c))
        await outbox.close()
        async with home.client("bob", outbox=DiskOutbox(path)) as bob:
            with pytest.raises(OutboxForeign, match="another user"):
                await bob.connected()
        async with home.client("ann", outbox=DiskOutbox(path)) as ann:
            await ann.outbox.waiting[0].answer()
        async with home.client("bob", outbox=DiskOutbox(path)) as bob:
            await (await bob.enqueue(c, "by bob")).answer()


async def test_SEND_06_killed_between_enqueue_and_answer_all_are_sent_exactly_once(
    path: Path,
) -> None:
    async with house() as home, trio.open_nursery() as nursery:
        host = home.gateway.engine.as_user("ann")
        c = await host.create_group("Team", ["bob"])
        serve = partial(trio.serve_tcp, home.gateway.serve_stream, 0, host="127.0.0.1")
        listeners = await nursery.start(serve)
        port = listeners[0].socket.getsockname()[1]
        token = issue_token(home.gateway.settings.auth, "ann")
        arguments = [f"ws://127.0.0.1:{port}", token, c, str(path)]
        async with home.gateway.engine.subscribe(c) as events:
            run = [sys.executable, "-c", ENQUEUES, *arguments]
            child = await trio.lowlevel.open_process(run, stdout=PIPE)
            try:
                assert child.stdout is not None
                assert await child.stdout.receive_some() == b"kept"
                async for event in events:
                    if event.kind == "message.sent":
                        break
            finally:
                child.kill()
                await child.wait()
        async with home.client("ann", pushes=False, outbox=DiskOutbox(path)) as client:
            answers = [await each.answer() for each in client.outbox.waiting]
            assert answers[0]["seq"] == event.seq, "the first answer"
        history = await host.history(c)
        assert [each["text"] for each in history] == ["0", "1", "2"]
        nursery.cancel_scope.cancel()
    assert await found(path) == []
