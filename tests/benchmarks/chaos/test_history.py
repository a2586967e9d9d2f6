"""What is synced is on disk, in order."""

import os

import trio

from palaver.benchmarks.chaos.history import History, read


async def test_what_is_synced_is_on_disk(tmp_path, monkeypatch):
    synced: list[int] = []
    fsync = os.fsync

    def watched(fd):
        fsync(fd)
        synced.append(fd)

    monkeypatch.setattr(os, "fsync", watched)
    with History(tmp_path / "history") as history:
        history.note("got", 3, {"t": "reply", "id": 1})
        history.note("sent", 4, {"t": "ping"})
        await history.synced()
        assert len(synced) == 1
        assert [record[:2] for record in read(history.path)] == [("got", 3), ("sent", 4)]
        history.note("close", 3, "bye")
    assert [record[3] for record in read(history.path)][-1] == "bye"


async def test_who_waits_together_shares_a_sync(tmp_path, monkeypatch):
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with History(tmp_path / "history") as history:

        async def act(device):
            history.note("got", device, {})
            await history.synced()
            assert device in {record[1] for record in read(history.path)}

        async with trio.open_nursery() as nursery:
            for device in range(20):
                nursery.start_soon(act, device)
        assert len(synced) <= 3


async def test_who_is_cancelled_takes_nothing_along(tmp_path):
    """At whatever step of it; the order of tasks is random, so it is tried often."""
    with History(tmp_path / "history") as history:
        for number in range(60):
            history.note("got", number, {})
            async with trio.open_nursery() as nursery:
                nursery.start_soon(history.synced)
                for _ in range(number % 3):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
    assert [record[1] for record in read(history.path)] == list(range(60))


async def test_a_record_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "history"
    with History(path) as history:
        history.note("got", 1, {"text": "whole"})
        history.note("got", 1, {"text": "cut off"})
    path.write_bytes(path.read_bytes()[:-3])
    assert [record[3] for record in read(path)] == [{"text": "whole"}]
