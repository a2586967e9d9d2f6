"""The conversations are made, whoever was not there to hear of it."""

from random import Random

import pytest
import trio

from palaver.benchmarks.chaos import load
from palaver.benchmarks.chaos.device import Device
from palaver.benchmarks.chaos.history import History
from palaver.benchmarks.chaos.link import Link
from palaver.benchmarks.chaos.load import Group, Setup, create


class Answered(Device):
    """Connected; what it sends is answered at once, and it hears of nothing else."""

    def _post(self, item):
        answers = {
            "conversation.create": {"c": "c1"},
            "sync.changes": {
                "cursor": "1",
                "conversations": [{"c": "c1", "epoch": 1, "seq": 1}],
            },
            "conversation.get": {"epoch": 1, "seq": 1},
        }
        if (ok := answers.get(item["t"])) is not None:
            trio.lowlevel.spawn_system_task(self._hear, item, ok)

    async def _hear(self, item, ok):
        await trio.lowlevel.checkpoint()
        self._take({"t": "reply", "id": item["id"], "c": item.get("c"), "ok": ok})


class Unheard(Device):
    """Connected to somebody who never answers."""

    def _post(self, item):
        pass


@pytest.fixture
async def history(tmp_path):
    with History(tmp_path / "history") as history:
        yield history


def devices(kind, history):
    """One of each user, both online."""
    link = Link(lambda: None)
    return [
        kind(number, user, "", link, history, lambda: 1, Random(number), online=True)
        for number, user in enumerate(["ann", "bob"])
    ]


async def test_who_had_no_connection_when_a_conversation_was_made_asks_for_it(history):
    both = devices(Answered, history)
    await create(both, [Group(("ann", "bob"), direct=True)])
    assert [list(device.places) for device in both] == [["c1"], ["c1"]]


async def test_an_engine_that_makes_none_is_told_in_words(history, monkeypatch):
    monkeypatch.setattr(load, "_PATIENCE", 0.1)
    with pytest.raises(Setup, match=r"devices \[0\] do not know their conversations"):
        await create(devices(Unheard, history), [Group(("ann", "bob"), direct=True)])
